//! Lists of jobs and of what belongs to one; what became of jobs by hand.

use serde::{Deserialize, Serialize};
use windlass_core::JobId;
use windlass_store::CancelOutcome;

use crate::{AttemptShape, EventShape, InputShape, JobShape, LogShape, ProblemShape, RelativeShape};

/// The attempts of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempts {
    /// The first one first.
    pub attempts: Vec<AttemptShape>,
}

/// Log lines of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Logs {
    /// In the order in which they were stored.
    pub lines: Vec<LogShape>,
    /// Where the lines go on that are still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What was done to a job by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Events {
    /// In order.
    pub events: Vec<EventShape>,
}

/// What became of a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CancelShape {
    /// Whether it had started.
    pub outcome: Cancelled,
}

/// What a cancel met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cancelled {
    /// The job had not started, and never will.
    Cancelled,
    /// It was running, and its worker is told.
    Requested,
    /// It had been cancelled before.
    AlreadyCancelled,
}

impl From<CancelOutcome> for CancelShape {
    fn from(outcome: CancelOutcome) -> Self {
        let outcome = match outcome {
            CancelOutcome::Cancelled => Cancelled::Cancelled,
            CancelOutcome::Requested => Cancelled::Requested,
            CancelOutcome::AlreadyCancelled => Cancelled::AlreadyCancelled,
        };
        Self { outcome }
    }
}

impl From<CancelShape> for CancelOutcome {
    fn from(shape: CancelShape) -> Self {
        match shape.outcome {
            Cancelled::Cancelled => Self::Cancelled,
            Cancelled::Requested => Self::Requested,
            Cancelled::AlreadyCancelled => Self::AlreadyCancelled,
        }
    }
}

/// Jobs that match a filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Listed {
    /// The last enqueued first.
    pub jobs: Vec<JobShape>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What it cost to find them.
    pub cost: Cost,
}

/// What a list cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cost {
    /// `indexed`, or `scan` where jobs were looked at one by one.
    pub class: String,
    /// How many were looked at.
    pub looked_at: u32,
}

/// What became of dead jobs that were to be given a new budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Redriven {
    /// Those that have one.
    pub jobs: Vec<JobId>,
    /// Those that could not be given one, and why.
    pub refused: Vec<Refused>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A job that something could not be done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refused {
    /// The job.
    pub job: JobId,
    /// Why.
    pub problem: ProblemShape,
}

/// Jobs at the other end of edges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Relatives {
    /// In the order of the edges.
    pub jobs: Vec<RelativeShape>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What the jobs have made that a job waited for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Inputs {
    /// In the order of the edges.
    pub parents: Vec<InputShape>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The jobs that something was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Touched {
    /// In the order in which they were enqueued.
    pub jobs: Vec<JobId>,
}
