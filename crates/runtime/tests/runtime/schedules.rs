//! Schedules that a worker declares and fires. Time is paused, and the store goes by it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::{Args, JobTemplate, NewSchedule, Overlap, Rhythm, ScheduleName, Timestamp};
use windlass_memory::MemoryStore;
use windlass_runtime::{Job as _, RunningWorker, State, Worker};
use windlass_store::{Actor, Clock, ErrorKind, ScheduleState, ScheduleStore as _};

use crate::faulty::{Fault, FaultyStore};
use crate::support::{Number, until};

const SECOND: Duration = Duration::from_secs(1);

/// When handlers were entered.
type Seen = Arc<Mutex<Vec<Instant>>>;

fn store() -> Arc<FaultyStore> {
    let clock = Arc::new(PausedClock(Instant::now()));
    Arc::new(FaultyStore::new(Arc::new(MemoryStore::with_clock(clock))))
}

/// The paused time of the test, as a clock.
#[derive(Debug)]
struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_767_225_600_000_000).after(self.0.elapsed())
    }
}

fn schedule(name: &str, rhythm: Rhythm) -> NewSchedule {
    let job = JobTemplate::new(Number::KIND.parse().unwrap(), Args::of(&Number(0)).unwrap());
    let mut schedule = NewSchedule::new(ScheduleName::new(name).unwrap(), rhythm, job);
    schedule.overlap = Overlap::Allow;
    schedule
}

async fn note(_: Number, State(seen): State<Seen>) {
    seen.lock().unwrap().push(Instant::now());
}

/// A worker whose beats, which go by real time, need not keep up.
fn start(store: &Arc<FaultyStore>, seen: &Seen, schedules: Vec<NewSchedule>) -> RunningWorker {
    let builder = Worker::builder(Arc::clone(store) as _).lease(Duration::from_secs(3_600)).program("app");
    let builder = schedules.into_iter().fold(builder, windlass_runtime::WorkerBuilder::schedule);
    builder.state(Arc::clone(seen)).handle(note).build().unwrap().start()
}

#[tokio::test(start_paused = true)]
async fn a_schedule_of_every_second_runs_within_a_second_and_then_once_a_second() {
    let (store, seen) = (store(), Seen::default());
    let begun = Instant::now();
    let worker = start(&store, &seen, vec![schedule("pulse", Rhythm::cron("* * * * * *", "UTC"))]);

    until(|| seen.lock().unwrap().len() == 10).await;
    worker.stop().await;

    let seen = seen.lock().unwrap().clone();
    assert!(seen[0] - begun <= SECOND + SECOND / 4, "{:?}", seen[0] - begun);
    for pair in seen.windows(2) {
        assert!((pair[1] - pair[0]).abs_diff(SECOND) < SECOND / 2, "{:?}", pair[1] - pair[0]);
    }
}

/// All that an idle worker asks of its store, the leader's duties among it. Beats go by real time; they come to one in ten seconds.
#[tokio::test(start_paused = true)]
async fn an_idle_worker_with_a_schedule_asks_its_store_less_than_twice_a_second() {
    let (store, seen) = (store(), Seen::default());
    store.always("beat", Fault::Fail(ErrorKind::Unavailable));
    // In the middle of the hour that is watched, not at its end.
    let hourly = schedule("hourly", Rhythm::cron("30 * * * *", "UTC"));
    let worker = start(&store, &seen, vec![hourly]);
    until(|| store.calls("fire") > 0).await;
    let (before, beats) = (store.calls_of_worker(), store.calls("beat"));

    tokio::time::sleep_until(Instant::now() + 3_600 * SECOND).await;
    let asked = store.calls_of_worker() - before - (store.calls("beat") - beats) + 360;
    worker.stop().await;

    assert_eq!(seen.lock().unwrap().len(), 1, "the schedule is there");
    assert!((3_600..2 * 3_600).contains(&asked), "{asked} times in an hour");
}

/// What tells of a schedule may be lost: whoever leads learns of it from the answer to its next question.
#[tokio::test(start_paused = true)]
async fn a_schedule_that_nobody_tells_of_fires_in_time() {
    let clock = Arc::new(PausedClock(Instant::now()));
    let inner = Arc::new(MemoryStore::with_clock(clock));
    let (store, seen) = (Arc::new(FaultyStore::deaf(Arc::clone(&inner))), Seen::default());
    let worker = start(&store, &seen, Vec::new());
    until(|| store.calls("fire") > 0).await;
    tokio::time::sleep_until(Instant::now() + SECOND).await;

    let every = schedule("soon", Rhythm::Every(6 * SECOND));
    inner.put_schedule(every, Actor::new("test")).await.unwrap();
    let begun = Instant::now();
    until(|| !seen.lock().unwrap().is_empty()).await;
    worker.stop().await;

    let took = seen.lock().unwrap()[0] - begun;
    assert!(took <= 9 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_again_and_again_for_a_tick_that_is_far_away() {
    let (store, seen) = (store(), Seen::default());
    let worker = start(&store, &seen, vec![schedule("daily", Rhythm::cron("0 12 * * *", "UTC"))]);
    until(|| store.calls("fire") > 0).await;
    let before = store.calls("fire");

    tokio::time::sleep_until(Instant::now() + 600 * SECOND).await;
    let asked = store.calls("fire") - before;
    worker.stop().await;

    assert!((15..=30).contains(&asked), "{asked} times in ten minutes");
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_another_process_makes_is_fired_in_time() {
    let (store, seen) = (store(), Seen::default());
    let worker = start(&store, &seen, vec![]);
    until(|| store.calls("fire") > 0).await;
    tokio::time::sleep_until(Instant::now() + 7 * SECOND).await;
    let begun = Instant::now();

    let pulse = schedule("pulse", Rhythm::Every(SECOND));
    store.inner.put_schedule(pulse, Actor::new("ada")).await.unwrap();
    until(|| !seen.lock().unwrap().is_empty()).await;
    worker.stop().await;

    let took = seen.lock().unwrap()[0] - begun;
    assert!(took <= 2 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_fired_is_made_up_for_when_the_store_is_back() {
    let (store, seen) = (store(), Seen::default());
    let worker = start(&store, &seen, vec![schedule("pulse", Rhythm::Every(5 * SECOND))]);
    until(|| seen.lock().unwrap().len() == 1).await;

    store.always("fire", Fault::Fail(ErrorKind::Unavailable));
    tokio::time::sleep_until(Instant::now() + 22 * SECOND).await;
    assert_eq!(seen.lock().unwrap().len(), 1);
    store.always("fire", Fault::Pass);
    until(|| seen.lock().unwrap().len() >= 5).await;
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_program_does_not_declare_any_more_is_removed_when_it_starts() {
    let (store, seen) = (store(), Seen::default());
    let (old, new) = (Rhythm::Every(60 * SECOND), Rhythm::Every(30 * SECOND));
    let worker = start(&store, &seen, vec![schedule("old", old.clone()), schedule("kept", old)]);
    until(|| store.calls("fire") > 0).await;
    worker.stop().await;

    let worker = start(&store, &seen, vec![schedule("kept", new.clone())]);
    until(|| store.calls("fire") > 1).await;
    worker.stop().await;

    let read = async |name: &str| store.inner.schedule(&ScheduleName::new(name).unwrap()).await.unwrap();
    assert_eq!(read("old").await.state(), ScheduleState::Removed);
    let kept = read("kept").await;
    assert_eq!((kept.state(), kept.asked.rhythm), (ScheduleState::Active, new));
}

#[tokio::test(start_paused = true)]
async fn a_worker_waits_for_its_store_before_it_declares_and_ends_where_it_is_refused() {
    let (store, seen) = (store(), Seen::default());
    store.next("declare_schedules", [Fault::Fail(ErrorKind::Unavailable), Fault::LoseAnswer]);
    let worker = start(&store, &seen, vec![schedule("pulse", Rhythm::Every(SECOND))]);
    until(|| !seen.lock().unwrap().is_empty()).await;
    worker.stop().await;

    let taken = Worker::builder(Arc::clone(&store) as _).program("other");
    let taken = taken.schedule(schedule("pulse", Rhythm::Every(SECOND)));
    let taken = taken.handle(async |_: Number| {}).build().unwrap();
    let refused = taken.run_until(std::future::pending()).await.unwrap_err();
    assert!(format!("{refused:?}").contains("schedules[0].name"), "{refused:?}");
}

#[test]
fn a_worker_with_a_bad_schedule_cannot_be_built() {
    let memory: windlass_store::SharedStore = Arc::new(MemoryStore::new());
    let build = |program: Option<&str>, schedules: Vec<NewSchedule>| {
        let builder = Worker::builder(Arc::clone(&memory)).handle(async |_: Number| {});
        let builder = program.into_iter().fold(builder, windlass_runtime::WorkerBuilder::program);
        let builder = schedules.into_iter().fold(builder, windlass_runtime::WorkerBuilder::schedule);
        builder.build().unwrap_err().field().to_owned()
    };
    let good = || schedule("good", Rhythm::Every(SECOND));

    assert_eq!(
        build(Some("app"), vec![good(), schedule("bad", Rhythm::cron("x", "UTC"))]),
        "schedules[1].cron"
    );
    assert_eq!(build(Some("app"), vec![good(), good()]), "schedules[1].name");
    assert_eq!(build(None, vec![good()]), "program");
    assert_eq!(build(Some(""), vec![]), "program");
}
