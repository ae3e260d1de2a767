//! What all handlers share.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use windlass_core::Timestamp;
use windlass_store::observe::{self, Observer as _, Operation};
use windlass_store::{SharedStore, StoreError};

use crate::attempts::Attempts;
use crate::config::{Config, Limits};
use crate::lanes::Lanes;
use crate::metrics::Metrics;
use crate::names::Names;
use crate::numbers::Numbers;
use crate::operations::Operations;
use crate::owners::Owners;
use crate::waiting::{Claims, Ends};

/// What all handlers share. Dropped with the last router over it, and with it ends whoever waits.
pub(crate) struct App {
    pub(crate) store: SharedStore,
    pub(crate) config: Config,
    pub(crate) lanes: Lanes,
    /// Claims that wait for work.
    pub(crate) claims: Claims,
    /// Those who wait for the end of a job.
    pub(crate) ends: Ends,
    /// Workers that are known by no more than a name.
    pub(crate) names: Names,
    /// Whose workers those are that are registered.
    pub(crate) owners: Owners,
    pub(crate) metrics: Metrics,
    /// What was claimed here and is not settled.
    pub(crate) attempts: Attempts,
    /// How full everything is, counted for all who look.
    pub(crate) numbers: Numbers,
    pub(crate) operations: Operations,
    /// Places for those who look on.
    pub(crate) streams: Arc<Semaphore>,
    /// Places for those who wait for hints.
    pub(crate) listeners: Arc<Semaphore>,
    /// Set when the server is about to stop: who waits is then answered that nothing came.
    pub(crate) stopping: CancellationToken,
}

/// The app, as handlers are given it.
pub(crate) type Shared = Arc<App>;

impl App {
    pub(crate) fn new(store: SharedStore, config: Config) -> Self {
        Self {
            lanes: Lanes::new(&config.limits),
            claims: Claims::new(Arc::clone(&store), config.limits.waiting_max),
            ends: Ends::new(Arc::clone(&store), config.limits.waiting_max),
            names: Names::default(),
            owners: Owners::default(),
            metrics: Metrics::new(Arc::clone(&config.metrics)),
            attempts: Attempts::new(Arc::clone(&config.metrics)),
            numbers: Numbers::new(Arc::clone(&store)),
            operations: Operations::new(Arc::clone(&store), config.carries_out),
            streams: Arc::new(Semaphore::new(config.limits.streams_max)),
            listeners: Arc::new(Semaphore::new(config.limits.waiting_max)),
            stopping: CancellationToken::new(),
            store,
            config,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.config.limits
    }

    /// What the store answers, once it is counted how long that took.
    pub(crate) async fn measured<T>(
        &self,
        operation: Operation,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let answer = answer.await;
        let failed = answer.as_ref().err().is_some_and(observe::is_failure);
        self.config.metrics.answered(operation, began.elapsed(), failed);
        answer
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.config.clock.now()
    }
}
