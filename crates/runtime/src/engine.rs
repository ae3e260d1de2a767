//! What the parts of a running worker share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, RwLock};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use windlass_core::{AttemptToken, WorkerId};
use windlass_store::observe::{self, Operation};
use windlass_store::{NewWorker, Scope, SharedStore, StoreError};

use crate::config::{Config, ConfigError};
use crate::halt::CancelReason;
use crate::pool::Pool;
use crate::registry::Registry;
use crate::shutdown::{Snapshot, StopReport};
use crate::store_clock::StoreClock;

/// One worker: its store, its handlers and its pools.
pub(crate) struct Engine {
    pub(crate) store: SharedStore,
    pub(crate) config: Config,
    pub(crate) registry: Registry,
    pub(crate) pools: Vec<Pool>,
    /// Every task of the worker.
    pub(crate) tracker: TaskTracker,
    /// Cancelled when the worker is to leave everything as it is.
    pub(crate) working: CancellationToken,
    /// Cancelled when handlers are to be dropped where they stand. Their slots end with them.
    pub(crate) handlers: CancellationToken,
    pub(crate) clock: StoreClock,
    /// Shared by turns in flight; whoever has it alone knows that there is none.
    pub(crate) turns: RwLock<()>,
    /// Asks for a beat now.
    pub(crate) beat: Notify,
    /// Tells the heart that the store does not know the worker any more.
    pub(crate) expired: Notify,
}

impl Engine {
    pub(crate) fn new(
        store: SharedStore,
        config: Config,
        registry: Registry,
    ) -> Result<Arc<Self>, ConfigError> {
        let kinds = registry.claimed();
        let pool = |pool: &crate::config::PoolConfig| {
            Pool::new(pool, Scope { queues: pool.queues.clone(), kinds: kinds.clone() }, config.prefetch_max)
        };
        let pools = config.pools.iter().map(pool).collect();
        let working = CancellationToken::new();
        let engine = Self {
            store,
            registry,
            pools,
            config,
            tracker: TaskTracker::new(),
            handlers: working.child_token(),
            working,
            clock: StoreClock::default(),
            turns: RwLock::new(()),
            beat: Notify::new(),
            expired: Notify::new(),
        };
        engine.introduction().validate()?;
        Ok(Arc::new(engine))
    }

    /// How the worker presents itself to the store, under a fresh id.
    pub(crate) fn introduction(&self) -> NewWorker {
        NewWorker {
            id: windlass_store::ids::worker_id(),
            name: self.config.name.clone(),
            host: self.config.host.clone(),
            version: self.config.version.clone(),
            queues: self.config.queues(),
            kinds: self.registry.supported(),
            slots: self.config.slots(),
            lease: self.config.lease,
            owner: None,
        }
    }

    /// Begins to claim as `member`.
    pub(crate) fn join(&self, member: WorkerId) {
        self.pools.iter().for_each(|pool| pool.join(member));
    }

    /// Whether all pools claim as `member`.
    pub(crate) fn has_joined(&self, member: WorkerId) -> bool {
        self.pools.iter().all(|pool| pool.has_joined(member))
    }

    /// Who claims; none while the worker is about to register anew.
    pub(crate) fn member(&self) -> Option<WorkerId> {
        self.pools.first().and_then(Pool::member)
    }

    /// Gives up everything that is held: its lease is lost, or may be.
    pub(crate) fn lose(&self) {
        let before = self.snapshot().lost;
        self.pools.iter().for_each(Pool::lose);
        self.count_lost(self.snapshot().lost - before);
    }

    /// Tells whoever counts that so many attempts found their lease lost.
    pub(crate) fn count_lost(&self, count: u64) {
        if let Some(observer) = &self.config.observer
            && count > 0
        {
            observer.lost(count);
        }
    }

    /// Tells whoever counts how long the store took for what it was asked at `since`.
    pub(crate) fn observe(&self, operation: Operation, since: Instant, error: Option<&StoreError>) {
        if let Some(observer) = &self.config.observer {
            observer.answered(operation, since.elapsed(), error.is_some_and(observe::is_failure));
        }
    }

    /// Stops attempts whose jobs were cancelled.
    pub(crate) fn cancel(&self, tokens: &[AttemptToken]) {
        for token in tokens {
            self.pools.iter().any(|pool| pool.cancel(*token));
        }
    }

    /// Claims and starts nothing more.
    pub(crate) fn stop(&self) {
        self.pools.iter().for_each(Pool::stop);
    }

    /// Asks everything that runs to stop, as the worker shuts down.
    pub(crate) fn ask_all(&self) {
        self.pools.iter().for_each(|pool| pool.ask_all(CancelReason::Shutdown));
    }

    /// Drops every handler where it stands and gives its attempt back.
    pub(crate) fn interrupt(&self) {
        self.pools.iter().for_each(Pool::interrupt);
        self.handlers.cancel();
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let stuck_since = Instant::now().checked_sub(self.config.grace);
        let mut sum = Snapshot { slots: self.config.slots().into(), ..Snapshot::default() };
        for pool in &self.pools {
            sum.stuck += stuck_since.map_or(0, |since| pool.stuck_since(since) as u64);
            let state = pool.state();
            let counts = state.counts();
            sum.running += state.running() as u64;
            sum.waiting += state.waiting() as u64;
            sum.unsettled += state.unsettled() as u64;
            sum.claimed += counts.claimed;
            sum.settled += counts.settled;
            sum.released += counts.released;
            sum.interrupted += counts.interrupted;
            sum.lost += counts.lost;
            sum.cancelled += counts.cancelled;
            sum.turns += counts.turns;
        }
        sum
    }

    pub(crate) fn report(&self, forced: bool) -> StopReport {
        let Snapshot { settled, released, interrupted, lost, .. } = self.snapshot();
        let abandoned = self.pools.iter().map(|pool| pool.state().held() as u64).sum();
        StopReport { settled, released, interrupted, lost, abandoned, forced }
    }

    /// How long a lease is trusted after the beat that extended it was sent. The rest is for handlers to stop in.
    pub(crate) fn trust(&self) -> Duration {
        self.config.lease * 9 / 10
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("config", &self.config)
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}
