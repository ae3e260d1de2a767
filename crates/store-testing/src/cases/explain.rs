//! Why a job does not run, and when it will: what is told is what a claim does.

use std::time::Duration;

use windlass_core::gate::Refusal;
use windlass_core::{Bounds, Due, GateForm, JobId, JobState, KeyedLimit, Lock, Pace, Priority, Rate, Whole};
use windlass_store::{ErrorKind, Explanation, GateObstacle, Obstacle, Queues, Scope};

use crate::bench::{Bench, SECOND, failed, kind, of_queues, operator, queue, refused, succeeded};

cases! {
    a_job_that_nothing_stands_in_the_way_of_is_next,
    jobs_that_come_before_are_counted,
    a_scheduled_job_says_until_when,
    a_paused_queue_says_by_whom,
    a_lock_says_who_holds_it_and_since_when,
    a_limit_says_who_takes_its_places,
    a_rate_says_when_it_opens,
    an_order_key_says_whose_turn_it_is,
    a_limit_of_a_queue_is_told,
    who_stands_in_line_is_told,
    a_job_that_no_live_worker_takes_says_so,
    a_running_and_a_final_job_say_so,
    a_job_that_missed_its_deadline_says_so,
    a_job_that_is_not_there_is_not_explained,
    a_job_is_next_if_and_only_if_the_next_claim_takes_it,
}

impl Bench {
    async fn why(&self, id: JobId) -> Explanation {
        self.store.explain(id).await.unwrap()
    }

    /// The one gate that stands in the way.
    async fn gate_of(&self, id: JobId) -> GateObstacle {
        let why = self.why(id).await;
        match why.obstacles.as_slice() {
            [Obstacle::Gate(gate)] => gate.clone(),
            other => panic!("{other:?}"),
        }
    }
}

async fn a_job_that_nothing_stands_in_the_way_of_is_next(bench: Bench) {
    bench.worker().await;
    let id = bench.enqueue_one().await;

    let why = bench.why(id).await;

    assert!(why.is_next(), "{why:?}");
    assert_eq!((why.state, why.now), (JobState::Ready, bench.now()));
    assert_eq!(bench.claim_one().await.id(), id);
}

async fn jobs_that_come_before_are_counted(bench: Bench) {
    bench.worker().await;
    let ids = bench.enqueue_many(4).await;
    bench.enqueue_with(|job| job.queue = queue("other")).await;

    let ahead: Vec<u64> = [bench.why(ids[0]).await.ahead, bench.why(ids[3]).await.ahead].into();

    assert_eq!(ahead, [0, 3]);
    let why = bench.why(ids[3]).await;
    assert!(why.is_ready() && !why.is_next());
}

async fn a_scheduled_job_says_until_when(bench: Bench) {
    bench.worker().await;
    let id = bench.enqueue_with(|job| job.due = Due::In(SECOND)).await;

    let why = bench.why(id).await;

    let until = bench.now().after(SECOND);
    assert_eq!(why.obstacles, [Obstacle::Scheduled { until }]);
    assert_eq!(why.until(), Some(until));
    bench.advance(SECOND);
    assert!(bench.why(id).await.is_next());
}

async fn a_paused_queue_says_by_whom(bench: Bench) {
    bench.worker().await;
    let id = bench.enqueue_one().await;
    bench.store.pause(&queue("default"), operator().because("the server moves")).await.unwrap();

    let why = bench.why(id).await;

    let [Obstacle::Paused(pause)] = why.obstacles.as_slice() else { panic!("{why:?}") };
    assert_eq!((pause.since, &pause.by), (bench.now(), &operator().because("the server moves")));
}

async fn a_lock_says_who_holds_it_and_since_when(bench: Bench) {
    let holder = bench.start_with(|job| job.options.locks = vec![Lock::shared("r")]).await;
    let since = bench.now();
    bench.advance(SECOND);
    let id = bench.enqueue_with(|job| job.options.locks = vec![Lock::exclusive("r")]).await;

    for _ in 0..2 {
        let gate = bench.gate_of(id).await;
        assert_eq!((gate.need.gate.form, &*gate.need.gate.name), (GateForm::Lock, "r"));
        assert_eq!((gate.refusal, gate.held), (Refusal::Held, 1));
        let [told] = gate.holders.as_slice() else { panic!("{gate:?}") };
        assert_eq!((told.job, told.exclusive, told.since), (holder.id(), false, since));
        // The same is told once it was turned away.
        assert_eq!(bench.claim(1).await, []);
    }

    bench.settle(&holder, succeeded()).await;
    assert!(bench.why(id).await.is_next());
}

async fn a_limit_says_who_takes_its_places(bench: Bench) {
    let limits = || vec![KeyedLimit { key: "k".to_owned(), max: 2 }];
    let first = bench.start_with(|job| job.options.limits = limits()).await;
    let second = bench.start_with(|job| job.options.limits = limits()).await;
    let id = bench.enqueue_with(|job| job.options.limits = limits()).await;

    let gate = bench.gate_of(id).await;

    assert_eq!((gate.refusal, gate.held), (Refusal::Full, 2));
    let told: Vec<JobId> = gate.holders.iter().map(|holder| holder.job).collect();
    assert_eq!(told, [first.id(), second.id()]);
}

async fn a_rate_says_when_it_opens(bench: Bench) {
    let rates = || vec![Rate { key: "api".to_owned(), pace: Pace::new(1, Duration::from_secs(60)) }];
    bench.start_with(|job| job.options.rates = rates()).await;
    let until = bench.now().after(Duration::from_secs(60));
    bench.advance(SECOND);
    let id = bench.enqueue_with(|job| job.options.rates = rates()).await;

    let gate = bench.gate_of(id).await;

    assert_eq!(gate.refusal, Refusal::Early { until });
    assert_eq!(bench.why(id).await.until(), Some(until));
}

async fn an_order_key_says_whose_turn_it_is(bench: Bench) {
    bench.worker().await;
    let first = bench.enqueue_with(|job| job.options.order_key = Some("k".to_owned())).await;
    let second = bench.enqueue_with(|job| job.options.order_key = Some("k".to_owned())).await;

    let gate = bench.gate_of(second).await;

    assert_eq!((gate.refusal, gate.before), (Refusal::Turn, Some(first)));
    assert!(bench.why(first).await.is_next());
}

async fn a_limit_of_a_queue_is_told(bench: Bench) {
    let bounds = Bounds { limit: Some(1), rate: None };
    bench.store.bound(&Whole::Queue(queue("default")), bounds, operator()).await.unwrap();
    let holder = bench.start_one().await;
    let id = bench.enqueue_one().await;

    let gate = bench.gate_of(id).await;

    assert_eq!((gate.need.gate.form, gate.refusal), (GateForm::QueueLimit, Refusal::Full));
    assert_eq!(gate.holders[0].job, holder.id());
}

async fn who_stands_in_line_is_told(bench: Bench) {
    bench.start_with(|job| job.options.locks = vec![Lock::shared("r")]).await;
    let alone = bench.enqueue_with(|job| job.options.locks = vec![Lock::exclusive("r")]).await;
    assert_eq!(bench.claim(1).await, []);
    let behind = bench.enqueue_with(|job| job.options.locks = vec![Lock::shared("r")]).await;

    let gate = bench.gate_of(behind).await;

    assert_eq!((gate.refusal, gate.before), (Refusal::Behind { until: None }, Some(alone)));
}

async fn a_job_that_no_live_worker_takes_says_so(bench: Bench) {
    let unknown = bench.enqueue_with(|job| job.kind = kind("unheard")).await;
    let newer = bench.enqueue_with(|job| job.version = 2).await;
    let known = bench.enqueue_one().await;
    assert_eq!(bench.why(known).await.obstacles, [Obstacle::NoWorker]);

    let mut worker = bench.new_worker();
    worker.queues = Queues::Only(vec![queue("default")]);
    let scope = Scope::of_worker(&worker);
    bench.store.register(worker).await.unwrap();

    for id in [unknown, newer] {
        assert_eq!(bench.why(id).await.obstacles, [Obstacle::NoWorker]);
    }
    assert!(!bench.why(known).await.obstacles.contains(&Obstacle::NoWorker));
    assert!(scope.admits(&queue("default"), &kind("mail"), 1));
    bench.advance(crate::bench::LEASE);
    assert_eq!(bench.why(known).await.obstacles, [Obstacle::NoWorker]);
}

async fn a_running_and_a_final_job_say_so(bench: Bench) {
    let job = bench.start_one().await;
    let since = Some(bench.now());
    let running = Obstacle::Running { worker: Some("worker".to_owned()), since };
    assert_eq!(bench.why(job.id()).await.obstacles, [running]);

    bench.advance(SECOND);
    bench.settle(&job, succeeded()).await;

    assert_eq!(bench.why(job.id()).await.obstacles, [Obstacle::Final { since: Some(bench.now()) }]);
    assert_eq!(bench.why(job.id()).await.state, JobState::Completed);
}

async fn a_job_that_missed_its_deadline_says_so(bench: Bench) {
    bench.worker().await;
    let id = bench.enqueue_with(|job| job.deadline = Some(Due::In(SECOND))).await;
    bench.advance(SECOND);

    let why = bench.why(id).await;

    assert_eq!(why.obstacles, [Obstacle::Late { deadline: bench.now() }]);
}

async fn a_job_that_is_not_there_is_not_explained(bench: Bench) {
    assert_eq!(refused(bench.store.explain(bench.fresh_id()).await), ErrorKind::NotFound);
}

/// Draws the same numbers from the same seed.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn ask_for(draws: &mut Draws, options: &mut windlass_core::JobOptions) {
    let key = format!("{}", draws.below(2));
    match draws.below(9) {
        0 | 1 => options.locks = vec![Lock::exclusive(key)],
        2 | 3 => options.locks = vec![Lock::shared(key)],
        4 => options.limits = vec![KeyedLimit { key, max: 1 + u32::try_from(draws.below(2)).unwrap() }],
        5 => options.rates = vec![Rate { key, pace: Pace::new(1, Duration::from_secs(3)) }],
        6 => options.order_key = Some(key),
        _ => {}
    }
}

async fn a_job_is_next_if_and_only_if_the_next_claim_takes_it(bench: Bench) {
    bench.worker().await;
    let (mut draws, mut running, mut ids) = (Draws(7), Vec::new(), Vec::new());
    let (mut taken, mut idle) = (0, 0);
    for _ in 0..200 {
        match draws.below(7) {
            0 | 1 => {
                let job = bench.job_with(|job| {
                    job.priority = Priority::ALL[usize::try_from(draws.below(3)).unwrap()];
                    job.due = if draws.below(5) == 0 { Due::In(SECOND) } else { Due::Now };
                    ask_for(&mut draws, &mut job.options);
                });
                ids.push(bench.enqueue(job).await);
            }
            2 if !running.is_empty() => {
                let index = usize::try_from(draws.below(running.len() as u64)).unwrap();
                let job = running.swap_remove(index);
                let again = draws.below(3) == 0;
                bench.settle(&job, if again { failed("x") } else { succeeded() }).await;
                // What has ended is never next: it need not be asked about for ever.
                ids.retain(|id| again || *id != job.id());
            }
            3 => {
                bench.advance(SECOND);
                let worker = bench.worker().await;
                bench.store.beat(worker).await.unwrap();
            }
            _ => {
                let mut next = Vec::new();
                for id in &ids {
                    if bench.why(*id).await.is_next() {
                        next.push(*id);
                    }
                }
                let claimed = bench.claim_scope(of_queues(&["default"]), 1).await.jobs;
                assert_eq!(claimed.iter().map(windlass_store::LeasedJob::id).collect::<Vec<_>>(), next);
                taken += claimed.len();
                idle += usize::from(claimed.is_empty());
                running.extend(claimed);
            }
        }
    }
    assert!(taken > 20 && idle > 3, "{taken} were taken, and {idle} claims found nothing: too tame");
}
