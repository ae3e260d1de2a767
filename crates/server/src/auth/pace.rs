//! How often somebody may ask.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Most askers that are remembered. Beyond it those are forgotten who have been quiet, and if there are none, everybody is.
const KNOWN_MAX: usize = 10_000;

/// So many at once, and from then on one each `every`.
#[derive(Debug)]
pub(super) struct Pace<K> {
    every: Duration,
    burst: u32,
    /// Until when what each asked for so far would have taken.
    until: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Pace<K> {
    pub(super) fn new(every: Duration, burst: u32) -> Self {
        Self { every, burst, until: Mutex::default() }
    }

    /// Counts one more; or says when to come back, and counts nothing.
    pub(super) fn take(&self, asker: K) -> Result<(), Duration> {
        let now = Instant::now();
        let mut all = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KNOWN_MAX && !all.contains_key(&asker) {
            all.retain(|_, until| *until > now);
            if all.len() >= KNOWN_MAX {
                all.clear();
            }
        }
        let until = all.entry(asker).or_insert(now);
        let next = (*until).max(now) + self.every;
        let latest = now + self.every * self.burst;
        if next > latest {
            return Err(next - latest);
        }
        *until = next;
        Ok(())
    }

    /// Whether one more may ask, which is not counted.
    pub(super) fn look(&self, asker: &K) -> Result<(), Duration> {
        let now = Instant::now();
        let all = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = now + self.every * self.burst;
        match all.get(asker).map(|until| (*until).max(now) + self.every) {
            Some(next) if next > latest => Err(next - latest),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_let_through_and_then_one_at_a_time() {
        let pace = Pace::new(Duration::from_secs(6), 10);
        assert!((0..10).all(|_| pace.take("a").is_ok()));

        assert_eq!(pace.take("a"), Err(Duration::from_secs(6)));
        assert_eq!(pace.look(&"a"), Err(Duration::from_secs(6)));
        assert!(pace.take("b").is_ok());
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(pace.look(&"a").is_ok() && pace.take("a").is_ok() && pace.take("a").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let pace = Pace::new(Duration::from_secs(6), 10);
        for asker in 0..KNOWN_MAX * 2 {
            let _ = pace.take(asker);
        }

        assert!(pace.until.lock().unwrap().len() <= KNOWN_MAX);
    }
}
