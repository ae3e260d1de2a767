//! What time it is by the store's clock, as far as its answers tell.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;
use windlass_core::Timestamp;

/// The last instant the store named, and when it was heard. Good for deciding how long to sleep, and nothing else: the
/// store alone judges what is due.
#[derive(Debug, Default)]
pub(crate) struct StoreClock(Mutex<Option<(Timestamp, Instant)>>);

impl StoreClock {
    /// The store has just said that it is `now`.
    pub(crate) fn heard(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Instant::now()));
    }

    /// What time it is, if the store ever said; late by at most the time its last answer took.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        let (then, heard_at) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(then.after(heard_at.elapsed()))
    }
}
