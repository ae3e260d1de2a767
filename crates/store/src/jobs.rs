//! Jobs: enqueue them, look at them, and what an operator may do to them.

use async_trait::async_trait;
use windlass_core::limits::NAME_BYTES_MAX;
use windlass_core::{
    Attempt, Invalid, Job, JobId, JobState, KindName, LogLine, NewJob, QueueName, Tag, Timestamp,
};

use crate::{Page, PageRequest, StoreError};

/// What became of one enqueued job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an enqueue may have found an existing job instead of making one"]
pub struct Enqueued {
    /// The job that now stands for what was asked: the new one, or the one that was there.
    pub id: JobId,
    /// What happened.
    pub outcome: EnqueueOutcome,
    /// Whether this very id had been enqueued before. Then `outcome` is what happened that time.
    pub repeated: bool,
}

/// What an enqueue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnqueueOutcome {
    /// A new job exists.
    Created,
    /// A job with the same unique key stood in the way, and nothing was changed.
    Existing,
    /// A job with the same unique key took over what was asked.
    Replaced,
}

/// Longest reason that is kept with a change by hand, in bytes: a sentence or two, not a report.
const WHY_BYTES_MAX: usize = 1024;

/// Who changes something by hand, and why; kept with the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// A person's or a program's name.
    pub name: String,
    /// Why, if they say.
    pub why: Option<String>,
}

impl Actor {
    /// Someone of this name, who gives no reason.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), why: None }
    }

    /// The same, for this reason.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Refuses an actor that would leave no trace, or too large a one. Asked by every method that takes one.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `by.name` or `by.why`.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.name.is_empty() {
            return Err(Invalid::new("by.name", "must not be empty"));
        }
        if self.name.len() > NAME_BYTES_MAX {
            return Err(Invalid::new("by.name", format!("is longer than {NAME_BYTES_MAX} bytes")));
        }
        if self.name.chars().any(char::is_control) {
            return Err(Invalid::new("by.name", "contains a control character"));
        }
        if self.why.as_ref().is_some_and(|why| why.len() > WHY_BYTES_MAX) {
            return Err(Invalid::new("by.why", format!("is longer than {WHY_BYTES_MAX} bytes")));
        }
        if self.why.as_ref().is_some_and(|why| why.contains('\0')) {
            return Err(Invalid::new("by.why", "contains a NUL character"));
        }
        Ok(())
    }
}

/// What became of a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The job had not started, and never will (G18).
    Cancelled,
    /// The job was running. It is cancelled; its worker is told at its next beat, and whatever it still reports
    /// changes nothing.
    Requested,
    /// The job had been cancelled before.
    AlreadyCancelled,
}

/// A change that somebody made to a job by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEvent {
    /// When.
    pub at: Timestamp,
    /// What was done: `cancel`, `retry`, `run_now`.
    pub verb: String,
    /// Who did it, and why.
    pub by: Actor,
    /// The revision of the job that the change made.
    pub revision: u64,
}

/// Which jobs a list is about. Every field that is not empty must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// In one of these states.
    pub states: Vec<JobState>,
    /// In one of these queues.
    pub queues: Vec<QueueName>,
    /// Of one of these kinds.
    pub kinds: Vec<KindName>,
    /// With this tag.
    pub tag: Option<Tag>,
    /// Enqueued at or after this instant.
    pub created_since: Option<Timestamp>,
}

/// Jobs as those see them who ask for work and look after it.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Makes jobs known, durably: all of them or none.
    ///
    /// Answers in the order of `jobs`. An id that was enqueued before is left as it is, whatever else is asked of it
    /// now, and answers what happened the first time: so a call whose outcome is unknown may be repeated (G2).
    ///
    /// # Errors
    ///
    /// `Invalid` names the first field at fault, as `jobs[3].args` when there is more than one job; `Full`,
    /// `Unavailable`: no job of the batch exists; `Unknown`: all of them or none do.
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, StoreError>;

    /// The job as it is now.
    ///
    /// # Errors
    ///
    /// `NotFound` for an id that never was, or was pruned or deleted.
    async fn job(&self, id: JobId) -> Result<Job, StoreError>;

    /// Jobs that match, the last enqueued first. A job that is enqueued between two pages is in neither.
    async fn jobs(&self, filter: JobFilter, page: PageRequest) -> Result<Page<Job>, StoreError>;

    /// Every attempt that started, first one first, the open one last.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>, StoreError>;

    /// Log lines of all attempts in the order they were stored; `page` goes on where it ended, so a reader can follow.
    ///
    /// The answer's `next` is where the lines go on that are still to come: given also at the end of the log, unless
    /// nothing was ever logged.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn logs(&self, id: JobId, page: PageRequest) -> Result<Page<LogLine>, StoreError>;

    /// What was done to the job by hand, in order.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn events(&self, id: JobId) -> Result<Vec<JobEvent>, StoreError>;

    /// Stops a job on purpose: it becomes `cancelled(operator)` at once.
    ///
    /// A running job's worker learns of it by its next beat, and its late settle is answered `Cancelled`. Its attempt
    /// stays open until then, or until its lease ends. A job that was cancelled before, by whomever, stays as it is.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished` for a job that ended otherwise; `Invalid(by…)`.
    async fn cancel(&self, id: JobId, by: Actor) -> Result<CancelOutcome, StoreError>;

    /// Gives a `dead`, `cancelled` or `retryable` job a new budget of attempts and losses, due now. Its id stays, and
    /// its earlier attempts stay listed.
    ///
    /// A job that failed and is due again counts as `retryable` here. Its place in the enqueue order, its checkpoint
    /// and its last error stay too; a deadline that has passed no longer holds, for it would kill the job at once.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished` for a completed job; `NotReady` for one that has not failed, or whose cancelled attempt
    /// is still open; `Invalid(by…)`.
    async fn retry(&self, id: JobId, by: Actor) -> Result<(), StoreError>;

    /// Makes a waiting job due now. A ready one stays as it is.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished`; `NotReady` for a job that is running, blocked or in review; `Invalid(by…)`.
    async fn run_now(&self, id: JobId, by: Actor) -> Result<(), StoreError>;

    /// Removes a job with its attempts, logs and events. Its id may be enqueued again, and is then a new job.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` while an attempt is open.
    async fn delete(&self, id: JobId) -> Result<(), StoreError>;
}
