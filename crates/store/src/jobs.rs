//! Jobs: enqueue them, look at them, and what an operator may do to them.

use async_trait::async_trait;
use windlass_core::limits::NAME_BYTES_MAX;
use windlass_core::{
    Attempt, Due, Fingerprint, Invalid, Job, JobId, JobState, KindName, LogLine, NewJob, QueueName, Tag,
    Timestamp,
};

use crate::{Cursor, Explanation, JobEdit, Page, PageRequest, StoreError, Via};

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
    /// How they came to the store, if that is known. Told by the [audit](crate::AuditStore) alone.
    pub via: Option<Via>,
}

impl Actor {
    /// Someone of this name, who gives no reason.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), why: None, via: None }
    }

    /// The same, for this reason.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// The same, who came this way.
    #[must_use]
    pub fn via(self, via: Via) -> Self {
        Self { via: (!via.is_unknown()).then_some(via), ..self }
    }

    /// The name and the reason alone: what stands with the thing that was changed.
    #[must_use]
    pub fn plain(self) -> Self {
        Self { via: None, ..self }
    }

    /// Refuses an actor that would leave no trace, or too large a one. Asked by every method that takes one.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `by.name`, `by.why` or `by.via.request`.
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
        self.via.as_ref().map_or(Ok(()), Via::validate)
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
    /// What was done: `cancel`, `retry`, `run_now`, `snooze`, `edit`, `accept`, `decline`; or `remind`, which nobody does.
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
    /// Only those that no other job waits for, or did.
    pub roots: bool,
    /// Final, and became so at or after this instant.
    pub finished_since: Option<Timestamp>,
    /// With an attempt that ended with an error of this group.
    pub fingerprint: Option<Fingerprint>,
}

/// What became of jobs that were to be given a new budget together.
#[derive(Debug, Default)]
pub struct Redriven {
    /// Those that have one.
    pub jobs: Vec<JobId>,
    /// Those that could not be given one, and why: somebody else did it first, or another job has the unique key.
    pub refused: Vec<(JobId, StoreError)>,
    /// Where the next call goes on, if there may be more.
    pub next: Option<Cursor>,
}

/// Jobs as those see them who ask for work and look after it.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Makes jobs known, durably: all of them or none.
    ///
    /// Answers in the order of `jobs`. An id that was enqueued before is left as it is, whatever else is asked of it
    /// now, and answers what happened the first time: so a call whose outcome is unknown may be repeated (G2).
    ///
    /// # Unique keys
    ///
    /// There is at most one job for each key that stands in the way of others ([`windlass_core::Unique`]), however many ask at
    /// once. How long it does is said by that job, and what happens is said by the one that comes:
    ///
    /// - *existing* answers `Existing` with the id of the one that is there, and changes nothing;
    /// - *reject* is an error, and then no job of the batch exists;
    /// - *replace* gives what is asked for to the one that is there, if it was never started and is not in review, and answers
    ///   `Replaced`: everything that can be asked for is replaced, and its id, its place in the enqueue order and what others
    ///   know of it stay. Where it was started, a new job is made and `blocked` until that one has ended; there is at most one
    ///   that waits so, and what comes then is given to that. Where it has ended and only its key is kept for a time, a new job
    ///   is made, and is due no earlier than when that time is over;
    /// - *debounce* is *replace* with a time: due a while after the last enqueue, and no later than `max_wait` after the first.
    ///
    /// Jobs of one batch meet one another in their order. What was answered to a job that was not made is remembered for a day
    /// ([`windlass_core::limits::ANSWER_KEPT`]), unless its id was drawn for the call; a job of the batch that was to wait for
    /// it waits for the one that stands for it.
    ///
    /// # Errors
    ///
    /// `Duplicate` names the job that has the key of one that asked to be refused.
    ///
    /// `Invalid` names the first field at fault, as `jobs[3].args` when there is more than one job; `Full`,
    /// `Unavailable`: no job of the batch exists; `NotFound` names the first job that one of the batch is to wait for and that
    /// is nowhere; `Unknown`: all of them or none do.
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

    /// Why the job does not run, and when it will: what a claim would say of it now, and never a guess.
    ///
    /// [`Explanation::is_next`] says that the next claim of its queue takes it.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn explain(&self, id: JobId) -> Result<Explanation, StoreError>;

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
    /// One whose start needs an approval and has none comes into review instead; one whose decision is not carried out yet
    /// goes on with that ([`ReviewStore`](crate::ReviewStore)). A job that failed and is due again counts as `retryable` here. Its place in the enqueue order, its checkpoint
    /// and its last error stay too; a deadline that has passed no longer holds, for it would kill the job at once.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished` for a completed job; `NotReady` for one that has not failed, or whose cancelled attempt
    /// is still open; `Invalid(by…)`. `Duplicate` for a final job whose unique key another job has by now.
    async fn retry(&self, id: JobId, by: Actor) -> Result<(), StoreError>;

    /// Makes a waiting job due now. A ready one stays as it is.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished`; `NotReady` for a job that is running, blocked or in review; `Invalid(by…)`.
    async fn run_now(&self, id: JobId, by: Actor) -> Result<(), StoreError>;

    /// Changes a job that waits: where, how urgently, until when, for what, and what it is found by. All of it or nothing; where
    /// all stays as it was, nothing is written.
    ///
    /// Its place in the enqueue order, its attempts, its unique key and its turn by an order key stay; it leaves the line of a
    /// lock or limit that it waits for, as its place is another. A job that failed stays `retryable` until its new time, and
    /// one that waits for others goes on to do so.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished`; `NotReady` for a job that is running, in review, or whose decision is being carried out;
    /// `Invalid` with the field of what could not be enqueued so, `args` for those of a job that a person decides about;
    /// `Invalid(by…)`.
    async fn edit(&self, id: JobId, edit: JobEdit, by: Actor) -> Result<(), StoreError>;

    /// Puts a waiting job off: it is due at `until`, sooner or later than before, and `scheduled(snoozed)` meanwhile. One that
    /// failed stays `retryable`, with its reason; one that waits for others is due no earlier than that once they let it go.
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit).
    async fn snooze(&self, id: JobId, until: Due, by: Actor) -> Result<(), StoreError> {
        self.edit(id, JobEdit::snoozing(until), by).await
    }

    /// Gives the dead jobs of a page a new budget each, as [`retry`](Self::retry) does: of those that match `filter`, whatever it
    /// says of states. Each keeps its id. Each stands for itself; one that is refused does not touch the others.
    ///
    /// One call does as much as a page holds, and says where the next one goes on.
    ///
    /// # Errors
    ///
    /// `Invalid(by…)`; others as soon as the store cannot answer, when some may have been done: calling again goes on.
    async fn redrive(&self, filter: JobFilter, page: PageRequest, by: Actor) -> Result<Redriven, StoreError> {
        by.validate().map_err(|invalid| StoreError::invalid("redrive jobs", invalid))?;
        let dead = JobFilter { states: vec![JobState::Dead], ..filter };
        let page = self.jobs(dead, page).await?;
        let mut redriven = Redriven { next: page.next, ..Redriven::default() };
        for job in page.items {
            match self.retry(job.id, by.clone()).await {
                Ok(()) => redriven.jobs.push(job.id),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => redriven.refused.push((job.id, error)),
            }
        }
        Ok(redriven)
    }

    /// Makes a further copy of a final job under a new id, with a fresh budget, due now; the job itself stays as it is. The copy
    /// says what it is a copy of ([`JobOptions::rerun_of`](windlass_core::JobOptions::rerun_of)), and waits for no other job. A
    /// deadline is not copied: it was an instant.
    ///
    /// A copy of a job with a unique key asks for the key like any other, and is refused where another has it. Asking again with
    /// the same `copy` is safe, and then leaves no second entry in the audit.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` for a job that is not final; `Duplicate` for one whose key another job has; `Invalid(by…)`; those
    /// of [`enqueue`](Self::enqueue).
    async fn rerun(&self, id: JobId, copy: JobId, by: Actor) -> Result<Enqueued, StoreError>;

    /// Removes a job with its attempts, logs, events and edges. Its id may be enqueued again, and is then a new job.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` while an attempt is open, or an unfinished job depends on it; `Invalid(by…)`.
    async fn delete(&self, id: JobId, by: Actor) -> Result<(), StoreError>;
}
