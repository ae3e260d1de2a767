//! Turns of a store: what was claimed is settled, and the next batch claimed, without anything being run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use windlass_core::{AttemptToken, KindName, QueueName, Verdict, WorkerId};
use windlass_store::{
    ClaimRequest, KindSupport, Kinds, LeaseTerm, NewWorker, Queues, Scope, Settlement, SharedStore, Turn, ids,
};

/// What came of it.
pub(crate) struct TurnedOver {
    /// Jobs that were settled.
    pub(crate) settled: usize,
    /// How long each turn took, in milliseconds.
    pub(crate) waits: Vec<f64>,
}

/// Claims and settles `count` jobs of the default queue or a few more, `batch` at a time.
pub(crate) async fn turn_over(store: SharedStore, count: usize, batch: u32) -> TurnedOver {
    turn_over_with(LeaseTerm::Process, store, count, batch).await
}

/// The same with leases of this term.
pub(crate) async fn turn_over_with(
    lease: LeaseTerm,
    store: SharedStore,
    count: usize,
    batch: u32,
) -> TurnedOver {
    let worker = register(&store).await;
    let queues = Queues::Only(vec![QueueName::default()]);
    let scope = Arc::new(Scope { queues, kinds: Kinds::Only(vec![support()]) });
    let mut done = TurnedOver { settled: 0, waits: Vec::new() };
    let mut settlements = Vec::new();
    while done.settled < count {
        let claim = Some(ClaimRequest::new(worker, Arc::clone(&scope), batch).with_lease(lease));
        let begun = Instant::now();
        let turned = store.turn(Turn { settlements, claim }).await.expect("a turn");
        done.waits.push(begun.elapsed().as_secs_f64() * 1e3);
        done.settled += turned.settled.iter().filter(|one| one.is_ok()).count();
        settlements = turned.claimed.jobs.iter().map(|job| succeeded(job.token)).collect();
    }
    done
}

/// A worker of this process.
pub(crate) async fn register(store: &SharedStore) -> WorkerId {
    let id = ids::worker_id();
    let worker = NewWorker {
        id,
        name: "bench".into(),
        host: "here".into(),
        version: "1".into(),
        queues: Queues::Any,
        kinds: vec![support()],
        slots: 100,
        lease: Duration::from_secs(60),
        owner: None,
    };
    store.register(worker).await.expect("registered");
    id
}

fn succeeded(token: AttemptToken) -> Settlement {
    Settlement { token, verdict: Verdict::Succeeded { result: None } }
}

fn support() -> KindSupport {
    KindSupport { kind: kind(), version_max: 1 }
}

/// The kind of the jobs that do nothing.
pub(crate) fn kind() -> KindName {
    KindName::new("noop").expect("a good name")
}
