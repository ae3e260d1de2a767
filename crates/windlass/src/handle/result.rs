//! What a job made, or why it made nothing.

use windlass_core::{AttemptError, Job as JobRecord, JobState, Json, Reason};

use super::JobHandle;
use crate::{Error, Job};

impl<J: Job> JobHandle<J> {
    /// Waits until the job has ended, and gives what its handler made.
    ///
    /// Waits as [`wait`](Self::wait) does: as long as it takes, through every retry. The result can be asked for
    /// again, by anyone, until the job is pruned.
    ///
    /// # Errors
    ///
    /// [`ResultError`] says how the job ended instead, or why that could not be learned.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: waiting changes nothing.
    pub async fn result(&self) -> Result<J::Output, ResultError> {
        let job = self.wait().await?;
        match (job.state, job.reason) {
            (JobState::Completed, _) => output::<J>(&job),
            (JobState::Cancelled, Some(reason)) => Err(ResultError::Cancelled { reason, error: job.error }),
            (_, reason) => {
                Err(ResultError::Dead { reason: reason.unwrap_or(Reason::Exhausted), error: job.error })
            }
        }
    }
}

/// What a completed job made. A job that made nothing made `null`, which is what `()` and `None` are read from.
fn output<J: Job>(job: &JobRecord) -> Result<J::Output, ResultError> {
    if job.kind.as_str() != J::KIND {
        let problem = format!("it is of kind {}, not {}", job.kind, J::KIND);
        return Err(ResultError::NotDecodable { problem });
    }
    let null = Json::null();
    let result = job.result.as_ref().unwrap_or(&null);
    result.decode().map_err(|error| ResultError::NotDecodable { problem: error.to_string() })
}

/// Why a job has no result to give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultError {
    /// It was given up.
    #[error("the job is dead ({reason}){}", because(error.as_ref()))]
    Dead {
        /// Why.
        reason: Reason,
        /// What went wrong last, if anything did.
        error: Option<AttemptError>,
    },
    /// It was stopped on purpose.
    #[error("the job was cancelled ({reason}){}", because(error.as_ref()))]
    Cancelled {
        /// By whom or what.
        reason: Reason,
        /// What its handler said, if it was the handler that stopped it.
        error: Option<AttemptError>,
    },
    /// It completed, but what it made is not what its type says.
    #[error("could not read the job's result: {problem}")]
    NotDecodable {
        /// What does not fit.
        problem: String,
    },
    /// The store could not be asked, or does not know the job.
    #[error(transparent)]
    Store(#[from] Error),
}

fn because(error: Option<&AttemptError>) -> String {
    error.map(|error| format!(": {}", error.message)).unwrap_or_default()
}
