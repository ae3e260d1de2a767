//! A turn: what ended is settled, what comes next is claimed, one commit for both.
//!
//! The way that nearly all take is one round trip: attempts that succeeded and a claim need no decision in between.

mod way;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future;
use windlass_core::{AttemptToken, Traits};
use windlass_store::{ErrorKind, Settled, Settlement, StoreError, Turn, Turned};

use super::outstanding::Known;
use crate::Core;
use crate::gather::Errand;

use way::Way;

const NAME: &str = "settle and claim jobs";

/// Settling without a claim, for many callers at a time.
pub(crate) struct Settling(pub(crate) Arc<Core>);

impl Errand for Settling {
    type Wish = Vec<Settlement>;
    type Answer = Vec<Result<Settled, StoreError>>;

    const NAME: &'static str = NAME;

    fn weight(settlements: &Vec<Settlement>) -> usize {
        settlements.len()
    }

    /// The ends of jobs may concern the same job, as one that waits for several.
    fn is_apart(_: &Vec<Settlement>) -> bool {
        false
    }

    async fn run(&self, wishes: Vec<Vec<Settlement>>) -> Vec<Result<Self::Answer, StoreError>> {
        let counts: Vec<usize> = wishes.iter().map(Vec::len).collect();
        let turn = Turn { settlements: wishes.into_iter().flatten().collect(), claim: None };
        match Box::pin(take(&self.0, &turn)).await {
            Ok(turned) => {
                let mut settled = turned.settled.into_iter();
                counts.iter().map(|count| Ok(settled.by_ref().take(*count).collect())).collect()
            }
            Err(error) => counts.iter().map(|_| Err(error.share(NAME))).collect(),
        }
    }
}

/// From how many settlements or wanted jobs on a turn that is alone goes as two halves at the same time, each on a connection
/// of its own: the server works on a connection with one processor. With fewer, that processor keeps up with what a process can
/// run, and to divide them costs more than it gains: a sixth of the rate where the server has the other of two processors. Never
/// where special jobs are settled: what they let go may come before all that a half would claim meanwhile.
const LARGE: usize = 1_000;

/// Turns under way in this process.
#[derive(Debug, Default)]
pub(crate) struct Turns(AtomicUsize);

impl Turns {
    fn begin(&self) -> UnderWay<'_> {
        UnderWay { turns: self, others: self.0.fetch_add(1, Ordering::Relaxed) }
    }
}

/// One of them, until it is dropped.
struct UnderWay<'a> {
    turns: &'a Turns,
    /// How many there were when it began.
    others: usize,
}

impl UnderWay<'_> {
    const fn is_alone(&self) -> bool {
        self.others == 0
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.turns.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes a turn.
pub(super) async fn take(store: &Core, turn: &Turn) -> Result<Turned, StoreError> {
    let known = store.outstanding.known(turn.settlements.iter().map(|settlement| &settlement.token));
    let under_way = store.turns.begin();
    let gated = known.iter().flatten().any(|known| known.traits.has(Traits::GATED));
    if gated && turn.claim.is_some() {
        return take_in_steps(store, turn, &known).await;
    }
    let special = known.iter().flatten().any(|known| known.lets_go());
    let wanted = turn.claim.as_ref().map_or(0, |claim| claim.limit as usize);
    if special || turn.settlements.len().max(wanted) < LARGE || !under_way.is_alone() {
        return take_one(store, turn, &known).await;
    }
    let (one, other) = halves(turn);
    let known = known.split_at(one.settlements.len());
    let halves = future::join(take_one(store, &one, known.0), take_one(store, &other, known.1));
    let mut turned = both(Box::pin(halves).await)?;
    // What one half closed after the other had looked.
    let Turned { settled, cancelled, .. } = &mut turned;
    cancelled.retain(|token| !is_closed(turn, settled, token));
    Ok(turned)
}

/// Settles before it claims, each in transactions of its own: what a claim asks of gates is none of the first, and nobody waits
/// for what was given back to them until there is an answer.
async fn take_in_steps(store: &Core, turn: &Turn, known: &[Option<Known>]) -> Result<Turned, StoreError> {
    let settled = settle_one(store, turn, known).await?;
    let claim = Turn { settlements: Vec::new(), claim: turn.claim.clone() };
    let claimed = Box::pin(take_one(store, &claim, &[])).await.map_err(after_commit)?;
    Ok(joined(settled, claimed))
}

/// What two halves came to together.
fn both(halves: (Result<Turned, StoreError>, Result<Turned, StoreError>)) -> Result<Turned, StoreError> {
    match halves {
        (Ok(one), Ok(other)) => Ok(joined(one, other)),
        (Err(one), Err(other)) => Err(graver(one, other)),
        // What one half did is done, and cannot be told.
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(after_commit(error)),
    }
}

/// What to say of two halves that failed: where one of them may have happened, nobody may be told that nothing did.
fn graver(one: StoreError, other: StoreError) -> StoreError {
    if *other.kind() == ErrorKind::Unknown { other } else { one }
}

/// What to say of a step that failed after others of the same turn were committed: nobody may be told that nothing happened,
/// or the worker would not look for jobs that it was given. What no waiting can mend ends the worker, and so its leases.
fn after_commit(error: StoreError) -> StoreError {
    if !error.is_transient() || *error.kind() == ErrorKind::Unknown {
        return error;
    }
    StoreError::new(NAME, ErrorKind::Unknown).with_source(error)
}

fn halves(turn: &Turn) -> (Turn, Turn) {
    let (first, second) = turn.settlements.split_at(turn.settlements.len() / 2);
    let claim = |limit: u32| {
        let mut claim = turn.claim.clone()?;
        claim.limit = limit;
        Some(claim)
    };
    let limit = turn.claim.as_ref().map_or(0, |claim| claim.limit);
    let one = Turn { settlements: first.to_vec(), claim: claim(limit.div_ceil(2)) };
    let other =
        Turn { settlements: second.to_vec(), claim: claim(limit / 2).filter(|claim| claim.limit > 0) };
    (one, other)
}

fn joined(mut one: Turned, other: Turned) -> Turned {
    one.settled.extend(other.settled);
    one.claimed.jobs.extend(other.claimed.jobs);
    // Each half took from the same order at the same time; the ids of jobs grow with it.
    one.claimed.jobs.sort_by_key(|job| (job.settles.is_none(), job.priority, job.run_at, job.token.job));
    let due = one.claimed.next_due.into_iter().chain(other.claimed.next_due);
    one.claimed.next_due = due.min();
    one.cancelled.extend(other.cancelled);
    one.cancelled.sort_unstable();
    one.cancelled.dedup();
    one
}

/// Whether this is the answer to a settle of an attempt that is closed now.
fn closes(answer: &Result<Settled, StoreError>) -> bool {
    // Not running: its own settle closed it, in a transaction of its handler's or in a turn whose answer was lost.
    let closes = |kind: &ErrorKind| matches!(kind, ErrorKind::Cancelled | ErrorKind::NotRunning);
    answer.as_ref().err().is_none_or(|error| closes(error.kind()))
}

/// Whether the turn closed this attempt. One whose lease was lost stays open until it is rescued.
fn is_closed(turn: &Turn, settled: &[Result<Settled, StoreError>], token: &AttemptToken) -> bool {
    let mut answered = turn.settlements.iter().zip(settled);
    answered.any(|(settlement, answer)| settlement.token == *token && closes(answer))
}

async fn take_one(store: &Core, turn: &Turn, known: &[Option<Known>]) -> Result<Turned, StoreError> {
    if turn.settlements.is_empty() && turn.claim.is_none() {
        return Ok(Turned::default());
    }
    go(Way::of(store, turn, known), known).await
}

/// Goes that way; where others changed a key while its job was settled, nothing was done, and it is done again with care.
async fn go(way: Way<'_>, known: &[Option<Known>]) -> Result<Turned, StoreError> {
    let session = way.store.database.turn(NAME).await?;
    match way.go(session).await {
        Err(error) if *error.kind() == ErrorKind::Conflict => {
            let session = way.store.database.turn(NAME).await?;
            way.with_care(known).long(session).await
        }
        answer => answer,
    }
}

/// Settles, and does not claim, but only while the worker is there that would.
async fn settle_one(store: &Core, turn: &Turn, known: &[Option<Known>]) -> Result<Turned, StoreError> {
    if turn.settlements.is_empty() {
        return Ok(Turned::default());
    }
    go(Way { claims: false, ..Way::of(store, turn, known) }, known).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_that_failed_are_unknown_if_one_of_them_is() {
        let of = |one, other| graver(StoreError::new(NAME, one), StoreError::new(NAME, other)).kind().clone();

        assert_eq!(of(ErrorKind::Unavailable, ErrorKind::Unknown), ErrorKind::Unknown);
        assert_eq!(of(ErrorKind::Unknown, ErrorKind::Unavailable), ErrorKind::Unknown);
        assert_eq!(of(ErrorKind::NotFound, ErrorKind::NotFound), ErrorKind::NotFound);
    }

    #[test]
    fn what_fails_after_a_commit_is_not_told_as_if_nothing_had_happened() {
        let of = |kind| after_commit(StoreError::new(NAME, kind)).kind().clone();

        for kind in [ErrorKind::Unavailable, ErrorKind::Conflict, ErrorKind::Full, ErrorKind::Unknown] {
            assert_eq!(of(kind), ErrorKind::Unknown);
        }
        for kind in [ErrorKind::NotFound, ErrorKind::Corrupt] {
            assert_eq!(of(kind.clone()), kind);
        }
    }
}
