//! A turn with the store, from its plan to its answer.

use tokio::sync::RwLockReadGuard;
use tokio::time::Instant;
use windlass_core::WorkerId;
use windlass_store::observe::Operation;
use windlass_store::{ClaimRequest, ErrorKind, Settlement, StoreError, Turn, Turned};

use crate::engine::Engine;

/// A turn, and what has to be known when it comes back.
pub(super) struct Planned {
    pub(super) settlements: Vec<Settlement>,
    pub(super) claim: Option<ClaimRequest>,
    pub(super) member: WorkerId,
    pub(super) epoch: u64,
    /// Whether a slot had nothing to do since the last turn was sent.
    pub(super) ran_dry: bool,
}

/// A turn that is over.
pub(super) struct Taken<'e> {
    pub(super) planned: Planned,
    pub(super) answer: Result<Turned, StoreError>,
    /// Until what it brought has landed.
    pub(super) still: RwLockReadGuard<'e, ()>,
}

/// Takes a turn with the store.
pub(super) async fn take<'e>(
    engine: &'e Engine,
    planned: Planned,
    still: RwLockReadGuard<'e, ()>,
) -> Taken<'e> {
    let turn = Turn { settlements: planned.settlements.clone(), claim: planned.claim.clone() };
    let asked_at = Instant::now();
    // A store that does not answer within a lease has lost us anyway; then the next try finds out.
    let answer = tokio::time::timeout(engine.config.lease, engine.store.turn(turn)).await;
    let answer = answer.unwrap_or_else(|_| Err(StoreError::new("take a turn", ErrorKind::Unknown)));
    engine.observe(Operation::Turn, asked_at, answer.as_ref().err());
    Taken { planned, answer, still }
}
