//! Jobs that are cancelled while a worker holds them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use windlass_core::{JobState, Reason};
use windlass_runtime::{Cancel, CancelReason, State};
use windlass_store::{Actor, CancelOutcome, JobStore as _};

use crate::held::{Held, hold_with_jobs_waiting};
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
    let lab = Lab::new();
    let Held { worker, gate, ids, ran, .. } = hold_with_jobs_waiting(&lab).await;
    let next = *ids.iter().find(|id| !ran.has(**id)).unwrap();

    // By now the worker holds it, or gave it back; either way it has not run.
    if lab.store.cancel(next, Actor::new("eve")).await.unwrap() == CancelOutcome::Requested {
        until(|| worker.snapshot().cancelled == 1).await;
    }
    gate.add_permits(1_000);
    for id in ids {
        lab.until_final(id).await;
    }
    worker.stop().await;

    assert_eq!(lab.state(next).await, (JobState::Cancelled, Some(Reason::Operator)));
    assert!(!ran.has(next));
    assert_eq!(ran.count(), 999);
}
