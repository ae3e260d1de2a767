//! A job that does nothing, and what every suite does with it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use windlass::Windlass;
use windlass::worker::RunningWorker;

/// A job that does nothing, as a program would write it.
#[derive(Serialize, Deserialize, windlass::Job)]
#[job(kind = "noop")]
pub(crate) struct Noop {
    pub(crate) to: String,
    pub(crate) n: u32,
}

/// Its handler.
pub(crate) async fn noop(job: Noop) {
    std::hint::black_box((job.to, job.n));
}

/// A worker with default settings that does nothing, `slots` times at once.
pub(crate) fn start(windlass: &Windlass, slots: u32) -> RunningWorker {
    windlass.worker().queue("default", slots).handle(noop).build().expect("a worker").start()
}

/// Waits until a worker has settled `count` jobs.
pub(crate) async fn count_of(windlass: &Windlass, worker: &RunningWorker, count: u64) {
    let mut ended = windlass.store().signals().ended();
    while worker.snapshot().settled < count {
        // The hint comes with the commit, a moment before the worker has counted it.
        let _ = tokio::time::timeout(Duration::from_millis(2), ended.next()).await;
    }
}
