//! Reviews: what persons are asked to decide, and what they decided.

use async_trait::async_trait;
use windlass_core::{
    Args, Decision, Digest, Invalid, JobId, Json, KindName, Limits, QueueName, Review, Ruling, Timestamp,
};

use crate::{Actor, Page, PageRequest, Settled, StoreError};

/// What is or was to be decided about a job.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewRecord {
    /// The job.
    pub job: JobId,
    /// Which handler it is for.
    pub kind: KindName,
    /// Where it waits.
    pub queue: QueueName,
    /// The terms it asked for.
    pub terms: Review,
    /// Who asked for the job.
    pub submitted_by: Option<String>,
    /// What it works on. Those it has now: with an approval they may have been changed.
    pub args: Args,
    /// Whether they may be changed with an approval: not once the job has started, and not where its unique key is made of
    /// them.
    pub editable: bool,
    /// What it made, where that is decided about.
    pub staged: Option<Json>,
    /// The digest of what is decided about, which a decision has to name; once there is one, that of what it was about.
    pub digest: Digest,
    /// How often it has come into review, this time included. A new time is a new question.
    pub round: u32,
    /// When it came into review.
    pub asked_at: Timestamp,
    /// When the default is taken for decided, if ever.
    pub decide_by: Option<Timestamp>,
    /// How often its reviewers were reminded.
    pub reminders: u32,
    /// When they are reminded next; none once nobody has to decide any more.
    pub remind_at: Option<Timestamp>,
    /// Whether the job is in review: nobody has decided, and it was neither cancelled nor has it missed its deadline.
    pub open: bool,
    /// What was decided.
    pub ruling: Option<Ruling>,
}

/// A decision to be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRuling {
    /// What is decided.
    pub decision: Decision,
    /// Who decides, and what they have to say about it.
    pub by: Actor,
    /// The digest of what they had before them.
    pub digest: Digest,
    /// The args that the job is to start with, where they are not those it was enqueued with.
    pub args: Option<Args>,
}

impl NewRuling {
    /// `by` accepts what has this digest.
    #[must_use]
    pub const fn accept(by: Actor, digest: Digest) -> Self {
        Self { decision: Decision::Accept, by, digest, args: None }
    }

    /// `by` declines what has this digest.
    #[must_use]
    pub const fn decline(by: Actor, digest: Digest) -> Self {
        Self { decision: Decision::Decline, by, digest, args: None }
    }

    /// The same, with other args for the job to start with.
    #[must_use]
    pub fn with_args(self, args: Args) -> Self {
        Self { args: Some(args), ..self }
    }

    /// Refuses what can be refused without a look at the job.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `by.name`, `by.why` or `args`.
    pub fn validate(&self, limits: &Limits) -> Result<(), Invalid> {
        self.by.validate()?;
        let Some(args) = &self.args else { return Ok(()) };
        if self.decision == Decision::Decline {
            return Err(Invalid::new("args", "cannot be changed where the job is declined"));
        }
        let (bytes, most) = (args.as_bytes().len(), limits.args_bytes_max);
        if bytes > most {
            return Err(Invalid::new("args", format!("are {bytes} bytes long; at most {most} are allowed")));
        }
        Ok(())
    }
}

/// Which reviews a list is about. Every field that is not empty must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewFilter {
    /// Of jobs in one of these queues.
    pub queues: Vec<QueueName>,
    /// Of jobs of one of these kinds.
    pub kinds: Vec<KindName>,
}

/// What an attempt carries out: the decision of a person about an earlier one.
#[derive(Debug, Clone, PartialEq)]
pub struct Settling {
    /// What was decided.
    pub ruling: Ruling,
    /// What the job made, which was decided about.
    pub staged: Option<Json>,
}

/// Reviews as those see them who decide.
///
/// A job whose [`JobOptions::review`](windlass_core::JobOptions::review) asks for it comes into review before its first
/// attempt, or with the result of one that succeeded and changed something ([`windlass_core::settle`]). That result is
/// *staged*: it is the job's own only once it has been accepted. In review, a job can be cancelled, and it misses its
/// deadline, like any that waits.
///
/// # What a decision does
///
/// - A **start** that is accepted lets the job wait for its time as if it had just been enqueued, in its old place;
///   declined, it is `cancelled(declined)` at once.
/// - An **outcome** that is accepted or declined makes the job wait, due at once, in the phase `settle`, for a worker to
///   carry the decision out: with new budgets of failures (that of the terms) and of losses, before all other work of
///   the same queue. [`LeasedJob::settles`](crate::LeasedJob::settles) tells that worker what was decided. When such an
///   attempt succeeds, the job is `completed(accepted)`, with what the attempt returned for a result or else with what
///   was staged; or `cancelled(declined)`. A worker that has nothing to do for a decision settles the attempt at once.
///   Until then a decision stands, whatever becomes of the attempts: a job whose budget is used up is
///   `dead(exhausted)`, and a retry by hand goes on carrying the decision out.
///
/// # What is left behind
///
/// A worker cleans up behind the last attempt of a job, and behind one that carried out a decision. A job that has ever been
/// started and ends while nobody runs it, by a cancel, a decline, its deadline or one loss too many, makes a job that does
/// nothing but that, in the same commit ([`windlass_core::cleanup`]): of the same kind, in the same queue, about the same args.
/// [`LeasedJob::phase`](crate::LeasedJob::phase) tells its worker what it is for.
///
/// # When nobody decides
///
/// [`rescue`](crate::Maintenance::rescue) takes the default of the terms for decided once its time is over, and reminds: it
/// counts, and enqueues a notice for each of [`Review::remind`](windlass_core::Review) in the same commit, the same ones
/// whoever does it. Both leave an event by [`REVIEWER`].
#[async_trait]
pub trait ReviewStore: Send + Sync {
    /// Decides about a job in review, and says where that takes it. Nothing starts before its approval is committed (G17).
    ///
    /// Of all who decide about one time in review, the deadline among them, one wins, and the others are refused; a
    /// refusal changes nothing. The decision is recorded with who and why (G21), in an event and in the job's review.
    /// Where the args are changed with an approval, the event names the digest of those that were reviewed.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` when the job is not in review, or is past its deadline; `Conflict` when what is reviewed
    /// has another digest; `Invalid(by.name)` for who submitted the job, unless the terms admit them, `Invalid(by…)`;
    /// `Invalid(args)` when they are too large, the job is declined, its outcome is decided about, or its unique key is made
    /// of its args.
    async fn decide(&self, job: JobId, ruling: NewRuling) -> Result<Settled, StoreError>;

    /// What is to be decided about a job, or was last; none if nobody has been asked about it yet.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn review(&self, job: JobId) -> Result<Option<ReviewRecord>, StoreError>;

    /// Jobs that are in review, the one that came first first. A job that comes into review between two pages is in the
    /// last of them.
    async fn reviews(
        &self,
        filter: ReviewFilter,
        page: PageRequest,
    ) -> Result<Page<ReviewRecord>, StoreError>;
}

/// Who takes a default for decided, and reminds, in the events of a job: nobody, but the time.
pub const REVIEWER: &str = "windlass";
