//! What the tests of the runtime share: a store to work on, jobs to enqueue, and ways to wait for what happens.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use windlass_core::{Args, Attempt, AttemptOutcome, JobId, JobState, KindName, NewJob, Reason, Timestamp};
use windlass_memory::MemoryStore;
use windlass_runtime::{Job, Worker, WorkerBuilder};
use windlass_store::{JobStore as _, ManualClock, SharedStore, Store, ids};

use crate::faulty::FaultyStore;

/// Longest wait for something that should happen. By real time for what it is worth; paused time passes at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// 2026-01-01.
const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// A store in memory whose clock stands still, and that can be made to fail.
pub(crate) struct Lab {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<FaultyStore>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let memory = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn windlass_store::Clock>);
        Self { clock, store: Arc::new(FaultyStore::new(Arc::new(memory))) }
    }

    pub(crate) fn shared(&self) -> SharedStore {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    pub(crate) fn worker(&self) -> WorkerBuilder<()> {
        Worker::builder(self.shared()).name("test")
    }

    /// Enqueues a job as its type says.
    pub(crate) async fn enqueue<J: Job>(&self, job: &J) -> JobId {
        self.enqueue_with(job, |_| {}).await
    }

    pub(crate) async fn enqueue_with<J: Job>(&self, job: &J, change: impl FnOnce(&mut NewJob)) -> JobId {
        let mut new = NewJob::new(ids::job_id(), KindName::new(J::KIND).unwrap(), Args::of(job).unwrap());
        new.version = J::VERSION;
        J::defaults(&mut new).unwrap();
        change(&mut new);
        self.store.enqueue(vec![new]).await.unwrap()[0].id
    }

    /// Enqueues `count` equal jobs.
    pub(crate) async fn enqueue_many<J: Job>(&self, count: usize, job: &J) -> Vec<JobId> {
        let new = || NewJob::new(ids::job_id(), KindName::new(J::KIND).unwrap(), Args::of(job).unwrap());
        let enqueued = self.store.enqueue((0..count).map(|_| new()).collect()).await.unwrap();
        enqueued.iter().map(|enqueued| enqueued.id).collect()
    }

    pub(crate) async fn job(&self, id: JobId) -> windlass_core::Job {
        self.store.inner.job(id).await.unwrap()
    }

    pub(crate) async fn attempts(&self, id: JobId) -> Vec<Attempt> {
        self.store.inner.attempts(id).await.unwrap()
    }

    pub(crate) async fn outcomes(&self, id: JobId) -> Vec<Option<AttemptOutcome>> {
        self.attempts(id).await.iter().map(|attempt| attempt.outcome).collect()
    }

    /// Waits until the job is in `state`, and returns it.
    pub(crate) async fn until_state(&self, id: JobId, state: JobState) -> windlass_core::Job {
        self.until(id, |job| job.state == state).await
    }

    /// Waits until the job is final.
    pub(crate) async fn until_final(&self, id: JobId) -> windlass_core::Job {
        self.until(id, |job| job.state.is_final()).await
    }

    pub(crate) async fn until(
        &self,
        id: JobId,
        is_so: impl Fn(&windlass_core::Job) -> bool,
    ) -> windlass_core::Job {
        let (mut patience, mut ended) = (Patience::new(), self.store.inner.signals().ended());
        loop {
            let job = self.job(id).await;
            if is_so(&job) {
                return job;
            }
            tokio::select! {
                () = ended.next() => {}
                () = patience.pause() => {}
            }
        }
    }

    pub(crate) async fn state(&self, id: JobId) -> (JobState, Option<Reason>) {
        let job = self.job(id).await;
        (job.state, job.reason)
    }
}

/// Waits until `is_so`.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let mut patience = Patience::new();
    while !is_so() {
        patience.pause().await;
    }
}

/// Looks often at first, and not for ever.
struct Patience {
    begun: std::time::Instant,
    pause: Duration,
}

impl Patience {
    fn new() -> Self {
        Self { begun: std::time::Instant::now(), pause: Duration::from_millis(1) }
    }

    async fn pause(&mut self) {
        assert!(self.begun.elapsed() < PATIENCE, "it never came to be");
        tokio::time::sleep_until(Instant::now() + self.pause).await;
        self.pause = (self.pause * 2).min(Duration::from_millis(20));
    }
}

/// The shortest wait that lets paused time go on.
async fn pause() {
    tokio::time::sleep_until(Instant::now() + Duration::from_millis(1)).await;
}

/// Lets everything that is ready go on, and paused time by as much as a worker could need for a turn.
pub(crate) async fn settle_down() {
    for _ in 0..20 {
        pause().await;
    }
}

/// A job whose handler is told by its number what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Number(pub(crate) u64);

impl Job for Number {
    const KIND: &'static str = "number";
    type Output = ();
}

/// Another kind of job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Greet {
    pub(crate) name: String,
}

impl Greet {
    pub(crate) fn someone() -> Self {
        Self { name: "Ada".to_owned() }
    }
}

impl Job for Greet {
    const KIND: &'static str = "greet";
    type Output = String;
}
