//! A store that is nothing but the cost of one: a thread that takes so long per job, and so long per commit.

use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::oneshot;
use windlass_core::{
    Args, AttemptToken, JobId, JobState, Json, KindName, NewJob, Priority, Progress, QueueName, Reason,
    Timestamp, WorkerId,
};
use windlass_memory::MemoryStore;
use windlass_store::{
    Beat, Enqueued, ErrorKind, Fired, Holder, Leadership, LeaseStore, LeaseSummary, LeaseTerm, LeasedJob,
    Maintenance, NewLogLine, NewWorker, Pruned, Rescued, Retention, Settled, Signals, Store, StoreError,
    StoreStatus, Turn, Turned, Worker, WorkerStore, ids,
};

/// What the stub spends.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// On each job, for its claim and its settlement together.
    pub(crate) job: Duration,
    /// On each commit, without using the processor.
    pub(crate) commit: Duration,
}

/// See the module.
pub(crate) struct StubStore {
    /// For what costs nothing here.
    inner: MemoryStore,
    signals: Signals,
    writer: Mutex<mpsc::Sender<(Turn, oneshot::Sender<Turned>)>>,
}

impl StubStore {
    pub(crate) fn start(jobs: u64, cost: Cost) -> Self {
        let (writer, asked) = mpsc::channel();
        std::thread::spawn(move || write(&asked, jobs, cost));
        Self { inner: MemoryStore::new(), signals: Signals::default(), writer: Mutex::new(writer) }
    }
}

fn write(asked: &mpsc::Receiver<(Turn, oneshot::Sender<Turned>)>, mut left: u64, cost: Cost) {
    let (kind, queue) = (KindName::new("noop").expect("a good name"), QueueName::default());
    while let Ok((turn, answer)) = asked.recv() {
        let begun = Instant::now();
        let settled = Settled { state: JobState::Completed, reason: Some(Reason::Done) };
        let mut turned =
            Turned { settled: turn.settlements.iter().map(|_| Ok(settled)).collect(), ..Turned::default() };
        let found = turn.claim.map_or(0, |claim| u64::from(claim.limit)).min(left);
        left -= found;
        turned.claimed.jobs = (0..found).map(|number| leased(number, &kind, &queue)).collect();
        let work = cost.job / 2 * u32::try_from(found).unwrap_or(0)
            + cost.job / 2 * u32::try_from(turn.settlements.len()).unwrap_or(0);
        while begun.elapsed() < work {
            std::hint::spin_loop();
        }
        if !cost.commit.is_zero() {
            std::thread::park_timeout(cost.commit);
        }
        let _ = answer.send(turned);
    }
}

fn leased(number: u64, kind: &KindName, queue: &QueueName) -> LeasedJob {
    let now = Timestamp::from_micros(1_000_000);
    LeasedJob {
        token: AttemptToken { job: ids::job_id(), number: 1, nonce: 1 },
        lease_until: now,
        kind: kind.clone(),
        version: 1,
        queue: queue.clone(),
        args: Args::Json(Json::from_stored(format!(r#"{{"number":{number},"yields":0}}"#))),
        priority: Priority::Normal,
        attempt: 1,
        attempts_max: 8,
        losses: 0,
        run_at: now,
        deadline: None,
        created_at: now,
        started_at: now,
        checkpoint: None,
        options: None,
        fences: Vec::new(),
        settles: None,
    }
}

fn no<T>() -> Result<T, StoreError> {
    Err(StoreError::new("ask a stub", ErrorKind::NotFound))
}

windlass_store_testing::forward!(
    StubStore: JobStore, FlowStore, ReviewStore, ErrorStore, QueueStore, ScheduleStore, OperationStore, TokenStore,
    AuditStore
);

impl Store for StubStore {
    fn signals(&self) -> &Signals {
        &self.signals
    }
}

#[async_trait]
impl LeaseStore for StubStore {
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        let (answer, answered) = oneshot::channel();
        let _ = self.writer.lock().map(|writer| writer.send((turn, answer)));
        answered.await.or_else(|_| no())
    }
    async fn claim_job(&self, _: WorkerId, _: JobId, _: LeaseTerm) -> Result<LeasedJob, StoreError> {
        no()
    }
    async fn extend(&self, _: AttemptToken) -> Result<Holder, StoreError> {
        no()
    }
    async fn holder(&self, _: AttemptToken) -> Result<Holder, StoreError> {
        no()
    }
    async fn progress(&self, _: AttemptToken, _: Progress) -> Result<(), StoreError> {
        Ok(())
    }
    async fn checkpoint(&self, _: AttemptToken, _: Json) -> Result<(), StoreError> {
        Ok(())
    }
    async fn log(&self, _: AttemptToken, _: Vec<NewLogLine>) -> Result<(), StoreError> {
        Ok(())
    }
    async fn enqueue_under(&self, _: AttemptToken, _: Vec<NewJob>) -> Result<Vec<Enqueued>, StoreError> {
        no()
    }
}

#[async_trait]
impl WorkerStore for StubStore {
    async fn register(&self, _: NewWorker) -> Result<(), StoreError> {
        Ok(())
    }
    async fn beat(&self, _: WorkerId) -> Result<Beat, StoreError> {
        Ok(Beat { lease_until: Timestamp::from_micros(100_000_000), cancelled: Vec::new() })
    }
    async fn deregister(&self, _: WorkerId) -> Result<(), StoreError> {
        Ok(())
    }
    async fn workers(&self, _: Duration) -> Result<Vec<Worker>, StoreError> {
        no()
    }
    async fn leases(&self, _: Duration) -> Result<Vec<LeaseSummary>, StoreError> {
        no()
    }
    async fn held(&self, _: WorkerId) -> Result<Vec<AttemptToken>, StoreError> {
        no()
    }
}

#[async_trait]
impl Maintenance for StubStore {
    async fn rescue(&self) -> Result<Rescued, StoreError> {
        Ok(Rescued::default())
    }
    async fn prune(&self, _: Retention) -> Result<Pruned, StoreError> {
        Ok(Pruned::default())
    }
    async fn fire(&self) -> Result<Fired, StoreError> {
        Ok(Fired::default())
    }
    async fn tidy(&self) -> Result<(), StoreError> {
        Ok(())
    }
    async fn lead(&self, _: WorkerId) -> Result<Leadership, StoreError> {
        no()
    }
    async fn resign(&self, _: WorkerId) -> Result<(), StoreError> {
        no()
    }
    async fn status(&self) -> Result<StoreStatus, StoreError> {
        no()
    }
    async fn check(&self) -> Result<Vec<String>, StoreError> {
        no()
    }
}
