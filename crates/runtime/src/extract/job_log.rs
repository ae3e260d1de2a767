//! The log of one job.

use std::sync::Arc;

use windlass_core::LogLevel;

use crate::open_attempt::OpenAttempt;

/// The job's own log: lines that are stored with the job, for whoever looks after it.
///
/// Lines are gathered for a moment and stored together, and always before the attempt is settled. Writing never waits.
#[derive(Debug, Clone)]
pub struct JobLog(pub(crate) Arc<OpenAttempt>);

impl JobLog {
    /// Something for whoever debugs the handler.
    pub fn debug(&self, message: impl Into<String>) {
        self.write(LogLevel::Debug, message);
    }

    /// What happened.
    pub fn info(&self, message: impl Into<String>) {
        self.write(LogLevel::Info, message);
    }

    /// What may need a look.
    pub fn warn(&self, message: impl Into<String>) {
        self.write(LogLevel::Warn, message);
    }

    /// What went wrong.
    pub fn error(&self, message: impl Into<String>) {
        self.write(LogLevel::Error, message);
    }

    /// A line of this level.
    pub fn write(&self, level: LogLevel, message: impl Into<String>) {
        self.0.log.push(level, message.into());
    }
}
