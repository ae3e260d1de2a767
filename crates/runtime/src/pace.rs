//! How long to wait: spread, so that many who wait do not come together, and longer each time in vain.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// The first wait after a failure of the store: about as long as a commit or a reconnect takes.
const BACKOFF_BASE: Duration = Duration::from_millis(25);

/// The longest wait: a store that is back is found within two seconds.
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// `span`, give or take `share` of it.
pub(crate) fn spread(span: Duration, share: f64) -> Duration {
    span.mul_f64(share.mul_add(deviation(), 1.0))
}

/// A number from -1 to 1, another each time. Nothing depends on it but who comes first.
fn deviation() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let unit = bits as f64 / (1_u64 << 53) as f64;
    unit.mul_add(2.0, -1.0)
}

/// Waits between tries of what failed.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait after one more failure; never more than `most`.
    pub(crate) fn after_failure(&mut self, most: Duration) -> Duration {
        let doubled = BACKOFF_BASE.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        spread(doubled.min(BACKOFF_MAX).min(most), 0.25)
    }

    /// Whether it failed when it was tried last.
    pub(crate) const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Whether it has failed just once.
    pub(crate) const fn is_first(&self) -> bool {
        self.failures == 1
    }

    /// Takes note that it works. Says how often it had failed.
    pub(crate) const fn succeeded(&mut self) -> u32 {
        std::mem::replace(&mut self.failures, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_bounded() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..50).map(|_| backoff.after_failure(Duration::from_secs(60))).collect();

        assert!(waits[0] < Duration::from_millis(32), "{:?}", waits[0]);
        assert!(waits.iter().all(|wait| *wait <= BACKOFF_MAX.mul_f64(1.25)));
        assert_eq!(backoff.succeeded(), 50);
        assert!(backoff.after_failure(Duration::ZERO).is_zero());
    }

    #[test]
    fn a_spread_stays_within_its_share() {
        let span = Duration::from_secs(10);

        assert!((0..100).all(|_| spread(span, 0.1).abs_diff(span) <= Duration::from_secs(1)));
    }
}
