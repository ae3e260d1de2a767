//! What every scenario starts with: a folder, a store in it, and jobs.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::time::timeout;
use windlass_core::limits::ENQUEUE_BATCH_MAX;
use windlass_core::{Args, JobId, JobState, KindName, NewJob};
use windlass_sqlite::SqliteOptions;
use windlass_store::{EnqueueOutcome, SharedStore, StateCounts, ids};

use crate::Failure;
use crate::process::{PATIENCE, Process, Setup, setup};
use crate::worker::KIND;

/// A folder with a store that this process shares with its workers.
pub struct Scene {
    /// How workers are started in it.
    pub setup: Setup,
    /// The store, opened by this process.
    pub store: SharedStore,
    /// The jobs whose enqueue was acknowledged, in order.
    pub jobs: Vec<JobId>,
    folder: Option<TempDir>,
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene").field("setup", &self.setup).finish_non_exhaustive()
    }
}

impl Scene {
    /// An empty store in a fresh folder.
    ///
    /// # Errors
    ///
    /// When the folder or the store cannot be made.
    pub async fn new(program: &Path) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("windlass-e2e-").tempdir()?;
        let setup = setup(program, folder.path());
        let store = Arc::new(SqliteOptions::new(&setup.store).open().await?);
        Ok(Self { setup, store, jobs: Vec::new(), folder: Some(folder) })
    }

    /// Enqueues `count` jobs, and keeps the ids that were acknowledged.
    ///
    /// # Errors
    ///
    /// When the store refuses them, or answers with anything but new jobs.
    pub async fn enqueue(&mut self, count: usize) -> Result<(), Failure> {
        let mut left = count;
        while left > 0 {
            let batch = left.min(ENQUEUE_BATCH_MAX);
            let enqueued = self.store.enqueue((0..batch).map(|_| job()).collect::<Result<_, _>>()?).await?;
            if enqueued.len() != batch || enqueued.iter().any(|one| one.outcome != EnqueueOutcome::Created) {
                return Err(Failure::new("an enqueue of new jobs answered with something else"));
            }
            self.jobs.extend(enqueued.iter().map(|one| one.id));
            left -= batch;
        }
        Ok(())
    }

    /// Starts a worker.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn worker(&self, name: impl AsRef<str>) -> Result<Process, Failure> {
        Process::start(&self.setup, name.as_ref())
    }

    /// Waits until every job is completed.
    ///
    /// # Errors
    ///
    /// When nothing is completed for as long as [`PATIENCE`], or a job ends otherwise.
    pub async fn until_completed(&self) -> Result<(), Failure> {
        let mut ended = self.store.signals().ended();
        loop {
            let counts = self.counts().await?;
            let (completed, total) = (counts.of(JobState::Completed), counts.total());
            if completed == total {
                return Ok(());
            }
            if counts.of(JobState::Dead) + counts.of(JobState::Cancelled) > 0 {
                return Err(Failure::new("a job ended in another way than by completing"));
            }
            let silence = |_| Failure::new(format!("nothing more happens at {completed} of {total} jobs"));
            timeout(PATIENCE, ended.next()).await.map_err(silence)?;
        }
    }

    /// How many jobs are in each state, over all queues.
    ///
    /// # Errors
    ///
    /// When the store cannot say.
    pub async fn counts(&self) -> Result<StateCounts, Failure> {
        let mut counts = StateCounts::default();
        for queue in self.store.queues().await? {
            for state in JobState::ALL {
                counts.add(*state, queue.counts.of(*state));
            }
        }
        Ok(counts)
    }

    /// The failure with what is needed to look into it. The folder stays.
    #[must_use]
    pub fn blame(&mut self, failure: Failure, seed: u64) -> Failure {
        if let Some(folder) = self.folder.take() {
            let path = folder.keep();
            return Failure::new(format!(
                "{failure}\n  store and witness: {}\n  seed: {seed}",
                path.display()
            ));
        }
        failure
    }
}

fn job() -> Result<NewJob, Failure> {
    let mut job = NewJob::new(ids::job_id(), KindName::new(KIND)?, Args::default());
    // The point is to be killed again and again. Poison has a test of its own.
    job.losses_max = u32::MAX;
    Ok(job)
}
