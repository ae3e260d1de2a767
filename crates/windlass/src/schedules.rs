//! What a program asks of its schedules.

use windlass_core::{ScheduleName, Timestamp};
use windlass_store::{PageRequest, ScheduleEvent, ids};

use crate::handle::Untyped;
use crate::schedule::{Backfilled, Firing, Schedule, ScheduleBuilder};
use crate::{Error, JobHandle, Windlass, paging};

impl Windlass {
    /// A schedule of this name, made or changed when the answer is awaited: see [`schedule`](crate::schedule).
    ///
    /// # Errors
    ///
    /// When awaited: `Invalid` with the first field that was wrong, and then nothing was written; `NotReady` for a schedule
    /// that a program declares in its code.
    pub fn schedule(&self, name: impl AsRef<str>) -> ScheduleBuilder<Self> {
        ScheduleBuilder::new(self.clone(), name)
    }

    /// Every schedule, in the order in which they were made, those among them that are paused, removed or have ended.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn schedules(&self) -> Result<Vec<Schedule>, Error> {
        paging::all(|page| self.store().schedules(page)).await
    }

    /// One schedule as it is now; [`schedule`](Self::schedule) makes or changes one.
    ///
    /// # Errors
    ///
    /// `Invalid(schedule)`; `NotFound`.
    pub async fn schedule_named(&self, name: &str) -> Result<Schedule, Error> {
        self.store().schedule(&named("read the schedule", name)?).await
    }

    /// Lets a schedule fire nothing until it is [resumed](Self::resume_schedule).
    ///
    /// # Errors
    ///
    /// `Invalid(schedule)`; `NotFound`.
    pub async fn pause_schedule(&self, name: &str) -> Result<(), Error> {
        self.store().pause_schedule(&named("pause the schedule", name)?, self.actor()).await
    }

    /// Lets a schedule go on with its next tick.
    ///
    /// # Errors
    ///
    /// `Invalid(schedule)`; `NotFound`.
    pub async fn resume_schedule(&self, name: &str) -> Result<(), Error> {
        self.store().resume_schedule(&named("resume the schedule", name)?, self.actor()).await
    }

    /// Removes a schedule with its history. A program that still declares it makes it anew when it starts.
    ///
    /// # Errors
    ///
    /// `Invalid(schedule)`; `NotFound`.
    pub async fn delete_schedule(&self, name: &str) -> Result<(), Error> {
        self.store().delete_schedule(&named("delete the schedule", name)?, self.actor()).await
    }

    /// Makes a job of a schedule at once, and leaves its ticks alone.
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
    /// windlass.schedule("nightly").cron("@daily").enqueue(Cleanup { days: 30 }).await?;
    ///
    /// let job = windlass.run_schedule("nightly").await?;
    /// println!("job {} is {}", job.id(), job.state().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Invalid(schedule)`; `NotFound`; `NotReady` for a schedule that was removed from its program.
    pub async fn run_schedule(&self, name: &str) -> Result<JobHandle<Untyped>, Error> {
        let id = ids::job_id();
        self.store().run_schedule(&named("run the schedule", name)?, id, self.actor()).await?;
        Ok(self.handle(id))
    }

    /// Makes the jobs of the ticks from `from` on and before `until` that have made none. Asking again makes no more.
    ///
    /// # Errors
    ///
    /// `Invalid(schedule)`, `Invalid(from)`, `Invalid(until)`; `NotFound`; `NotReady` for a schedule that was removed from
    /// its program.
    pub async fn backfill(
        &self,
        name: &str,
        from: impl Into<Timestamp>,
        until: impl Into<Timestamp>,
    ) -> Result<Backfilled, Error> {
        let (name, range) = (named("backfill the schedule", name)?, (from.into(), until.into()));
        self.store().backfill(&name, range, self.actor()).await
    }

    /// What became of the last ticks of a schedule, the newest first; at most 500.
    ///
    /// # Errors
    ///
    /// `Invalid(schedule)`; `NotFound`.
    pub async fn firings(&self, name: &str, limit: u32) -> Result<Vec<Firing>, Error> {
        let name = named("read the firings", name)?;
        Ok(self.store().firings(&name, PageRequest::first(limit)).await?.items)
    }

    /// What was done to a schedule by hand, and by whom, in order.
    ///
    /// # Errors
    ///
    /// `Invalid(schedule)`; `NotFound`.
    pub async fn schedule_events(&self, name: &str) -> Result<Vec<ScheduleEvent>, Error> {
        self.store().schedule_events(&named("read what was done to the schedule", name)?).await
    }
}

fn named(operation: &'static str, name: &str) -> Result<ScheduleName, Error> {
    ScheduleName::new(name).map_err(|invalid| Error::invalid(operation, invalid))
}
