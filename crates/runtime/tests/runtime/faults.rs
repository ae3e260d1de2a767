//! What a worker does when its store fails it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use windlass_core::{AttemptOutcome, JobState, Reason};
use windlass_memory::MemoryStore;
use windlass_runtime::{Cancel, CancelReason, JobLog, State, Worker, WorkerError};
use windlass_store::{
    ClaimRequest, ErrorKind, JobStore as _, Kinds, LeaseStore as _, NewWorker, Queues, Scope,
    WorkerStore as _, ids,
};

use crate::faulty::{Fault, FaultyStore};
use crate::support::{Lab, Number, PATIENCE, until};

const AWAY: Fault = Fault::Fail(ErrorKind::Unavailable);

#[derive(Clone, Default)]
struct Runs(Arc<AtomicU64>);

impl Runs {
    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

async fn count(_: Number, State(runs): State<Runs>) {
    runs.0.fetch_add(1, Ordering::SeqCst);
}

#[tokio::test]
async fn work_resumes_when_the_store_is_back() {
    let (lab, runs) = (Lab::new(), Runs::default());
    lab.store.away(true);
    let ids = lab.enqueue_many(10, &Number(0)).await;

    let worker = lab.worker().state(runs.clone()).handle(count).build().unwrap().start();
    until(|| lab.store.calls("register") >= 3).await;
    lab.store.away(false);
    for id in ids {
        lab.until_state(id, JobState::Completed).await;
    }
    worker.stop().await;

    assert_eq!(runs.count(), 10);
}

#[tokio::test]
async fn an_end_that_could_not_be_stored_is_kept_and_stored_later() {
    let (lab, runs) = (Lab::new(), Runs::default());
    lab.store
        .next("turn", [Fault::Pass, AWAY, Fault::Fail(ErrorKind::Full), Fault::Fail(ErrorKind::Conflict)]);
    let id = lab.enqueue(&Number(0)).await;

    let worker = lab.worker().state(runs.clone()).handle(count).build().unwrap().start();
    let job = lab.until_final(id).await;
    let report = worker.stop().await;

    assert_eq!((job.state, runs.count()), (JobState::Completed, 1));
    assert_eq!(lab.outcomes(id).await, [Some(AttemptOutcome::Succeeded)]);
    assert_eq!((report.settled, report.lost), (1, 0));
}

#[tokio::test]
async fn no_end_is_lost_or_told_twice_where_every_other_turn_meets_a_conflict() {
    let (lab, runs) = (Lab::new(), Runs::default());
    let refused = [ErrorKind::Conflict, ErrorKind::Full, ErrorKind::Unavailable].map(Fault::Fail);
    lab.store.next("turn", refused.into_iter().cycle().take(9).flat_map(|fault| [Fault::Pass, fault]));
    let ids = lab.enqueue_many(60, &Number(0)).await;

    let worker = lab.worker().queue("default", 3).prefetch_max(0).state(runs.clone()).handle(count);
    let worker = worker.build().unwrap().start();
    for id in &ids {
        lab.until_state(*id, JobState::Completed).await;
    }
    let report = worker.stop().await;

    assert_eq!((report.settled, report.lost, runs.count()), (60, 0, 60));
    for id in ids {
        assert_eq!(lab.outcomes(id).await, [Some(AttemptOutcome::Succeeded)]);
    }
}

#[tokio::test]
async fn a_worker_that_stops_tells_the_ends_that_met_a_conflict_before_it_goes() {
    let (lab, runs) = (Lab::new(), Runs::default());
    lab.store.next("turn", [Fault::Pass]);
    lab.store.next("turn", (0..3).map(|_| Fault::Fail(ErrorKind::Conflict)));
    let id = lab.enqueue(&Number(0)).await;
    let worker = lab.worker().state(runs.clone()).handle(count).build().unwrap().start();
    until(|| runs.count() == 1).await;

    let report = worker.stop().await;

    assert_eq!((report.settled, report.lost, report.released), (1, 0, 0));
    assert_eq!(lab.state(id).await.0, JobState::Completed);
}

#[tokio::test]
async fn an_end_whose_answer_was_lost_is_told_again_and_counts_once() {
    let (lab, runs) = (Lab::new(), Runs::default());
    lab.store.next("turn", [Fault::Pass, Fault::LoseAnswer]);
    let id = lab.enqueue(&Number(0)).await;

    let worker = lab.worker().state(runs.clone()).handle(count).build().unwrap().start();
    until(|| worker.snapshot().settled == 1).await;
    let report = worker.stop().await;

    assert_eq!((report.settled, report.lost, runs.count()), (1, 0, 1));
    assert_eq!(lab.state(id).await.0, JobState::Completed);
}

#[tokio::test]
async fn a_claim_that_failed_starts_nothing() {
    let (lab, runs) = (Lab::new(), Runs::default());
    lab.store.always("turn", AWAY);
    let id = lab.enqueue(&Number(0)).await;

    let worker = lab.worker().state(runs.clone()).handle(count).build().unwrap().start();
    until(|| lab.store.calls("turn") >= 3).await;
    assert_eq!((lab.state(id).await.0, runs.count()), (JobState::Ready, 0));

    lab.store.always("turn", Fault::Pass);
    lab.until_state(id, JobState::Completed).await;
    worker.stop().await;
}

#[tokio::test]
async fn jobs_whose_claim_was_never_answered_are_given_back_and_run() {
    let (lab, runs) = (Lab::new(), Runs::default());
    lab.store.next("turn", [Fault::LoseAnswer]);
    let ids = lab.enqueue_many(3, &Number(0)).await;

    let worker = lab.worker().queue("default", 8).state(runs.clone()).handle(count).build().unwrap().start();
    for id in &ids {
        lab.until_state(*id, JobState::Completed).await;
    }
    worker.stop().await;

    assert_eq!(runs.count(), 3);
    assert_eq!(lab.outcomes(ids[0]).await, [Some(AttemptOutcome::Succeeded)], "the orphan left no trace");
}

// The worker asked once, at once; what the server did later stayed with a worker that lived on and knew nothing of it.
#[tokio::test(start_paused = true)]
async fn jobs_whose_claim_takes_effect_late_are_given_back_and_run() {
    let (mut lab, runs) = (Lab::new(), Runs::default());
    lab.store = Arc::new(FaultyStore::deaf(Arc::clone(&lab.store.inner)));
    lab.store.next("turn", [Fault::Late(Duration::from_secs(2))]);
    // The late claim takes the jobs before the worker looks for some again.
    let worker = lab.worker().queue("default", 8).poll_interval(Duration::from_secs(3));
    let worker = worker.state(runs.clone()).handle(count).build().unwrap().start();
    until(|| lab.store.calls("held") == 1).await;
    let ids = lab.enqueue_many(3, &Number(0)).await;

    for id in &ids {
        lab.until_state(*id, JobState::Completed).await;
    }
    worker.stop().await;

    assert_eq!(runs.count(), 3);
    assert_eq!(lab.outcomes(ids[0]).await, [Some(AttemptOutcome::Succeeded)], "the orphan left no trace");
}

/// Lets a worker of another process take `count` jobs.
async fn claim_elsewhere(lab: &Lab, count: u32) {
    let worker = NewWorker {
        id: ids::worker_id(),
        name: "other".to_owned(),
        host: "elsewhere".to_owned(),
        version: "1".to_owned(),
        queues: Queues::Any,
        kinds: Vec::new(),
        slots: count,
        lease: Duration::from_secs(60),
        owner: None,
    };
    let scope = Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any });
    let request = ClaimRequest::new(worker.id, scope, count);
    lab.store.inner.register(worker).await.unwrap();
    assert_eq!(lab.store.inner.claim(request).await.unwrap().jobs.len(), count as usize);
}

// Asked for all leases there are, the store lists the first 500; those of others filled the list, and jobs whose claim
// was never answered stayed with a worker that knew nothing of them for as long as it lived.
#[tokio::test]
async fn jobs_whose_claim_was_never_answered_are_found_among_any_number_of_others() {
    let (lab, runs) = (Lab::new(), Runs::default());
    lab.enqueue_many(600, &Number(0)).await;
    claim_elsewhere(&lab, 600).await;
    lab.store.next("turn", [Fault::LoseAnswer]);
    let ids = lab.enqueue_many(3, &Number(0)).await;

    let worker = lab.worker().queue("default", 8).state(runs.clone()).handle(count).build().unwrap().start();
    for id in &ids {
        lab.until_state(*id, JobState::Completed).await;
    }
    worker.stop().await;

    assert_eq!(runs.count(), 3);
}

#[tokio::test]
async fn a_worker_its_store_refuses_ends_with_the_reason() {
    let lab = Lab::new();
    lab.store.next("register", [Fault::Fail(ErrorKind::Incompatible)]);

    let worker = lab.worker().handle(async |_: Number| {}).build().unwrap();
    let WorkerError::Store(error) = worker.run_until(std::future::pending()).await.unwrap_err() else {
        panic!("another")
    };

    assert_eq!(error.kind(), &ErrorKind::Incompatible);
}

#[tokio::test]
async fn a_damaged_store_ends_the_worker() {
    let lab = Lab::new();
    lab.store.next("turn", [Fault::Fail(ErrorKind::Corrupt)]);

    let ended = lab.worker().handle(async |_: Number| {}).build().unwrap().start().ended().await;

    assert!(matches!(ended, Err(WorkerError::Store(error)) if error.kind() == &ErrorKind::Corrupt));
}

/// Waits to be asked to stop, and notes why.
async fn until_stopped(job: Number, cancel: Cancel, State(seen): State<Seen>) {
    if job.0 == 0 {
        seen.started.add_permits(1);
        cancel.cancelled().await;
        assert_eq!(cancel.reason(), Some(CancelReason::LeaseLost));
        seen.stopped.add_permits(1);
    }
}

#[derive(Clone)]
struct Seen {
    started: Arc<Semaphore>,
    stopped: Arc<Semaphore>,
}

impl Seen {
    fn new() -> Self {
        Self { started: Arc::new(Semaphore::new(0)), stopped: Arc::new(Semaphore::new(0)) }
    }
}

#[tokio::test]
async fn g06_a_worker_whose_lease_ended_drops_what_it_holds_registers_anew_and_goes_on() {
    let (lab, seen) = (Lab::new(), Seen::new());
    let id = lab.enqueue_with(&Number(0), |job| job.losses_max = 0).await;
    let worker = lab.worker().state(seen.clone()).handle(until_stopped).build().unwrap().start();
    seen.started.acquire().await.unwrap().forget();
    let before = lab.store.workers(Duration::ZERO).await.unwrap()[0].registered.id;

    lab.clock.advance(Duration::from_secs(31));
    seen.stopped.acquire().await.unwrap().forget();
    let next = lab.enqueue(&Number(1)).await;
    lab.until_state(next, JobState::Completed).await;
    lab.until_state(id, JobState::Dead).await;
    let after = lab.store.workers(Duration::ZERO).await.unwrap().pop().unwrap().registered.id;
    let report = worker.stop().await;

    assert_ne!(before, after);
    assert_eq!((report.lost, report.settled), (1, 1));
    assert_eq!(lab.state(id).await, (JobState::Dead, Some(Reason::Poison)));
    let settled: Vec<_> = lab.store.turns().into_iter().flat_map(|turn| turn.settlements).collect();
    assert!(settled.iter().all(|settlement| settlement.token.job != id), "nothing is said of what was lost");
}

/// Cuts off a worker with a lease of 600 ms: its beats meet `fault` once its handler runs. Whether the handler was stopped
/// before the lease could end.
async fn is_stopped_in_time(fault: Fault) -> bool {
    let (lab, seen) = (Lab::new(), Seen::new());
    let id = lab.enqueue(&Number(0)).await;
    let lease = Duration::from_millis(600);
    let worker = lab.worker().lease(lease).state(seen.clone()).handle(until_stopped).build().unwrap().start();
    seen.started.acquire().await.unwrap().forget();

    lab.store.always("beat", fault);
    lab.store.always("register", AWAY);
    let cut = Instant::now();
    let lost_before = worker.snapshot().lost;
    seen.stopped.acquire().await.unwrap().forget();
    let took = cut.elapsed();

    assert_eq!(lab.state(id).await.0, JobState::Running, "it left the job to its lease");
    worker.stop_now();
    lost_before == 0 && took < lease
}

/// A worker that stops too late does so whenever it is cut off. A machine that stands still for a moment now and then makes
/// one late that does not.
async fn cut_off(fault: Fault) {
    for _ in 0..10 {
        if is_stopped_in_time(fault.clone()).await {
            return;
        }
    }
    panic!("it never stopped before its lease could end");
}

#[tokio::test]
async fn a_worker_whose_beats_fail_stops_its_handlers_before_its_lease_ends() {
    cut_off(AWAY).await;
}

#[tokio::test]
async fn a_worker_whose_beats_are_not_answered_stops_its_handlers_before_its_lease_ends() {
    cut_off(Fault::Hang).await;
}

#[tokio::test]
async fn an_attempt_whose_task_panics_outside_its_handler_has_failed() {
    let lab = Lab::new();
    lab.store.next("log", [Fault::Panic]);
    let id = lab.enqueue_with(&Number(0), |job| job.attempts_max = 1).await;
    let handler = async |_: Number, log: JobLog| log.info("a line");

    let worker = lab.worker().queue("default", 1).handle(handler).build().unwrap().start();
    let job = lab.until_final(id).await;
    let next = lab.enqueue(&Number(0)).await;
    lab.until_state(next, JobState::Completed).await;
    worker.stop().await;

    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Exhausted)));
}

// It went on without beats: its lease ran out, and it waited for ever to be registered anew.
#[tokio::test]
async fn a_worker_whose_beats_panic_ends_and_stops_its_handlers() {
    let (lab, seen) = (Lab::new(), Seen::new());
    lab.enqueue(&Number(0)).await;
    let worker = lab.worker().lease(Duration::from_millis(600)).state(seen.clone());
    let worker = worker.handle(until_dropped).build().unwrap().start();
    seen.started.acquire().await.unwrap().forget();

    lab.store.always("beat", Fault::Panic);

    seen.stopped.acquire().await.unwrap().forget();
    worker.stop().await;
}

/// Waits, and notes that it was dropped.
async fn until_dropped(_: Number, State(seen): State<Seen>) {
    struct Noted(Seen);
    impl Drop for Noted {
        fn drop(&mut self) {
            self.0.stopped.add_permits(1);
        }
    }
    let _noted = Noted(seen.clone());
    seen.started.add_permits(1);
    std::future::pending::<()>().await;
}

/// Blocks its thread until two more beats were sent. The second of them cannot have been due at once.
async fn block(_: Number, State(store): State<Arc<FaultyStore>>) {
    let (begun, before) = (Instant::now(), store.calls("beat"));
    while store.calls("beat") < before + 2 {
        assert!(begun.elapsed() < PATIENCE, "nothing beats while the runtime is blocked");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn a_handler_that_blocks_the_whole_runtime_costs_no_lease() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let job = windlass_core::NewJob::new(
        windlass_store::ids::job_id(),
        "number".parse().unwrap(),
        windlass_core::Args::of(&Number(0)).unwrap(),
    );
    let id = store.enqueue(vec![job]).await.unwrap()[0].id;
    // A beat is due every third of it.
    let lease = Duration::from_secs(9);

    let builder = Worker::builder(Arc::clone(&store) as _).lease(lease).state(Arc::clone(&store));
    let worker = builder.handle(block).build().unwrap().start();
    until(|| worker.snapshot().settled == 1).await;
    let report = worker.stop().await;

    assert_eq!(report.lost, 0);
    let outcomes: Vec<_> = store.attempts(id).await.unwrap().iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [Some(AttemptOutcome::Succeeded)]);
}
