//! What was done to a job by hand, as it is shown.

use serde::{Deserialize, Serialize};
use windlass_core::Timestamp;
use windlass_store::JobEvent;

/// A change that somebody made to a job by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct EventShape {
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub verb: String,
    /// Who did it.
    pub by: String,
    /// Why, if they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The revision of the job that it made.
    pub revision: u64,
}

impl From<JobEvent> for EventShape {
    fn from(event: JobEvent) -> Self {
        let JobEvent { at, verb, by, revision } = event;
        Self { at, verb, by: by.name, reason: by.why, revision }
    }
}
