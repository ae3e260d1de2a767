//! [`TestQueue::drain`]: everything that is ready is run, and then it is over.

use std::collections::HashMap;
use std::time::Duration;

use windlass_core::{AttemptError, Job as JobRecord, JobId, JobState};
use windlass_runtime::WorkerBuilder;
use windlass_store::{JobFilter, QueueSummary, Worker};

use super::TestQueue;

/// How long a drain waits for a hint before it looks again: a job that is to be tried again later gives none.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// A job that was changed this often while time stood still is taken for one whose handler asks to be run at once
/// again, for ever. Each attempt changes it twice.
const REVISIONS_MAX: u64 = 2_000;

/// What a [drain](TestQueue::drain) did: how many attempts it ran, and what has become of their jobs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drained {
    /// Attempts that were run. A job that was tried twice counts twice.
    pub ran: usize,
    /// Jobs that are completed.
    pub completed: usize,
    /// Jobs that failed and will be tried again, which they are once time has [gone on](TestQueue::advance).
    pub retryable: usize,
    /// Jobs that asked to wait.
    pub snoozed: usize,
    /// Jobs that were cancelled.
    pub cancelled: usize,
    /// Jobs that were given up.
    pub dead: usize,
    /// What went wrong, attempt by attempt.
    pub errors: Vec<AttemptError>,
}

impl TestQueue {
    /// Runs everything that is ready until nothing is left that `worker` could do, also what handlers enqueue
    /// meanwhile; then stops the worker.
    ///
    /// It is a real worker, built the way the program builds it; only its periodic duties are left out. Jobs are
    /// taken in their order, as many at a time as there are slots: with one slot, one after the other. Time does not
    /// pass, so nothing that is due later is run, however long the drain takes. Kinds that only a `handle_any` would
    /// take are not waited for.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use std::time::Duration;
    /// use windlass::prelude::*;
    /// use windlass::testing::TestQueue;
    ///
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "greet")]
    /// # struct Greet { name: String }
    /// async fn greet(_: Greet, attempt: Attempt) -> Result<(), JobError> {
    ///     if attempt.number == 1 { Err(JobError::new("not yet")) } else { Ok(()) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// let queue = TestQueue::new();
    /// queue.windlass().enqueue(Greet { name: "Ada".into() }).await?;
    ///
    /// let drained = queue.drain(queue.windlass().worker().handle(greet)).await;
    /// assert_eq!((drained.ran, drained.retryable), (1, 1));
    ///
    /// queue.advance(Duration::from_secs(10));
    /// let drained = queue.drain(queue.windlass().worker().handle(greet)).await;
    /// assert_eq!((drained.ran, drained.completed), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When the worker cannot be built or fails, and when handlers ask to be run at once again without end.
    pub async fn drain<S: Send + Sync + 'static>(&self, worker: WorkerBuilder<S>) -> Drained {
        let worker = worker.maintenance(false).prefetch_max(0);
        let worker = worker.build().unwrap_or_else(|error| panic!("{error}"));
        let before = self.attempts_of_each().await;
        worker.run_until(self.idle()).await.unwrap_or_else(|error| panic!("{error}"));
        self.drained(&before).await
    }

    /// Returns when no job that a registered worker could do is ready or runs.
    async fn idle(&self) {
        let signals = self.windlass.store().signals();
        let (mut work, mut ended) = (signals.work(), signals.ended());
        while self.something_to_do().await {
            let hint = async {
                tokio::select! {
                    () = work.next() => {}
                    () = ended.next() => {}
                }
            };
            let _hint = tokio::time::timeout(LOOK_INTERVAL, hint).await;
        }
    }

    async fn something_to_do(&self) -> bool {
        let store = self.windlass.store();
        let workers = store.workers(Duration::ZERO).await.expect("memory answers");
        let queues = store.queues().await.expect("memory answers");
        let filter = JobFilter { states: vec![JobState::Ready, JobState::Running], ..JobFilter::default() };
        let mut jobs = self.windlass.jobs(filter);
        while let Some(job) = jobs.next().await.expect("memory answers") {
            let (id, kind) = (job.id, &job.kind);
            assert!(
                job.revision < REVISIONS_MAX,
                "{kind} job {id} asks to be run at once again, without end"
            );
            if !is_held_up(&queues, &job) && workers.iter().any(|worker| is_for(worker, &job)) {
                return true;
            }
        }
        // Before it is registered, what a worker can do is not known.
        workers.is_empty()
    }

    async fn attempts_of_each(&self) -> HashMap<JobId, usize> {
        let mut counts = HashMap::new();
        for job in self.windlass.jobs(JobFilter::default()).all().await.expect("memory answers") {
            let attempts = self.windlass.store().attempts(job.id).await.expect("memory answers");
            counts.insert(job.id, attempts.len());
        }
        counts
    }

    async fn drained(&self, before: &HashMap<JobId, usize>) -> Drained {
        let mut drained = Drained::default();
        for job in self.windlass.jobs(JobFilter::default()).all().await.expect("memory answers") {
            let attempts = self.windlass.store().attempts(job.id).await.expect("memory answers");
            let new = attempts.into_iter().skip(before.get(&job.id).copied().unwrap_or(0));
            let errors: Vec<Option<AttemptError>> = new.map(|attempt| attempt.error).collect();
            if !errors.is_empty() {
                drained.ran += errors.len();
                drained.errors.extend(errors.into_iter().flatten());
                *drained.counted(job.state) += 1;
            }
        }
        drained
    }
}

impl Drained {
    fn counted(&mut self, state: JobState) -> &mut usize {
        match state {
            JobState::Completed => &mut self.completed,
            JobState::Cancelled => &mut self.cancelled,
            JobState::Dead => &mut self.dead,
            JobState::Retryable => &mut self.retryable,
            _ => &mut self.snoozed,
        }
    }
}

/// Whether the job is one that the worker has registered for.
fn is_for(worker: &Worker, job: &JobRecord) -> bool {
    let registered = &worker.registered;
    let supported =
        registered.kinds.iter().any(|kind| kind.kind == job.kind && job.version <= kind.version_max);
    registered.queues.include(&job.queue) && supported
}

/// Whether the job cannot be claimed although it is ready.
fn is_held_up(queues: &[QueueSummary], job: &JobRecord) -> bool {
    job.state == JobState::Ready
        && queues.iter().any(|queue| queue.name == job.queue && queue.pause.is_some())
}
