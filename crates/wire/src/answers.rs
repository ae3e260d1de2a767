//! Answers that are no more than a list with a name, or a word: what routes give besides the shapes of things.
//!
//! Each list has its own name, so that a further field has somewhere to go. `next` is where the next page begins, if there
//! may be one: to be given back as `after`.

mod jobs;
mod schedules;
mod service;

use serde::{Deserialize, Serialize};

use windlass_core::{AttemptToken, QueueName, WorkerId};

use crate::{
    AuditShape, BoundShape, ErrorGroupShape, LeaseSummaryShape, QueueShape, RetentionShape, ReviewShape,
    SettledShape, WorkerShape,
};

pub use jobs::{
    Attempts, CancelShape, Cancelled, Cost, Events, Inputs, Listed, Logs, Redriven, Refused, Relatives,
    Touched,
};
pub use schedules::{BackfilledShape, DeclaredShape, Firings, Made, Put, PutAs, ScheduleEvents, Schedules};
pub use service::{Capabilities, ServerBounds};

/// That it was done, and no more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Done {}

/// Every queue that the caller may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Queues {
    /// By their names.
    pub queues: Vec<QueueShape>,
}

/// Queues and kinds that are bounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AllBounds {
    /// By name, queues first.
    pub bounds: Vec<BoundShape>,
}

/// How long the finished jobs of a queue are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueueKept {
    /// Which queue.
    pub queue: QueueName,
    /// How long.
    pub retention: RetentionShape,
}

/// Queues with a retention of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AllKept {
    /// By name.
    pub retentions: Vec<QueueKept>,
}

/// Registered workers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Workers {
    /// The longest-silent first.
    pub workers: Vec<WorkerShape>,
}

/// The worker that was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Registered {
    /// Its id.
    pub id: WorkerId,
}

/// What a worker holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Held {
    /// The tokens of its open attempts.
    pub tokens: Vec<AttemptToken>,
}

/// Open attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Leases {
    /// The longest-silent first.
    pub leases: Vec<LeaseSummaryShape>,
}

/// Jobs that are in review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reviews {
    /// The oldest first.
    pub reviews: Vec<ReviewShape>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What a person is asked about a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Asked {
    /// What is to be decided, or was last; none if nobody has been asked yet.
    pub review: Option<ReviewShape>,
}

/// Where a decision took a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decided {
    /// Where it is now.
    #[serde(flatten)]
    pub now: SettledShape,
    /// Whether the decision has been carried out: told to who asked to wait for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<bool>,
}

/// Groups of errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Groups {
    /// The last seen first.
    pub errors: Vec<ErrorGroupShape>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Who did what by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Audit {
    /// The newest first.
    pub entries: Vec<AuditShape>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What does not fit together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Findings {
    /// A line each; none where all is well.
    pub findings: Vec<String>,
}
