//! One line of a job's log, as it is shown.

use serde::{Deserialize, Serialize};
use windlass_core::{LogLevel, LogLine, Timestamp};

/// One line of a job's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LogShape {
    /// When it was stored.
    pub at: Timestamp,
    /// Which attempt wrote it.
    pub attempt: u64,
    /// How grave it is.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}

impl LogShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["at", "attempt", "level", "message"];
}

impl From<LogLine> for LogShape {
    fn from(line: LogLine) -> Self {
        let LogLine { attempt, at, level, message } = line;
        Self { at, attempt, level, message }
    }
}
