//! What the claims of this process brought and is not settled yet.
//!
//! The store keeps a row per claim, not per job, of what a worker holds. It can be dropped once nothing of that claim is
//! open, and who would know better than the process that made it? What it forgets, because it dies or because another
//! process settles for it, is swept up by the periodic duties.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use windlass_core::{AttemptToken, JobId};

/// The open attempts of each claim, and claims of which none is.
#[derive(Debug, Default)]
pub(crate) struct Outstanding(Mutex<Claims>);

#[derive(Debug, Default)]
struct Claims {
    /// By their nonce.
    open: HashMap<u64, HashSet<JobId>>,
    /// Nonces of claims whose row may be dropped.
    closed: Vec<i64>,
}

impl Outstanding {
    /// Remembers what a claim brought.
    pub(crate) fn claimed<'a>(&self, tokens: impl Iterator<Item = &'a AttemptToken>) {
        let open = &mut self.lock().open;
        for token in tokens {
            open.entry(token.nonce).or_default().insert(token.job);
        }
    }

    /// Takes note of attempts that the store has closed.
    pub(crate) fn settled<'a>(&self, tokens: impl Iterator<Item = &'a AttemptToken>) {
        let Claims { open, closed } = &mut *self.lock();
        for token in tokens {
            let Some(jobs) = open.get_mut(&token.nonce) else { continue };
            if jobs.remove(&token.job) && jobs.is_empty() {
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

    #[test]
    fn a_claim_is_closed_with_its_last_job() {
        let outstanding = Outstanding::default();
        outstanding.claimed([token(1, 7), token(2, 7), token(3, 8)].iter());

        outstanding.settled([token(1, 7), token(1, 7), token(4, 9)].iter());
        assert_eq!(outstanding.closed(), Vec::<i64>::new());
        outstanding.settled([token(2, 7), token(3, 8)].iter());
        assert_eq!(outstanding.closed(), [7, 8]);
        assert_eq!(outstanding.closed(), Vec::<i64>::new());
    }

    #[test]
    fn a_claim_with_a_refused_attempt_is_left_to_others() {
        let outstanding = Outstanding::default();
        outstanding.claimed([token(1, 7), token(2, 7)].iter());

        outstanding.refused(&token(1, 7));
        outstanding.settled([token(2, 7)].iter());

        assert_eq!(outstanding.closed(), Vec::<i64>::new());
    }
}
