//! Slots: how many handlers run at once, and what waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use windlass_core::{JobState, Verdict};
use windlass_runtime::{Attempt, JobCx, State};

use crate::held::{Held, hold_with_jobs_waiting};
use crate::support::{Greet, Lab, Number, until};

/// How many handlers are inside, and the most there ever were; they leave when the gate lets them.
#[derive(Clone)]
struct Gauge {
    inside: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Gauge {
    fn new() -> Self {
        Self { inside: Arc::default(), most: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
    }

    async fn visit(&self) {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }

    fn inside(&self) -> usize {
        self.inside.load(Ordering::SeqCst)
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

async fn visit(_: Number, State(gauge): State<Gauge>) {
    gauge.visit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g04_of_a_hundred_jobs_at_most_ten_run_at_once() {
    let (lab, gauge) = (Lab::new(), Gauge::new());
    let ids = lab.enqueue_many(100, &Number(0)).await;

    let worker =
        lab.worker().queue("default", 10).state(gauge.clone()).handle(visit).build().unwrap().start();
    until(|| gauge.inside() == 10).await;
    // A burst of ends: each slot is taken again, by one.
    gauge.gate.add_permits(45);
    until(|| gauge.gate.available_permits() == 0 && gauge.inside() == 10).await;
    assert_eq!(worker.snapshot().running, 10);
    gauge.gate.add_permits(55);
    for id in ids {
        lab.until_state(id, JobState::Completed).await;
    }
    worker.stop().await;

    assert_eq!(gauge.most(), 10);
}

#[tokio::test]
async fn each_queue_has_slots_of_its_own() {
    let (lab, one, four) = (Lab::new(), Gauge::new(), Gauge::new());
    for _ in 0..10 {
        lab.enqueue_with(&Number(0), |job| job.queue = "one".parse().unwrap()).await;
        lab.enqueue_with(&Number(0), |job| job.queue = "four".parse().unwrap()).await;
    }
    async fn by_queue(_: Number, cx: JobCx, State((one, four)): State<(Gauge, Gauge)>) {
        if cx.queue().as_str() == "one" { one.visit().await } else { four.visit().await }
    }

    let worker =
        lab.worker().queue("one", 1).queue("four", 4).state((one.clone(), four.clone())).handle(by_queue);
    let worker = worker.build().unwrap().start();
    until(|| one.inside() == 1 && four.inside() == 4).await;
    one.gate.add_permits(10);
    four.gate.add_permits(10);
    until(|| worker.snapshot().settled == 20).await;
    worker.stop().await;

    assert_eq!((one.most(), four.most()), (1, 4));
}

#[tokio::test]
async fn all_queues_may_share_one_pool() {
    let (lab, gauge) = (Lab::new(), Gauge::new());
    for queue in ["a", "b", "c", "d"] {
        lab.enqueue_with(&Number(0), |job| job.queue = queue.parse().unwrap()).await;
    }

    let worker = lab.worker().queues_any(3).state(gauge.clone()).handle(visit).build().unwrap().start();
    until(|| gauge.inside() == 3).await;
    gauge.gate.add_permits(4);
    until(|| worker.snapshot().settled == 4).await;
    worker.stop().await;

    assert_eq!(gauge.most(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_short_jobs_run_once_each() {
    let (lab, runs) = (Lab::new(), Arc::new(AtomicU64::new(0)));
    lab.enqueue_many(5_000, &Number(0)).await;
    async fn count(_: Number, State(runs): State<Arc<AtomicU64>>, attempt: Attempt) {
        assert_eq!(attempt.number, 1);
        runs.fetch_add(1, Ordering::Relaxed);
    }

    let worker =
        lab.worker().queue("default", 8).state(Arc::clone(&runs)).handle(count).build().unwrap().start();
    until(|| worker.snapshot().settled == 5_000).await;
    let report = worker.stop().await;

    assert_eq!(runs.load(Ordering::Relaxed), 5_000);
    assert_eq!((report.settled, report.abandoned), (5_000, 0));
}

// On one thread, so that all who leave have left before anyone speaks to the store of it.
#[tokio::test]
async fn what_ends_together_is_settled_together_and_with_the_next_claim() {
    const SLOTS: usize = 32;
    const ROUNDS: usize = 10;
    let (lab, gauge) = (Lab::new(), Gauge::new());
    lab.enqueue_many((ROUNDS + 1) * SLOTS, &Number(0)).await;

    let slots = u32::try_from(SLOTS).unwrap();
    let worker = lab.worker().queue("default", slots).state(gauge.clone()).handle(visit);
    let worker = worker.build().unwrap().start();
    for _ in 0..ROUNDS {
        until(|| gauge.inside() == SLOTS).await;
        gauge.gate.add_permits(SLOTS);
        until(|| gauge.gate.available_permits() == 0).await;
    }
    until(|| gauge.inside() == SLOTS && worker.snapshot().unsettled == 0).await;
    let turns = worker.snapshot().turns;
    gauge.gate.add_permits(SLOTS);
    worker.stop().await;

    // Not many more than one for each round: what was claimed ahead may have been given back.
    assert!(turns <= 4 * ROUNDS as u64, "{turns} turns");
}

#[tokio::test]
async fn a_job_that_ends_badly_gives_its_slot_back() {
    let lab = Lab::new();
    let dead = lab.enqueue_with(&Number(0), |job| job.attempts_max = 1).await;

    async fn fails(_: Number) -> Result<(), windlass_runtime::JobError> {
        Err(windlass_runtime::JobError::new("no"))
    }
    let worker = lab.worker().queue("default", 1).handle(fails).handle(async |job: Greet| job.name);
    let worker = worker.build().unwrap().start();
    assert_eq!(lab.until_final(dead).await.state, JobState::Dead);
    let next = lab.enqueue(&Greet::someone()).await;
    assert_eq!(lab.until_final(next).await.state, JobState::Completed);
    worker.stop().await;
}

#[tokio::test]
async fn jobs_that_wait_in_vain_are_given_back_unstarted() {
    let lab = Lab::new();
    let Held { worker, gate, started, .. } = hold_with_jobs_waiting(&lab).await;

    until(|| worker.snapshot().waiting == 0 && worker.snapshot().unsettled == 0).await;

    let snapshot = worker.snapshot();
    assert_eq!((snapshot.settled - snapshot.released, snapshot.running), (started - 1, 1));
    assert_eq!(snapshot.claimed, started + snapshot.released);
    gate.add_permits(1_000);
    until(|| worker.snapshot().settled == 1_000 + worker.snapshot().released).await;
    worker.stop().await;
}

#[tokio::test]
async fn jobs_that_wait_for_a_slot_are_given_back_when_the_worker_stops() {
    let lab = Lab::new();
    let Held { worker, gate, started, .. } = hold_with_jobs_waiting(&lab).await;
    let before = worker.snapshot();
    let released = before.released + before.waiting;

    worker.shutdown().stop();
    until(|| worker.snapshot().released == released).await;
    gate.add_permits(1_000);
    let report = worker.stop().await;

    assert_eq!((report.released, report.settled), (released, started + released));
    assert_eq!((report.interrupted, report.abandoned), (0, 0));
    let queues = windlass_store::QueueStore::queues(&*lab.store).await.unwrap();
    assert_eq!(queues[0].counts.of(JobState::Ready), 1_000 - started);
}

#[tokio::test]
async fn a_blocking_handler_holds_its_slot_until_it_ends() {
    let lab = Lab::new();
    let (entered, gate) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
    fn block(_: Number, State((entered, gate)): State<(Arc<AtomicU64>, Arc<Semaphore>)>) {
        entered.fetch_add(1, Ordering::SeqCst);
        tokio::runtime::Handle::current().block_on(gate.acquire()).unwrap().forget();
    }
    lab.enqueue_many(5, &Number(0)).await;
    let state = (Arc::clone(&entered), Arc::clone(&gate));
    let worker =
        lab.worker().queue("default", 2).state(state).handle_blocking(block).build().unwrap().start();

    until(|| entered.load(Ordering::SeqCst) == 2).await;
    crate::support::settle_down().await;
    assert_eq!(entered.load(Ordering::SeqCst), 2);

    gate.add_permits(5);
    until(|| worker.snapshot().settled == 5).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_that_block_in_place_get_every_slot() {
    async fn meet(_: Number, State(barrier): State<Arc<std::sync::Barrier>>) {
        tokio::task::block_in_place(|| barrier.wait());
    }
    let (lab, barrier) = (Lab::new(), Arc::new(std::sync::Barrier::new(8)));
    lab.enqueue_many(8, &Number(0)).await;

    let worker = lab.worker().queue("default", 8).state(barrier).handle(meet).build().unwrap().start();
    until(|| worker.snapshot().settled == 8).await;
    worker.stop().await;

    assert_eq!(
        lab.store.turns().iter().map(|turn| turn.settlements.len()).sum::<usize>(),
        8,
        "none was given back"
    );
}

#[tokio::test]
async fn a_raw_handler_may_say_any_verdict() {
    let lab = Lab::new();
    let id = lab.enqueue(&Number(0)).await;

    let worker =
        lab.worker().handle_any(async |_| Verdict::Unchanged { result: None }).build().unwrap().start();
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!(job.reason, Some(windlass_core::Reason::Unchanged));
}
