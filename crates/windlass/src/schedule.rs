//! Schedules: jobs that are made again and again.
//!
//! A schedule has a name, a rhythm and a job. By hand, it is made or changed by awaiting it:
//!
//! ```
//! # use serde::{Deserialize, Serialize};
//! # use windlass::{Job, Windlass};
//! # #[derive(Serialize, Deserialize, Job)]
//! # #[job(kind = "cleanup")]
//! # struct Cleanup { days: u32 }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), windlass::Error> {
//! # let windlass = Windlass::in_memory();
//! windlass
//!     .schedule("nightly")
//!     .cron("0 3 * * *")
//!     .zone("Europe/Berlin")
//!     .enqueue(Cleanup { days: 30 })
//!     .await?;
//!
//! for schedule in windlass.schedules().await? {
//!     println!("{} next comes at {:?}", schedule.name(), schedule.next_tick);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! In code, a worker declares it when it starts, under the name of its program. What the code no longer declares is then
//! shown as removed, and fires no more:
//!
//! ```no_run
//! # use std::time::Duration;
//! # use serde::{Deserialize, Serialize};
//! # use windlass::prelude::*;
//! use windlass::schedule;
//!
//! # #[derive(Serialize, Deserialize, Job)]
//! # #[job(kind = "cleanup")]
//! # struct Cleanup { days: u32 }
//! # async fn cleanup(_: Cleanup) {}
//! # async fn run(windlass: Windlass) -> Result<(), Box<dyn std::error::Error>> {
//! let worker = windlass
//!     .worker()
//!     .program("billing")
//!     .schedule(schedule::named("nightly").cron("0 3 * * *").zone("Europe/Berlin").enqueue(Cleanup { days: 30 }))
//!     .schedule(schedule::named("pulse").every(Duration::from_secs(30)).enqueue(Cleanup { days: 1 }))
//!     .handle(cleanup)
//!     .build()?;
//! # drop(worker);
//! # Ok(())
//! # }
//! ```
//!
//! Each tick makes one job, for ever, however many processes there are. What becomes of ticks that come while the last job
//! still runs, and of those that nobody could fire in time, is said by [`Overlap`] and [`Missed`]; the clock's changes are
//! told at [`Rhythm`].

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use windlass_core::schedule::SkipReason;
use windlass_core::{Invalid, JobTemplate, NewJob, NewSchedule, ScheduleName, Timestamp};
use windlass_runtime::IntoSchedule;

use crate::{Error, Job, Windlass};

pub use windlass_core::schedule::Source;
pub use windlass_core::{Missed, Overlap, Rhythm};
pub use windlass_store::{
    Backfilled, Declared, Firing, FiringOutcome, LastFiring, Schedule, ScheduleEvent, ScheduleOutcome,
    ScheduleState,
};

/// Why a tick made no job.
pub type Skipped = SkipReason;

const OPERATION: &str = "keep the schedule";

/// Says of a [`ScheduleBuilder`] that it is to be declared by a worker.
#[derive(Debug)]
pub struct Declares(());

/// A schedule to be, made by [`Windlass::schedule`] and [`named`]. What is said wrongly is an error in the end, with the first
/// field at fault.
#[must_use = "nothing is scheduled until this is awaited, or declared by a worker"]
pub struct ScheduleBuilder<W = Declares> {
    whose: W,
    name: Result<ScheduleName, Invalid>,
    cron: Option<String>,
    zone: Option<String>,
    every: Option<Duration>,
    job: Option<Result<JobTemplate, Invalid>>,
    rest: Vec<Change>,
}

type Change = Box<dyn FnOnce(&mut NewSchedule) + Send>;

/// A schedule of this name, to be declared by a worker ([`WorkerBuilder::schedule`](crate::worker::WorkerBuilder::schedule)).
pub fn named(name: impl AsRef<str>) -> ScheduleBuilder {
    ScheduleBuilder::new(Declares(()), name)
}

impl<W> ScheduleBuilder<W> {
    pub(crate) fn new(whose: W, name: impl AsRef<str>) -> Self {
        let name = ScheduleName::new(name);
        Self { whose, name, cron: None, zone: None, every: None, job: None, rest: Vec::new() }
    }

    /// Ticks at the local times that a cron expression of five or six fields names: see [`Rhythm::Cron`].
    pub fn cron(mut self, expression: impl Into<String>) -> Self {
        self.cron = Some(expression.into());
        self
    }

    /// The zone of these times, by its IANA name. UTC unless said.
    pub fn zone(mut self, zone: impl Into<String>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Ticks each time this much time has passed; a second or more.
    pub fn every(mut self, span: Duration) -> Self {
        self.every = Some(span);
        self
    }

    /// The job that each tick makes, as its kind wants it.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a job is handed over: its asker has no more use for it"
    )]
    pub fn enqueue<J: Job>(self, job: J) -> Self {
        let job = crate::enqueue::new_job(&job);
        self.template(job.and_then(JobTemplate::of))
    }

    /// The job that each tick makes, as data, for kinds that have no type here. Its id is not used.
    pub fn enqueue_raw(self, job: NewJob) -> Self {
        self.template(JobTemplate::of(job))
    }

    fn template(mut self, job: Result<JobTemplate, Invalid>) -> Self {
        self.job = Some(job);
        self
    }

    /// Changes what the job asks for beyond what its kind says: its queue, its priority, its budget.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, Windlass};
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "cleanup")]
    /// # struct Cleanup { days: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// let cleanup = windlass.schedule("nightly").cron("@daily").enqueue(Cleanup { days: 30 });
    /// cleanup.job_with(|job| job.attempts_max = 3).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn job_with(self, change: impl FnOnce(&mut JobTemplate) + Send + 'static) -> Self {
        self.with(move |schedule| change(&mut schedule.job))
    }

    /// What becomes of a tick that comes while the last job is not finished: skipped, unless said.
    pub fn overlap(self, overlap: Overlap) -> Self {
        self.with(move |schedule| schedule.overlap = overlap)
    }

    /// What becomes of ticks that nobody could fire in time: the newest is fired for all, unless said.
    pub fn missed(self, missed: Missed) -> Self {
        self.with(move |schedule| schedule.missed = missed)
    }

    /// How far jobs may be due after their ticks, so that schedules of the same time need not come all at once.
    pub fn jitter(self, jitter: Duration) -> Self {
        self.with(move |schedule| schedule.jitter = jitter)
    }

    /// No tick before this instant.
    pub fn starts_at(self, instant: impl Into<Timestamp>) -> Self {
        let instant = instant.into();
        self.with(move |schedule| schedule.starts_at = Some(instant))
    }

    /// No tick at this instant or later.
    pub fn ends_at(self, instant: impl Into<Timestamp>) -> Self {
        let instant = instant.into();
        self.with(move |schedule| schedule.ends_at = Some(instant))
    }

    /// Begins paused. A schedule that is there already stays as it is, paused or not.
    pub fn paused(self) -> Self {
        self.with(|schedule| schedule.paused = true)
    }

    fn with(mut self, change: impl FnOnce(&mut NewSchedule) + Send + 'static) -> Self {
        self.rest.push(Box::new(change));
        self
    }

    fn finish(self) -> Result<(W, NewSchedule), Invalid> {
        let name = self.name?;
        let rhythm = rhythm(self.cron, self.zone, self.every)?;
        let job = self.job.ok_or_else(|| Invalid::new("job", "is missing: say what to enqueue"))?;
        let job = job.map_err(|invalid| invalid.inside("job"))?;
        let mut schedule = NewSchedule::new(name, rhythm, job);
        self.rest.into_iter().for_each(|change| change(&mut schedule));
        Ok((self.whose, schedule))
    }
}

fn rhythm(cron: Option<String>, zone: Option<String>, every: Option<Duration>) -> Result<Rhythm, Invalid> {
    match (cron, every) {
        (Some(cron), None) => Ok(Rhythm::cron(cron, zone.unwrap_or_else(|| "UTC".to_owned()))),
        (None, Some(_)) if zone.is_some() => {
            Err(Invalid::new("zone", "says nothing where the time between ticks is given"))
        }
        (None, Some(every)) => Ok(Rhythm::Every(every)),
        (Some(_), Some(_)) => {
            Err(Invalid::new("every", "is given beside a cron expression: one says when it ticks"))
        }
        (None, None) => {
            Err(Invalid::new("cron", "is missing: say when it ticks, by an expression or an interval"))
        }
    }
}

impl IntoSchedule for ScheduleBuilder {
    fn into_schedule(self) -> Result<NewSchedule, Invalid> {
        self.finish().map(|(_, schedule)| schedule)
    }
}

impl IntoFuture for ScheduleBuilder<Windlass> {
    type Output = Result<ScheduleOutcome, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (windlass, schedule) = self.finish().map_err(|invalid| Error::invalid(OPERATION, invalid))?;
            windlass.store().put_schedule(schedule, windlass.actor()).await
        })
    }
}

impl<W> fmt::Debug for ScheduleBuilder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScheduleBuilder")
            .field("name", &self.name)
            .field("cron", &self.cron)
            .field("zone", &self.zone)
            .field("every", &self.every)
            .field("job", &self.job)
            .finish_non_exhaustive()
    }
}
