//! What has happened to a job.

use windlass_core::{Attempt, LogLine};
use windlass_store::JobEvent;

use super::JobHandle;
use crate::{Error, paging};

impl<J> JobHandle<J> {
    /// Every attempt that started, the first one first, the open one last: who ran it, how long, and how it ended.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn attempts(&self) -> Result<Vec<Attempt>, Error> {
        self.windlass.store().attempts(self.id).await
    }

    /// What was done to the job by hand, and by whom, in order.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn events(&self) -> Result<Vec<JobEvent>, Error> {
        self.windlass.store().events(self.id).await
    }

    /// What the job's handler logged, in all its attempts, in order. At most about a megabyte is kept of each job.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn logs(&self) -> Result<Vec<LogLine>, Error> {
        paging::all(|page| self.windlass.store().logs(self.id, page)).await
    }
}
