//! Jobs that are cancelled while a worker holds them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;
use windlass_core::{JobId, JobState, Reason};
use windlass_runtime::{Cancel, CancelReason, State};
use windlass_store::{Actor, CancelOutcome, JobStore as _};

use crate::support::{Lab, Number, until};

async fn wait(_: Number, cancel: Cancel, State(runs): State<Arc<AtomicU64>>) {
    runs.fetch_add(1, Ordering::SeqCst);
    cancel.cancelled().await;
    assert_eq!(cancel.reason(), Some(CancelReason::Cancelled));
}

async fn cancelled_while_running(slots: u32) {
    let lab = Lab::new();
    let runs = Arc::new(AtomicU64::new(0));
    let id = lab.enqueue(&Number(0)).await;
    let worker =
        lab.worker().queue("default", slots).state(Arc::clone(&runs)).handle(wait).build().unwrap().start();
    until(|| runs.load(Ordering::SeqCst) == 1).await;

    let outcome = lab.store.cancel(id, Actor::new("eve")).await.unwrap();
    until(|| worker.snapshot().cancelled == 1).await;
    let report = worker.stop().await;

    assert_eq!(outcome, CancelOutcome::Requested);
    assert_eq!(lab.state(id).await, (JobState::Cancelled, Some(Reason::Operator)));
    assert_eq!((report.settled, report.lost), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_running_job_that_is_cancelled_is_told_by_the_next_claim() {
    cancelled_while_running(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_a_free_slot_is_told_by_a_beat() {
    cancelled_while_running(1).await;
}

#[tokio::test]
async fn a_job_that_is_cancelled_while_it_waits_for_a_slot_never_starts() {
    #[derive(Clone)]
    struct Shared {
        ran: Arc<std::sync::Mutex<Vec<JobId>>>,
        gate: Arc<Semaphore>,
    }
    async fn hold(_: Number, id: JobId, State(shared): State<Shared>) {
        let ran = {
            let mut ran = shared.ran.lock().unwrap();
            ran.push(id);
            ran.len()
        };
        if ran == 20 {
            shared.gate.acquire().await.unwrap().forget();
        }
    }
    let lab = Lab::new();
    let shared = Shared { ran: Arc::default(), gate: Arc::new(Semaphore::new(0)) };
    let ids = lab.enqueue_many(30, &Number(0)).await;
    let worker = lab.worker().queue("default", 1).state(shared.clone()).handle(hold).build().unwrap().start();
    until(|| shared.ran.lock().unwrap().len() == 20 && worker.snapshot().waiting > 0).await;

    // By now the worker holds it, or gave it back; either way it has not run.
    lab.store.cancel(ids[20], Actor::new("eve")).await.unwrap();
    shared.gate.add_permits(1);
    until(|| shared.ran.lock().unwrap().len() >= 29).await;
    lab.until_final(ids[29]).await;
    worker.stop().await;

    let ran = shared.ran.lock().unwrap().clone();
    assert_eq!(lab.state(ids[20]).await, (JobState::Cancelled, Some(Reason::Operator)));
    assert!(ran.len() <= 30);
}
