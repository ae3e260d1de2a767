//! Instants, by the store's clock.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Invalid;

/// An instant in microseconds since 1970-01-01T00:00:00Z, by the clock of the store.
///
/// Arithmetic saturates at [`Timestamp::MIN`] and [`Timestamp::MAX`], so no delay, however long, wraps around.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z. Earlier instants are refused wherever a caller may name one.
    pub const MIN: Self = Self(0);

    /// 9999-12-30T22:00:00Z, the last second that has a text form whatever the offset from UTC.
    pub const MAX: Self = Self(253_402_207_200_000_000);

    /// The instant `micros` microseconds after 1970, moved into the range that can be stored.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This instant and `span` more, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// This instant less `span`, at least [`Timestamp::MIN`].
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_sub(micros))
    }

    /// How long it is from `earlier` to this instant; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    /// The same instant to the microsecond, moved into the range that can be stored.
    fn from(time: SystemTime) -> Self {
        Self::MIN.after(time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many digits of the second as are needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_microsecond(self.0).map_err(|_| fmt::Error)?;
        instant.fmt(f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl FromStr for Timestamp {
    type Err = Invalid;

    /// Reads RFC 3339, such as `2026-11-21T08:00:00Z` or `2026-11-21T09:00:00+01:00`.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| {
            Invalid::new(
                "time",
                format!("{text:?} is not a time: expected RFC 3339, such as 2026-11-21T08:00:00Z"),
            )
        })?;
        let micros = instant.as_microsecond();
        if !(Self::MIN.0..=Self::MAX.0).contains(&micros) {
            return Err(Invalid::new("time", format!("{text:?} is outside the years 1970 to 9999")));
        }
        Ok(Self(micros))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: Invalid| serde::de::Error::custom(error.problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Timestamp::MAX.after(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.before(Duration::MAX), Timestamp::MIN);
        assert_eq!(Timestamp::from_micros(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
    }

    #[test]
    fn text_keeps_the_instant_whatever_the_offset() {
        let utc: Timestamp = "2026-11-21T08:00:00.000123Z".parse().unwrap();
        let berlin: Timestamp = "2026-11-21T09:00:00.000123+01:00".parse().unwrap();

        assert_eq!(utc, berlin);
        assert_eq!(utc.to_string(), "2026-11-21T08:00:00.000123Z");
    }

    #[test]
    fn both_ends_have_a_text_form_that_is_read_back() {
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00Z");
        for end in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(end.to_string().parse(), Ok(end));
        }
    }

    #[test]
    fn a_system_time_is_the_same_instant() {
        let time = UNIX_EPOCH + Duration::from_micros(1_500);

        assert_eq!(Timestamp::from(time), Timestamp::from_micros(1_500));
        assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_secs(1)), Timestamp::MIN);
    }

    #[test]
    fn an_instant_before_1970_is_refused() {
        assert!("1969-12-31T23:59:59Z".parse::<Timestamp>().is_err());
    }
}
