//! Cron expressions in time zones: which instants they mean.
//!
//! An expression says local times; a zone turns them into instants. Where a clock is put forward some local times never
//! come, and where it is put back some come twice:
//!
//! - **Hours that are named** (`30 2 * * *`, `0 1-5 * * *`, `0 */2 * * *`) mean times of the day, each once a day. One that is
//!   skipped comes at the first instant after the gap; one that is repeated comes the first time only. Several that fall
//!   into the same gap come together, as one tick.
//! - **Every hour** (`30 * * * *`, `*/5 * * * *`, an hour field that leaves none out) means intervals. They follow the local
//!   clock as it is shown: what is skipped is left out, and what is repeated comes again, so the hours between two ticks
//!   stay as long as they are.
//!
//! Rules of zones are those that were compiled in, so that every machine computes the same ticks.

use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, Direction};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use crate::limits::EXPRESSION_BYTES_MAX;
use crate::{Invalid, Timestamp};

/// The fields of an expression, as they are called when one of them is wrong; the first may be left out.
const FIELDS: [&str; 6] = ["second", "minute", "hour", "day of the month", "month", "day of the week"];

/// An instant from which every date that ever comes is still to come: leap years of every weekday follow it.
const LONG_AGO: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// An expression in a zone, ready to be asked.
#[derive(Debug)]
pub(super) struct Calendar {
    cron: Cron,
    zone: TimeZone,
    /// Whether it means intervals rather than times of the day.
    every_hour: bool,
}

impl Calendar {
    /// Reads an expression of five or six fields, and the name of a zone.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `cron` or `zone`.
    pub(super) fn new(expression: &str, zone: &str) -> Result<Self, Invalid> {
        let cron = parse(expression)?;
        let zone = self::zone(zone)?;
        let every_hour = cron.pattern.hours.values().len() == 24;
        Ok(Self { cron, zone, every_hour })
    }

    /// Refuses an expression that no date ever matches, such as the 30th of February.
    pub(super) fn check_comes(&self) -> Result<(), Invalid> {
        match self.matching(LONG_AGO, true, Direction::Forward) {
            Some(_) => Ok(()),
            None => Err(Invalid::new("cron", "never comes: no date matches it")),
        }
    }

    /// The first tick after `instant`.
    pub(super) fn after(&self, instant: Timestamp) -> Option<Timestamp> {
        let instant = to_jiff(instant)?;
        let tick = if self.every_hour { self.interval_after(instant) } else { self.time_after(instant) };
        from_jiff(tick?)
    }

    /// The last tick up to `instant`, which may be `instant` itself.
    pub(super) fn until(&self, instant: Timestamp) -> Option<Timestamp> {
        let instant = to_jiff(instant)?;
        let tick = if self.every_hour { self.interval_until(instant) } else { self.time_until(instant) };
        from_jiff(tick?)
    }

    /// The instant of a time of the day grows with the local time and never falls, so the first local time whose instant is
    /// late enough is the one.
    fn time_after(&self, instant: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let (mut local, mut inclusive) = match self.repeated_until(instant) {
            // The repeated hour has nothing more to say.
            Some(end) => (end, true),
            None => (self.local(instant), false),
        };
        loop {
            local = self.matching(local, inclusive, Direction::Forward)?;
            let tick = self.time(local)?;
            if tick > instant {
                return Some(tick);
            }
            inclusive = false;
        }
    }

    fn time_until(&self, instant: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let (local, inclusive) = match self.repeated_until(instant) {
            Some(end) => (end, false),
            None => (self.local(instant), true),
        };
        self.time(self.matching(local, inclusive, Direction::Backward)?)
    }

    /// When a time of the day comes: the first time, or when the gap it falls into is over.
    fn time(&self, local: DateTime) -> Option<jiff::Timestamp> {
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
            AmbiguousOffset::Gap { after, .. } => {
                // By the offset from after the gap, it has not begun yet.
                let inside = after.to_timestamp(local).ok()?;
                let mut changes = self.zone.following(inside);
                changes.find(|change| change.offset() == after).map(|change| change.timestamp())
            }
        }
    }

    /// The end, by the local clock, of the hour that is being repeated at `instant`; none if none is.
    fn repeated_until(&self, instant: jiff::Timestamp) -> Option<DateTime> {
        let local = self.zone.to_datetime(instant);
        let AmbiguousOffset::Fold { before, after } = self.zone.to_ambiguous_timestamp(local).offset() else {
            return None;
        };
        if self.zone.to_offset(instant) != after {
            return None;
        }
        // The clock was put back from here.
        let change = self.zone.preceding(just_after(instant)?).next()?;
        Some(before.to_datetime(change.timestamp()))
    }

    /// Local times that are shown, stretch by stretch of one offset.
    fn interval_after(&self, instant: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let (mut from, mut inclusive) = (instant, false);
        loop {
            let offset = self.zone.to_offset(from);
            let end = self.zone.following(from).next().map(|change| change.timestamp());
            let local = self.matching(floor(offset.to_datetime(from)), inclusive, Direction::Forward)?;
            let tick = offset.to_timestamp(local).ok()?;
            match end.filter(|end| tick >= *end) {
                None => return Some(tick),
                Some(end) => (from, inclusive) = (end, true),
            }
        }
    }

    fn interval_until(&self, instant: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let (mut until, mut inclusive) = (instant, true);
        loop {
            // The offset in force at `until`, or just before it.
            let within = if inclusive { until } else { just_before(until)? };
            let offset = self.zone.to_offset(within);
            let start = self.zone.preceding(just_after(within)?).next().map(|change| change.timestamp());
            let local = self.matching(floor(offset.to_datetime(until)), inclusive, Direction::Backward)?;
            let tick = offset.to_timestamp(local).ok()?;
            match start.filter(|start| tick < *start) {
                None => return Some(tick),
                Some(start) => (until, inclusive) = (start, false),
            }
        }
    }

    /// The nearest local time that the expression names, by a calendar without zones.
    fn matching(&self, local: DateTime, inclusive: bool, direction: Direction) -> Option<DateTime> {
        let found = match direction {
            Direction::Forward => self.cron.find_next_occurrence(&local, inclusive),
            Direction::Backward => self.cron.find_previous_occurrence(&local, inclusive),
        };
        found.ok()
    }

    fn local(&self, instant: jiff::Timestamp) -> DateTime {
        floor(self.zone.to_datetime(instant))
    }
}

fn just_after(instant: jiff::Timestamp) -> Option<jiff::Timestamp> {
    instant.checked_add(jiff::SignedDuration::from_nanos(1)).ok()
}

fn just_before(instant: jiff::Timestamp) -> Option<jiff::Timestamp> {
    instant.checked_sub(jiff::SignedDuration::from_nanos(1)).ok()
}

/// The time at the beginning of its second.
fn floor(local: DateTime) -> DateTime {
    local.with().subsec_nanosecond(0).build().unwrap_or(local)
}

fn to_jiff(instant: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(instant.as_micros()).ok()
}

/// The zone of this name, by the rules that were compiled in.
fn zone(name: &str) -> Result<TimeZone, Invalid> {
    TimeZoneDatabase::bundled().get(name).map_err(|_| {
        Invalid::new(
            "zone",
            format!("{name:?} is no time zone: expected a name such as \"Europe/Berlin\" or \"UTC\""),
        )
    })
}

fn parse(expression: &str) -> Result<Cron, Invalid> {
    if expression.len() > EXPRESSION_BYTES_MAX {
        return Err(Invalid::new(
            "cron",
            format!("is {} bytes long; at most {EXPRESSION_BYTES_MAX} are allowed", expression.len()),
        ));
    }
    // A name that is used everywhere else, and that the parser does not know.
    let known = if expression.trim().eq_ignore_ascii_case("@midnight") { "@daily" } else { expression };
    parser().parse(known).map_err(|error| Invalid::new("cron", fault(expression, &error)))
}

fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build()
}

/// What is wrong with an expression, with the field it is in where it is in one.
fn fault(expression: &str, error: &CronError) -> String {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    if expression.contains('@') {
        let known = "@hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually";
        return format!("{expression:?} is not known; {known} are");
    }
    if !(5..=6).contains(&fields.len()) {
        return format!(
            "{expression:?} has {} fields; 5 are expected, or 6 with seconds first",
            fields.len()
        );
    }
    let names = &FIELDS[FIELDS.len() - fields.len()..];
    let alone = |index: usize| {
        let mut others = vec!["*"; fields.len()];
        others[index] = fields[index];
        parser().parse(&others.join(" ")).err()
    };
    let wrong = (0..fields.len()).find_map(|index| Some((index, alone(index)?)));
    match wrong {
        Some((index, error)) => format!("the {} {:?} {}", names[index], fields[index], problem(&error)),
        None => problem(error),
    }
}

/// The parser's own words, as a fragment.
fn problem(error: &CronError) -> String {
    match error {
        CronError::IllegalCharacters(_) => "has a character that does not belong there".to_owned(),
        CronError::ComponentError(text) | CronError::InvalidPattern(text) => {
            let text = text.trim_end_matches('.');
            let mut letters = text.chars();
            let first = letters.next().map(|letter| letter.to_ascii_lowercase());
            format!("is wrong: {}", first.into_iter().chain(letters).collect::<String>())
        }
        _ => "cannot be read".to_owned(),
    }
}

/// Nothing beyond what can be stored: a tick must not be moved.
fn from_jiff(instant: jiff::Timestamp) -> Option<Timestamp> {
    let micros = instant.as_microsecond();
    let kept = Timestamp::from_micros(micros);
    (kept.as_micros() == micros).then_some(kept)
}
