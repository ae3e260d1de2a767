//! Stores with a defect each, to see that random operations find it and cut the way to it down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use windlass_core::{
    Attempt, AttemptToken, Bounds, Job, JobId, Json, LogLine, NewJob, Progress, QueueName, Whole, WorkerId,
};
use windlass_memory::MemoryStore;
use windlass_store::{
    Actor, CancelOutcome, Enqueued, Explanation, Holder, JobEdit, JobEvent, JobFilter, JobStore, LeaseStore,
    LeaseTerm, LeasedJob, NewLogLine, Page, PageRequest, QueueRetention, QueueStore, QueueSummary,
    Settlement, Signals, Store, StoreError, Turn, Turned,
};

use crate::{Fixture, TestClock};

use super::{Report, hunt};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    /// Takes any token for that of the newest attempt.
    IgnoresTokens,
    /// Leases the right jobs, and hands them out in the wrong order.
    Reorders,
    /// Counts losses, and never judges by them.
    ForgetsLosses,
    /// Says that a queue is paused, and it is not.
    ForgetsPauses,
}

struct Defective {
    inner: MemoryStore,
    defect: Defect,
    newest: Mutex<HashMap<JobId, AttemptToken>>,
    losses_max: Mutex<HashMap<JobId, u32>>,
}

impl Defective {
    fn start(clock: Arc<TestClock>, defect: Defect) -> Fixture {
        let inner = MemoryStore::with_clock(clock);
        Fixture::new(Arc::new(Self { inner, defect, newest: Mutex::default(), losses_max: Mutex::default() }))
    }

    fn learn(&self, jobs: &[LeasedJob]) {
        self.newest.lock().unwrap().extend(jobs.iter().map(|job| (job.id(), job.token)));
    }

    fn token(&self, token: AttemptToken) -> AttemptToken {
        let newest = self.newest.lock().unwrap().get(&token.job).copied();
        newest.filter(|_| self.defect == Defect::IgnoresTokens).unwrap_or(token)
    }

    fn shown(&self, job: Job) -> Job {
        let losses_max = self.losses_max.lock().unwrap().get(&job.id).copied();
        Job { losses_max: losses_max.unwrap_or(job.losses_max), ..job }
    }
}

#[async_trait]
impl JobStore for Defective {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, StoreError> {
        if self.defect != Defect::ForgetsLosses {
            return self.inner.enqueue(jobs).await;
        }
        let asked: Vec<u32> = jobs.iter().map(|job| job.losses_max).collect();
        let forgiving = jobs.into_iter().map(|mut job| {
            job.losses_max = u32::MAX;
            job
        });
        let enqueued = self.inner.enqueue(forgiving.collect()).await?;
        let new = enqueued.iter().zip(asked).filter(|(enqueued, _)| !enqueued.repeated);
        self.losses_max.lock().unwrap().extend(new.map(|(enqueued, asked)| (enqueued.id, asked)));
        Ok(enqueued)
    }

    async fn job(&self, id: JobId) -> Result<Job, StoreError> {
        self.inner.job(id).await.map(|job| self.shown(job))
    }

    async fn jobs(&self, filter: JobFilter, page: PageRequest) -> Result<Page<Job>, StoreError> {
        let Page { items, next } = self.inner.jobs(filter, page).await?;
        Ok(Page { items: items.into_iter().map(|job| self.shown(job)).collect(), next })
    }

    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>, StoreError> {
        self.inner.attempts(id).await
    }

    async fn logs(&self, id: JobId, page: PageRequest) -> Result<Page<LogLine>, StoreError> {
        self.inner.logs(id, page).await
    }

    async fn events(&self, id: JobId) -> Result<Vec<JobEvent>, StoreError> {
        self.inner.events(id).await
    }

    async fn explain(&self, id: JobId) -> Result<Explanation, StoreError> {
        self.inner.explain(id).await
    }
    async fn cancel(&self, id: JobId, by: Actor) -> Result<CancelOutcome, StoreError> {
        self.inner.cancel(id, by).await
    }

    async fn retry(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        self.inner.retry(id, by).await
    }

    async fn run_now(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        self.inner.run_now(id, by).await
    }

    async fn edit(&self, id: JobId, edit: JobEdit, by: Actor) -> Result<(), StoreError> {
        self.inner.edit(id, edit, by).await
    }

    async fn rerun(&self, id: JobId, copy: JobId, by: Actor) -> Result<Enqueued, StoreError> {
        self.inner.rerun(id, copy, by).await
    }

    async fn delete(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        self.inner.delete(id, by).await
    }
}

#[async_trait]
impl LeaseStore for Defective {
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        let settlements = turn.settlements.into_iter();
        let settlements = settlements.map(|one| Settlement { token: self.token(one.token), ..one }).collect();
        let mut turned = self.inner.turn(Turn { settlements, ..turn }).await?;
        self.learn(&turned.claimed.jobs);
        if self.defect == Defect::Reorders {
            turned.claimed.jobs.reverse();
        }
        Ok(turned)
    }

    async fn claim_job(
        &self,
        worker: WorkerId,
        job: JobId,
        lease: LeaseTerm,
    ) -> Result<LeasedJob, StoreError> {
        let job = self.inner.claim_job(worker, job, lease).await?;
        self.learn(std::slice::from_ref(&job));
        Ok(job)
    }

    async fn extend(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        self.inner.extend(self.token(token)).await
    }

    async fn holder(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        self.inner.holder(self.token(token)).await
    }

    async fn progress(&self, token: AttemptToken, progress: Progress) -> Result<(), StoreError> {
        self.inner.progress(self.token(token), progress).await
    }

    async fn checkpoint(&self, token: AttemptToken, checkpoint: Json) -> Result<(), StoreError> {
        self.inner.checkpoint(self.token(token), checkpoint).await
    }

    async fn log(&self, token: AttemptToken, lines: Vec<NewLogLine>) -> Result<(), StoreError> {
        self.inner.log(self.token(token), lines).await
    }

    async fn enqueue_under(
        &self,
        token: AttemptToken,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        self.inner.enqueue_under(self.token(token), jobs).await
    }
}

#[async_trait]
impl QueueStore for Defective {
    async fn keep(&self, queue: &QueueName, retention: QueueRetention, by: Actor) -> Result<(), StoreError> {
        self.inner.keep(queue, retention, by).await
    }

    async fn retentions(&self) -> Result<Vec<(QueueName, QueueRetention)>, StoreError> {
        self.inner.retentions().await
    }

    async fn queues(&self) -> Result<Vec<QueueSummary>, StoreError> {
        self.inner.queues().await
    }

    async fn pause(&self, queue: &QueueName, by: Actor) -> Result<(), StoreError> {
        self.inner.pause(queue, by.clone()).await?;
        if self.defect == Defect::ForgetsPauses { self.inner.resume(queue, by).await } else { Ok(()) }
    }

    async fn resume(&self, queue: &QueueName, by: Actor) -> Result<(), StoreError> {
        self.inner.resume(queue, by).await
    }
    async fn bound(&self, whole: &Whole, bounds: Bounds, by: Actor) -> Result<(), StoreError> {
        self.inner.bound(whole, bounds, by).await
    }
    async fn bounds(&self) -> Result<Vec<(Whole, Bounds)>, StoreError> {
        self.inner.bounds().await
    }
}

crate::forward!(
    Defective: FlowStore, ReviewStore, ErrorStore, ScheduleStore, Maintenance, WorkerStore, OperationStore, TokenStore, AuditStore
);

impl Store for Defective {
    fn signals(&self) -> &Signals {
        self.inner.signals()
    }
}

/// The report of a store with this defect, which must be found.
fn found(defect: Defect) -> Report {
    let start = move |clock| -> futures_util::future::BoxFuture<'static, Fixture> {
        Box::pin(async move { Defective::start(clock, defect) })
    };
    hunt(&start, 0..500, 80).expect_err("the defect must be found")
}

#[test]
fn a_store_that_ignores_tokens_is_found() {
    let report = found(Defect::IgnoresTokens);

    assert!(report.script.len() <= 6, "{report}");
}

#[test]
fn a_store_that_reorders_is_found() {
    let report = found(Defect::Reorders);

    assert!(report.script.len() <= 6, "{report}");
    assert!(matches!(report.script.last().map(super::Op::name), Some("claim" | "turn")), "{report}");
}

#[test]
fn a_store_that_forgets_losses_is_found() {
    let report = found(Defect::ForgetsLosses);

    assert!(report.script.len() <= 8, "{report}");
}

#[test]
fn a_store_that_forgets_pauses_is_found_by_a_pause_alone() {
    let report = found(Defect::ForgetsPauses);

    let text = report.to_string();
    assert!(text.contains("cut down to 1 operations"), "{text}");
    assert!(text.contains("Pause("), "{text}");
}
