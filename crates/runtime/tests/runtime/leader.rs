//! Who does the periodic duties, and what of them goes on when one who did them is dead. Time is paused, and the store goes
//! by it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::{
    Args, JobState, JobTemplate, NewSchedule, Overlap, Rhythm, ScheduleName, Timestamp, WorkerId,
};
use windlass_memory::MemoryStore;
use windlass_runtime::{Job as _, RunningWorker, Worker};
use windlass_store::{
    Actor, Clock, ErrorKind, JobFilter, JobStore as _, KindSupport, LEADER_LEASE, LeaseStore as _, LeaseTerm,
    Maintenance as _, NewWorker, PageRequest, QueueStore as _, Queues, ScheduleStore as _, WorkerStore as _,
    ids,
};

use crate::faulty::{Fault, FaultyStore};
use crate::support::{Number, until};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn one_of_three_workers_prunes_and_tidies_and_all_of_them_rescue() {
    let town = Town::new(3);
    for store in town.stores.iter() {
        // A beat tells the time too, but by the clock of its own thread, which is not paused.
        store.always("beat", Fault::Fail(ErrorKind::Unavailable));
    }
    let workers: Vec<_> = town.stores.iter().map(start).collect();

    pass(10 * MINUTE).await;
    let calls = |act| town.stores.each(|store| store.calls(act));
    let (pruned, tidied, rescued, asked) = (calls("prune"), calls("tidy"), calls("rescue"), calls("lead"));
    stop(workers).await;

    for counts in [&pruned, &tidied] {
        assert_eq!(counts.iter().filter(|count| **count == 0).count(), 2, "{counts:?}");
        assert!((8..=12).contains(&counts.iter().sum::<usize>()), "{counts:?}");
    }
    assert!(rescued.iter().all(|count| *count > 600), "{rescued:?}");
    assert!(asked.iter().all(|count| (100..170).contains(count)), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn another_takes_over_when_the_leader_is_cut_off_and_the_first_does_nothing_more() {
    let town = Town::new(2);
    let [first, second] = [&town.stores.0[0], &town.stores.0[1]];
    let mut workers = vec![start(first)];
    until(|| first.calls("prune") > 0).await;
    workers.push(start(second));
    pass(MINUTE).await;
    assert_eq!(second.calls("prune"), 0);

    first.always("lead", Fault::Fail(ErrorKind::Unavailable));
    let begun = Instant::now();
    until(|| second.calls("prune") > 0).await;
    let took = begun.elapsed();
    let pruned = first.calls("prune");
    pass(5 * MINUTE).await;

    // The lead has to end, and whoever does not know the store's time looks once in a lease and a little.
    assert!(took <= 2 * LEADER_LEASE + SECOND, "{took:?}");
    assert_eq!(first.calls("prune"), pruned);
    assert!(second.calls("prune") >= 4);
    stop(workers).await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_stops_makes_room_at_once() {
    let town = Town::new(1);
    let worker = start(&town.stores.0[0]);
    until(|| town.stores.0[0].calls("lead") > 0).await;

    worker.stop().await;

    let ghost = ids::worker_id();
    assert_eq!(town.inner.lead(ghost).await.unwrap().leader, ghost);
}

#[tokio::test(start_paused = true)]
async fn g19_what_a_dead_worker_held_is_back_within_a_second_though_the_leader_is_dead_too() {
    let town = Town::new(1);
    let worker = start(&town.stores.0[0]);
    pass(MINUTE).await;
    let ghost = ids::worker_id();
    town.stores.0[0].always("lead", Fault::Fail(ErrorKind::Unavailable));
    pass(LEADER_LEASE).await;

    for lease in [100, 500, 1_000, 3_000].map(Duration::from_millis) {
        assert_eq!(town.inner.lead(ghost).await.unwrap().leader, ghost, "it leads, and does nothing");
        let id = town.lose_a_job(lease).await;
        let begun = Instant::now();
        while town.inner.job(id).await.unwrap().state != JobState::Completed {
            pass(Duration::from_millis(5)).await;
        }
        let took = begun.elapsed();
        assert!(took <= lease + SECOND, "{lease:?}: {took:?}");
    }
    worker.stop().await;
}

/// How many leaders there are, one after the other.
const LEADERS: u32 = 1_000;

#[tokio::test(start_paused = true)]
async fn g15_each_tick_fires_once_through_a_thousand_workers_that_lead_and_die() {
    let town = Town::new(0);
    let begun = town.inner.status().await.unwrap().now;
    town.inner.put_schedule(every_five_seconds(), Actor::new("test")).await.unwrap();

    for leader in 0..LEADERS {
        let store = Arc::new(FaultyStore::new(Arc::clone(&town.inner)));
        let worker = start(&store);
        until(|| store.calls("fire") > 0).await;
        // It leads for up to seven seconds, and is gone without a word to anybody.
        pass(Duration::from_millis(u64::from(leader * 7_919 % 7_000))).await;
        store.away(true);
        worker.stop().await;
    }

    let ticks = town.ticks().await;
    let term = town.inner.lead(ids::worker_id()).await.unwrap().term;
    assert!(term >= u64::from(LEADERS), "{term}");
    let (first, last) = (*ticks.keys().next().unwrap(), *ticks.keys().next_back().unwrap());
    assert_eq!(first.since(begun), 5 * SECOND);
    assert_eq!(ticks.len() as u64, last.since(begun).as_secs() / 5, "no tick is left out");
    assert!(ticks.values().all(|jobs| *jobs == 1), "{ticks:?}");
}

fn every_five_seconds() -> NewSchedule {
    let job = JobTemplate::new(Number::KIND.parse().unwrap(), Args::of(&Number(0)).unwrap());
    let rhythm = Rhythm::Every(5 * SECOND);
    let mut schedule = NewSchedule::new(ScheduleName::new("pulse").unwrap(), rhythm, job);
    schedule.overlap = Overlap::Allow;
    schedule
}

/// Stores of several processes, which are one store.
struct Town {
    inner: Arc<MemoryStore>,
    stores: Stores,
}

struct Stores(Vec<Arc<FaultyStore>>);

impl Stores {
    fn iter(&self) -> impl Iterator<Item = &Arc<FaultyStore>> {
        self.0.iter()
    }

    fn each<T>(&self, of: impl Fn(&FaultyStore) -> T) -> Vec<T> {
        self.0.iter().map(|store| of(store)).collect()
    }
}

impl Town {
    fn new(processes: usize) -> Self {
        let inner = Arc::new(MemoryStore::with_clock(Arc::new(PausedClock(Instant::now()))));
        let stores = (0..processes).map(|_| Arc::new(FaultyStore::new(Arc::clone(&inner)))).collect();
        Self { inner, stores: Stores(stores) }
    }

    /// How many jobs each tick has made.
    async fn ticks(&self) -> BTreeMap<Timestamp, u32> {
        let (mut ticks, mut page) = (BTreeMap::new(), PageRequest::first(500));
        loop {
            let read = self.inner.jobs(JobFilter::default(), page).await.unwrap();
            for fired_by in read.items.into_iter().filter_map(|job| job.options.fired_by) {
                *ticks.entry(fired_by.tick.unwrap()).or_default() += 1;
            }
            match read.next {
                Some(next) => page = page.after(Some(next)),
                None => return ticks,
            }
        }
    }

    /// Gives a job to a worker that is never heard of again.
    async fn lose_a_job(&self, lease: Duration) -> windlass_core::JobId {
        let kind = KindSupport { kind: Number::KIND.parse().unwrap(), version_max: 1 };
        let worker = NewWorker {
            id: ids::worker_id(),
            name: "dead".to_owned(),
            host: "host".to_owned(),
            version: "1".to_owned(),
            queues: Queues::Any,
            kinds: vec![kind],
            slots: 1,
            lease,
            owner: None,
        };
        let dead: WorkerId = worker.id;
        self.inner.register(worker).await.unwrap();
        let mut job = windlass_core::NewJob::new(
            ids::job_id(),
            Number::KIND.parse().unwrap(),
            windlass_core::Args::of(&Number(0)).unwrap(),
        );
        job.queue = "default".parse().unwrap();
        let id = job.id;
        // Paused before anyone else can see it, so that it is the dead one's.
        self.inner.pause(&job.queue, Actor::new("test")).await.unwrap();
        self.inner.enqueue(vec![job]).await.unwrap();
        self.inner.resume(&"default".parse().unwrap(), Actor::new("test")).await.unwrap();
        self.inner.claim_job(dead, id, LeaseTerm::Process).await.unwrap();
        id
    }
}

/// The paused time of the test, as a clock.
#[derive(Debug)]
struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_767_225_600_000_000).after(self.0.elapsed())
    }
}

/// A worker whose beats, which go by real time, need not keep up.
fn start(store: &Arc<FaultyStore>) -> RunningWorker {
    let builder = Worker::builder(Arc::clone(store) as _).lease(60 * MINUTE);
    builder.handle(async |_: Number| {}).build().unwrap().start()
}

async fn stop(workers: Vec<RunningWorker>) {
    for worker in workers {
        worker.stop().await;
    }
}

async fn pass(span: Duration) {
    tokio::time::sleep_until(Instant::now() + span).await;
}
