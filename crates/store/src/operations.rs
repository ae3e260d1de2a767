//! Operations: one verb on many jobs, which are selected once and then dealt with one after the other, at a bounded rate.
//!
//! An operation is kept by the store like everything else: it survives the program that carries it out, and another one goes on
//! with it where that one stopped.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use windlass_core::{BulkVerb, Invalid, JobId, OperationId, OperationState, Timestamp};

use crate::{Actor, ErrorKind, Page, PageRequest, StoreError};

/// Most jobs of one operation: their ids are kept.
pub const OPERATION_JOBS_MAX: usize = 100_000;

/// Most operations that have not ended, at a time: each is for a person who looks on.
pub const OPERATIONS_OPEN_MAX: usize = 16;

/// How long nobody else takes up an operation after its driver was last heard of.
pub const OPERATION_LEASE: Duration = Duration::from_secs(10);

/// How long an operation is kept once it has ended.
pub const OPERATION_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Most jobs that are shown of a selection, and most refusals.
pub const OPERATION_SHOWN_MAX: usize = 10;

/// Most jobs that a driver is given at a time.
pub const OPERATION_STEP_MAX: u32 = 1_000;

/// Longest filter, in bytes.
const FILTER_BYTES_MAX: usize = 4096;

/// Most jobs in a second that can be asked for.
const RATE_MAX: u32 = 1_000_000;

/// Something to be done to many jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOperation {
    /// Its id. Asking again with the same is safe.
    pub id: OperationId,
    /// What is done.
    pub verb: BulkVerb,
    /// To which jobs: a filter, which stores keep and do not read.
    pub filter: String,
    /// How many in a second, at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// Whether nothing is done but to select.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

impl NewOperation {
    /// This verb on these jobs, as fast as it goes.
    pub fn new(id: OperationId, verb: BulkVerb, filter: impl Into<String>) -> Self {
        Self { id, verb, filter: filter.into(), rate: None, dry_run: false }
    }

    /// Refuses what no store could keep or no driver carry out.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `filter` or `rate`.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.filter.len() > FILTER_BYTES_MAX {
            return Err(Invalid::new("filter", format!("is longer than {FILTER_BYTES_MAX} bytes")));
        }
        if self.filter.contains('\0') {
            return Err(Invalid::new("filter", "contains a NUL character"));
        }
        if self.rate.is_some_and(|rate| rate == 0 || rate > RATE_MAX) {
            return Err(Invalid::new("rate", format!("must be 1 to {RATE_MAX} in a second")));
        }
        Ok(())
    }
}

/// An operation and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// What was asked for.
    #[serde(flatten)]
    pub made: NewOperation,
    /// By whom, and why: told again with each change that it makes.
    #[serde(with = "actor")]
    pub by: Actor,
    /// When it was asked for. Jobs that came later are left alone.
    pub began_at: Timestamp,
    /// How far it has come.
    pub state: OperationState,
    /// Since when it is known which jobs are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_at: Option<Timestamp>,
    /// How many they are.
    pub selected: u64,
    /// Whether more match than one operation takes.
    pub cut: bool,
    /// The first of them, at most [`OPERATION_SHOWN_MAX`].
    pub sample: Vec<JobId>,
    /// To how many it was done.
    pub done: u64,
    /// How many refused it.
    pub refused: u64,
    /// The first of those, and why; at most [`OPERATION_SHOWN_MAX`].
    pub refusals: Vec<OperationRefusal>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<OperationProblem>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl Operation {
    /// How many jobs it has dealt with: where in the selection it goes on.
    #[must_use]
    pub const fn place(&self) -> u64 {
        self.done + self.refused
    }
}

/// Why something was not done, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationProblem {
    /// The [code](ErrorKind::code) of the error.
    pub code: String,
    /// What happened, as a sentence.
    pub detail: String,
}

impl From<&StoreError> for OperationProblem {
    fn from(error: &StoreError) -> Self {
        Self { code: error.kind().code().to_owned(), detail: error.to_string() }
    }
}

impl From<&Invalid> for OperationProblem {
    fn from(invalid: &Invalid) -> Self {
        let code = ErrorKind::Invalid(invalid.clone()).code().to_owned();
        Self { code, detail: invalid.to_string() }
    }
}

/// A job that refused what was to be done to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationRefusal {
    /// The job.
    pub job: JobId,
    /// Why.
    pub problem: OperationProblem,
}

/// The right to carry out an operation. Another driver has it once this one was silent for [`OPERATION_LEASE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DriveToken {
    /// Which operation.
    pub operation: OperationId,
    /// Which time that it was taken up.
    pub nonce: u64,
}

/// How an operation has gone on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advance {
    /// Not at all; its driver is still there.
    Beat,
    /// The jobs are selected.
    Selected {
        /// Which, in the order in which they are dealt with.
        jobs: Vec<JobId>,
        /// Whether more match than these.
        cut: bool,
    },
    /// The next jobs were dealt with.
    Did {
        /// How many were before them: [`Operation::place`].
        from: u64,
        /// To how many it was done.
        done: u64,
        /// Those that refused it.
        refused: Vec<OperationRefusal>,
    },
    /// It cannot go on.
    Failed(OperationProblem),
}

/// An operation that somebody carries out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driven {
    /// How far it has come.
    pub operation: Operation,
    /// The next jobs, in order. None unless it is running: whoever drives then stops.
    pub next: Vec<JobId>,
}

/// Operations as those see them who ask for them, and as those do who carry them out.
///
/// - **Frozen.** Which jobs are meant is written down before anything is done to them; what begins to match later is left alone.
/// - **Taken up again.** An operation belongs to who took it up last ([`drive_operation`](Self::drive_operation)), until nothing
///   was heard of them for [`OPERATION_LEASE`]. Who takes it up then goes on behind the last job that was told of. A job that
///   was dealt with and not told of is dealt with again: drivers do what is harmless to do twice.
/// - **Told once.** Telling the same [step](Advance::Did) again, when the answer was lost, counts it once.
/// - **Never unnoticed.** Who begins, pauses, resumes or aborts one is kept in the audit; each job that it changes has an entry
///   of its own, by who asked for the operation.
///
/// Ended operations are forgotten by [`tidy`](crate::Maintenance::tidy) after [`OPERATION_KEPT`].
#[async_trait]
pub trait OperationStore: Send + Sync {
    /// Begins an operation; one of this id that there is already stays as it is. It waits until somebody takes it up.
    ///
    /// # Errors
    ///
    /// `Invalid(filter)`, `Invalid(rate)`, `Invalid(by…)`; `Invalid(operation)` while [`OPERATIONS_OPEN_MAX`] have not ended.
    async fn begin_operation(&self, operation: NewOperation, by: Actor) -> Result<Operation, StoreError>;

    /// An operation and how far it has come.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn operation(&self, id: OperationId) -> Result<Operation, StoreError>;

    /// Operations, the last first.
    async fn operations(&self, page: PageRequest) -> Result<Page<Operation>, StoreError>;

    /// Lets it stand still behind the jobs that are being dealt with; nothing if it does already.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished` once it has ended; `Invalid(by…)`.
    async fn pause_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError>;

    /// Lets it go on; nothing if it does not stand still.
    ///
    /// # Errors
    ///
    /// As [`pause_operation`](Self::pause_operation).
    async fn resume_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError>;

    /// Ends it behind the jobs that are being dealt with; nothing if it was aborted before.
    ///
    /// # Errors
    ///
    /// As [`pause_operation`](Self::pause_operation).
    async fn abort_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError>;

    /// Takes up the operation that waits for that the longest, if one does: nobody carries it out, or nothing was heard of who
    /// does for [`OPERATION_LEASE`], and it is neither paused nor over. At most one has the right at any time.
    async fn drive_operation(&self) -> Result<Option<(DriveToken, Operation)>, StoreError>;

    /// Tells how it has gone on, and asks for at most `limit` of the jobs that come next: 1 to [`OPERATION_STEP_MAX`], moved into
    /// that range. It is done when none is left. What was done is told also of one that was paused or aborted meanwhile.
    ///
    /// # Errors
    ///
    /// `NotFound`; `LeaseLost` when somebody else has taken it up; `Invalid(jobs)` for more than [`OPERATION_JOBS_MAX`];
    /// `Invalid(from)` for jobs that are not the next, `Invalid(done)` for more than there are.
    async fn advance_operation(
        &self,
        token: DriveToken,
        advance: Advance,
        limit: u32,
    ) -> Result<Driven, StoreError>;
}

mod actor {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::Actor;

    #[derive(Serialize, Deserialize)]
    struct Kept {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via: Option<String>,
    }

    pub(super) fn serialize<S: Serializer>(actor: &Actor, serializer: S) -> Result<S::Ok, S::Error> {
        let via = actor.via.as_ref().map(ToString::to_string);
        Kept { name: actor.name.clone(), why: actor.why.clone(), via }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Actor, D::Error> {
        let Kept { name, why, via } = Kept::deserialize(deserializer)?;
        let via = via.map(|via| via.parse()).transpose().map_err(D::Error::custom)?;
        Ok(Actor { name, why, via })
    }
}
