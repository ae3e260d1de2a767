//! How a worker stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use windlass_core::{AttemptOutcome, JobState};
use windlass_runtime::{Cancel, CancelReason, JobError, RunningWorker, Shutdown, State};
use windlass_store::WorkerStore as _;

use crate::support::{Lab, Number, until};

const SECOND: Duration = Duration::from_secs(1);

/// A worker with one job that runs, and does what its number says when it is asked to stop.
async fn busy(lab: &Lab, number: u64) -> (RunningWorker, windlass_core::JobId) {
    async fn wait(job: Number, cancel: Cancel) -> Result<(), JobError> {
        match job.0 {
            0 => {
                cancel.cancelled().await;
                assert_eq!(cancel.reason(), Some(CancelReason::Shutdown));
                Ok(())
            }
            1 => {
                cancel.cancelled().await;
                Err(JobError::new("stopped half way"))
            }
            2 => std::future::pending().await,
            _ => {
                tokio::time::sleep_until(Instant::now() + 20 * SECOND).await;
                assert!(!cancel.is_cancelled());
                Ok(())
            }
        }
    }
    let id = lab.enqueue(&Number(number)).await;
    let builder = lab.worker().drain_time(30 * SECOND).timeout_grace(5 * SECOND).handle(wait);
    let worker = builder.build().unwrap().start();
    until(|| worker.snapshot().running == 1).await;
    (worker, id)
}

#[tokio::test(start_paused = true)]
async fn what_runs_may_end_within_the_drain_time() {
    let lab = Lab::new();
    let (worker, id) = busy(&lab, 3).await;

    let report = worker.stop().await;

    assert_eq!(lab.state(id).await.0, JobState::Completed);
    assert_eq!((report.settled, report.interrupted, report.forced), (1, 0, false));
}

#[tokio::test(start_paused = true)]
async fn after_the_drain_time_handlers_are_asked_to_stop_and_what_they_say_is_stored() {
    let lab = Lab::new();
    let (worker, id) = busy(&lab, 0).await;

    let begun = Instant::now();
    let report = worker.stop().await;
    let took = begun.elapsed();

    assert!((30 * SECOND..31 * SECOND).contains(&took), "{took:?}");
    assert_eq!(lab.state(id).await.0, JobState::Completed);
    assert_eq!(report.settled, 1);
    assert_eq!(lab.store.workers(Duration::ZERO).await.unwrap(), [], "it is deregistered");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_fails_because_it_is_stopped_costs_its_job_no_attempt() {
    let lab = Lab::new();
    let (worker, id) = busy(&lab, 1).await;

    worker.stop().await;

    let job = lab.job(id).await;
    assert_eq!((job.state, job.attempt), (JobState::Ready, 0));
    assert_eq!(lab.outcomes(id).await, [Some(AttemptOutcome::Interrupted)]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_ignores_being_stopped_is_given_back_uncounted_and_the_worker_ends() {
    let lab = Lab::new();
    let (worker, id) = busy(&lab, 2).await;

    let begun = Instant::now();
    let report = worker.stop().await;
    let took = begun.elapsed();

    assert!((35 * SECOND..37 * SECOND).contains(&took), "{took:?}");
    assert_eq!((report.interrupted, report.abandoned), (1, 0));
    assert_eq!(lab.job(id).await.attempt, 0);
    assert_eq!(lab.outcomes(id).await, [Some(AttemptOutcome::Interrupted)]);
    assert_eq!(lab.store.workers(Duration::ZERO).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_claimed_once_the_worker_stops() {
    let lab = Lab::new();
    let (worker, _) = busy(&lab, 3).await;

    let shutdown = worker.shutdown();
    shutdown.stop();
    crate::support::settle_down().await;
    let late = lab.enqueue(&Number(0)).await;
    worker.stop().await;

    assert_eq!(lab.state(late).await.0, JobState::Ready);
}

#[tokio::test(start_paused = true)]
async fn a_second_request_ends_the_worker_at_once_and_leaves_its_leases() {
    let lab = Lab::new();
    let (worker, id) = busy(&lab, 2).await;

    let (begun, shutdown) = (Instant::now(), worker.shutdown());
    let hurry = async {
        crate::support::settle_down().await;
        shutdown.stop_now();
    };
    let (report, ()) = tokio::join!(worker.stop(), hurry);

    assert!(begun.elapsed() < SECOND);
    assert_eq!((report.forced, report.abandoned, report.settled), (true, 1, 0));
    assert_eq!(lab.state(id).await.0, JobState::Running);
}

#[tokio::test]
async fn three_workers_started_and_stopped_leave_no_task() {
    let lab = Lab::new();
    let start = || lab.worker().handle(async |_: Number| {}).build().unwrap().start();
    let ids = lab.enqueue_many(50, &Number(0)).await;

    for worker in [start(), start(), start()] {
        worker.stop().await;
    }

    until(|| tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0).await;
    assert_eq!(lab.store.workers(Duration::ZERO).await.unwrap(), []);
    drop(ids);
}

#[tokio::test]
async fn a_worker_whose_future_is_dropped_leaves_no_task_and_drops_its_handlers() {
    struct Told(Arc<AtomicU64>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    async fn wait(_: Number, State((started, dropped)): State<(Arc<Semaphore>, Arc<AtomicU64>)>) {
        let _told = Told(dropped);
        started.add_permits(1);
        std::future::pending::<()>().await;
    }
    let lab = Lab::new();
    lab.enqueue(&Number(0)).await;
    let (started, dropped) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU64::new(0)));
    let worker =
        lab.worker().state((Arc::clone(&started), Arc::clone(&dropped))).handle(wait).build().unwrap();

    tokio::select! {
        _ = worker.run(Shutdown::new()) => unreachable!("nobody stops it"),
        permit = started.acquire() => permit.unwrap().forget(),
    }

    until(|| dropped.load(Ordering::SeqCst) == 1).await;
    until(|| tokio::runtime::Handle::current().metrics().num_alive_tasks() == 0).await;
}

#[tokio::test]
async fn a_worker_runs_until_a_future_is_ready() {
    let lab = Lab::new();
    let id = lab.enqueue(&Number(0)).await;
    let worker = lab.worker().handle(async |_: Number| {}).build().unwrap();

    let stop = async {
        lab.until_final(id).await;
    };
    let report = worker.run_until(stop).await.unwrap();

    assert_eq!((report.settled, report.abandoned), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_worker_stops_while_its_store_is_away() {
    let lab = Lab::new();
    let (worker, id) = busy(&lab, 0).await;
    lab.store.away(true);

    let report = worker.stop().await;

    assert_eq!((report.settled, report.abandoned), (0, 1));
    assert_eq!(lab.state(id).await.0, JobState::Running, "its lease has to run out");
}
