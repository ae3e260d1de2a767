//! Leases: what a claim is given, and what is said of it while it is done.

use serde::{Deserialize, Serialize};
use windlass_core::{
    AttemptToken, Fence, JobId, JobOptions, JobState, Json, KindName, Phase, Priority, QueueName, Reason,
    Timestamp,
};
use windlass_store::{Holder, Input, LeasedJob, Settling};

use crate::{RulingShape, count};

/// The leases that a claim got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LeasesShape {
    /// The leases, in claim order.
    pub leases: Vec<LeasedShape>,
    /// When the next job is due, if there were fewer than asked for and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Timestamp>,
}

impl LeasesShape {
    /// These, and when there may be more.
    #[must_use]
    pub const fn new(leases: Vec<LeasedShape>, next_due: Option<Timestamp>) -> Self {
        Self { leases, next_due }
    }
}

/// The right to run a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LeasedShape {
    /// Names this attempt; everything that is said of it needs it.
    pub token: AttemptToken,
    /// Which attempt of the job, 1 the first; also those that cost it nothing.
    pub attempt: u64,
    /// Until when it holds if nobody extends it.
    pub lease_until: Timestamp,
    /// The job.
    pub job: LeasedJobShape,
    /// What the jobs made that it waited for, in the order of its edges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<InputShape>,
    /// The numbers of the resources that it holds alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fences: Vec<Fence>,
    /// The decision that the attempt is to carry out, where that is what it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles: Option<SettlesShape>,
}

/// A job as whoever runs it sees it: the fields of a job that are known when it is claimed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LeasedJobShape {
    /// Its id.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: KindName,
    /// The version of its args.
    pub version: u32,
    /// Where it waited.
    pub queue: QueueName,
    /// `running`.
    pub state: JobState,
    /// What the attempt is for: `run`; `settle` where it carries out a decision; `cleanup` where it does nothing but clean up
    /// behind the job that `cleans` names.
    pub phase: Phase,
    /// How urgent it is.
    pub priority: Priority,
    /// What it works on, byte for byte; `null` where that is no JSON.
    pub args: Json,
    /// What it works on where that is no JSON, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args_base64: Option<String>,
    /// Counted starts, this one included.
    pub attempt: u32,
    /// Total starts that may end in failure, or `unlimited`.
    #[serde(with = "count")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::count))]
    pub attempts_max: u32,
    /// Lost attempts so far.
    pub losses: u32,
    /// When it was due.
    pub run_at: Timestamp,
    /// When it must be finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Where an earlier attempt wants it to go on.
    #[serde(default, deserialize_with = "crate::job::present", skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Json>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// The rest of what was asked for, under the names that it was asked for by.
    #[serde(flatten)]
    pub options: JobOptions,
}

/// What a job is given by one that it waited for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct InputShape {
    /// The job it comes from.
    pub id: JobId,
    /// Which handler that was for.
    pub kind: KindName,
    /// Which of its ends let the child go.
    pub on: windlass_core::EdgePolicy,
    /// How it ended.
    pub state: JobState,
    /// Why, where there is a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What it made.
    #[serde(default, deserialize_with = "crate::job::present", skip_serializing_if = "Option::is_none")]
    pub result: Option<Json>,
    /// What went wrong with it last, if it did not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<windlass_core::AttemptError>,
}

/// The decision that an attempt is to carry out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct SettlesShape {
    /// What was decided.
    pub ruling: RulingShape,
    /// What the job made, which was decided about.
    #[serde(default, deserialize_with = "crate::job::present", skip_serializing_if = "Option::is_none")]
    pub staged: Option<Json>,
}

impl From<LeasedJob> for LeasedShape {
    fn from(leased: LeasedJob) -> Self {
        let phase = leased.phase();
        let (args, args_base64) = crate::job::shown(&leased.args);
        let job = LeasedJobShape {
            id: leased.token.job,
            kind: leased.kind,
            version: leased.version,
            queue: leased.queue,
            state: JobState::Running,
            phase,
            priority: leased.priority,
            args,
            args_base64,
            attempt: leased.attempt,
            attempts_max: leased.attempts_max,
            losses: leased.losses,
            run_at: leased.run_at,
            deadline: leased.deadline,
            checkpoint: leased.checkpoint,
            created_at: leased.created_at,
            started_at: leased.started_at,
            options: leased.options.map(|options| *options).unwrap_or_default(),
        };
        let settles =
            |settling: Settling| SettlesShape { ruling: settling.ruling.into(), staged: settling.staged };
        Self {
            token: leased.token,
            attempt: leased.token.number,
            lease_until: leased.lease_until,
            job,
            parents: Vec::new(),
            fences: leased.fences,
            settles: leased.settles.map(|settling| settles(*settling)),
        }
    }
}

impl From<Input> for InputShape {
    fn from(input: Input) -> Self {
        let Input { parent, kind, policy, state, reason, result, error } = input;
        Self { id: parent, kind, on: policy, state, reason, result, error }
    }
}

/// Which job an open attempt belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct HeldShape {
    /// The job.
    pub job: JobId,
    /// Until when its lease holds.
    pub lease_until: Timestamp,
    /// Whether the job was cancelled: the attempt should stop.
    pub cancel_requested: bool,
}

impl From<Holder> for HeldShape {
    fn from(holder: Holder) -> Self {
        let Holder { job, lease_until, cancel_requested } = holder;
        Self { job, lease_until, cancel_requested }
    }
}
