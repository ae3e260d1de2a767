//! Timeouts, deadlines, and when a worker looks for work. Time is paused: it goes on only while everyone waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use windlass_core::{AttemptOutcome, Due, JobState, Reason};
use windlass_memory::MemoryStore;
use windlass_runtime::{Cancel, CancelReason, Deadline, State, Worker};
use windlass_store::{Clock, ErrorKind, JobStore as _, ManualClock, SystemClock};

use crate::faulty::{Fault, FaultyStore};
use crate::support::{Lab, Number, until};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_too_long_is_told_so_and_its_later_result_is_dropped() {
    async fn wait(_: Number, cancel: Cancel, deadline: Deadline) {
        assert_eq!(deadline.remaining(), Some(30 * SECOND));
        cancel.cancelled().await;
        assert_eq!(cancel.reason(), Some(CancelReason::TimedOut));
    }
    let lab = Lab::new();
    let id = lab.enqueue_with(&Number(0), |job| job.options.timeout = Some(30 * SECOND)).await;

    let (begun, worker) = (Instant::now(), lab.worker().handle(wait).build().unwrap().start());
    let job = lab.until_state(id, JobState::Retryable).await;
    let took = begun.elapsed();
    worker.stop().await;

    assert_eq!(job.reason, Some(Reason::TimedOut));
    assert_eq!(job.error.unwrap().message, "took longer than its timeout of 30s");
    assert_eq!(lab.outcomes(id).await, [Some(AttemptOutcome::TimedOut)]);
    assert!((30 * SECOND..32 * SECOND).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_ignores_its_timeout_is_settled_without_and_keeps_its_slot() {
    async fn ignore(job: Number, State((runs, gate)): State<(Arc<AtomicU64>, Arc<Semaphore>)>) {
        runs.fetch_add(1, Ordering::SeqCst);
        if job.0 == 0 {
            gate.acquire().await.unwrap().forget();
        }
    }
    let lab = Lab::new();
    let (runs, gate) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
    let id = lab.enqueue_with(&Number(0), |job| job.options.timeout = Some(30 * SECOND)).await;
    let builder = lab.worker().queue("default", 1).timeout_grace(5 * SECOND);
    let builder = builder.state((Arc::clone(&runs), Arc::clone(&gate))).handle(ignore);

    let (begun, worker) = (Instant::now(), builder.build().unwrap().start());
    lab.until_state(id, JobState::Retryable).await;
    let took = begun.elapsed();
    assert!((35 * SECOND..37 * SECOND).contains(&took), "{took:?}");
    until(|| worker.snapshot().stuck == 1).await;

    let other = lab.enqueue(&Number(1)).await;
    crate::support::settle_down().await;
    assert_eq!(lab.state(other).await.0, JobState::Ready, "the slot is taken");
    assert_eq!(worker.snapshot().running, 1);

    gate.add_permits(1);
    lab.until_state(other, JobState::Completed).await;
    assert_eq!(worker.snapshot().stuck, 0);
    assert_eq!(
        lab.outcomes(id).await,
        [Some(AttemptOutcome::TimedOut)],
        "what it said later changes nothing"
    );
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_passes_its_deadline_while_it_runs_is_dead() {
    async fn wait(_: Number, cancel: Cancel, State(started): State<Arc<Semaphore>>) {
        started.add_permits(1);
        cancel.cancelled().await;
        assert_eq!(cancel.reason(), Some(CancelReason::Deadline));
    }
    let lab = Lab::new();
    let started = Arc::new(Semaphore::new(0));
    let id = lab.enqueue_with(&Number(0), |job| job.deadline = Some(Due::In(10 * SECOND))).await;

    let worker = lab.worker().state(Arc::clone(&started)).handle(wait).build().unwrap().start();
    started.acquire().await.unwrap().forget();
    lab.clock.advance(10 * SECOND);
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Deadline)));
    assert_eq!(lab.outcomes(id).await, [Some(AttemptOutcome::TimedOut)]);
    assert_eq!(job.error.unwrap().message, "did not finish by its deadline");
}

#[tokio::test(start_paused = true)]
async fn a_job_past_its_deadline_is_never_run() {
    let lab = Lab::new();
    let id = lab.enqueue_with(&Number(0), |job| job.deadline = Some(Due::In(SECOND))).await;
    lab.clock.advance(2 * SECOND);

    async fn never(_: Number, State(runs): State<Arc<AtomicU64>>) {
        runs.fetch_add(1, Ordering::SeqCst);
    }
    let runs = Arc::new(AtomicU64::new(0));
    let worker = lab.worker().state(Arc::clone(&runs)).handle(never).build().unwrap().start();
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Deadline)));
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_worker_wakes_for_a_job_that_comes_due_long_before_it_would_look_by_itself() {
    let lab = Lab::new();
    // A beat tells the time too, but by the clock of its own thread, which is not paused.
    lab.store.always("beat", Fault::Fail(ErrorKind::Unavailable));
    let id = lab.enqueue_with(&Number(0), |job| job.due = Due::In(100 * SECOND)).await;
    lab.enqueue(&Number(1)).await;
    let builder = lab.worker().poll_interval(3_600 * SECOND).lease(3_600 * SECOND).maintenance(false);
    let builder = builder.handle(async |_: Number| {});

    let worker = builder.build().unwrap().start();
    until(|| worker.snapshot().settled == 1).await;
    let begun = Instant::now();
    lab.clock.advance(100 * SECOND);
    lab.until_final(id).await;
    let took = begun.elapsed();
    worker.stop().await;

    assert!((99 * SECOND..101 * SECOND).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_hears_no_hints_finds_work_within_its_poll_interval() {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let store = Arc::new(FaultyStore::deaf(Arc::new(MemoryStore::with_clock(clock))));
    let worker =
        Worker::builder(Arc::clone(&store) as _).poll_interval(2 * SECOND).handle(async |_: Number| {});
    let worker = worker.build().unwrap().start();
    until(|| worker.snapshot().turns == 1).await;

    let begun = Instant::now();
    let job = windlass_core::NewJob::new(
        windlass_store::ids::job_id(),
        "number".parse().unwrap(),
        windlass_core::Args::of(&Number(0)).unwrap(),
    );
    let id = store.enqueue(vec![job]).await.unwrap()[0].id;
    until(|| worker.snapshot().settled == 1).await;
    let took = begun.elapsed();
    worker.stop().await;

    assert!(took <= 2_300 * SECOND / 1_000, "{took:?}");
    assert_eq!(store.job(id).await.unwrap().state, JobState::Completed);
}

#[tokio::test(start_paused = true)]
async fn an_idle_worker_asks_its_store_less_than_twice_a_second() {
    let lab = Lab::new();
    let worker = lab.worker().handle(async |_: Number| {}).build().unwrap().start();
    until(|| worker.snapshot().turns == 1).await;

    let before = lab.store.calls_of_worker();
    tokio::time::sleep_until(Instant::now() + 60 * SECOND).await;
    let calls = lab.store.calls_of_worker() - before;
    worker.stop().await;

    // Beats go by real time; there is one every ten seconds.
    assert!((60..120 - 6).contains(&calls), "{calls} calls in a minute");
}
