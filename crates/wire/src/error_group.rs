//! A group of errors, as it is shown.

use serde::{Deserialize, Serialize};
use windlass_core::{Fingerprint, JobId, KindName, Timestamp};
use windlass_store::ErrorGroup;

/// Errors of attempts that are the same but for what changes each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ErrorGroupShape {
    /// What they are found by.
    pub fingerprint: Fingerprint,
    /// The kind of their jobs.
    pub kind: KindName,
    /// The type of the error, where the handler's language has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What the messages have in common.
    pub message: String,
    /// How many attempts ended so.
    pub count: u64,
    /// When the first of them ended.
    pub first_at: Timestamp,
    /// When the last of them ended.
    pub last_at: Timestamp,
    /// The job of the last of them, which may be gone.
    pub example: JobId,
}

impl ErrorGroupShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] =
        &["fingerprint", "kind", "class", "message", "count", "first_at", "last_at", "example"];
}

impl From<ErrorGroup> for ErrorGroupShape {
    fn from(group: ErrorGroup) -> Self {
        let ErrorGroup { fingerprint, kind, class, message, count, first_at, last_at, example } = group;
        Self { fingerprint, kind, class, message, count, first_at, last_at, example }
    }
}
