//! One execution of a job, as it is shown.

use serde::{Deserialize, Serialize};
use windlass_core::{Attempt, AttemptError, AttemptOutcome, Timestamp};

/// One execution of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct AttemptShape {
    /// Which attempt, 1 the first.
    pub number: u64,
    /// The name of the worker that ran it.
    pub worker: String,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AttemptOutcome>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
}

impl From<Attempt> for AttemptShape {
    fn from(attempt: Attempt) -> Self {
        let Attempt { number, worker, started_at, ended_at, outcome, error } = attempt;
        Self { number, worker, started_at, ended_at, outcome, error }
    }
}
