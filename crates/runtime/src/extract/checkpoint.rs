//! Where a later attempt goes on.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use windlass_core::Json;
use windlass_store::StoreError;

use crate::open_attempt::OpenAttempt;
use crate::{FromContext, JobCx, JobError};

/// Where an earlier attempt wanted the job to go on, and where this one says it for a later one.
///
/// A checkpoint survives every end of the attempt: a crash, a failure, a shutdown.
///
/// ```
/// use windlass_runtime::{Checkpoint, JobError};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Import { rows: u64 }
/// async fn import(job: Import, at: Checkpoint<u64>) -> Result<(), JobError> {
///     for row in at.get().copied().unwrap_or(0)..job.rows {
///         // ... import the row ...
///         at.save(&(row + 1)).await?;
///     }
///     Ok(())
/// }
/// ```
pub struct Checkpoint<T> {
    value: Option<T>,
    attempt: Arc<OpenAttempt>,
}

impl<T: DeserializeOwned> Checkpoint<T> {
    pub(crate) fn of(attempt: &Arc<OpenAttempt>) -> Result<Self, JobError> {
        let stored = attempt.leased.checkpoint.as_ref();
        let value = stored.map(Json::decode).transpose().map_err(|error| {
            let error = JobError::from(error);
            error.context("the checkpoint of an earlier attempt cannot be read").into_fatal()
        })?;
        Ok(Self { value, attempt: Arc::clone(attempt) })
    }
}

impl<T> Checkpoint<T> {
    /// What an earlier attempt saved last; none in the first one.
    #[must_use]
    pub const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl<T: Serialize> Checkpoint<T> {
    /// Stores where a later attempt should go on. It replaces what was stored before.
    ///
    /// # Errors
    ///
    /// `Invalid` when it is too large or has no JSON form; `LeaseLost` or `Cancelled` when the attempt should stop.
    pub async fn save(&self, value: &T) -> Result<(), StoreError> {
        let stored = Json::of("checkpoint", value)
            .map_err(|invalid| StoreError::invalid("store a checkpoint", invalid))?;
        let Some(store) = &self.attempt.store else { return Ok(()) };
        self.attempt.heed(store.checkpoint(self.attempt.token(), stored).await)
    }
}

impl<T: fmt::Debug> fmt::Debug for Checkpoint<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Checkpoint").field(&self.value).finish()
    }
}

impl<T: DeserializeOwned, S> FromContext<S> for Checkpoint<T> {
    fn from_context(cx: &JobCx, _state: &S) -> Result<Self, JobError> {
        cx.checkpoint()
    }
}
