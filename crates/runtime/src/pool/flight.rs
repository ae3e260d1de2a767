//! Turns on their way to the store and back.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::OwnedRwLockReadGuard;
use tokio::time::{Instant, timeout, timeout_at};
use windlass_core::WorkerId;
use windlass_store::observe::Operation;
use windlass_store::{ClaimRequest, ErrorKind, Settlement, StoreError, Turn, Turned};

use crate::engine::Engine;

/// How much has to be settled for a second turn to go while the first is in flight: so much that what a turn costs by itself
/// is nothing beside it.
pub(super) const WORTH_ANOTHER: usize = 256;

/// A turn, and what has to be known when it comes back.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) settlements: Vec<Settlement>,
    pub(super) claim: Option<ClaimRequest>,
    pub(super) member: WorkerId,
    pub(super) epoch: u64,
    /// Whether a slot had nothing to do since the last turn was sent.
    pub(super) ran_dry: bool,
    /// Until all of it has landed, nobody may take what it claims for orphans.
    pub(super) _still: OwnedRwLockReadGuard<()>,
}

/// A turn that came back.
type Flown = (Planned, Result<Turned, StoreError>);

type Flight = Pin<Box<dyn Future<Output = Flown> + Send>>;

/// Turns in flight.
#[derive(Default)]
pub(super) struct Flights(FuturesUnordered<Flight>);

impl Flights {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Sends a turn. Nothing happens until the next is waited for.
    pub(super) fn send(&self, engine: &Arc<Engine>, planned: Planned) {
        let engine = Arc::clone(engine);
        self.0.push(Box::pin(async move {
            let turn = Turn { settlements: planned.settlements.clone(), claim: planned.claim.clone() };
            let asked_at = Instant::now();
            // A store that does not answer within a lease has lost us anyway; then the next try finds out.
            let answer = timeout(engine.config.lease, engine.store.turn(turn)).await;
            let answer = answer.unwrap_or_else(|_| Err(StoreError::new("take a turn", ErrorKind::Unknown)));
            engine.observe(Operation::Turn, asked_at, answer.as_ref().err());
            (planned, answer)
        }));
    }

    /// The next that comes back; waits for ever where none is in flight. Cancel safe.
    pub(super) async fn next(&mut self) -> Flown {
        match self.0.next().await {
            Some(flown) => flown,
            None => std::future::pending().await,
        }
    }

    /// The next that comes back by then. Cancel safe.
    pub(super) async fn next_until(&mut self, until: Instant) -> Option<Flown> {
        timeout_at(until, self.next()).await.ok()
    }
}

/// When slots wake a dispatcher that rests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Rest {
    /// It does not, or waits for something else.
    #[default]
    Not,
    /// As soon as a job has ended or is wanted.
    UntilAny,
    /// As soon as so many jobs have ended.
    UntilEnded(usize),
}

impl Rest {
    /// Whether to wake it, now that so many have ended and, maybe, something has happened to a slot; it is woken once.
    pub(super) fn ends(&mut self, happened: bool, ended: usize) -> bool {
        let ends = match self {
            Self::Not => false,
            Self::UntilAny => happened,
            Self::UntilEnded(enough) => ended >= *enough,
        };
        if ends {
            *self = Self::Not;
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_rests_is_woken_once_and_not_before_it_is_time() {
        let (mut any, mut enough) = (Rest::UntilAny, Rest::UntilEnded(3));

        assert!(!any.ends(false, 5) && any.ends(true, 0) && !any.ends(true, 0));
        assert!(!enough.ends(true, 2) && enough.ends(false, 3) && !enough.ends(true, 4));
    }
}
