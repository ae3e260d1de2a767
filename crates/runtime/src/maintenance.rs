//! The periodic duties of a store, done by every worker that is not told otherwise. Each is idempotent.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use windlass_store::StoreError;

use crate::engine::Engine;
use crate::pace::spread;

/// How often expired leases are looked for: what a dead worker held is claimable again a second after its lease
/// (G19), so this with its spread and the rescue itself stay below one.
const RESCUE_EVERY: Duration = Duration::from_millis(930);

/// How often jobs past their retention are removed.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// How often a store that was written to may put itself in order.
const TIDY_EVERY: Duration = Duration::from_secs(10);

/// Most steps of one duty before the others have their turn.
const STEPS_MAX: u32 = 16;

/// Does the duties until the task is dropped.
pub(crate) async fn keep(engine: Arc<Engine>) {
    let now = Instant::now();
    let mut keeper = Keeper {
        engine,
        prune_at: now + spread(PRUNE_EVERY / 2, 1.0),
        tidy_at: now + TIDY_EVERY,
        stored: 0,
        away: false,
    };
    loop {
        let done = keeper.duties().await;
        keeper.tell(done);
        tokio::time::sleep_until(Instant::now() + spread(RESCUE_EVERY, 0.05)).await;
    }
}

struct Keeper {
    engine: Arc<Engine>,
    prune_at: Instant,
    tidy_at: Instant,
    /// How much the worker had stored when the store was last put in order.
    stored: u64,
    /// Whether the last round failed.
    away: bool,
}

impl Keeper {
    async fn duties(&mut self) -> Result<(), StoreError> {
        self.rescue().await?;
        if Instant::now() >= self.prune_at {
            self.prune().await?;
        }
        if Instant::now() >= self.tidy_at {
            self.tidy().await?;
        }
        Ok(())
    }

    async fn rescue(&self) -> Result<(), StoreError> {
        for _ in 0..STEPS_MAX {
            let rescued = self.engine.store.rescue().await?;
            if rescued.returned + rescued.poisoned + rescued.closed + rescued.expired + rescued.workers > 0 {
                tracing::info!(
                    returned = rescued.returned,
                    poisoned = rescued.poisoned,
                    closed = rescued.closed,
                    expired = rescued.expired,
                    workers = rescued.workers,
                    "rescued what lost workers held",
                );
            }
            if !rescued.more {
                break;
            }
        }
        Ok(())
    }

    async fn prune(&mut self) -> Result<(), StoreError> {
        let mut more = true;
        for _ in 0..STEPS_MAX {
            let pruned = self.engine.store.prune(self.engine.config.retention).await?;
            more = pruned.more;
            if pruned.removed > 0 {
                tracing::debug!(removed = pruned.removed, "pruned finished jobs");
            }
            if !more {
                break;
            }
        }
        if !more {
            self.prune_at = Instant::now() + spread(PRUNE_EVERY, 0.1);
        }
        Ok(())
    }

    /// A store nobody wrote to is left in peace.
    async fn tidy(&mut self) -> Result<(), StoreError> {
        let snapshot = self.engine.snapshot();
        let stored = snapshot.claimed + snapshot.settled;
        if stored != self.stored {
            self.engine.store.tidy().await?;
            self.stored = stored;
        }
        self.tidy_at = Instant::now() + spread(TIDY_EVERY, 0.1);
        Ok(())
    }

    /// Tells of a failure once, and of its end.
    fn tell(&mut self, done: Result<(), StoreError>) {
        let before = std::mem::replace(&mut self.away, done.is_err());
        match done {
            Ok(()) if before => tracing::info!("the store is kept in order again"),
            Err(error) if !before && error.is_transient() => {
                tracing::warn!(%error, "could not keep the store in order, will try again");
            }
            Err(error) if !before => tracing::error!(%error, "could not keep the store in order"),
            Ok(()) | Err(_) => {}
        }
    }
}
