//! The periodic duties of a store, done by workers that are not told otherwise. Each is idempotent.
//!
//! **Every worker rescues**, once a second and leader or not. What a dead worker held is claimable again a second after
//! its lease (G19), which may be a tenth of a second long; that the leader is dead, too, is known only when its own lease of
//! five seconds is over. So nobody relies on it for this. A rescue that finds nothing is a single look.
//!
//! **The leader prunes and tidies, and fires schedules**: done once is enough, and a few seconds later does no harm. It asks
//! for the lead again in time to keep it. The others ask when the lead would be free, and no sooner. Ticks are not looked for
//! again and again: the leader sleeps until the next one, or until somebody tells of a change; the answer to who leads tells of
//! the next tick, too, and every thirty seconds it looks by itself.
//!
//! With the worker's own look for work every two seconds and its beats, all this is less than two questions a second.

mod duties;
mod fire;
mod lead;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use windlass_store::observe::Operation;
use windlass_store::{ErrorKind, StoreError};

use crate::engine::Engine;
use crate::pace::spread;

/// How often expired leases are looked for: what a dead worker held is claimable again a second after its lease
/// (G19), so this with its spread and the rescue itself stay below one.
const RESCUE_EVERY: Duration = Duration::from_millis(955);

/// How much of it a look may come sooner or later: enough that many workers do not come together for long.
const RESCUE_SPREAD: f64 = 0.02;

/// How long one step of a rescue may take. It is a batch, which takes a fraction of a second; one whose answer is lost must
/// not be the last.
const RESCUE_MAX: Duration = Duration::from_secs(10);

/// Most steps of one duty before the others have their turn.
const STEPS_MAX: u32 = 16;

/// Does the duties until the task is dropped, or as long as they are this worker's to do. They go on beside each other: a rescue
/// waits for none of them.
pub(crate) async fn keep(engine: Arc<Engine>) {
    let lead = lead::Lead::default();
    tokio::join!(
        rescue(&engine),
        lead.seek(&engine),
        duties::keep(&engine, &lead),
        fire::keep(&engine, &lead)
    );
}

async fn rescue(engine: &Engine) {
    let mut voice = Voice::new("rescue what lost workers held");
    loop {
        let rescued = rescue_all(engine).await;
        if let Err(error) = &rescued
            && is_for_others(error)
        {
            tracing::info!("this worker leaves the duties of its store to those who may do them");
            return;
        }
        voice.tell(rescued.as_ref().err());
        tokio::time::sleep_until(Instant::now() + spread(RESCUE_EVERY, RESCUE_SPREAD)).await;
    }
}

/// Whether who does the work is refused the duties, as one is whose token for a server is for work alone. Nothing else could be
/// wrong with what is asked.
fn is_for_others(error: &StoreError) -> bool {
    matches!(error.kind(), ErrorKind::Invalid(_))
}

async fn rescue_all(engine: &Engine) -> Result<(), StoreError> {
    for _ in 0..STEPS_MAX {
        let asked_at = Instant::now();
        let rescued = timeout(RESCUE_MAX, engine.store.rescue()).await;
        let rescued =
            rescued.unwrap_or_else(|_| Err(StoreError::new("rescue lost jobs", ErrorKind::Unknown)));
        engine.observe(Operation::Rescue, asked_at, rescued.as_ref().err());
        let rescued = rescued?;
        if let Some(observer) = &engine.config.observer {
            observer.rescued(&rescued);
        }
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

/// Tells of a failure once, and of its end.
struct Voice {
    /// What failed or works, as a fragment that fits after "could not".
    act: &'static str,
    /// Whether it failed the last time.
    away: bool,
}

impl Voice {
    const fn new(act: &'static str) -> Self {
        Self { act, away: false }
    }

    fn tell(&mut self, failure: Option<&StoreError>) {
        let before = std::mem::replace(&mut self.away, failure.is_some());
        let act = self.act;
        match failure {
            None if before => tracing::info!("can {act} again"),
            Some(error) if !before && error.is_transient() => {
                tracing::warn!(%error, "could not {act}, will try again");
            }
            Some(error) if !before => tracing::error!(%error, "could not {act}"),
            _ => {}
        }
    }
}
