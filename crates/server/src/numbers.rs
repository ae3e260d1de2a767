//! How full everything is, counted once for all who look.
//!
//! To count is to read, so it is done at most every so often, and the longer it took the more seldom: it takes a bounded part
//! of the store's time however many look. Nothing is counted while nobody does.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use windlass_store::{QueueSummary, SharedStore, StoreError, Worker};

/// The shortest time for which what was counted holds.
const HOLDS_MIN: Duration = Duration::from_secs(1);

/// How much longer than it took to count it holds.
const HOLDS_TIMES: u32 = 20;

/// What was counted.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) queues: Vec<QueueSummary>,
    pub(crate) workers: Vec<Worker>,
    /// How long counting took.
    pub(crate) took: Duration,
}

/// Counts when somebody looks.
pub(crate) struct Numbers {
    store: SharedStore,
    last: Mutex<Option<(Arc<Snapshot>, Instant)>>,
}

impl Numbers {
    pub(crate) fn new(store: SharedStore) -> Self {
        Self { store, last: Mutex::new(None) }
    }

    /// What was counted last, or, where that is too long ago, what is counted now. Who comes meanwhile waits for the same.
    pub(crate) async fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError> {
        let mut last = self.last.lock().await;
        if let Some((snapshot, until)) = &*last
            && *until > Instant::now()
        {
            return Ok(Arc::clone(snapshot));
        }
        let began = Instant::now();
        let queues = self.store.queues().await?;
        let workers = self.store.workers(Duration::ZERO).await?;
        let took = began.elapsed();
        let snapshot = Arc::new(Snapshot { queues, workers, took });
        *last = Some((Arc::clone(&snapshot), Instant::now() + HOLDS_MIN.max(took * HOLDS_TIMES)));
        Ok(snapshot)
    }
}
