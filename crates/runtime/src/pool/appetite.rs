//! When a pool looks for work.

use std::time::Duration;

use tokio::time::Instant;
use windlass_core::Timestamp;
use windlass_store::Claimed;

use crate::pace::spread;

/// How soon to look again for a job that should be due and was not found; twice as long each time.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// How much the waits of many workers are spread.
const SPREAD: f64 = 0.1;

/// When to look for work.
pub(super) struct Appetite {
    /// Whether a claim may find something.
    pub(super) hungry: bool,
    /// When to look even if nobody says so.
    pub(super) look_at: Instant,
    /// How many claims in a row did not find what should have been due.
    in_vain: u32,
    poll_interval: Duration,
}

impl Appetite {
    /// Looks at once.
    pub(super) fn new(poll_interval: Duration) -> Self {
        Self { hungry: true, look_at: Instant::now(), in_vain: 0, poll_interval }
    }

    /// Learns from a claim of `asked` jobs.
    pub(super) fn claimed(&mut self, asked: usize, claimed: &Claimed, now: Option<Timestamp>) {
        self.hungry = claimed.jobs.len() >= asked;
        let poll = spread(self.poll_interval, SPREAD);
        let due_in = claimed.next_due.zip(now).map(|(due, now)| due.since(now));
        self.look_at = Instant::now() + due_in.map_or(poll, |due_in| poll.min(self.until_due(due_in)));
    }

    /// What should be due and was not found shows that this clock is ahead of the store's: it is not asked at once.
    fn until_due(&mut self, due_in: Duration) -> Duration {
        if due_in > LOOK_AGAIN {
            self.in_vain = 0;
            return due_in;
        }
        self.in_vain = self.in_vain.saturating_add(1);
        LOOK_AGAIN.saturating_mul(2_u32.saturating_pow(self.in_vain - 1))
    }
}
