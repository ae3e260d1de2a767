//! Schedules: jobs that are made again and again.

use async_trait::async_trait;
use windlass_core::schedule::{SkipReason, Source};
use windlass_core::{JobId, NewSchedule, ProgramName, ScheduleName, Timestamp};

use crate::{Actor, Page, PageRequest, Pause, StoreError};

/// What a schedule is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScheduleState {
    /// It fires at each tick.
    Active,
    /// It fires nothing until it is resumed.
    Paused,
    /// It is not in the code any more that declared it, and fires nothing.
    Removed,
    /// No tick of it is still to come.
    Ended,
}

impl ScheduleState {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[Self::Active, Self::Paused, Self::Removed, Self::Ended];

    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Removed => "removed",
            Self::Ended => "ended",
        }
    }
}

/// The last tick of a schedule that was fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastFiring {
    /// The tick.
    pub tick: Timestamp,
    /// Its job, which may be gone.
    pub job: JobId,
}

/// A schedule as a store keeps it, and shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// What was asked for.
    pub asked: NewSchedule,
    /// Where it comes from.
    pub source: Source,
    /// When it was made.
    pub created_at: Timestamp,
    /// When what was asked for changed last.
    pub changed_at: Timestamp,
    /// From when its intervals are counted.
    pub anchor: Timestamp,
    /// Its first tick that nothing has been decided about: the next to come, unless it is paused.
    pub next_tick: Option<Timestamp>,
    /// The tick that waits for the last job to finish.
    pub held: Option<Timestamp>,
    /// When to look at it; none while it fires nothing.
    pub look_at: Option<Timestamp>,
    /// Its pause, if it is paused.
    pub pause: Option<Pause>,
    /// Since when it is in the code no more.
    pub removed_at: Option<Timestamp>,
    /// The last tick that was fired, backfills left aside.
    pub last: Option<LastFiring>,
    /// How many jobs its ticks have made.
    pub fired: u64,
    /// How many of its ticks made none.
    pub skipped: u64,
    /// Up to which tick its history has been forgotten. No tick up to here is backfilled any more, for nobody could tell
    /// whether it has made its job (G15).
    pub forgotten_until: Option<Timestamp>,
    /// What went wrong when it was last to fire, if something did.
    pub error: Option<String>,
    /// 1 when it is made, and raised by one with every change of anything above.
    pub revision: u64,
}

impl Schedule {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &ScheduleName {
        &self.asked.name
    }

    /// What it is doing.
    #[must_use]
    pub const fn state(&self) -> ScheduleState {
        if self.removed_at.is_some() {
            ScheduleState::Removed
        } else if self.next_tick.is_none() && self.held.is_none() {
            ScheduleState::Ended
        } else if self.pause.is_some() {
            ScheduleState::Paused
        } else {
            ScheduleState::Active
        }
    }

    /// Why nothing more comes of it, once it has ended.
    #[must_use]
    pub fn report(&self) -> Option<String> {
        if self.state() != ScheduleState::Ended {
            return None;
        }
        Some(match self.asked.ends_at {
            Some(end) => format!("no tick is left before its end, {end}"),
            None => "no tick is left: no later time matches".to_owned(),
        })
    }

    /// Its next ticks after `now`, at most `count`; none where it fires nothing.
    #[must_use]
    pub fn preview(&self, now: Timestamp, count: u32) -> Vec<Timestamp> {
        if self.removed_at.is_some() {
            return Vec::new();
        }
        self.asked.preview(self.anchor, now, count).unwrap_or_default()
    }
}

/// What became of a tick, or of several in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firing {
    /// The tick; the first of them.
    pub tick: Timestamp,
    /// When it was decided.
    pub at: Timestamp,
    /// What was.
    pub outcome: FiringOutcome,
}

/// What became of ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FiringOutcome {
    /// The tick made this job.
    Fired(JobId),
    /// They made none.
    Skipped {
        /// The last of them.
        until: Timestamp,
        /// How many they are, as far as was counted: see [`SKIPPED_COUNT_MAX`](windlass_core::limits::SKIPPED_COUNT_MAX).
        count: u32,
        /// Why.
        reason: SkipReason,
    },
}

/// What a put did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleOutcome {
    /// A new schedule waits for its next tick.
    Created,
    /// The schedule of this name is what was asked for now.
    Changed,
    /// It had been all along.
    Unchanged,
}

/// What a declaration did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Schedules that are new.
    pub created: Vec<ScheduleName>,
    /// Schedules that were changed, those among them that had been removed.
    pub changed: Vec<ScheduleName>,
    /// Schedules that the program does not declare any more.
    pub removed: Vec<ScheduleName>,
}

/// What a backfill did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backfilled {
    /// The jobs it made, in the order of their ticks.
    pub jobs: Vec<JobId>,
    /// Ticks of the range that had made their jobs before.
    pub known: u64,
}

/// A change that somebody made to a schedule by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleEvent {
    /// When.
    pub at: Timestamp,
    /// What was done: `put`, `pause`, `resume`, `run`, `backfill`, `delete`.
    pub verb: String,
    /// Who did it, and why.
    pub by: Actor,
    /// The job that was made, by a `run`.
    pub job: Option<JobId>,
}

/// Schedules as those see them who make them and look after them. What makes their jobs is
/// [`Maintenance::fire`](crate::Maintenance::fire).
///
/// A schedule makes one job for each of its ticks, for ever: whoever fires, and however often (G15). The job is an ordinary
/// one. It says in its options which schedule and tick made it, and is due at its tick, or up to the schedule's jitter later.
///
/// A schedule that is new, or whose rhythm has changed, or that was resumed, waits for its next tick: none that has passed
/// makes a job, unless somebody asks for it by a [backfill](Self::backfill). Nothing that becomes of its jobs stops a
/// schedule.
#[async_trait]
pub trait ScheduleStore: Send + Sync {
    /// Makes a schedule by hand, or changes the one of its name into what is asked for.
    ///
    /// Where the rhythm, the start and the end stay as they are, so does the next tick. A pause stays.
    ///
    /// # Errors
    ///
    /// `Invalid` with the first field at fault, such as `cron` or `job.args`; `Invalid(by…)`; `NotReady` for a schedule that
    /// a program declares: it says what it is each time it starts.
    async fn put_schedule(&self, schedule: NewSchedule, by: Actor) -> Result<ScheduleOutcome, StoreError>;

    /// Says which schedules a program has: all that it has.
    ///
    /// Those that are not there are made, those that differ are changed as [`put_schedule`](Self::put_schedule) does, and
    /// those of this program that are not among `schedules` are removed: they stay to be seen, and fire no more. What is as
    /// it was is left alone. A schedule that was removed, from whichever program, may be declared by another.
    ///
    /// # Errors
    ///
    /// `Invalid(schedules)` for more than [`SCHEDULES_DECLARED_MAX`](windlass_core::limits::SCHEDULES_DECLARED_MAX);
    /// `Invalid(schedules[i]…)` with the first field at fault, `schedules[i].name` where a name comes twice, or is that of a
    /// schedule made by hand or declared by another program. Then nothing was changed.
    async fn declare_schedules(
        &self,
        program: &ProgramName,
        schedules: Vec<NewSchedule>,
    ) -> Result<Declared, StoreError>;

    /// The schedule as it is now.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Corrupt` where what was asked for cannot be read by this version.
    async fn schedule(&self, name: &ScheduleName) -> Result<Schedule, StoreError>;

    /// Every schedule, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// `Corrupt`, as [`schedule`](Self::schedule).
    async fn schedules(&self, page: PageRequest) -> Result<Page<Schedule>, StoreError>;

    /// Lets the schedule fire nothing until it is resumed. Pausing a paused schedule keeps the first pause. A tick that waits
    /// for the last job goes on waiting.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Invalid(by…)`.
    async fn pause_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError>;

    /// Lets the schedule go on with its next tick. Those that the pause left out are in its history as skipped. Resuming a
    /// schedule that is not paused changes nothing.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Invalid(by…)`.
    async fn resume_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError>;

    /// Removes the schedule with its history. What was done to it by hand stays, and its jobs are left alone. A program that
    /// still declares it makes it anew when it starts.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Invalid(by…)`.
    async fn delete_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError>;

    /// Makes a job of the schedule at once, as a job of its own: the ticks come as they would have come, and none waits for
    /// it. A paused schedule stays paused, and an ended one ended.
    ///
    /// A job of this id that is there already is left as it is: so a call whose outcome is unknown may be repeated.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` for a schedule that was removed; `Invalid` where its job cannot be enqueued; `Invalid(by…)`.
    async fn run_schedule(&self, name: &ScheduleName, job: JobId, by: Actor) -> Result<(), StoreError>;

    /// Makes the jobs of the ticks from `from` on and before `until` that have made none, due now. Asking again makes no
    /// more.
    ///
    /// The range may begin before there was a schedule. A tick that is due, and that the schedule is about to fire, is left
    /// to it. No job waits for another.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` for a schedule that was removed; `Invalid(until)` for an end in the future or before `from`,
    /// or a range of more than [`TICKS_MAX`](windlass_core::limits::TICKS_MAX) ticks; `Invalid(from)` where the history has
    /// been forgotten; `Invalid` where its job cannot be enqueued, `Duplicate` where a key of one is taken; `Invalid(by…)`.
    async fn backfill(
        &self,
        name: &ScheduleName,
        range: (Timestamp, Timestamp),
        by: Actor,
    ) -> Result<Backfilled, StoreError>;

    /// What became of its ticks, the newest first: at least of the newest
    /// [`FIRINGS_KEPT`](windlass_core::limits::FIRINGS_KEPT).
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn firings(&self, name: &ScheduleName, page: PageRequest) -> Result<Page<Firing>, StoreError>;

    /// What was done by hand to schedules of this name, in order: the newest
    /// [`SCHEDULE_EVENTS_KEPT`](windlass_core::limits::SCHEDULE_EVENTS_KEPT). Empty for a name that never was.
    async fn schedule_events(&self, name: &ScheduleName) -> Result<Vec<ScheduleEvent>, StoreError>;
}
