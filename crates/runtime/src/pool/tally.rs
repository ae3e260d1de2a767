//! What became of the settlements of one turn.

use windlass_core::JobId;
use windlass_store::{ErrorKind, Settlement, StoreError};

/// How many were stored, and what happened to the others.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) settled: u64,
    pub(super) cancelled: u64,
    pub(super) lost: u64,
    /// What is to be told again.
    pub(super) again: Vec<Settlement>,
    /// The first that was refused, to be named.
    refused: Option<(JobId, StoreError)>,
}

impl Tally {
    pub(super) fn count(&mut self, settlement: &Settlement, error: Option<&StoreError>) {
        let Some(error) = error else {
            self.settled += 1;
            return;
        };
        match error.kind() {
            // It was this token's own settle that closed the attempt: the answer to an earlier try was lost.
            ErrorKind::NotRunning => self.settled += 1,
            ErrorKind::Cancelled => self.cancelled += 1,
            _ if error.is_transient() => self.again.push(settlement.clone()),
            _ => {
                self.lost += 1;
                self.refused.get_or_insert_with(|| (settlement.token.job, error.share("settle an attempt")));
            }
        }
    }

    /// Tells what was refused, in one line however much it is.
    pub(super) fn tell(&self, queue: &str) {
        if let Some((job, error)) = &self.refused {
            tracing::warn!(queue, job.id = %job, count = self.lost, %error, "the ends of attempts could not be stored");
        }
        if self.cancelled > 0 {
            tracing::info!(queue, count = self.cancelled, "attempts ended whose jobs had been cancelled");
        }
    }
}

#[cfg(test)]
mod tests {
    use windlass_core::{AttemptToken, Verdict};

    use super::*;

    #[test]
    fn what_the_store_could_not_take_for_now_is_told_again_and_nothing_else() {
        let token = AttemptToken { job: JobId::from_bytes([1; 16]), number: 1, nonce: 7 };
        let settlement = Settlement { token, verdict: Verdict::Interrupted };
        let told = |kind: ErrorKind| {
            let mut tally = Tally::default();
            tally.count(&settlement, Some(&StoreError::new("settle", kind)));
            (tally.again.len(), tally.settled, tally.cancelled, tally.lost)
        };

        for kind in [ErrorKind::Conflict, ErrorKind::Unavailable, ErrorKind::Unknown, ErrorKind::Full] {
            assert_eq!(told(kind), (1, 0, 0, 0));
        }
        assert_eq!(told(ErrorKind::NotRunning), (0, 1, 0, 0));
        assert_eq!(told(ErrorKind::Cancelled), (0, 0, 1, 0));
        assert_eq!(told(ErrorKind::LeaseLost), (0, 0, 0, 1));
    }
}
