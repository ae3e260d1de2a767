//! When a schedule ticks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use crate::limits::{DELAY_MAX, EVERY_MIN, TICKS_MAX};
use crate::{Invalid, Timestamp, span};

/// When a schedule ticks.
///
/// ```
/// use windlass_core::{Rhythm, Timestamp};
///
/// let nightly = Rhythm::cron("0 3 * * *", "Europe/Berlin");
/// let now: Timestamp = "2026-03-28T12:00:00Z".parse()?;
/// let ticks = nightly.preview(now, now, 2)?;
///
/// // The clock is put forward in between.
/// assert_eq!(ticks[0].to_string(), "2026-03-29T01:00:00Z");
/// assert_eq!(ticks[1].to_string(), "2026-03-30T01:00:00Z");
/// # Ok::<(), windlass_core::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// At local times of a zone.
    ///
    /// Five fields: minute, hour, day of the month, month, day of the week; or six, with the second before them. Each is `*`,
    /// numbers, ranges (`1-5`), lists (`1,3`) and steps (`*/15`); months and days of the week also by their names. `L` is
    /// the last day of the month, `15W` the working day nearest the 15th, `5L` the last Friday, `5#2` the second. Where both
    /// the day of the month and of the week are named, one of them is enough; with `+` before the latter, both must match.
    /// `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually` are names for the usual ones.
    ///
    /// Where the clock is put forward, a time of the day that is skipped comes at the first instant after the gap; where it
    /// is put back, one that is repeated comes once, the first time. An expression whose hour is `*`, or names all
    /// twenty-four, means intervals instead: it follows the clock as it is shown, so what is skipped is left out, and what
    /// is repeated comes again.
    Cron {
        /// The expression.
        expression: String,
        /// The zone, by its IANA name.
        zone: String,
    },
    /// Each time this much time has passed: first this long after the schedule was made or its rhythm changed, or when it
    /// starts if it says when. A second or more, at most a year.
    Every(#[serde(with = "span::text")] Duration),
}

impl Rhythm {
    /// At the local times of `zone` that `expression` names.
    pub fn cron(expression: impl Into<String>, zone: impl Into<String>) -> Self {
        Self::Cron { expression: expression.into(), zone: zone.into() }
    }

    /// Refuses what never ticks, or cannot be read.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `cron`, `zone` or `every`, and what is wrong with it.
    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::Cron { expression, zone } => Calendar::new(expression, zone)?.check_comes(),
            Self::Every(span) if *span < EVERY_MIN => {
                Err(Invalid::new("every", format!("is {}; a second is the least", span::format(*span))))
            }
            Self::Every(span) if *span > DELAY_MAX => {
                Err(Invalid::new("every", format!("is {}; a year is the most", span::format(*span))))
            }
            Self::Every(_) => Ok(()),
        }
    }

    /// The first `count` ticks after `now` (at most [`TICKS_MAX`]), of a rhythm that was given at `anchor`.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate).
    pub fn preview(&self, anchor: Timestamp, now: Timestamp, count: u32) -> Result<Vec<Timestamp>, Invalid> {
        self.validate()?;
        let ticks = self.ticks(anchor)?;
        let following = std::iter::successors(ticks.after(now), |tick| ticks.after(*tick));
        Ok(following.take(count.min(TICKS_MAX) as usize).collect())
    }

    /// The ticks themselves.
    pub(super) fn ticks(&self, anchor: Timestamp) -> Result<Ticks, Invalid> {
        Ok(match self {
            Self::Cron { expression, zone } => Ticks::Calendar(Box::new(Calendar::new(expression, zone)?)),
            // What is stored may be older than the bound, and time must go on.
            Self::Every(span) => Ticks::Every { anchor, span: (*span).max(EVERY_MIN) },
        })
    }
}

/// The ticks of a rhythm, without a beginning or an end.
#[derive(Debug)]
pub(super) enum Ticks {
    Calendar(Box<Calendar>),
    Every { anchor: Timestamp, span: Duration },
}

impl Ticks {
    /// The first tick after `instant`.
    pub(super) fn after(&self, instant: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Calendar(calendar) => calendar.after(instant),
            Self::Every { anchor, span } if instant < *anchor => Some(anchor.after(*span)),
            Self::Every { anchor, span } => {
                let next = anchor.as_micros().checked_add(step(*anchor, *span, instant, 1)?)?;
                Some(Timestamp::from_micros(next)).filter(|tick| tick.as_micros() == next)
            }
        }
    }

    /// The last tick up to `instant`, which may be `instant` itself.
    pub(super) fn until(&self, instant: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Calendar(calendar) => calendar.until(instant),
            Self::Every { anchor, span } => {
                let passed = step(*anchor, *span, instant, 0).filter(|passed| *passed > 0)?;
                Some(Timestamp::from_micros(anchor.as_micros().checked_add(passed)?))
            }
        }
    }
}

/// How far it is, in microseconds, from `anchor` to the tick `further` ticks after the last one up to `instant`.
fn step(anchor: Timestamp, span: Duration, instant: Timestamp, further: i64) -> Option<i64> {
    let span = i64::try_from(span.as_micros()).ok()?;
    let passed = instant.as_micros().checked_sub(anchor.as_micros())?.checked_div(span)?;
    passed.checked_add(further)?.checked_mul(span)
}
