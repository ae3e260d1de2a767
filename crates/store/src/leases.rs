//! Leases: claim jobs, keep them, and give them back.

mod claim;

use async_trait::async_trait;
use windlass_core::{
    Args, AttemptToken, Fence, Job, JobId, JobOptions, JobState, Json, KindName, LogLevel, NewJob, Phase,
    Priority, Progress, QueueName, Reason, Timestamp, Trace, Verdict, WorkerId,
};

use crate::{Enqueued, FlowStore, Input, Page, PageRequest, Settling, StoreError};

pub use claim::{ClaimRequest, KindSupport, Kinds, LeaseTerm, Queues, Scope, check_lease};

/// A job a worker may run, and the right to say how it went.
#[derive(Debug, Clone, PartialEq)]
pub struct LeasedJob {
    /// Names this attempt; every write for it needs it.
    pub token: AttemptToken,
    /// Until when the lease holds if nobody extends it.
    pub lease_until: Timestamp,
    /// Which handler it is for.
    pub kind: KindName,
    /// The version of its args.
    pub version: u32,
    /// The queue it waited in.
    pub queue: QueueName,
    /// What it is to work on.
    pub args: Args,
    /// How urgent it is.
    pub priority: Priority,
    /// Counted starts, this one included.
    pub attempt: u32,
    /// How many of them it may have, in this phase.
    pub attempts_max: u32,
    /// Lost attempts so far.
    pub losses: u32,
    /// When it was due.
    pub run_at: Timestamp,
    /// When it must be finished.
    pub deadline: Option<Timestamp>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it was claimed, by the store's clock.
    pub started_at: Timestamp,
    /// Where an earlier attempt wants it to go on.
    pub checkpoint: Option<Json>,
    /// The rest of what was asked for; none where it is all default.
    pub options: Option<Box<JobOptions>>,
    /// The numbers of the resources that it holds exclusively, by name.
    pub fences: Vec<Fence>,
    /// What the attempt is to carry out, where it is not to do the work but what was decided about it.
    pub settles: Option<Box<Settling>>,
}

impl LeasedJob {
    /// The job's id.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.token.job
    }

    /// Which job it is about: itself, or the one that it does nothing but clean up behind.
    #[must_use]
    pub fn about(&self) -> JobId {
        self.options.as_ref().and_then(|options| options.cleans).unwrap_or_else(|| self.id())
    }

    /// In which trace the job was enqueued, if that is known. The span of its run is linked to it; it is no part of it, since
    /// the one may have ended long before the other begins.
    #[must_use]
    pub fn trace(&self) -> Option<Trace> {
        self.options.as_ref()?.trace()
    }

    /// What the attempt is for.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match &self.options {
            _ if self.settles.is_some() => Phase::Settle,
            Some(options) if options.cleans.is_some() => Phase::Cleanup,
            _ => Phase::Run,
        }
    }
}

/// What a claim found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claimed {
    /// The jobs, in claim order: priority, then due time, then enqueue order.
    pub jobs: Vec<LeasedJob>,
    /// When the next job of this scope is due, if there were fewer than asked for and the store knows.
    pub next_due: Option<Timestamp>,
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// Which attempt.
    pub token: AttemptToken,
    /// What its worker says of it.
    pub verdict: Verdict,
}

/// Where a settled job went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The state it is in now.
    pub state: JobState,
    /// Why.
    pub reason: Option<Reason>,
}

/// What a worker has to say and to ask in one go.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The attempts that ended since its last turn.
    pub settlements: Vec<Settlement>,
    /// What it wants next, if it has room.
    pub claim: Option<ClaimRequest>,
}

/// The answer to a [`Turn`].
#[derive(Debug, Default)]
pub struct Turned {
    /// One for each settlement, in order.
    pub settled: Vec<Result<Settled, StoreError>>,
    /// What the claim found; nothing if none was asked for.
    pub claimed: Claimed,
    /// Attempts of this worker whose jobs were cancelled and that are still open. Given with a claim only.
    pub cancelled: Vec<AttemptToken>,
}

/// Which job an open attempt belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The job.
    pub job: JobId,
    /// Until when its lease holds.
    pub lease_until: Timestamp,
    /// Whether the job was cancelled: the attempt should stop.
    pub cancel_requested: bool,
}

/// A log line to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLogLine {
    /// How grave it is.
    pub level: LogLevel,
    /// What it says. Made safe, and cut where it is too long.
    pub message: String,
}

/// Leases as workers see them.
///
/// # Fencing (G6)
///
/// Every method that takes a token acts only if it is the token of the job's *open* attempt and its lease has not
/// expired. Otherwise it changes nothing and answers:
///
/// - `NotFound`, when there is no such job;
/// - `NotRunning`, when it was this token's own settle that closed the attempt, and nobody claimed the job since;
/// - `LeaseLost`, for everything else: a successor's attempt, an expired lease whether or not anyone took the job
///   back, a token of another store.
///
/// For an attempt whose job was cancelled while it ran, the answer is `Cancelled`, and nothing is written. A settle
/// so answered closes the attempt. [`extend`](LeaseStore::extend) and [`holder`](LeaseStore::holder) answer as ever,
/// and say in [`Holder::cancel_requested`] that it should stop. Stores decide all of this by
/// [`rules::fence`](crate::rules::fence).
#[async_trait]
pub trait LeaseStore: FlowStore {
    /// Stores how attempts ended, then claims new jobs; one commit for both.
    ///
    /// Each settlement stands for itself: one that is refused does not touch the others. The claim is committed when
    /// this returns, so whatever is started afterwards is known to the store (G5). Claimed are, of the jobs in scope
    /// that are due and whose queue is not paused, the first by priority, then due time, then enqueue order (G10); before
    /// all priorities those of the phase `settle`, which carry out what a person decided. A
    /// job whose deadline has passed is not claimed but ends `dead(deadline)`, if the claim meets it: that is, before
    /// it has as many as it asked for. After [`rules::LATE_PER_CLAIM_MAX`](crate::rules::LATE_PER_CLAIM_MAX) of those it
    /// stops, and says by a `next_due` of now that it wants to be asked again.
    ///
    /// # Gates
    ///
    /// A job that needs locks, counts against limits or rates, or has an order key, and a job of a queue or kind that is
    /// [bounded](crate::QueueStore::bound), is claimed only if all its gates let it in
    /// ([`GateState::refusal`](windlass_core::gate::GateState::refusal)): all or none. What they give is taken with the claim
    /// and given back with the end of the attempt, whatever ends it, each in the same commit; so a resource has one holder
    /// that wants it alone or any number that share it, a limit is never exceeded, and nothing of it outlives an attempt.
    /// Each exclusive grant has a larger [`Fence`] than every one before of the same resource.
    ///
    /// A job that its gates turn away still reads as `ready`. It stands in line for its locks: who comes later, by claim
    /// order, does not pass it, until the resource was free for
    /// [`LINE_GRACE`](windlass_core::limits::LINE_GRACE) and nobody in line has come for it. A claim looks at no more than
    /// [`PARKED_PER_CLAIM_MAX`](windlass_core::limits::PARKED_PER_CLAIM_MAX) of those, and says by a `next_due` of now that it
    /// wants to be asked again; how many wait behind a gate costs nobody else anything.
    ///
    /// A job keeps the error of its last attempt until it succeeds; its result is that of the attempt that completed
    /// it. A settle of a cancelled job closes its attempt as `cancelled`, whatever the verdict.
    ///
    /// # Errors
    ///
    /// `Invalid` when the claim is; `NotFound` when its worker is unknown or expired, and then the settlements were
    /// *not* stored: under an expired process lease they would all be `LeaseLost`.
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError>;

    /// How many turns one pool of slots should have under way at a time when it has enough to do: more than one where
    /// the store works on them beside each other. A hint, that costs nothing to ask for.
    fn turns_at_once(&self) -> usize {
        1
    }

    /// Claims one given job, whatever its place in the order, its kind and its version.
    ///
    /// # Errors
    ///
    /// `NotFound` for the job or the worker; `NotReady` when it is not claimable: not waiting, not due, past its
    /// deadline, in a queue that is paused, or turned away by one of its gates; `Invalid(lease)`.
    async fn claim_job(
        &self,
        worker: WorkerId,
        job: JobId,
        lease: LeaseTerm,
    ) -> Result<LeasedJob, StoreError>;

    /// Keeps a lease: from now on it holds as long as it held at the claim. A lease of the process is kept by the
    /// beat of the process, and only looked at here.
    async fn extend(&self, token: AttemptToken) -> Result<Holder, StoreError>;

    /// Which job this is, and whether it was cancelled. Changes nothing.
    async fn holder(&self, token: AttemptToken) -> Result<Holder, StoreError>;

    /// The job as [`job`](crate::JobStore::job) shows it, for who does the work, and may look at nothing but by the token of its
    /// attempt.
    async fn job_under(&self, token: AttemptToken) -> Result<Job, StoreError> {
        self.job(self.holder(token).await?.job).await
    }

    /// [`inputs`](FlowStore::inputs) for who does the work. `about` is the attempt's job, or the one it does nothing but clean up
    /// behind.
    async fn inputs_under(
        &self,
        token: AttemptToken,
        about: JobId,
        page: PageRequest,
    ) -> Result<Page<Input>, StoreError> {
        self.holder(token).await?;
        self.inputs(about, page).await
    }

    /// Stores how far the attempt has come. Survives every end of the attempt, until a later one says otherwise.
    ///
    /// # Errors
    ///
    /// `Invalid(progress.percent)` above 100.
    async fn progress(&self, token: AttemptToken, progress: Progress) -> Result<(), StoreError>;

    /// Stores where a later attempt should go on. Survives every end of the attempt.
    ///
    /// # Errors
    ///
    /// `Invalid(checkpoint)` when it is too large.
    async fn checkpoint(&self, token: AttemptToken, checkpoint: Json) -> Result<(), StoreError>;

    /// Stores log lines. Past [`windlass_core::limits::LOG_BYTES_MAX`] bytes of one job, a single line
    /// ([`windlass_core::log::LOG_CUT`]) says that the rest is cut, and further lines are dropped.
    async fn log(&self, token: AttemptToken, lines: Vec<NewLogLine>) -> Result<(), StoreError>;

    /// Makes jobs known as [`enqueue`](crate::JobStore::enqueue) does, as long as the lease holds: that is judged in the commit
    /// that makes them, so a worker that has lost its lease makes no more (G6). They stay, whatever becomes of the attempt.
    async fn enqueue_under(
        &self,
        token: AttemptToken,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Enqueued>, StoreError>;

    /// [`turn`](Self::turn) without a claim.
    async fn settle(
        &self,
        settlements: Vec<Settlement>,
    ) -> Result<Vec<Result<Settled, StoreError>>, StoreError> {
        Ok(self.turn(Turn { settlements, claim: None }).await?.settled)
    }

    /// [`turn`](Self::turn) without settlements.
    async fn claim(&self, request: ClaimRequest) -> Result<Claimed, StoreError> {
        Ok(self.turn(Turn { settlements: Vec::new(), claim: Some(request) }).await?.claimed)
    }
}
