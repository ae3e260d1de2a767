//! What the leader does.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::Instant;
use windlass_store::{Signal, StoreError};

use super::lead::Lead;
use super::{STEPS_MAX, Voice};
use crate::engine::Engine;
use crate::pace::spread;

/// How often jobs past their retention are removed.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// How often a store that is in use may put itself in order.
const TIDY_EVERY: Duration = Duration::from_secs(10);

/// How many of those times one may be left out that does not seem to be in use: what other processes do may be unknown here.
const TIDY_SKIPPED_MAX: u32 = 5;

/// Does the duties of the leader whenever this worker is the leader.
pub(super) async fn keep(engine: &Engine, lead: &Lead) {
    let now = Instant::now();
    let mut keeper = Keeper {
        engine,
        lead,
        prune_at: now + spread(PRUNE_EVERY / 2, 1.0),
        tidy_at: now + TIDY_EVERY,
        use_of_store: Use::of(engine),
    };
    let mut voice = Voice::new("keep the store in order");
    loop {
        lead.held().await;
        voice.tell(keeper.duties().await.as_ref().err());
        let due = keeper.prune_at.min(keeper.tidy_at);
        // What failed, or was not finished, goes on in a second.
        tokio::time::sleep_until(due.max(Instant::now() + Duration::from_secs(1))).await;
    }
}

struct Keeper<'a> {
    engine: &'a Engine,
    lead: &'a Lead,
    prune_at: Instant,
    tidy_at: Instant,
    use_of_store: Use,
}

impl Keeper<'_> {
    async fn duties(&mut self) -> Result<(), StoreError> {
        if Instant::now() >= self.prune_at {
            self.prune().await?;
        }
        if Instant::now() >= self.tidy_at {
            self.tidy().await?;
        }
        Ok(())
    }

    async fn prune(&mut self) -> Result<(), StoreError> {
        let mut more = true;
        for _ in 0..STEPS_MAX {
            if !more || !self.lead.is_held() {
                break;
            }
            let pruned = self.engine.store.prune(self.engine.config.retention).await?;
            more = pruned.more;
            if pruned.removed > 0 {
                tracing::debug!(removed = pruned.removed, "pruned finished jobs");
            }
        }
        if !more {
            self.prune_at = Instant::now() + spread(PRUNE_EVERY, 0.1);
        }
        Ok(())
    }

    /// A store nobody wrote to is left in peace.
    async fn tidy(&mut self) -> Result<(), StoreError> {
        if self.use_of_store.is_seen(self.engine) {
            self.engine.store.tidy().await?;
        }
        self.tidy_at = Instant::now() + spread(TIDY_EVERY, 0.1);
        Ok(())
    }
}

/// Whether the store is in use: by this worker, by others whom it tells of, or, as far as anyone here can know, perhaps.
struct Use {
    /// How much this worker had stored when it was last asked.
    stored: u64,
    hints: Signal,
    skipped: u32,
}

impl Use {
    fn of(engine: &Engine) -> Self {
        Self { stored: 0, hints: engine.store.signals().work(), skipped: 0 }
    }

    fn is_seen(&mut self, engine: &Engine) -> bool {
        let snapshot = engine.snapshot();
        let stored = snapshot.claimed + snapshot.settled;
        let hinted = self.hints.next().now_or_never().is_some();
        let is_used = hinted || stored != self.stored || self.skipped == TIDY_SKIPPED_MAX;
        self.stored = stored;
        self.skipped = if is_used { 0 } else { self.skipped + 1 };
        is_used
    }
}
