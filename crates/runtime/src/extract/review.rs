//! What a decision of a person is about, for those who carry it out.

use serde::de::DeserializeOwned;
use windlass_core::{Json, Ruling};

use crate::{FromContext, JobCx, JobError};

/// What the job made, which a person has accepted or declined. For functions of
/// [`accepted`](crate::WorkerBuilder::accepted) and [`declined`](crate::WorkerBuilder::declined).
///
/// ```
/// use windlass_core::Ruling;
/// use windlass_runtime::{JobError, Staged};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Import { table: String }
/// async fn publish(job: Import, Staged(rows): Staged<u64>, ruling: Ruling) -> Result<(), JobError> {
///     let by = ruling.by.as_deref().unwrap_or("nobody in particular");
///     println!("{rows} rows of {} were accepted by {by}", job.table);
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staged<T>(pub T);

impl<T: DeserializeOwned, S> FromContext<S> for Staged<T> {
    fn from_context(cx: &JobCx, _state: &S) -> Result<Self, JobError> {
        let settling = cx.settling().ok_or_else(nothing_decided)?;
        // Who made nothing made nothing of the type that stands for it.
        let staged = settling.staged.clone().unwrap_or_else(Json::null);
        let staged = staged.decode().map_err(|error| {
            JobError::from(error).context("what was decided about cannot be read").into_fatal()
        })?;
        Ok(Self(staged))
    }
}

impl<S> FromContext<S> for Ruling {
    fn from_context(cx: &JobCx, _state: &S) -> Result<Self, JobError> {
        cx.settling().map(|settling| settling.ruling.clone()).ok_or_else(nothing_decided)
    }
}

fn nothing_decided() -> JobError {
    JobError::fatal(
        "nobody has decided about this job: `Staged` and `Ruling` are for what follows a decision",
    )
}
