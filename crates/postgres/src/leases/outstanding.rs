//! What the claims of this process brought and is not settled yet.
//!
//! The store keeps a row per claim, not per job, of what a worker holds. It can be dropped once nothing of that claim is
//! open, and who would know better than the process that made it? What it forgets, because it dies or because another
//! process settles for it, is swept up by the periodic duties.
//!
//! It also remembers where each claim left its rows, so that a settle need not look for them in an index, and which of its jobs
//! are settled the long way. Those are hints, which the statements make sure of: a row that was changed lies elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use windlass_core::{AttemptToken, JobId, Traits};

use crate::value::Spot;

/// What its claim told of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Where its row lies, unless it may have been changed since.
    pub(crate) spot: Option<Spot>,
    /// What it uses.
    pub(crate) traits: Traits,
}

impl Known {
    /// What its success may leave to statements that decide nothing: a key that nobody waits for, and places at gates.
    const SIMPLE: Traits = Traits::UNIQUE.and(Traits::GATED);

    /// Whether its success may take a short way.
    pub(crate) fn is_simple(self) -> bool {
        let is_plain = !self.traits.has(Traits::SPECIAL);
        is_plain || self.spot.is_some() && !self.traits.without(Self::SIMPLE).has(Traits::SPECIAL)
    }

    /// Whether its end may let others go that come before jobs which are claimed at the same time.
    pub(crate) const fn lets_go(self) -> bool {
        self.traits.without(Traits::UNIQUE).has(Traits::SPECIAL)
    }
}

/// The open attempts of each claim, and claims of which none is.
#[derive(Debug, Default)]
pub(crate) struct Outstanding(Mutex<Claims>);

#[derive(Debug, Default)]
struct Claims {
    /// By their nonce.
    open: HashMap<u64, HashMap<JobId, Known>>,
    /// Nonces of claims whose row may be dropped.
    closed: Vec<i64>,
}

impl Outstanding {
    /// Remembers what a claim brought.
    pub(crate) fn claimed(&self, claimed: impl Iterator<Item = (AttemptToken, Known)>) {
        let open = &mut self.lock().open;
        let mut claimed = claimed.peekable();
        while let Some((AttemptToken { nonce, .. }, _)) = claimed.peek().copied() {
            let jobs = open.entry(nonce).or_default();
            jobs.reserve(claimed.size_hint().0);
            while let Some((token, known)) = claimed.next_if(|(token, _)| token.nonce == nonce) {
                jobs.insert(token.job, known);
            }
        }
    }

    /// Takes note that the row of an attempt may lie elsewhere now.
    pub(crate) fn moved(&self, token: &AttemptToken) {
        let open = &mut self.lock().open;
        if let Some(known) = open.get_mut(&token.nonce).and_then(|jobs| jobs.get_mut(&token.job)) {
            known.spot = None;
        }
    }

    /// What is known of these attempts; nothing of those that this process has not claimed or knows to be closed.
    pub(crate) fn known<'a>(&self, tokens: impl Iterator<Item = &'a AttemptToken>) -> Vec<Option<Known>> {
        let open = &self.lock().open;
        let known = |token: &AttemptToken| open.get(&token.nonce)?.get(&token.job).copied();
        tokens.map(known).collect()
    }

    /// Takes note of attempts that the store has closed.
    pub(crate) fn settled<'a>(&self, tokens: impl Iterator<Item = &'a AttemptToken>) {
        let Claims { open, closed } = &mut *self.lock();
        for token in tokens {
            let Some(jobs) = open.get_mut(&token.nonce) else { continue };
            if jobs.remove(&token.job).is_some() && jobs.is_empty() {
                open.remove(&token.nonce);
                closed.push(token.nonce.cast_signed());
            }
        }
    }

    /// Takes note of an attempt that was refused. Its job may still be held under it until it is rescued, so the row stays
    /// for the periodic duties.
    pub(crate) fn refused(&self, token: &AttemptToken) {
        self.lock().open.remove(&token.nonce);
    }

    /// Nonces of claims whose row may be dropped now; they are told once.
    pub(crate) fn closed(&self) -> Vec<i64> {
        std::mem::take(&mut self.lock().closed)
    }

    fn lock(&self) -> MutexGuard<'_, Claims> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(job: u8, nonce: u64) -> AttemptToken {
        AttemptToken { job: JobId::from_bytes([job; 16]), number: 1, nonce }
    }

    fn unknown(token: AttemptToken) -> (AttemptToken, Known) {
        (token, Known::default())
    }

    #[test]
    fn rows_are_found_where_they_lie_as_long_as_they_are_not_moved() {
        let outstanding = Outstanding::default();
        let [one, other] = [token(1, 7), token(2, 7)];
        let [first, second] =
            [1, 2].map(|item| Known { spot: Some(Spot::at(3, item)), traits: Traits::UNIQUE });
        outstanding.claimed([(one, first), (other, second)].into_iter());

        assert_eq!(outstanding.known([one, other].iter()), [Some(first), Some(second)]);
        outstanding.moved(&other);
        let moved = Known { spot: None, ..second };
        assert_eq!(outstanding.known([one, other].iter()), [Some(first), Some(moved)]);
        assert_eq!(outstanding.known([token(3, 7), token(1, 8)].iter()), [None; 2], "of others");
    }

    #[test]
    fn a_claim_is_closed_with_its_last_job() {
        let outstanding = Outstanding::default();
        outstanding.claimed([token(1, 7), token(2, 7), token(3, 8)].into_iter().map(unknown));

        outstanding.settled([token(1, 7), token(1, 7), token(4, 9)].iter());
        assert_eq!(outstanding.closed(), Vec::<i64>::new());
        outstanding.settled([token(2, 7), token(3, 8)].iter());
        assert_eq!(outstanding.closed(), [7, 8]);
        assert_eq!(outstanding.closed(), Vec::<i64>::new());
    }

    #[test]
    fn a_claim_with_a_refused_attempt_is_left_to_others() {
        let outstanding = Outstanding::default();
        outstanding.claimed([token(1, 7), token(2, 7)].into_iter().map(unknown));

        outstanding.refused(&token(1, 7));
        outstanding.settled([token(2, 7)].iter());

        assert_eq!(outstanding.closed(), Vec::<i64>::new());
    }
}
