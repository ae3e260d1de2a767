//! [`JobHandle`]: one job, followed from outside.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use windlass_core::limits::PAGE_MAX;
use windlass_core::{AttemptError, Job as JobRecord, JobId, JobState, Json, LogLine, Reason};
use windlass_store::{CancelOutcome, ErrorTree, Explanation, Flow, PageRequest};

use crate::{Error, Job, Windlass};

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

    /// What is to blame if the job went wrong: its own error, and below it those of the jobs it waited for, down to the roots.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn error_tree(&self) -> Result<ErrorTree, Error> {
        self.windlass.store().error_tree(self.id).await
    }

    /// The job with all that it is connected with by waiting.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn flow(&self) -> Result<Flow, Error> {
        self.windlass.store().flow(self.id).await
    }

    /// Cancels every unfinished job of the flow that this one belongs to. Answers which they were.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Invalid(flow)` for one of more than 10,000 jobs.
    pub async fn cancel_flow(&self) -> Result<Vec<JobId>, Error> {
        self.windlass.store().cancel_flow(self.id, self.windlass.actor()).await
    }

    /// Gives every dead or cancelled job of the flow that this one belongs to a new budget: those that wait for others wait
    /// again. Answers which they were.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` while the attempt of a cancelled job still runs; `Invalid(flow)` for one of more than 10,000 jobs.
    pub async fn retry_flow(&self) -> Result<Vec<JobId>, Error> {
        self.windlass.store().retry_flow(self.id, self.windlass.actor()).await
    }

    /// What the job's handler logged, in all its attempts, in order. At most about a megabyte is kept of each job.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn logs(&self) -> Result<Vec<LogLine>, Error> {
        let mut lines = Vec::new();
        let mut request = PageRequest::first(PAGE_MAX);
        loop {
            let mut page = self.windlass.store().logs(self.id, request).await?;
            let last = page.items.is_empty();
            lines.append(&mut page.items);
            match page.next {
                Some(next) if !last => request = request.after(Some(next)),
                _ => return Ok(lines),
            }
        }
    }
}

impl<J: Job> JobHandle<J> {
    /// Waits until the job has ended, and gives what its handler made.
    ///
    /// Waits as [`wait`](Self::wait) does: as long as it takes, through every retry. The result can be asked for
    /// again, by anyone, until the job is pruned.
    ///
    /// # Errors
    ///
    /// [`ResultError`] says how the job ended instead, or why that could not be learned.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: waiting changes nothing.
    pub async fn result(&self) -> Result<J::Output, ResultError> {
        let job = self.wait().await?;
        match (job.state, job.reason) {
            (JobState::Completed, _) => output::<J>(&job),
            (JobState::Cancelled, Some(reason)) => Err(ResultError::Cancelled { reason, error: job.error }),
            (_, reason) => {
                Err(ResultError::Dead { reason: reason.unwrap_or(Reason::Exhausted), error: job.error })
            }
        }
    }
}

/// What a completed job made. A job that made nothing made `null`, which is what `()` and `None` are read from.
fn output<J: Job>(job: &JobRecord) -> Result<J::Output, ResultError> {
    if job.kind.as_str() != J::KIND {
        let problem = format!("it is of kind {}, not {}", job.kind, J::KIND);
        return Err(ResultError::NotDecodable { problem });
    }
    let null = Json::null();
    let result = job.result.as_ref().unwrap_or(&null);
    result.decode().map_err(|error| ResultError::NotDecodable { problem: error.to_string() })
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

/// Why a job has no result to give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultError {
    /// It was given up.
    #[error("the job is dead ({reason}){}", because(error.as_ref()))]
    Dead {
        /// Why.
        reason: Reason,
        /// What went wrong last, if anything did.
        error: Option<AttemptError>,
    },
    /// It was stopped on purpose.
    #[error("the job was cancelled ({reason}){}", because(error.as_ref()))]
    Cancelled {
        /// By whom or what.
        reason: Reason,
        /// What its handler said, if it was the handler that stopped it.
        error: Option<AttemptError>,
    },
    /// It completed, but what it made is not what its type says.
    #[error("could not read the job's result: {problem}")]
    NotDecodable {
        /// What does not fit.
        problem: String,
    },
    /// The store could not be asked, or does not know the job.
    #[error(transparent)]
    Store(#[from] Error),
}

fn because(error: Option<&AttemptError>) -> String {
    error.map(|error| format!(": {}", error.message)).unwrap_or_default()
}
