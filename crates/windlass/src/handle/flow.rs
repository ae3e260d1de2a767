//! The jobs that a job waits for, and those that wait for it.

use windlass_core::JobId;
use windlass_store::{ErrorTree, Flow, Input, Relative};

use super::JobHandle;
use crate::{Error, paging};

impl<J> JobHandle<J> {
    /// The jobs that this one was told to wait for, in the order in which it was told so.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn parents(&self) -> Result<Vec<Relative>, Error> {
        paging::all(|page| self.windlass.store().parents(self.id, page)).await
    }

    /// The jobs that were told to wait for this one.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn children(&self) -> Result<Vec<Relative>, Error> {
        paging::all(|page| self.windlass.store().children(self.id, page)).await
    }

    /// What this job is given by those that it waited for: what they made, or what went wrong. Its handler has the same as
    /// [`Parents`](crate::extract::Parents).
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn inputs(&self) -> Result<Vec<Input>, Error> {
        paging::all(|page| self.windlass.store().inputs(self.id, page)).await
    }

    /// What is to blame if the job went wrong: its own error, and below it those of the jobs it waited for, down to the roots.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn error_tree(&self) -> Result<ErrorTree, Error> {
        self.windlass.store().error_tree(self.id).await
    }

    /// The job with all that it is connected with by waiting.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn flow(&self) -> Result<Flow, Error> {
        self.windlass.store().flow(self.id).await
    }

    /// Cancels every unfinished job of the flow that this one belongs to. Answers which they were.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Invalid(flow)` for one of more than 10,000 jobs.
    pub async fn cancel_flow(&self) -> Result<Vec<JobId>, Error> {
        self.windlass.store().cancel_flow(self.id, self.windlass.actor()).await
    }

    /// Gives every dead or cancelled job of the flow that this one belongs to a new budget: those that wait for others wait
    /// again. Answers which they were.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` while the attempt of a cancelled job still runs; `Invalid(flow)` for one of more than 10,000 jobs.
    pub async fn retry_flow(&self) -> Result<Vec<JobId>, Error> {
        self.windlass.store().retry_flow(self.id, self.windlass.actor()).await
    }

    /// Removes this job, and of the jobs that it waited for, and those they waited for, the ones that no other job waits for or
    /// did: all of them or none. Answers which they were.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` while one of them runs, or an unfinished job waits for this one; `Invalid(flow)` for a flow of more
    /// than 10,000 jobs.
    pub async fn delete_flow(&self) -> Result<Vec<JobId>, Error> {
        self.windlass.store().delete_flow(self.id, self.windlass.actor()).await
    }
}
