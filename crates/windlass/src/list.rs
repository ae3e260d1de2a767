//! [`Jobs`]: a list of jobs, read page by page.

use std::fmt;
use std::vec;

use windlass_core::Job as JobRecord;
use windlass_core::limits::PAGE_MAX;
use windlass_store::{JobFilter, PageRequest, SharedStore};

use crate::Error;

/// Jobs that match a filter, newest first, made by [`Windlass::jobs`](crate::Windlass::jobs).
///
/// ```
/// # use windlass::Windlass;
/// # use windlass::model::JobState;
/// # use windlass::store::JobFilter;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), windlass::Error> {
/// # let windlass = Windlass::in_memory();
/// let mut dead = windlass.jobs(JobFilter { states: vec![JobState::Dead], ..JobFilter::default() });
/// while let Some(job) = dead.next().await? {
///     println!("{} {}", job.id, job.kind);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is read until the first job is asked for"]
pub struct Jobs {
    store: SharedStore,
    filter: JobFilter,
    /// The page to read when the present one is used up; none after the last.
    ahead: Option<PageRequest>,
    page: vec::IntoIter<JobRecord>,
}

impl Jobs {
    pub(crate) fn new(store: SharedStore, filter: JobFilter) -> Self {
        Self { store, filter, ahead: Some(PageRequest::first(PAGE_MAX)), page: Vec::new().into_iter() }
    }

    /// The next job; none after the last. Each page is read when it is reached, so a job that changes meanwhile is
    /// shown as it was or as it is.
    ///
    /// # Errors
    ///
    /// `Unavailable`: asking again goes on at the same place.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no job is skipped.
    pub async fn next(&mut self) -> Result<Option<JobRecord>, Error> {
        loop {
            if let Some(job) = self.page.next() {
                return Ok(Some(job));
            }
            let Some(request) = self.ahead else { return Ok(None) };
            let page = self.store.jobs(self.filter.clone(), request).await?;
            self.ahead = page.next.map(|next| request.after(Some(next)));
            self.page = page.items.into_iter();
        }
    }

    /// All jobs that are left, in one list. Mind how many there may be.
    ///
    /// # Errors
    ///
    /// Those of [`next`](Self::next); what had been read is then lost.
    pub async fn all(mut self) -> Result<Vec<JobRecord>, Error> {
        let mut jobs = Vec::new();
        while let Some(job) = self.next().await? {
            jobs.push(job);
        }
        Ok(jobs)
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").field("filter", &self.filter).finish_non_exhaustive()
    }
}
