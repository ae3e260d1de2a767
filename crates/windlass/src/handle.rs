//! [`JobHandle`]: one job, followed from outside.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use windlass_core::{Due, Job as JobRecord, JobId, JobState};
use windlass_store::{CancelOutcome, Explanation, JobEdit, ids};

use crate::{Error, Windlass};

mod flow;
mod history;
mod result;

pub use result::ResultError;

/// How often a wait looks by itself. Ends in this process are hinted at once; those in others are found this late at
/// the worst, for one read a second.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Stands for the kind of a job whose type is not known here. Its result is read from the record.
#[derive(Debug)]
pub enum Untyped {}

/// One job of kind `J`, wherever it runs. Cheap to clone; holding one keeps nothing alive.
///
/// Given by [`Enqueued::handle`](crate::Enqueued::handle), or made from an id by [`Windlass::handle`].
pub struct JobHandle<J = Untyped> {
    windlass: Windlass,
    id: JobId,
    kind: PhantomData<fn() -> J>,
}

impl<J> JobHandle<J> {
    pub(crate) fn new(windlass: Windlass, id: JobId) -> Self {
        Self { windlass, id, kind: PhantomData }
    }

    /// The job's id, which stays the same for ever.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The job as it is now.
    ///
    /// # Errors
    ///
    /// `NotFound` for an id that never was, or that was pruned or deleted.
    pub async fn job(&self) -> Result<JobRecord, Error> {
        self.windlass.store().job(self.id).await
    }

    /// What the job is doing now.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn state(&self) -> Result<JobState, Error> {
        Ok(self.job().await?.state)
    }

    /// Waits until the job is completed, cancelled or dead, and gives its record.
    ///
    /// Waits as long as it takes: put it in a [`tokio::time::timeout`] to wait less. An end in this process is
    /// noticed at once, one in another within a second.
    ///
    /// # Errors
    ///
    /// `NotFound`, also when the job is deleted meanwhile; `Unavailable`: wait again.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: waiting changes nothing.
    pub async fn wait(&self) -> Result<JobRecord, Error> {
        // Subscribed before the first look, so that no end falls between the look and the wait.
        let mut ended = self.windlass.store().signals().ended();
        loop {
            let job = self.job().await?;
            if job.state.is_final() {
                return Ok(job);
            }
            // Whether it was a hint or the interval makes no difference: both mean to look.
            let _hint = tokio::time::timeout(LOOK_INTERVAL, ended.next()).await;
        }
    }

    /// Why the job does not run, and when it will: what a claim would say of it now.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn explain(&self) -> Result<Explanation, Error> {
        self.windlass.store().explain(self.id).await
    }

    /// Stops the job on purpose. One that waits never starts; one that runs is told at its worker's next beat, and
    /// whatever it still does changes nothing of it. Cancelling again is fine.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished` for a job that ended otherwise.
    pub async fn cancel(&self) -> Result<CancelOutcome, Error> {
        self.windlass.store().cancel(self.id, self.windlass.actor()).await
    }

    /// Gives a dead, cancelled or retryable job a new budget of attempts and losses, due now. Its id and its history
    /// stay.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished` for a completed job; `NotReady` for one that has not failed, or whose cancelled attempt
    /// still runs.
    pub async fn retry(&self) -> Result<(), Error> {
        self.windlass.store().retry(self.id, self.windlass.actor()).await
    }

    /// Makes the job due now, if it waits for its time. A ready one stays as it is.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished`; `NotReady` for a job that is running, blocked or in review.
    pub async fn run_now(&self) -> Result<(), Error> {
        self.windlass.store().run_now(self.id, self.windlass.actor()).await
    }

    /// Puts the job off until `until`, if it waits: an instant, or how long from now.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, Windlass};
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "report")]
    /// # struct Report { month: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # use std::time::Duration;
    /// use windlass::model::Due;
    ///
    /// # let windlass = Windlass::in_memory();
    /// let report = windlass.enqueue(Report { month: 11 }).await?.handle();
    /// report.snooze(Due::In(Duration::from_secs(600))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished`; `NotReady` for a job that is running or in review.
    pub async fn snooze(&self, until: Due) -> Result<(), Error> {
        self.windlass.store().snooze(self.id, until, self.windlass.actor()).await
    }

    /// Changes the job, if it waits: its queue, its priority, when it is due, its args, its tags and its meta, as far as `edit`
    /// says. All of it or nothing.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, Windlass};
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "report")]
    /// # struct Report { month: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass::model::Priority;
    /// use windlass::store::JobEdit;
    ///
    /// # let windlass = Windlass::in_memory();
    /// let report = windlass.enqueue(Report { month: 11 }).await?.handle();
    /// let urgent = Some(Priority::High);
    /// report.edit(JobEdit { priority: urgent, ..JobEdit::moving("reports".parse()?) }).await?;
    /// assert_eq!(report.job().await?.queue.as_str(), "reports");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished`; `NotReady` for a job that is running or in review; `Invalid` with the field of what could not be
    /// enqueued so, `args` for those of a job that a person decides about.
    pub async fn edit(&self, edit: JobEdit) -> Result<(), Error> {
        self.windlass.store().edit(self.id, edit, self.windlass.actor()).await
    }

    /// Makes a further copy of the job, which has ended: under a new id, with a fresh budget, due now. The job itself stays as it
    /// is, and the copy says what it is a copy of ([`JobOptions::rerun_of`](crate::model::JobOptions::rerun_of)).
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, Windlass};
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "report")]
    /// # struct Report { month: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// let report = windlass.enqueue(Report { month: 11 }).await?.handle();
    /// report.cancel().await?;
    ///
    /// let copy = report.rerun().await?;
    /// assert_eq!(copy.job().await?.options.rerun_of, Some(report.id()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` for a job that has not ended; `Duplicate` for one whose unique key another job has.
    ///
    /// # Cancel safety
    ///
    /// A dropped future may or may not have made the copy. Who needs to know asks the [store](Windlass::store), with an id of
    /// their own for the copy.
    pub async fn rerun(&self) -> Result<Self, Error> {
        let copy = self.windlass.store().rerun(self.id, ids::job_id(), self.windlass.actor()).await?;
        Ok(Self::new(self.windlass.clone(), copy.id))
    }

    /// Removes the job with its attempts, logs and events, whether it has ended or not.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` while it runs, or while an unfinished job waits for it.
    pub async fn delete(&self) -> Result<(), Error> {
        self.windlass.store().delete(self.id, self.windlass.actor()).await
    }
}

impl<J> Clone for JobHandle<J> {
    fn clone(&self) -> Self {
        Self::new(self.windlass.clone(), self.id)
    }
}

impl<J> fmt::Debug for JobHandle<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JobHandle").field(&self.id).finish()
    }
}
