//! A job's own log: its lines, and how much of them is kept.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::limits::LOG_BYTES_MAX;

/// How grave a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For whoever debugs the handler.
    Debug = 1,
    /// What happened.
    Info = 2,
    /// What may need a look.
    Warn = 3,
    /// What went wrong.
    Error = 4,
}

impl LogLevel {
    /// Every level, the least grave first.
    pub const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The number stores keep.
    #[must_use]
    pub const fn as_number(self) -> u8 {
        self as u8
    }

    /// The level that stores keep as `number`, if there is one.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|level| i64::from(level.as_number()) == number)
    }
}

/// One line of a job's own log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Which attempt wrote it.
    pub attempt: u64,
    /// When it was stored.
    pub at: Timestamp,
    /// How grave it is.
    pub level: LogLevel,
    /// What it says, safe to show.
    pub message: String,
}

/// The line that stands where a job's log was cut, at [`LogLevel::Warn`].
pub const LOG_CUT: &str = "… [log cut: it reached 1 MiB, and later lines are not kept]";

/// How full a job's log is, as the one number that stores keep of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogFill(usize);

/// What becomes of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFate {
    /// It is kept.
    Kept,
    /// [`LOG_CUT`] is kept in its place, and the log is closed.
    Cut,
    /// The log is closed: it is dropped.
    Dropped,
}

impl LogFill {
    /// A log of which stores keep this number; 0 when nothing was logged.
    #[must_use]
    pub const fn from_number(bytes: usize) -> Self {
        Self(bytes)
    }

    /// The number that stores keep: bytes of messages so far, and more than the bound once the log is closed.
    #[must_use]
    pub const fn as_number(self) -> usize {
        self.0
    }

    /// Decides on the next line, whose message (made safe) is `bytes` long. An empty one counts as one byte: lines
    /// without end must not be free.
    pub const fn admit(&mut self, bytes: usize) -> LogFate {
        if self.0 > LOG_BYTES_MAX {
            return LogFate::Dropped;
        }
        self.0 = self.0.saturating_add(if bytes == 0 { 1 } else { bytes });
        if self.0 > LOG_BYTES_MAX { LogFate::Cut } else { LogFate::Kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_cut_once_and_stays_closed() {
        let mut fill = LogFill::default();

        let fates = [LOG_BYTES_MAX - 2, 1, 0, 0, 0, 1].map(|bytes| fill.admit(bytes));

        let kept = LogFate::Kept;
        assert_eq!(fates, [kept, kept, kept, LogFate::Cut, LogFate::Dropped, LogFate::Dropped]);
    }
}
