//! Ticks of cron expressions around every change of every zone's clock, held against a search that knows no shortcut: it
//! walks through time minute by minute, and looks at what the local clock shows.

use std::collections::HashSet;
use std::time::Duration;

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::rhythm::Rhythm;
use crate::Timestamp;

/// Years with changes of many kinds: Samoa leaves out a day, Egypt and Morocco change four times, Lord Howe by half an hour.
const YEARS: [i16; 4] = [2007, 2011, 2014, 2024];

/// Expressions whose hours are named: each of their times comes once a day.
const TIMES: [&str; 13] = [
    "30 2 * * *",
    "0 3 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "0,30 1 * * *",
    "15 2,3 * * *",
    "0 */2 * * *",
    "*/20 2 * * *",
    "59 1 * * 0",
    "45 0-3 * * *",
    "30 23 * * *",
    "0 12 * * 1-5",
    "10 2 30 12 *",
];

/// Expressions of every hour: what the clock shows, as often as it shows it.
const INTERVALS: [&str; 7] = [
    "0 * * * *",
    "30 * * * *",
    "*/30 * * * *",
    "15,45 0-23 * * *",
    "20 */1 * * *",
    "5 * * * 0,6",
    "0 * 30 * *",
];

/// An expression of numbers, ranges, lists and steps, read once more by other code than the one under test.
struct Expression([Vec<i8>; 5], bool, bool);

impl Expression {
    fn read(text: &str) -> Self {
        let bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
        let fields: Vec<&str> = text.split(' ').collect();
        let sets = std::array::from_fn(|index| numbers(fields[index], bounds[index]));
        Self(sets, fields[2] == "*", fields[4] == "*")
    }

    fn names(&self, local: DateTime) -> bool {
        let Self([minutes, hours, days, months, weekdays], any_day, any_weekday) = self;
        let day = days.contains(&local.day());
        let weekday = weekdays.contains(&local.weekday().to_sunday_zero_offset());
        let date = if *any_day || *any_weekday { day && weekday } else { day || weekday };
        minutes.contains(&local.minute())
            && hours.contains(&local.hour())
            && months.contains(&local.month())
            && date
    }
}

fn numbers(field: &str, (least, most): (i8, i8)) -> Vec<i8> {
    let part = |part: &str| {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let (from, to) = match (range, range.split_once('-')) {
            ("*", _) => (least, most),
            (_, Some((from, to))) => (from.parse().unwrap(), to.parse().unwrap()),
            (one, None) => (one.parse().unwrap(), one.parse().unwrap()),
        };
        (from..=to).step_by(step.parse().unwrap())
    };
    field.split(',').flat_map(part).collect()
}

/// A stretch of time around a change of the clock, minute by minute, and what the local clock shows.
struct Stretch {
    minutes: Vec<(jiff::Timestamp, DateTime)>,
}

impl Stretch {
    fn around(change: jiff::Timestamp, zone: &TimeZone) -> Self {
        let (from, until) = (change - 3.hours(), change + 4.hours());
        let minutes = std::iter::successors(Some(from), |minute| Some(*minute + 1.minute()));
        let shown =
            minutes.take_while(|minute| *minute < until).map(|minute| (minute, zone.to_datetime(minute)));
        Self { minutes: shown.collect() }
    }

    /// The instants at which the clock shows a time that the expression names.
    fn intervals(&self, expression: &Expression) -> Vec<jiff::Timestamp> {
        let named = self.minutes.iter().filter(|(_, local)| expression.names(*local));
        named.map(|(instant, _)| *instant).collect()
    }

    /// The instants at which such a time is shown for the first time, or has been left out since a minute ago.
    fn times(&self, expression: &Expression) -> Vec<jiff::Timestamp> {
        let (mut shown, mut ticks) = (HashSet::new(), Vec::new());
        let mut latest = self.minutes[0].1;
        for (instant, local) in &self.minutes {
            let mut left_out = latest + 1.minute();
            let mut due = shown.insert(*local) && expression.names(*local);
            while left_out < *local {
                due |= expression.names(left_out);
                left_out += 1.minute();
            }
            latest = latest.max(*local);
            if due {
                ticks.push(*instant);
            }
        }
        ticks
    }
}

/// What the code under test says of the same stretch: forwards, and backwards from its end.
fn told(text: &str, zone: &str, stretch: &Stretch) -> [Vec<jiff::Timestamp>; 2] {
    let ticks = Rhythm::cron(text, zone).ticks(Timestamp::MIN).unwrap();
    let stored = |instant: jiff::Timestamp| Timestamp::from_micros(instant.as_microsecond());
    let shown = |instant: Timestamp| jiff::Timestamp::from_microsecond(instant.as_micros()).unwrap();
    let (first, last) = (stored(stretch.minutes[0].0), stored(stretch.minutes[stretch.minutes.len() - 1].0));
    let moment = Duration::from_micros(1);

    let forwards = std::iter::successors(ticks.after(first.before(moment)), |tick| ticks.after(*tick));
    let backwards = std::iter::successors(ticks.until(last), |tick| ticks.until(tick.before(moment)));
    let forwards: Vec<_> = forwards.take_while(|tick| *tick <= last).map(shown).collect();
    let mut backwards: Vec<_> = backwards.take_while(|tick| *tick >= first).map(shown).collect();
    backwards.reverse();
    [forwards, backwards]
}

/// Every change of the clock in the sample years that moves it.
fn changes(zone: &TimeZone) -> Vec<jiff::Timestamp> {
    let mut changes = Vec::new();
    for year in YEARS {
        let start = jiff::civil::date(year, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
        let following =
            zone.following(start).take_while(|change| change.timestamp() < start + (366 * 24).hours());
        let moves =
            |instant: jiff::Timestamp| zone.to_offset(instant - 1.second()) != zone.to_offset(instant);
        changes.extend(following.map(|change| change.timestamp()).filter(|instant| moves(*instant)));
    }
    changes
}

fn check_zone(name: &str) -> usize {
    let zone = TimeZoneDatabase::bundled().get(name).unwrap();
    let mut checked = 0;
    for change in changes(&zone) {
        let stretch = Stretch::around(change, &zone);
        for (texts, is_time) in [(&TIMES[..], true), (&INTERVALS[..], false)] {
            for text in texts {
                let expression = Expression::read(text);
                let expected =
                    if is_time { stretch.times(&expression) } else { stretch.intervals(&expression) };
                let [forwards, backwards] = told(text, name, &stretch);
                assert_eq!(forwards, expected, "{text} in {name} around {change}");
                assert_eq!(backwards, expected, "{text} in {name} around {change}, backwards");
                checked += expected.len();
            }
        }
    }
    checked
}

#[test]
fn ticks_around_every_change_of_every_zone_are_those_of_a_search_minute_by_minute() {
    const THREADS: usize = 4;
    let names: Vec<String> =
        TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect();
    assert!(names.len() > 500, "there are more zones than {}", names.len());

    let checked: usize = std::thread::scope(|scope| {
        let part = |part: usize| {
            let names = names.iter().skip(part).step_by(THREADS);
            scope.spawn(move || names.map(|name| check_zone(name)).sum::<usize>())
        };
        let parts: Vec<_> = (0..THREADS).map(part).collect();
        parts.into_iter().map(|part| part.join().unwrap()).sum()
    });

    assert!(checked > 100_000, "only {checked} ticks came up");
}
