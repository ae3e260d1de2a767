//! Jobs for handlers that know them by nothing but their kind.

use std::ops::Deref;

use serde::de::DeserializeOwned;
use windlass_core::Args;

use crate::{JobCx, JobError};

/// A job as it is stored, for a handler of [`handle_kind`](crate::WorkerBuilder::handle_kind) or
/// [`handle_any`](crate::WorkerBuilder::handle_any). It is also the job's whole context.
#[derive(Debug, Clone)]
pub struct RawJob(pub(crate) JobCx);

impl RawJob {
    /// What it is to work on.
    #[must_use]
    pub fn args(&self) -> &Args {
        &self.0.0.leased.args
    }

    /// Reads JSON args into `T`.
    ///
    /// # Errors
    ///
    /// When they are not a `T`; fatal, as no further attempt can mend that.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        self.args().decode().map_err(|error| JobError::from(error).into_fatal())
    }

    /// Its context.
    #[must_use]
    pub fn cx(&self) -> &JobCx {
        &self.0
    }
}

impl Deref for RawJob {
    type Target = JobCx;

    fn deref(&self) -> &JobCx {
        &self.0
    }
}
