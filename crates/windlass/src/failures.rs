//! What a program asks about what goes wrong: errors in groups, and a new budget for the jobs that died of them.

use windlass_core::limits::PAGE_MAX;
use windlass_core::{Fingerprint, JobId};
use windlass_store::{ErrorFilter, ErrorGroup, JobFilter, PageRequest};

use crate::{Error, Windlass, paging};

/// What became of jobs that were to be given a new budget together.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Redriven {
    /// Those that have one.
    pub jobs: Vec<JobId>,
    /// Those that could not be given one, and why: somebody else did it first, or another job has the unique key.
    pub refused: Vec<(JobId, Error)>,
}

impl Windlass {
    /// What goes wrong, in groups of errors that are the same but for what changes each time, the one seen last first. At most
    /// ten thousand groups are kept.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::prelude::*;
    /// use windlass::store::{ErrorFilter, JobFilter};
    ///
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "send_email", attempts = 1)]
    /// # struct SendEmail { to: String }
    /// # async fn send_email(_: SendEmail) -> Result<(), JobError> { Err(JobError::new("no route to host 10.0.0.7")) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let windlass = Windlass::in_memory();
    /// # let worker = windlass.worker().handle(send_email).build()?.start();
    /// # windlass.enqueue(SendEmail { to: "ada@example.com".into() }).await?.handle().wait().await?;
    /// # worker.stop().await;
    /// for group in windlass.error_groups(ErrorFilter::default()).await? {
    ///     println!("{} times, last at {}: {}", group.count, group.last_at, group.message);
    ///     // When what was wrong has been mended:
    ///     let dead_of_it = JobFilter { fingerprint: Some(group.fingerprint), ..JobFilter::default() };
    ///     let redriven = windlass.redrive(dead_of_it).await?;
    ///     println!("{} jobs are tried again", redriven.jobs.len());
    /// #   assert_eq!((group.count, redriven.jobs.len()), (1, 1));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn error_groups(&self, filter: ErrorFilter) -> Result<Vec<ErrorGroup>, Error> {
        paging::all(|page| self.store().error_groups(filter.clone(), page)).await
    }

    /// One group of errors. Its jobs are those that [`JobFilter::fingerprint`] finds.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn error_group(&self, fingerprint: Fingerprint) -> Result<ErrorGroup, Error> {
        self.store().error_group(fingerprint).await
    }

    /// Gives every dead job that matches a new budget, as [`JobHandle::retry`](crate::JobHandle::retry) does, whatever the
    /// filter says of states. Each stands for itself: one that is refused does not touch the others.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Unknown`: some may have been given theirs, and asking again goes on with the others.
    ///
    /// # Cancel safety
    ///
    /// A dropped future has given some of them a new budget; asking again goes on.
    pub async fn redrive(&self, filter: JobFilter) -> Result<Redriven, Error> {
        let (mut redriven, mut request) = (Redriven::default(), PageRequest::first(PAGE_MAX));
        loop {
            let done = self.store().redrive(filter.clone(), request, self.actor()).await?;
            redriven.jobs.extend(done.jobs);
            redriven.refused.extend(done.refused);
            match done.next {
                Some(next) => request = request.after(Some(next)),
                None => return Ok(redriven),
            }
        }
    }
}
