//! What every scenario starts with: a folder, a store, and jobs.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until, timeout};
use windlass_core::limits::ENQUEUE_BATCH_MAX;
use windlass_core::{Args, JobId, JobState, KindName, NewJob};
use windlass_postgres_testing::{Cluster, Config};
use windlass_store::{EnqueueOutcome, NewWorker, SharedStore, StateCounts, StoreError, ids};

use crate::Failure;
use crate::address::{Address, Engine};
use crate::process::{PATIENCE, Process, Setup, setup};
use crate::worker::KIND;

/// How soon to look again for what this process is not told of: the end of a job in another.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The lease of a worker that nobody harms.
const LEASE_OF_SURVIVOR: Duration = Duration::from_secs(60);

/// A store that this process shares with its workers, and a folder for what they leave.
pub struct Scene {
    /// How workers are started in it.
    pub setup: Setup,
    /// The store, opened by this process.
    pub store: SharedStore,
    /// The jobs whose enqueue was acknowledged, in order.
    pub jobs: Vec<JobId>,
    folder: Option<TempDir>,
    /// Where the database is, if the store is in one.
    cluster: Option<Cluster>,
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene").field("setup", &self.setup).finish_non_exhaustive()
    }
}

impl Scene {
    /// An empty store: in a fresh folder, or on a fresh cluster.
    ///
    /// # Errors
    ///
    /// When the folder, the cluster or the store cannot be made.
    pub async fn new(program: &Path, engine: Engine) -> Result<Self, Failure> {
        if engine == Engine::Postgres {
            return Self::on_cluster(program, Config::durable()).await;
        }
        let folder = folder()?;
        let address = Address::File(folder.path().join("jobs.db"));
        Self::at(program, address, folder).await
    }

    /// An empty store on a fresh cluster.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub async fn on_cluster(program: &Path, config: Config) -> Result<Self, Failure> {
        let cluster = spawn_blocking(move || Cluster::start(config)).await??;
        let address = Address::Database(cluster.url().to_owned());
        let scene = Self::at(program, address, folder()?).await?;
        Ok(Self { cluster: Some(cluster), ..scene })
    }

    async fn at(program: &Path, address: Address, folder: TempDir) -> Result<Self, Failure> {
        let store = address.open().await?;
        let setup = setup(program, address, folder.path());
        Ok(Self { setup, store, jobs: Vec::new(), folder: Some(folder), cluster: None })
    }

    /// Does something to the cluster that takes its time, on a thread that may wait for it.
    ///
    /// # Errors
    ///
    /// When there is none, or what the cluster says.
    pub async fn cluster<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut Cluster) -> Result<T, windlass_postgres_testing::Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut cluster = self.cluster.take().ok_or_else(|| Failure::new("the store is on no cluster"))?;
        let acted = spawn_blocking(move || {
            let done = act(&mut cluster);
            (cluster, done)
        });
        let (cluster, done) = acted.await?;
        self.cluster = Some(cluster);
        Ok(done?)
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

    /// Starts a worker that nobody will harm. Its lease is longer than any moment in which the machine stands still, so what it
    /// loses it has lost by its own fault.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn survivor(&self, name: impl AsRef<str>) -> Result<Process, Failure> {
        Process::start(&Setup { lease: LEASE_OF_SURVIVOR, ..self.setup.clone() }, name.as_ref())
    }

    /// Starts a worker that is to be killed, and loses nothing before. Once it is dead, it is to be [buried](Self::bury).
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn victim(&self, name: impl AsRef<str>) -> Result<Process, Failure> {
        self.survivor(name)
    }

    /// Shortens the lease of a process that is dead, since that of one that must not lose anything while it lives would
    /// outlast the run. What it held is lost as ever, when nobody has extended the lease to its end.
    ///
    /// # Errors
    ///
    /// When the store cannot.
    pub async fn bury(&self, name: &str) -> Result<(), Failure> {
        let workers = surely(|| self.store.workers(Duration::ZERO)).await?;
        for dead in workers.into_iter().filter(|worker| worker.registered.name == name) {
            let shortened = NewWorker { lease: self.setup.lease, ..dead.registered };
            surely(|| self.store.register(shortened.clone())).await?;
        }
        Ok(())
    }

    /// Waits until every job is completed.
    ///
    /// # Errors
    ///
    /// When nothing is completed for as long as [`PATIENCE`], or a job ends otherwise.
    pub async fn until_completed(&self) -> Result<(), Failure> {
        let mut ended = self.store.signals().ended();
        let mut moved = (0, Instant::now());
        loop {
            let counts = self.counts().await?;
            let (completed, total) = (counts.of(JobState::Completed), counts.total());
            if completed == total {
                return Ok(());
            }
            if counts.of(JobState::Dead) + counts.of(JobState::Cancelled) > 0 {
                return Err(Failure::new("a job ended in another way than by completing"));
            }
            if completed > moved.0 {
                moved = (completed, Instant::now());
            }
            if moved.1.elapsed() > PATIENCE {
                return Err(Failure::new(format!("nothing more happens at {completed} of {total} jobs")));
            }
            // Told only by a store in a file; a store in a database has to be asked.
            let _ = timeout(LOOK_AGAIN, ended.next()).await;
        }
    }

    /// How many jobs are in each state, over all queues.
    ///
    /// # Errors
    ///
    /// When the store cannot say.
    pub async fn counts(&self) -> Result<StateCounts, Failure> {
        let mut counts = StateCounts::default();
        for queue in surely(|| self.store.queues()).await? {
            for state in JobState::ALL {
                counts.add(*state, queue.counts.of(*state));
            }
        }
        Ok(counts)
    }

    /// The failure with what is needed to look into it. The folder stays.
    #[must_use]
    pub fn blame(&mut self, failure: Failure, seed: u64) -> Failure {
        let log = self.cluster.as_ref().map_or_else(String::new, |cluster| {
            format!("\n  the end of the server's log:\n{}", cluster.log_tail())
        });
        if let Some(folder) = self.folder.take() {
            let path = folder.keep();
            return Failure::new(format!(
                "{failure}\n  store and witness: {}\n  seed: {seed}{log}",
                path.display()
            ));
        }
        failure
    }
}

/// Asks a store that may just be coming back, until it answers something that lasts.
///
/// # Errors
///
/// What it answers that no waiting mends; and what it still answers after [`PATIENCE`].
pub async fn surely<T, F>(mut ask: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let begun = Instant::now();
    loop {
        match ask().await {
            Err(error) if error.is_transient() && begun.elapsed() < PATIENCE => {
                sleep_until(Instant::now() + LOOK_AGAIN).await;
            }
            answer => return answer,
        }
    }
}

fn folder() -> Result<TempDir, Failure> {
    Ok(tempfile::Builder::new().prefix("windlass-e2e-").tempdir()?)
}

/// A job for the workers of all scenarios.
///
/// # Errors
///
/// None that anybody has seen: its kind is a good one.
pub fn job() -> Result<NewJob, Failure> {
    let mut job = NewJob::new(ids::job_id(), KindName::new(KIND)?, Args::default());
    // The point is to be killed again and again. Poison has a test of its own.
    job.losses_max = u32::MAX;
    Ok(job)
}
