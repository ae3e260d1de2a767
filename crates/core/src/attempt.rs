//! Attempts: how they end, what goes wrong in them, and what becomes of their jobs.

mod ending;
mod error;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Json, Limits, Timestamp};

pub use ending::{Ending, Next, Running, lose, settle};
pub use error::{AttemptError, safe_text};

/// How an attempt ended. *Attempts fail; jobs die.*
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// The work was done.
    Succeeded = 1,
    /// The work failed.
    Failed = 2,
    /// The work took longer than it may.
    TimedOut = 3,
    /// The lease expired: the process died, hung or was cut off.
    Lost = 4,
    /// The worker shut down. Not counted.
    Interrupted = 5,
    /// The handler asked to wait. Not counted.
    Snoozed = 6,
    /// The job was cancelled while it ran.
    Cancelled = 7,
}

impl AttemptOutcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Lost,
        Self::Interrupted,
        Self::Snoozed,
        Self::Cancelled,
    ];

    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Lost => "lost",
            Self::Interrupted => "interrupted",
            Self::Snoozed => "snoozed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The number stores keep.
    #[must_use]
    pub const fn as_number(self) -> u8 {
        self as u8
    }

    /// The outcome that stores keep as `number`, if there is one.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| i64::from(outcome.as_number()) == number)
    }
}

impl std::fmt::Display for AttemptOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// One execution of a job, as history tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which attempt, 1 the first. Every start counts here, also those that cost the job nothing.
    pub number: u64,
    /// The name of the worker that ran it.
    pub worker: String,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// When it ended; none while it runs.
    pub ended_at: Option<Timestamp>,
    /// How it ended; none while it runs.
    pub outcome: Option<AttemptOutcome>,
    /// What went wrong, if something did.
    pub error: Option<AttemptError>,
}

/// What a worker says of an attempt when it gives the lease back.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// The work is done.
    Succeeded {
        /// What it made, if anything; `null` is a result too.
        result: Option<Json>,
    },
    /// The work is done, and there was nothing to change. Skips review.
    Unchanged {
        /// What it found, if anything.
        result: Option<Json>,
    },
    /// The work failed. Another attempt may succeed.
    Failed {
        /// What went wrong.
        error: AttemptError,
        /// When to try again, instead of what the job's policy says.
        retry_after: Option<Duration>,
    },
    /// The work cannot succeed, however often it is tried.
    Fatal {
        /// What went wrong.
        error: AttemptError,
    },
    /// The handler cannot read the args. No attempt is burned on a retry.
    Undecodable {
        /// What could not be read.
        error: AttemptError,
    },
    /// The work took longer than its timeout, or than its deadline.
    TimedOut {
        /// What is known of it.
        error: AttemptError,
    },
    /// The handler asks to wait. The attempt is not counted.
    Snoozed {
        /// For how long.
        delay: Duration,
    },
    /// The handler stops the job on purpose.
    Cancelled {
        /// Why.
        error: AttemptError,
    },
    /// The worker shuts down and gives the started attempt back. Not counted.
    Interrupted,
    /// The worker gives a leased job back that it never started. Not counted, and no attempt is recorded.
    Released,
}

impl Verdict {
    /// The outcome that its attempt is counted as; none for one that was never started. What the store records may be another,
    /// where the job was cancelled meanwhile.
    #[must_use]
    pub const fn outcome(&self) -> Option<AttemptOutcome> {
        match self {
            Self::Succeeded { .. } | Self::Unchanged { .. } => Some(AttemptOutcome::Succeeded),
            Self::Failed { .. } | Self::Fatal { .. } | Self::Undecodable { .. } => {
                Some(AttemptOutcome::Failed)
            }
            Self::TimedOut { .. } => Some(AttemptOutcome::TimedOut),
            Self::Snoozed { .. } => Some(AttemptOutcome::Snoozed),
            Self::Cancelled { .. } => Some(AttemptOutcome::Cancelled),
            Self::Interrupted => Some(AttemptOutcome::Interrupted),
            Self::Released => None,
        }
    }

    /// The verdict as it can be stored: a result that is too large makes the attempt a failed one.
    #[must_use]
    pub fn within(self, limits: &Limits) -> Self {
        match self {
            Self::Succeeded { result: Some(result) } | Self::Unchanged { result: Some(result) }
                if result.as_bytes().len() > limits.result_bytes_max =>
            {
                let (bytes, most) = (result.as_bytes().len(), limits.result_bytes_max);
                let error = AttemptError::new(format!(
                    "the result is {bytes} bytes long; at most {most} can be stored"
                ));
                Self::Failed { error, retry_after: None }
            }
            other => other,
        }
    }

    /// The error it carries, if any.
    #[must_use]
    pub const fn error(&self) -> Option<&AttemptError> {
        match self {
            Self::Failed { error, .. }
            | Self::Fatal { error }
            | Self::Undecodable { error }
            | Self::TimedOut { error }
            | Self::Cancelled { error } => Some(error),
            _ => None,
        }
    }

    /// What a job says went wrong last, once it is settled so; `before` is what it said until now. Success clears
    /// it, and what is not counted leaves it.
    #[must_use]
    pub fn error_after(&self, before: Option<AttemptError>) -> Option<AttemptError> {
        match self {
            Self::Succeeded { .. } | Self::Unchanged { .. } => None,
            _ => self.error().cloned().or(before),
        }
    }

    /// The result it carries, if any.
    #[must_use]
    pub const fn result(&self) -> Option<&Json> {
        match self {
            Self::Succeeded { result } | Self::Unchanged { result } => result.as_ref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
