//! What is to be done for a schedule at an instant: which ticks to fire, which to skip, and when to look again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::definition::{Missed, NewSchedule, Overlap, Span};
use crate::limits::{LATE_MAX, SKIPPED_COUNT_MAX};
use crate::{Invalid, Timestamp};

/// How long to wait before looking again whether the job that a tick waits for is finished.
const HELD_LOOK: Duration = Duration::from_secs(1);

/// How long to wait before looking again at a schedule that could not be understood: a newer program may mend it.
pub const FAULT_LOOK: Duration = Duration::from_secs(60);

/// How the job of a schedule's last tick stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LastJob {
    /// It is final, or is there no more, or there never was one: the way is free.
    #[default]
    Free,
    /// It has not begun.
    Waiting,
    /// It has begun, and is not final: it runs, or is to be tried again.
    Begun,
}

/// What has to be known of a schedule, besides what was asked for, to say what is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// From when intervals are counted.
    pub anchor: Timestamp,
    /// The first tick that nothing has been decided about.
    pub next_tick: Option<Timestamp>,
    /// The tick that waits for the last job to finish.
    pub held: Option<Timestamp>,
    /// How the job of the last tick stands.
    pub last: LastJob,
}

/// Why a tick made no job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// Nobody fired it in time.
    Missed = 1,
    /// The last job was not finished.
    Overlap = 2,
    /// The schedule was paused.
    Paused = 3,
    /// Its job could not be enqueued.
    Refused = 4,
}

impl SkipReason {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[Self::Missed, Self::Overlap, Self::Paused, Self::Refused];

    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Overlap => "overlap",
            Self::Paused => "paused",
            Self::Refused => "refused",
        }
    }

    /// The number stores keep.
    #[must_use]
    pub const fn as_number(self) -> u8 {
        self as u8
    }

    /// The one that stores keep as `number`, if there is one.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| i64::from(reason.as_number()) == number)
    }
}

/// Ticks in a row that make no job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// The first of them.
    pub tick: Timestamp,
    /// The last of them; the first, where it is one.
    pub until: Timestamp,
    /// How many they are; [`SKIPPED_COUNT_MAX`] for that many or more.
    pub count: u32,
    /// Why.
    pub reason: SkipReason,
}

impl Skipped {
    /// A single tick.
    #[must_use]
    pub const fn one(tick: Timestamp, reason: SkipReason) -> Self {
        Self { tick, until: tick, count: 1, reason }
    }
}

/// What is to be done for a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Ticks that make a job each.
    pub fire: Vec<Timestamp>,
    /// Ticks that make none.
    pub skipped: Vec<Skipped>,
    /// The tick that waits for the last job to finish.
    pub held: Option<Timestamp>,
    /// The first tick that is still to come.
    pub next_tick: Option<Timestamp>,
    /// When to look at the schedule again; none once it has ended.
    pub look_at: Option<Timestamp>,
}

impl Plan {
    /// Whether the schedule has ended: nothing of it is still to come.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        self.look_at.is_none()
    }

    fn waiting(held: Option<Timestamp>, next_tick: Option<Timestamp>, now: Timestamp) -> Self {
        let look = held.map(|_| now.after(HELD_LOOK));
        let look_at = look.into_iter().chain(next_tick).min();
        Self { held, next_tick, look_at, ..Self::default() }
    }
}

impl NewSchedule {
    /// Where a schedule begins that is made, or whose rhythm is changed, at `now`: with its next tick, never with one that
    /// has passed.
    ///
    /// # Errors
    ///
    /// [`Invalid`] where the rhythm cannot be understood.
    pub fn begin(&self, now: Timestamp) -> Result<Plan, Invalid> {
        Ok(Plan::waiting(None, self.span(now)?.after(now), now))
    }

    /// What is to be done at `now`. The work is bounded, however long nobody has looked.
    ///
    /// # Errors
    ///
    /// [`Invalid`] where the rhythm cannot be understood.
    pub fn plan(&self, standing: &Standing, now: Timestamp) -> Result<Plan, Invalid> {
        let span = self.span(standing.anchor)?;
        let due = standing.next_tick.filter(|tick| *tick <= now);
        let (kept, missed) = due.map_or_else(Default::default, |first| self.kept(&span, first, now));
        let mut course = Course { overlap: self.overlap, last: standing.last, plan: Plan::default() };
        course.plan.skipped.extend(missed);
        if let Some(held) = standing.held {
            course.take_up(held);
        }
        for tick in kept {
            course.take(tick);
        }
        let next_tick = if due.is_some() { span.after(now) } else { standing.next_tick };
        let Plan { fire, skipped, held, .. } = course.plan;
        Ok(Plan { fire, skipped, ..Plan::waiting(held, next_tick, now) })
    }

    /// Where a schedule goes on that is resumed at `now`: with its next tick. What the pause left out is counted.
    ///
    /// # Errors
    ///
    /// [`Invalid`] where the rhythm cannot be understood.
    pub fn resume(&self, standing: &Standing, now: Timestamp) -> Result<Plan, Invalid> {
        let span = self.span(standing.anchor)?;
        let due = standing.next_tick.filter(|tick| *tick <= now);
        let passed = due.and_then(|first| run(&span, (first, now), SkipReason::Paused));
        let next_tick = if due.is_some() { span.after(now) } else { standing.next_tick };
        Ok(Plan { skipped: passed.into_iter().collect(), ..Plan::waiting(standing.held, next_tick, now) })
    }

    /// The ticks from `first` to `now` that are not too late, and those that are.
    fn kept(&self, span: &Span, first: Timestamp, now: Timestamp) -> (Vec<Timestamp>, Option<Skipped>) {
        let in_time = now.before(LATE_MAX);
        if first >= in_time {
            return (ticks_from(span, first, now), None);
        }
        let kept = match self.missed {
            Missed::One => newest(span, (first, now), 1),
            Missed::All(most) => newest(span, (first, now), most),
            Missed::Skip => span
                .after(in_time.before(Duration::from_micros(1)))
                .map_or_else(Vec::new, |tick| ticks_from(span, tick, now)),
        };
        let until = kept.first().map_or(now, |tick| tick.before(Duration::from_micros(1)));
        let missed = run(span, (first, until), SkipReason::Missed);
        (kept, missed)
    }
}

/// Ticks on their way through the overlap rule, in order.
struct Course {
    overlap: Overlap,
    last: LastJob,
    plan: Plan,
}

impl Course {
    fn take(&mut self, tick: Timestamp) {
        match (self.overlap, self.last) {
            (Overlap::Allow, _) => self.fire(tick),
            (_, LastJob::Free) if self.plan.held.is_none() => self.fire(tick),
            (Overlap::QueueOne, LastJob::Begun) if self.plan.held.is_none() => self.plan.held = Some(tick),
            _ => self.plan.skipped.push(Skipped::one(tick, SkipReason::Overlap)),
        }
    }

    /// Takes a tick that waited.
    fn take_up(&mut self, held: Timestamp) {
        if self.overlap == Overlap::Allow || self.last == LastJob::Free {
            self.fire(held);
        } else {
            self.plan.held = Some(held);
        }
    }

    fn fire(&mut self, tick: Timestamp) {
        self.plan.fire.push(tick);
        self.last = LastJob::Waiting;
    }
}

/// The ticks from `first`, which is one, to `now`. Asked only where they are few: a tick comes once a second at most.
fn ticks_from(span: &Span, first: Timestamp, now: Timestamp) -> Vec<Timestamp> {
    let first = Some(first).filter(|tick| *tick <= now);
    std::iter::successors(first, |tick| span.after(*tick).filter(|next| *next <= now)).collect()
}

/// The last ticks of a range, at most `most`, the oldest first.
fn newest(span: &Span, (first, now): (Timestamp, Timestamp), most: u32) -> Vec<Timestamp> {
    let before = |tick: &Timestamp| span.until(tick.before(Duration::from_micros(1)));
    let within = |tick: &Timestamp| *tick >= first;
    let backwards = std::iter::successors(span.until(now), before).take_while(within);
    let mut ticks: Vec<Timestamp> = backwards.take(most as usize).collect();
    ticks.reverse();
    ticks
}

/// The ticks of a range, counted as far as counting makes sense; none if there are none.
fn run(span: &Span, (first, until): (Timestamp, Timestamp), reason: SkipReason) -> Option<Skipped> {
    let last = span.until(until).filter(|last| *last >= first)?;
    let following = std::iter::successors(Some(first), |tick| span.after(*tick).filter(|next| *next <= last));
    let count = following.take(SKIPPED_COUNT_MAX as usize).count();
    Some(Skipped {
        tick: first,
        until: last,
        count: u32::try_from(count).unwrap_or(SKIPPED_COUNT_MAX),
        reason,
    })
}
