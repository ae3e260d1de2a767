//! A worker that holds jobs it cannot start.

use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use windlass_core::JobId;
use windlass_runtime::{RunningWorker, State};

use crate::support::{Lab, Number, until};

/// A worker whose one slot is held by a job while others wait inside it.
pub(crate) struct Held {
    pub(crate) worker: RunningWorker,
    /// Every further job needs a permit, too.
    pub(crate) gate: Arc<Semaphore>,
    /// All the jobs there are.
    pub(crate) ids: Vec<JobId>,
    /// Those that were started, the one that holds the slot included.
    pub(crate) ran: Ran,
    /// How many that were when the slot was held.
    pub(crate) started: u64,
}

/// Jobs that were started.
#[derive(Clone, Default)]
pub(crate) struct Ran(Arc<Mutex<Vec<JobId>>>);

impl Ran {
    /// Takes note of one more. How many there were before.
    fn push(&self, id: JobId) -> usize {
        let mut ran = self.0.lock().unwrap();
        ran.push(id);
        ran.len() - 1
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn has(&self, id: JobId) -> bool {
        self.0.lock().unwrap().contains(&id)
    }
}

/// Runs short jobs until the worker claims ahead, then holds the one slot. Which job that is is up to the worker: at
/// any one, what it had claimed may just be used up.
pub(crate) async fn hold_with_jobs_waiting(lab: &Lab) -> Held {
    async fn hold(_: Number, id: JobId, State((ran, gate)): State<(Ran, Arc<Semaphore>)>) {
        if ran.push(id) >= 50 {
            gate.acquire().await.unwrap().forget();
        }
    }
    let ids = lab.enqueue_many(1_000, &Number(0)).await;
    let (ran, gate) = (Ran::default(), Arc::new(Semaphore::new(0)));
    let builder = lab.worker().queue("default", 1).state((ran.clone(), Arc::clone(&gate))).handle(hold);
    let worker = builder.build().unwrap().start();
    let mut started = 51;
    until(|| ran.count() == started).await;
    while worker.snapshot().waiting == 0 {
        // Some more short ones in a row: how far it claims ahead depends on how long they took.
        started += 20;
        gate.add_permits(20);
        until(|| ran.count() == started).await;
    }
    Held { worker, gate, ids, ran, started: started as u64 }
}
