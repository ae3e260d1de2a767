//! How an attempt is asked to stop.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Why a handler should stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelReason {
    /// Somebody cancelled the job.
    Cancelled = 1,
    /// The attempt takes longer than its timeout.
    TimedOut = 2,
    /// The job's deadline has passed.
    Deadline = 3,
    /// The worker shuts down.
    Shutdown = 4,
    /// The lease is lost, or may be: whatever the handler still does cannot be recorded.
    LeaseLost = 5,
}

impl CancelReason {
    const ALL: [Self; 5] = [Self::Cancelled, Self::TimedOut, Self::Deadline, Self::Shutdown, Self::LeaseLost];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as u8 == number)
    }
}

/// Whether and why an attempt was asked to stop. The first reason stays.
///
/// Most attempts end before anybody asks, so nothing is allocated until a handler waits to be asked.
#[derive(Debug, Default)]
pub(crate) struct Halt {
    reason: AtomicU8,
    since: OnceLock<Instant>,
    token: OnceLock<CancellationToken>,
}

impl Halt {
    /// Asks the attempt to stop. Says whether it had not been asked before.
    pub(crate) fn ask(&self, reason: CancelReason) -> bool {
        let first = self.reason.compare_exchange(0, reason as u8, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if first {
            self.since.get_or_init(Instant::now);
            // Either this sees the token, or whoever makes the token sees the reason.
            if let Some(token) = self.token.get() {
                token.cancel();
            }
        }
        first
    }

    /// Why it should stop, if it should.
    pub(crate) fn reason(&self) -> Option<CancelReason> {
        CancelReason::from_number(self.reason.load(Ordering::SeqCst))
    }

    /// Since when it has been asked to stop.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.since.get().copied()
    }

    /// A token that is cancelled when the attempt should stop.
    pub(crate) fn token(&self) -> &CancellationToken {
        let token = self.token.get_or_init(CancellationToken::new);
        if self.reason().is_some() {
            token.cancel();
        }
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stays() {
        let halt = Halt::default();

        assert!(halt.ask(CancelReason::TimedOut));
        assert!(!halt.ask(CancelReason::Shutdown));

        assert_eq!(halt.reason(), Some(CancelReason::TimedOut));
    }

    #[test]
    fn a_token_made_before_or_after_is_cancelled() {
        let (early, late) = (Halt::default(), Halt::default());
        let waiting = early.token().clone();

        early.ask(CancelReason::Cancelled);
        late.ask(CancelReason::Cancelled);

        assert!(waiting.is_cancelled() && late.token().is_cancelled());
    }
}
