//! What a schedule is: what is asked for, before any store knows of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rhythm::{Rhythm, Ticks};
use super::template::JobTemplate;
use crate::limits::{CATCH_UP_MAX, JITTER_MAX};
use crate::{Invalid, Limits, ScheduleName, Timestamp, span};

/// What becomes of a tick that comes while the job of the last one is not finished.
///
/// A job is finished when it is final, whatever came of it, and when it is there no more. One that is to be tried again is
/// not: the schedule waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is skipped.
    #[default]
    Skip,
    /// Its job is enqueued all the same.
    Allow,
    /// It waits until that job is finished, if that has begun and no other tick waits; else it is skipped. So one runs, and
    /// one comes after it.
    QueueOne,
}

/// What becomes of ticks that nobody fired in time: within [`LATE_MAX`](crate::limits::LATE_MAX).
///
/// A pause is not missed: what it leaves out stays out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// The newest tick is fired for all of them.
    #[default]
    One,
    /// They are skipped.
    Skip,
    /// The newest ones are fired, at most this many; 1 to [`CATCH_UP_MAX`]. Meant for schedules whose jobs may
    /// [overlap](Overlap::Allow): else the first of them stands in the way of the others.
    All(u32),
}

/// A schedule to be stored: a rule that makes a job at each of its ticks.
///
/// Made by [`NewSchedule::new`] with the defaults of the contract; the fields are there to be changed. Nothing is checked
/// until [`NewSchedule::validate`], which every store calls before it writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewSchedule {
    /// Its name, of which there is one in a store.
    pub name: ScheduleName,
    /// When it ticks.
    pub rhythm: Rhythm,
    /// The job that each tick makes.
    pub job: JobTemplate,
    /// What becomes of a tick that comes too early for the last job.
    #[serde(default, skip_serializing_if = "is_default")]
    pub overlap: Overlap,
    /// What becomes of ticks that come too late.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missed: Missed,
    /// How far jobs may be due after their ticks, at most [`JITTER_MAX`]: schedules of the same time need not come all at
    /// once. How far this one is depends on the schedule and the tick alone.
    #[serde(default, with = "span::text", skip_serializing_if = "Duration::is_zero")]
    pub jitter: Duration,
    /// No tick before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// No tick at this instant or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Whether it begins paused. A schedule that is there already stays as it is, paused or not.
    #[serde(skip)]
    pub paused: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl NewSchedule {
    /// A schedule that makes such a job at each tick, and the default of everything else.
    #[must_use]
    pub fn new(name: ScheduleName, rhythm: Rhythm, job: JobTemplate) -> Self {
        Self {
            name,
            rhythm,
            job,
            overlap: Overlap::default(),
            missed: Missed::default(),
            jitter: Duration::ZERO,
            starts_at: None,
            ends_at: None,
            paused: false,
        }
    }

    /// Refuses what could never work.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the first field at fault: `cron`, `zone`, `every`, `missed`, `jitter`, `ends_at`, or one of the job,
    /// as in `job.args`.
    pub fn validate(&self, limits: &Limits) -> Result<(), Invalid> {
        self.rhythm.validate()?;
        match self.missed {
            Missed::All(0) => {
                return Err(Invalid::new("missed", "must be 1 or more of them, if not all are skipped"));
            }
            Missed::All(most) if most > CATCH_UP_MAX => {
                return Err(Invalid::new(
                    "missed",
                    format!("is {most}; at most {CATCH_UP_MAX} are made up for"),
                ));
            }
            _ => {}
        }
        if self.jitter > JITTER_MAX {
            let most = span::format(JITTER_MAX);
            return Err(Invalid::new("jitter", format!("is {}; at most {most}", span::format(self.jitter))));
        }
        if let (Some(start), Some(end)) = (self.starts_at, self.ends_at)
            && end <= start
        {
            return Err(Invalid::new("ends_at", format!("is {end}, which is not after its start, {start}")));
        }
        self.job.validate(limits).map_err(|invalid| invalid.inside("job"))
    }

    /// Whether it ticks when `other` does.
    #[must_use]
    pub fn keeps_time_with(&self, other: &Self) -> bool {
        let times = |one: &Self| (one.rhythm.clone(), one.starts_at, one.ends_at);
        times(self) == times(other)
    }

    /// Whether it asks for the same as `other`. Whether it begins paused does not matter.
    #[must_use]
    pub fn asks_the_same_as(&self, other: &Self) -> bool {
        Self { paused: other.paused, ..self.clone() } == *other
    }

    /// Its first `count` ticks after `now`, at most [`TICKS_MAX`](crate::limits::TICKS_MAX), if its rhythm was given at
    /// `anchor`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `cron`, `zone` or `every`.
    pub fn preview(&self, anchor: Timestamp, now: Timestamp, count: u32) -> Result<Vec<Timestamp>, Invalid> {
        let span = self.span(anchor)?;
        let following = std::iter::successors(span.after(now), |tick| span.after(*tick));
        Ok(following.take(count.min(crate::limits::TICKS_MAX) as usize).collect())
    }

    /// Its ticks from `from` on and before `until`; none if there are more than `most`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `cron`, `zone` or `every`.
    pub fn ticks_between(
        &self,
        anchor: Timestamp,
        (from, until): (Timestamp, Timestamp),
        most: u32,
    ) -> Result<Option<Vec<Timestamp>>, Invalid> {
        // What is asked for is a range of the rhythm; when it starts and ends is said by whoever asks.
        let span = Span { starts_at: None, ends_at: Some(until), ..self.span(anchor)? };
        let first = if span.until(from) == Some(from) { Some(from) } else { span.after(from) };
        let following = std::iter::successors(first, |tick| span.after(*tick));
        let ticks: Vec<Timestamp> = following.take(most as usize + 1).collect();
        Ok((ticks.len() <= most as usize).then_some(ticks))
    }

    /// Its ticks between its start and its end.
    pub(super) fn span(&self, anchor: Timestamp) -> Result<Span, Invalid> {
        // Intervals begin with the start, where there is one.
        let anchor = match (&self.rhythm, self.starts_at) {
            (Rhythm::Every(span), Some(start)) => start.before(*span),
            _ => anchor,
        };
        Ok(Span { ticks: self.rhythm.ticks(anchor)?, starts_at: self.starts_at, ends_at: self.ends_at })
    }
}

/// The ticks of a schedule.
#[derive(Debug)]
pub(super) struct Span {
    ticks: Ticks,
    starts_at: Option<Timestamp>,
    pub(super) ends_at: Option<Timestamp>,
}

const MOMENT: Duration = Duration::from_micros(1);

impl Span {
    /// The first tick after `instant`.
    pub(super) fn after(&self, instant: Timestamp) -> Option<Timestamp> {
        let begun = self.starts_at.map_or(instant, |start| instant.max(start.before(MOMENT)));
        self.ticks.after(begun).filter(|tick| self.ends_at.is_none_or(|end| *tick < end))
    }

    /// The last tick up to `instant`, which may be `instant` itself.
    pub(super) fn until(&self, instant: Timestamp) -> Option<Timestamp> {
        let ended = self.ends_at.map_or(instant, |end| instant.min(end.before(MOMENT)));
        self.ticks.until(ended).filter(|tick| self.starts_at.is_none_or(|start| *tick >= start))
    }
}
