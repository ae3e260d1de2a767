//! What time it is, asked in one place.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use windlass_core::Timestamp;

/// Says what time it is. Stores are given one, so that tests can hold time still.
pub trait Clock: Debug + Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else asks")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp::MIN.after(since_epoch)
    }
}

/// A clock that stands still until it is moved: time as a test wants it.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_micros()))
    }

    /// Moves the clock on by `span`, and says what time it is then.
    pub fn advance(&self, span: Duration) -> Timestamp {
        let moved = |micros| Some(Timestamp::from_micros(micros).after(span).as_micros());
        let before =
            self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved).unwrap_or_else(|same| same);
        Timestamp::from_micros(before).after(span)
    }

    /// Makes the clock show `now`, which may be earlier: clocks of machines jump too.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Another clock, kept from going backwards.
///
/// Every store wraps the clock it is given. A machine whose time is set back then stands still, as far as leases
/// and due times go, until it has caught up; it never undoes what has already been judged.
#[derive(Debug)]
pub struct SteadyClock {
    clock: Arc<dyn Clock>,
    latest_micros: AtomicI64,
}

impl SteadyClock {
    /// Holds `clock` to its promise from now on.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, latest_micros: AtomicI64::new(Timestamp::MIN.as_micros()) }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        // Relaxed: the maximum is the same in whatever order several threads arrive at it.
        let before = self.latest_micros.fetch_max(now.as_micros(), Ordering::Relaxed);
        now.max(Timestamp::from_micros(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_it_is_moved() {
        let clock = ManualClock::at(Timestamp::from_micros(1_000));

        let later = clock.advance(Duration::from_micros(500));

        assert_eq!(later, Timestamp::from_micros(1_500));
        assert_eq!(clock.now(), later);
    }

    #[test]
    fn a_clock_that_is_set_back_stands_still_until_it_has_caught_up() {
        let hand = Arc::new(ManualClock::at(Timestamp::MIN));
        let steady = SteadyClock::new(hand.clone());
        let at = |micros| {
            hand.set(Timestamp::from_micros(micros));
            steady.now().as_micros()
        };

        assert_eq!([at(10), at(5), at(10), at(11)], [10, 10, 10, 11]);
    }
}
