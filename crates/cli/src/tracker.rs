//! Follows the jobs of a run until each is final.

use std::collections::HashSet;
use std::time::Duration;

use windlass_core::{Job, JobId, JobState};
use windlass_store::{ErrorKind, SharedStore, StoreError};

use crate::progress::Counts;

/// How many jobs one look asks for beyond those that were hinted at. What ends here is hinted at; this finds what
/// others do: another worker, an operator, a deadline.
const SWEEP: usize = 200;

/// Failures that are told one by one; of more, only the number.
const FAILURES_TOLD: usize = 20;

/// How many of the slowest are told.
const SLOWEST_TOLD: usize = 3;

/// Follows jobs until each is final.
#[derive(Debug)]
pub(crate) struct Tracker {
    all: Vec<JobId>,
    open: HashSet<JobId>,
    /// Jobs that may have become final just now.
    hints: Vec<JobId>,
    /// Those that waited for a further attempt when they were last looked at.
    retrying: HashSet<JobId>,
    /// Those that some worker had then.
    running: HashSet<JobId>,
    /// Where the next sweep goes on.
    next: usize,
    pub(crate) found: Found,
}

/// What became of the jobs.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) completed: usize,
    pub(crate) dead: usize,
    pub(crate) cancelled: usize,
    /// Deleted or pruned before they were seen to be final.
    pub(crate) gone: usize,
    /// The first ones that did not complete.
    pub(crate) failures: Vec<Failure>,
    /// The longest attempts, longest first.
    pub(crate) slowest: Vec<(Duration, JobId, String)>,
}

/// A job that did not complete.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) job: Job,
}

impl Tracker {
    /// Follows `jobs`.
    pub(crate) fn new(jobs: Vec<JobId>) -> Self {
        let open = jobs.iter().copied().collect();
        Self {
            all: jobs,
            open,
            hints: Vec::new(),
            retrying: HashSet::new(),
            running: HashSet::new(),
            next: 0,
            found: Found::default(),
        }
    }

    /// How many are where.
    pub(crate) fn counts(&self) -> Counts {
        let total = self.all.len();
        let done = total - self.open.len();
        let failed = done - self.found.completed;
        Counts { total, done, failed, retrying: self.retrying.len(), running: self.running.len() }
    }

    /// Whether every job is final.
    pub(crate) fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    /// Looks at `job` before others.
    pub(crate) fn hint(&mut self, job: JobId) {
        if self.open.contains(&job) {
            self.hints.push(job);
        }
    }

    /// Looks at what may have ended, and at some of the rest.
    pub(crate) async fn look(&mut self, store: &SharedStore) -> Result<(), StoreError> {
        // While hints come in, the rest can wait: each question costs time that the jobs could have.
        let sweep = if self.hints.is_empty() { SWEEP } else { SWEEP / 10 };
        for id in std::mem::take(&mut self.hints) {
            if self.open.contains(&id) && self.look_at(id, store).await? == Some(JobState::Running) {
                // Its end is on the way to the store.
                self.hints.push(id);
            }
        }
        let mut asked = 0;
        for _ in 0..self.all.len() {
            if asked == sweep {
                break;
            }
            let id = self.all[self.next];
            self.next = (self.next + 1) % self.all.len();
            if self.open.contains(&id) {
                asked += 1;
                self.look_at(id, store).await?;
            }
        }
        Ok(())
    }

    /// Looks at every job that is still open.
    pub(crate) async fn look_at_all(&mut self, store: &SharedStore) -> Result<(), StoreError> {
        for index in 0..self.all.len() {
            let id = self.all[index];
            if self.open.contains(&id) {
                self.look_at(id, store).await?;
            }
        }
        Ok(())
    }

    async fn look_at(&mut self, id: JobId, store: &SharedStore) -> Result<Option<JobState>, StoreError> {
        let job = match store.job(id).await {
            Ok(job) => job,
            Err(error) if *error.kind() == ErrorKind::NotFound => {
                self.open.remove(&id);
                self.retrying.remove(&id);
                self.running.remove(&id);
                self.found.gone += 1;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let state = job.state;
        note(&mut self.retrying, id, state == JobState::Retryable);
        note(&mut self.running, id, state == JobState::Running);
        if state.is_final() {
            self.open.remove(&id);
            self.found.add(job);
        }
        Ok(Some(state))
    }
}

/// Keeps in `set` whether `id` belongs there.
fn note(set: &mut HashSet<JobId>, id: JobId, belongs: bool) {
    if belongs {
        set.insert(id);
    } else {
        set.remove(&id);
    }
}

impl Found {
    /// How many failures are not told one by one.
    pub(crate) const fn failures_untold(&self) -> usize {
        self.dead + self.cancelled - self.failures.len()
    }

    fn add(&mut self, job: Job) {
        if let (Some(started), Some(finished)) = (job.started_at, job.finished_at) {
            self.slowest.push((finished.since(started), job.id, job.kind.to_string()));
            self.slowest.sort_by_key(|slow| std::cmp::Reverse(slow.0));
            self.slowest.truncate(SLOWEST_TOLD);
        }
        match job.state {
            JobState::Completed => {
                self.completed += 1;
                return;
            }
            JobState::Cancelled => self.cancelled += 1,
            _ => self.dead += 1,
        }
        if self.failures.len() < FAILURES_TOLD {
            self.failures.push(Failure { job });
        }
    }
}
