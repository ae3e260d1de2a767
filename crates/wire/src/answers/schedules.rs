//! Lists of schedules and of their ticks; what became of them by hand.

use serde::{Deserialize, Serialize};
use windlass_core::{JobId, ScheduleName};
use windlass_store::{Backfilled, Declared, ScheduleOutcome};

use crate::{FiringShape, ScheduleEventShape, ScheduleShape};

/// Schedules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Schedules {
    /// In the order in which they were made.
    pub schedules: Vec<ScheduleShape>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What a put did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Put {
    /// Whether there was one of this name.
    pub outcome: PutAs,
}

/// What became of the schedule of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PutAs {
    /// It is new.
    Created,
    /// It is what was asked for now.
    Changed,
    /// It had been all along.
    Unchanged,
}

impl From<ScheduleOutcome> for Put {
    fn from(outcome: ScheduleOutcome) -> Self {
        let outcome = match outcome {
            ScheduleOutcome::Created => PutAs::Created,
            ScheduleOutcome::Changed => PutAs::Changed,
            ScheduleOutcome::Unchanged => PutAs::Unchanged,
        };
        Self { outcome }
    }
}

impl From<Put> for ScheduleOutcome {
    fn from(put: Put) -> Self {
        match put.outcome {
            PutAs::Created => Self::Created,
            PutAs::Changed => Self::Changed,
            PutAs::Unchanged => Self::Unchanged,
        }
    }
}

/// What a declaration did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeclaredShape {
    /// Schedules that are new.
    pub created: Vec<ScheduleName>,
    /// Schedules that were changed.
    pub changed: Vec<ScheduleName>,
    /// Schedules that the program does not declare any more.
    pub removed: Vec<ScheduleName>,
}

impl From<Declared> for DeclaredShape {
    fn from(declared: Declared) -> Self {
        let Declared { created, changed, removed } = declared;
        Self { created, changed, removed }
    }
}

impl From<DeclaredShape> for Declared {
    fn from(shape: DeclaredShape) -> Self {
        let DeclaredShape { created, changed, removed } = shape;
        Self { created, changed, removed }
    }
}

/// The job that was made of a schedule by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Made {
    /// Its id.
    pub id: JobId,
}

/// What a backfill did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackfilledShape {
    /// The jobs it made, in the order of their ticks.
    pub jobs: Vec<JobId>,
    /// Ticks of the range that had made their jobs before.
    pub known: u64,
}

impl From<Backfilled> for BackfilledShape {
    fn from(made: Backfilled) -> Self {
        Self { jobs: made.jobs, known: made.known }
    }
}

impl From<BackfilledShape> for Backfilled {
    fn from(shape: BackfilledShape) -> Self {
        Self { jobs: shape.jobs, known: shape.known }
    }
}

/// What became of ticks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Firings {
    /// The newest first.
    pub firings: Vec<FiringShape>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What was done to a schedule by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduleEvents {
    /// In order.
    pub events: Vec<ScheduleEventShape>,
}
