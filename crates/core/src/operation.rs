//! Operations: one verb on many jobs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::words::words;
use crate::{Invalid, JobState};

words! {
    /// What can be done to many jobs.
    BulkVerb, "verb" {
        /// Stop them on purpose.
        Cancel = 1 "cancel",
        /// Give them a new budget of attempts.
        Retry = 2 "retry",
        /// Make them due now.
        RunNow = 3 "run_now",
        /// Enqueue further copies of them.
        Rerun = 4 "rerun",
        /// Remove them.
        Delete = 5 "delete",
    }
}

words! {
    /// How far an operation has come.
    OperationState, "state" {
        /// The jobs are being selected.
        Selecting = 1 "selecting",
        /// It is being done.
        Running = 2 "running",
        /// It stands still until somebody lets it go on.
        Paused = 3 "paused",
        /// It was done to all, or, of a dry run, would be.
        Done = 4 "done",
        /// Somebody stopped it.
        Aborted = 5 "aborted",
        /// It could not go on.
        Failed = 6 "failed",
    }
}

impl BulkVerb {
    /// Whether the verb can be meant for jobs in this state at all: `cancel` of everything in a queue is not meant for what
    /// has ended. Whether it can be done is for the store to say.
    #[must_use]
    pub const fn is_meant_for(self, state: JobState) -> bool {
        match self {
            Self::Cancel => !state.is_final(),
            Self::Retry => matches!(state, JobState::Dead | JobState::Cancelled | JobState::Retryable),
            Self::RunNow => matches!(state, JobState::Scheduled | JobState::Retryable),
            Self::Rerun => state.is_final(),
            Self::Delete => true,
        }
    }
}

impl OperationState {
    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Aborted | Self::Failed)
    }
}
