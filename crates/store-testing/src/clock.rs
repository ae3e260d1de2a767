//! The clock that every store under test goes by.

use std::sync::Arc;

use windlass_core::Timestamp;

/// A clock that stands still until a case moves it.
pub use windlass_store::ManualClock as TestClock;

/// 2026-01-01T00:00:00Z: far from every bound of what can be stored.
const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

pub(crate) fn test_clock() -> Arc<TestClock> {
    Arc::new(TestClock::at(START))
}
