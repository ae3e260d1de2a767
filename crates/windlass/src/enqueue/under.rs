//! Enqueueing on behalf of a job that runs, as long as it is still this handler's.

use windlass_runtime::JobCx;

use super::{Enqueue, Enqueued, Many, One};
use crate::Error;
use crate::flow::{EnqueuedFlow, Flow};

impl<J> Enqueue<J, One> {
    /// Enqueues the job if the job that runs in `cx` is still this handler's, which is judged in the commit that makes it: a
    /// handler that was cut off and has lost its lease makes no more jobs beside its successor's.
    ///
    /// It stays, whatever becomes of the attempt: name its [`id`](Self::id), drawn once and kept in a checkpoint, or its
    /// [`unique`](Enqueue::unique) key, so that a second attempt makes no second one.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, JobCx, JobError, Windlass, extract::State};
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "import")]
    /// # struct Import { rows: u32 }
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "check_row")]
    /// # struct CheckRow { row: u32 }
    /// async fn import(job: Import, cx: JobCx, State(windlass): State<Windlass>) -> Result<(), JobError> {
    ///     windlass.enqueue_many((0..job.rows).map(|row| CheckRow { row })).under(&cx).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of awaiting it; `LeaseLost`, `Cancelled`, `NotRunning` when the job is not this handler's any more, and then
    /// nothing was written.
    ///
    /// # Cancel safety
    ///
    /// As that of awaiting it: dropped meanwhile, it may or may not have been done.
    pub async fn under(self, cx: &JobCx) -> Result<Enqueued<J>, Error> {
        let (windlass, jobs) = self.wished()?;
        let answers = windlass.store().enqueue_under(cx.token(), jobs).await?;
        Ok(Enqueued::only(Enqueued::all(&windlass, answers)))
    }
}

impl<J> Enqueue<J, Many> {
    /// Enqueues the jobs if the job that runs in `cx` is still this handler's. See [`under`](Enqueue::under) of a single job.
    ///
    /// # Errors
    ///
    /// Those of a single job, with the place in the field, as in `jobs[3].args`.
    pub async fn under(self, cx: &JobCx) -> Result<Vec<Enqueued<J>>, Error> {
        let (windlass, jobs) = self.wished()?;
        let answers = windlass.store().enqueue_under(cx.token(), jobs).await?;
        Ok(Enqueued::all(&windlass, answers))
    }
}

impl Flow {
    /// Enqueues all of them in one commit if the job that runs in `cx` is still this handler's. See
    /// [`under`](Enqueue::under) of a single job.
    ///
    /// # Errors
    ///
    /// Those of [`enqueue`](Self::enqueue); `LeaseLost`, `Cancelled`, `NotRunning` when the job is not this handler's any
    /// more, and then nothing was written.
    pub async fn enqueue_under(self, cx: &JobCx) -> Result<EnqueuedFlow, Error> {
        let (windlass, jobs) = self.wished()?;
        let answers = windlass.store().enqueue_under(cx.token(), jobs).await?;
        Ok(EnqueuedFlow::new(windlass, answers))
    }
}
