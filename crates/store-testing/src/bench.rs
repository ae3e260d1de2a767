//! A fresh store, its clock, and the verbs that cases are written in.

use std::cell::Cell;
use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::oneshot;
use windlass_core::{
    Args, Attempt, AttemptError, AttemptOutcome, Job, JobId, JobState, Json, KindName, LogLevel, LogLine,
    NewJob, QueueName, Reason, Timestamp, Verdict, WorkerId,
};
use windlass_store::{
    Actor, CancelOutcome, ClaimRequest, Claimed, Clock, ErrorKind, KindSupport, Kinds, LeaseTerm, LeasedJob,
    NewLogLine, NewWorker, PageRequest, Queues, Rescued, Scope, Settled, Settlement, SharedStore, StoreError,
};

use crate::TestClock;
use crate::fixture::{Fixture, block_on};

/// The lease of every worker, unless a case says otherwise.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MICROSECOND: Duration = Duration::from_micros(1);

/// The last instant of which `span` is not over.
pub(crate) const fn just_before(span: Duration) -> Duration {
    span.saturating_sub(MICROSECOND)
}

/// A fresh store, its clock, and verbs that expect to succeed.
pub(crate) struct Bench {
    // Dropped in this order: the guard outlives the store.
    pub(crate) store: SharedStore,
    pub(crate) clock: Arc<TestClock>,
    worker: Cell<Option<WorkerId>>,
    ids: Cell<u64>,
    fixture: Fixture,
}

/// What went wrong, of a call that must be refused.
pub(crate) fn refused<T: Debug>(answer: Result<T, StoreError>) -> ErrorKind {
    answer.expect_err("this must be refused").kind().clone()
}

/// The field at fault, of a call that must be refused as invalid.
pub(crate) fn field_of<T: Debug>(answer: Result<T, StoreError>) -> String {
    match refused(answer) {
        ErrorKind::Invalid(invalid) => invalid.field,
        other => panic!("refused as {other:?}, not as invalid"),
    }
}

pub(crate) fn kind(name: &str) -> KindName {
    KindName::new(name).expect("the names in cases are valid")
}

pub(crate) fn queue(name: &str) -> QueueName {
    QueueName::new(name).expect("the names in cases are valid")
}

pub(crate) fn operator() -> Actor {
    Actor::new("ada")
}

pub(crate) fn failed(message: &str) -> Verdict {
    Verdict::Failed { error: AttemptError::new(message), retry_after: None }
}

/// A failure whose next attempt is due at once.
pub(crate) fn failed_for_now(message: &str) -> Verdict {
    Verdict::Failed { error: AttemptError::new(message), retry_after: Some(Duration::ZERO) }
}

pub(crate) const fn succeeded() -> Verdict {
    Verdict::Succeeded { result: None }
}

pub(crate) fn anything() -> Arc<Scope> {
    Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any })
}

pub(crate) fn of_queues(names: &[&str]) -> Arc<Scope> {
    let queues = Queues::Only(names.iter().map(|name| queue(name)).collect());
    Arc::new(Scope { queues, kinds: Kinds::Any })
}

pub(crate) fn of_kind(name: &str, version_max: u32) -> Arc<Scope> {
    let kinds = Kinds::Only(vec![KindSupport { kind: kind(name), version_max }]);
    Arc::new(Scope { queues: Queues::Any, kinds })
}

pub(crate) fn ids_of(jobs: &[LeasedJob]) -> Vec<JobId> {
    jobs.iter().map(LeasedJob::id).collect()
}

pub(crate) fn line(message: impl Into<String>) -> NewLogLine {
    NewLogLine { level: LogLevel::Info, message: message.into() }
}

/// Runs `count` callers at the same time, each on a thread of its own, and answers in their order.
///
/// The runtime of the case goes on meanwhile, for stores that have tasks of their own on it.
pub(crate) async fn at_once<T, F>(count: usize, act: impl Fn(usize) -> F + Send + Sync + 'static) -> Vec<T>
where
    T: Debug + Send + 'static,
    F: Future<Output = T>,
{
    let (act, gate) = (Arc::new(act), Arc::new(Barrier::new(count)));
    let callers = (0..count).map(|index| {
        let (act, gate) = (act.clone(), gate.clone());
        let (tell, answer) = oneshot::channel();
        std::thread::spawn(move || {
            gate.wait();
            tell.send(block_on(act(index)))
        });
        answer
    });
    let callers: Vec<_> = callers.collect();
    join_all(callers).await.into_iter().map(|answer| answer.expect("no caller panics")).collect()
}

impl Bench {
    pub(crate) fn new(fixture: Fixture, clock: Arc<TestClock>) -> Self {
        let store = fixture.store.clone();
        Self { store, clock, worker: Cell::default(), ids: Cell::new(1), fixture }
    }

    /// The store as another process would see it that opens it now; none if it lives and dies with this one.
    pub(crate) async fn reopened(&self) -> Option<SharedStore> {
        match &self.fixture.reopen {
            Some(reopen) => Some(reopen().await),
            None => None,
        }
    }

    /// A value as the store has it that was given it: behind a door without the blanks around it, which are none of it there.
    pub(crate) fn kept(&self, value: &Json) -> Json {
        let text = value.as_str();
        let text = if self.has_door() { text.trim_matches([' ', '\t', '\n', '\r']) } else { text };
        Json::from_stored(text.to_owned())
    }

    /// Whether the store says itself how somebody came to it.
    pub(crate) fn has_door(&self) -> bool {
        self.fixture.has_door
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// An id that no other job of this bench has. Ids grow, as those of `UUIDv7` do.
    pub(crate) fn fresh_id(&self) -> JobId {
        JobId::from_bytes(self.fresh_bytes(0x11))
    }

    fn fresh_bytes(&self, first: u8) -> [u8; 16] {
        let id = self.ids.replace(self.ids.get() + 1);
        let mut bytes = [0; 16];
        bytes[0] = first;
        bytes[8..].copy_from_slice(&id.to_be_bytes());
        bytes
    }

    /// A job with the defaults of the contract, of the kind `mail`.
    pub(crate) fn new_job(&self) -> NewJob {
        NewJob::new(self.fresh_id(), kind("mail"), Args::default())
    }

    /// The same, changed.
    pub(crate) fn job_with(&self, change: impl FnOnce(&mut NewJob)) -> NewJob {
        let mut job = self.new_job();
        change(&mut job);
        job
    }

    pub(crate) async fn enqueue(&self, job: NewJob) -> JobId {
        let enqueued = self.store.enqueue(vec![job]).await.expect("the job is valid");
        enqueued[0].id
    }

    pub(crate) async fn enqueue_with(&self, change: impl FnOnce(&mut NewJob)) -> JobId {
        self.enqueue(self.job_with(change)).await
    }

    pub(crate) async fn enqueue_one(&self) -> JobId {
        self.enqueue(self.new_job()).await
    }

    pub(crate) async fn enqueue_many(&self, count: usize) -> Vec<JobId> {
        let jobs: Vec<NewJob> = (0..count).map(|_| self.new_job()).collect();
        let ids = jobs.iter().map(|job| job.id).collect();
        let enqueued = self.store.enqueue(jobs).await.expect("the jobs are valid");
        assert_eq!(enqueued.len(), count);
        ids
    }

    /// A worker that is not registered.
    pub(crate) fn new_worker(&self) -> NewWorker {
        NewWorker {
            id: WorkerId::from_bytes(self.fresh_bytes(0x22)),
            name: "worker".to_owned(),
            host: "host".to_owned(),
            version: "1".to_owned(),
            queues: Queues::Any,
            kinds: vec![KindSupport { kind: kind("mail"), version_max: 1 }],
            slots: 4,
            lease: LEASE,
            owner: None,
        }
    }

    pub(crate) async fn register(&self) -> WorkerId {
        let worker = self.new_worker();
        let id = worker.id;
        self.store.register(worker).await.expect("the worker is valid");
        id
    }

    pub(crate) async fn claim_as(&self, worker: WorkerId, scope: Arc<Scope>, limit: u32) -> Claimed {
        self.store.claim(ClaimRequest::new(worker, scope, limit)).await.expect("the worker lives")
    }

    /// The worker that claims for the bench; a fresh one if the last has expired.
    pub(crate) async fn worker(&self) -> WorkerId {
        if let Some(worker) = self.worker.get() {
            let workers = self.store.workers(Duration::ZERO).await.expect("workers can be listed");
            let mut known = workers.iter().filter(|known| known.registered.id == worker);
            if known.any(|known| known.seen_at.after(LEASE) > self.now()) {
                return worker;
            }
        }
        let worker = self.register().await;
        self.worker.set(Some(worker));
        worker
    }

    /// Lets another worker claim from now on.
    pub(crate) fn forget_worker(&self) {
        self.worker.set(None);
    }

    pub(crate) async fn claim_scope(&self, scope: Arc<Scope>, limit: u32) -> Claimed {
        let worker = self.worker().await;
        self.claim_as(worker, scope, limit).await
    }

    pub(crate) async fn claim(&self, limit: u32) -> Vec<LeasedJob> {
        self.claim_scope(anything(), limit).await.jobs
    }

    /// Claims the one job that is to be had next.
    pub(crate) async fn claim_one(&self) -> LeasedJob {
        self.claim(1).await.pop().expect("a job is ready")
    }

    /// Enqueues a job and claims it.
    pub(crate) async fn start_one(&self) -> LeasedJob {
        self.start_with(|_| {}).await
    }

    pub(crate) async fn start_with(&self, change: impl FnOnce(&mut NewJob)) -> LeasedJob {
        let id = self.enqueue_with(change).await;
        let worker = self.worker().await;
        self.store.claim_job(worker, id, LeaseTerm::Process).await.expect("the job is ready")
    }

    /// Enqueues a job and claims it with a lease of its own.
    pub(crate) async fn start_with_own_lease(&self, lease: Duration) -> LeasedJob {
        let id = self.enqueue_one().await;
        let worker = self.worker().await;
        self.store.claim_job(worker, id, LeaseTerm::Own(lease)).await.expect("the job is ready")
    }

    pub(crate) async fn try_settle(&self, job: &LeasedJob, verdict: Verdict) -> Result<Settled, ErrorKind> {
        let settlement = Settlement { token: job.token, verdict };
        let mut settled = self.store.settle(vec![settlement]).await.expect("the store takes settlements");
        assert_eq!(settled.len(), 1);
        settled.remove(0).map_err(|error| error.kind().clone())
    }

    pub(crate) async fn settle(&self, job: &LeasedJob, verdict: Verdict) -> Settled {
        self.try_settle(job, verdict).await.expect("the lease holds")
    }

    pub(crate) async fn cancel(&self, id: JobId) -> CancelOutcome {
        self.store.cancel(id, operator()).await.expect("the job can be cancelled")
    }

    pub(crate) async fn rescue(&self) -> Rescued {
        self.store.rescue().await.expect("a rescue goes through")
    }

    pub(crate) async fn job(&self, id: JobId) -> Job {
        self.store.job(id).await.expect("the job exists")
    }

    pub(crate) async fn state_of(&self, id: JobId) -> (JobState, Option<Reason>) {
        let job = self.job(id).await;
        (job.state, job.reason)
    }

    pub(crate) async fn attempts(&self, id: JobId) -> Vec<Attempt> {
        self.store.attempts(id).await.expect("the job exists")
    }

    /// How its attempts ended; none for one that is open.
    pub(crate) async fn outcomes(&self, id: JobId) -> Vec<Option<AttemptOutcome>> {
        self.attempts(id).await.into_iter().map(|attempt| attempt.outcome).collect()
    }

    pub(crate) async fn log_lines(&self, id: JobId) -> Vec<LogLine> {
        self.store.logs(id, PageRequest::first(500)).await.expect("the job exists").items
    }
}
