//! What all handlers share.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use windlass_core::Timestamp;
use windlass_store::SharedStore;

use crate::config::{Config, Limits};
use crate::lanes::Lanes;
use crate::metrics::Metrics;
use crate::names::Names;
use crate::numbers::Numbers;
use crate::operations::Operations;
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
    pub(crate) metrics: Metrics,
    /// How full everything is, counted for all who look.
    pub(crate) numbers: Numbers,
    pub(crate) operations: Operations,
    /// Places for those who look on.
    pub(crate) streams: Arc<Semaphore>,
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
            metrics: Metrics::default(),
            numbers: Numbers::new(Arc::clone(&store)),
            operations: Operations::default(),
            streams: Arc::new(Semaphore::new(config.limits.streams_max)),
            stopping: CancellationToken::new(),
            store,
            config,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.config.limits
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.config.clock.now()
    }
}
