//! A store that is nothing but the cost of one: a thread that takes so long per job, and so long per commit.

use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::oneshot;
use windlass_core::{
    Args, Attempt, AttemptToken, Bounds, Job, JobId, JobState, Json, KindName, LogLine, NewJob, NewSchedule,
    OperationId, Priority, ProgramName, Progress, QueueName, Reason, ScheduleName, Timestamp, Whole,
    WorkerId,
};
use windlass_store::{
    Actor, Backfilled, Beat, CancelOutcome, Declared, Enqueued, ErrorKind, Explanation, Fired, Firing, Flow,
    FlowStore, Holder, Input, JobEdit, JobEvent, JobFilter, JobStore, Leadership, LeaseStore, LeaseSummary,
    LeaseTerm, LeasedJob, Maintenance, NewLogLine, NewRuling, NewWorker, Page, PageRequest, Pruned,
    QueueStore, QueueSummary, Relative, Rescued, Retention, ReviewFilter, ReviewRecord, ReviewStore,
    Schedule, ScheduleEvent, ScheduleOutcome, ScheduleStore, Settled, Signals, Store, StoreError,
    StoreStatus, Turn, Turned, Worker, WorkerStore, ids,
};
use windlass_store::{Advance, DriveToken, Driven, NewOperation, Operation, OperationStore};
use windlass_store::{AuditEntry, AuditFilter, AuditStore, NewToken, Token, TokenId, TokenStore};

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
    signals: Signals,
    writer: Mutex<mpsc::Sender<(Turn, oneshot::Sender<Turned>)>>,
}

impl StubStore {
    pub(crate) fn start(jobs: u64, cost: Cost) -> Self {
        let (writer, asked) = mpsc::channel();
        std::thread::spawn(move || write(&asked, jobs, cost));
        Self { signals: Signals::default(), writer: Mutex::new(writer) }
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

#[async_trait]
impl TokenStore for StubStore {
    async fn create_token(&self, _: NewToken, _: Actor) -> Result<(), StoreError> {
        no()
    }

    async fn token(&self, _: TokenId) -> Result<Token, StoreError> {
        no()
    }

    async fn tokens(&self, _: PageRequest) -> Result<Page<Token>, StoreError> {
        no()
    }

    async fn revoke_token(&self, _: TokenId, _: Actor) -> Result<(), StoreError> {
        no()
    }

    async fn use_token(&self, _: TokenId) -> Result<(), StoreError> {
        no()
    }
}

#[async_trait]
impl OperationStore for StubStore {
    async fn begin_operation(&self, _: NewOperation, _: Actor) -> Result<Operation, StoreError> {
        no()
    }

    async fn operation(&self, _: OperationId) -> Result<Operation, StoreError> {
        no()
    }

    async fn operations(&self, _: PageRequest) -> Result<Page<Operation>, StoreError> {
        no()
    }

    async fn pause_operation(&self, _: OperationId, _: Actor) -> Result<Operation, StoreError> {
        no()
    }

    async fn resume_operation(&self, _: OperationId, _: Actor) -> Result<Operation, StoreError> {
        no()
    }

    async fn abort_operation(&self, _: OperationId, _: Actor) -> Result<Operation, StoreError> {
        no()
    }

    async fn drive_operation(&self) -> Result<Option<(DriveToken, Operation)>, StoreError> {
        no()
    }

    async fn advance_operation(&self, _: DriveToken, _: Advance, _: u32) -> Result<Driven, StoreError> {
        no()
    }
}

#[async_trait]
impl AuditStore for StubStore {
    async fn audit(&self, _: AuditFilter, _: PageRequest) -> Result<Page<AuditEntry>, StoreError> {
        no()
    }
}

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

#[async_trait]
impl ScheduleStore for StubStore {
    async fn put_schedule(&self, _: NewSchedule, _: Actor) -> Result<ScheduleOutcome, StoreError> {
        no()
    }

    async fn declare_schedules(&self, _: &ProgramName, _: Vec<NewSchedule>) -> Result<Declared, StoreError> {
        no()
    }

    async fn schedule(&self, _: &ScheduleName) -> Result<Schedule, StoreError> {
        no()
    }

    async fn schedules(&self, _: PageRequest) -> Result<Page<Schedule>, StoreError> {
        no()
    }

    async fn pause_schedule(&self, _: &ScheduleName, _: Actor) -> Result<(), StoreError> {
        no()
    }

    async fn resume_schedule(&self, _: &ScheduleName, _: Actor) -> Result<(), StoreError> {
        no()
    }

    async fn delete_schedule(&self, _: &ScheduleName, _: Actor) -> Result<(), StoreError> {
        no()
    }

    async fn run_schedule(&self, _: &ScheduleName, _: JobId, _: Actor) -> Result<(), StoreError> {
        no()
    }

    async fn backfill(
        &self,
        _: &ScheduleName,
        _: (Timestamp, Timestamp),
        _: Actor,
    ) -> Result<Backfilled, StoreError> {
        no()
    }

    async fn firings(&self, _: &ScheduleName, _: PageRequest) -> Result<Page<Firing>, StoreError> {
        no()
    }

    async fn schedule_events(&self, _: &ScheduleName) -> Result<Vec<ScheduleEvent>, StoreError> {
        no()
    }
}

#[async_trait]
impl windlass_store::ErrorStore for StubStore {
    async fn error_groups(
        &self,
        _: windlass_store::ErrorFilter,
        _: PageRequest,
    ) -> Result<Page<windlass_store::ErrorGroup>, StoreError> {
        no()
    }

    async fn error_group(
        &self,
        _: windlass_core::Fingerprint,
    ) -> Result<windlass_store::ErrorGroup, StoreError> {
        no()
    }
}

#[async_trait]
impl ReviewStore for StubStore {
    async fn decide(&self, _: JobId, _: NewRuling) -> Result<Settled, StoreError> {
        no()
    }

    async fn review(&self, _: JobId) -> Result<Option<ReviewRecord>, StoreError> {
        no()
    }

    async fn reviews(&self, _: ReviewFilter, _: PageRequest) -> Result<Page<ReviewRecord>, StoreError> {
        no()
    }
}

#[async_trait]
impl FlowStore for StubStore {
    async fn parents(&self, _: JobId, _: PageRequest) -> Result<Page<Relative>, StoreError> {
        no()
    }

    async fn children(&self, _: JobId, _: PageRequest) -> Result<Page<Relative>, StoreError> {
        no()
    }

    async fn inputs(&self, _: JobId, _: PageRequest) -> Result<Page<Input>, StoreError> {
        no()
    }

    async fn flow(&self, _: JobId) -> Result<Flow, StoreError> {
        no()
    }

    async fn cancel_flow(&self, _: JobId, _: Actor) -> Result<Vec<JobId>, StoreError> {
        no()
    }

    async fn retry_flow(&self, _: JobId, _: Actor) -> Result<Vec<JobId>, StoreError> {
        no()
    }

    async fn delete_flow(&self, _: JobId, _: Actor) -> Result<Vec<JobId>, StoreError> {
        no()
    }
}

#[async_trait]
impl QueueStore for StubStore {
    async fn keep(
        &self,
        _: &QueueName,
        _: windlass_store::QueueRetention,
        _: Actor,
    ) -> Result<(), StoreError> {
        no()
    }

    async fn retentions(&self) -> Result<Vec<(QueueName, windlass_store::QueueRetention)>, StoreError> {
        no()
    }

    async fn queues(&self) -> Result<Vec<QueueSummary>, StoreError> {
        no()
    }
    async fn pause(&self, _: &QueueName, _: Actor) -> Result<(), StoreError> {
        no()
    }
    async fn resume(&self, _: &QueueName, _: Actor) -> Result<(), StoreError> {
        no()
    }
    async fn bound(&self, _: &Whole, _: Bounds, _: Actor) -> Result<(), StoreError> {
        no()
    }
    async fn bounds(&self) -> Result<Vec<(Whole, Bounds)>, StoreError> {
        no()
    }
}

#[async_trait]
impl JobStore for StubStore {
    async fn enqueue(&self, _: Vec<NewJob>) -> Result<Vec<Enqueued>, StoreError> {
        no()
    }
    async fn job(&self, _: JobId) -> Result<Job, StoreError> {
        no()
    }
    async fn jobs(&self, _: JobFilter, _: PageRequest) -> Result<Page<Job>, StoreError> {
        no()
    }
    async fn attempts(&self, _: JobId) -> Result<Vec<Attempt>, StoreError> {
        no()
    }
    async fn logs(&self, _: JobId, _: PageRequest) -> Result<Page<LogLine>, StoreError> {
        no()
    }
    async fn events(&self, _: JobId) -> Result<Vec<JobEvent>, StoreError> {
        no()
    }
    async fn explain(&self, _: JobId) -> Result<Explanation, StoreError> {
        no()
    }
    async fn cancel(&self, _: JobId, _: Actor) -> Result<CancelOutcome, StoreError> {
        no()
    }
    async fn retry(&self, _: JobId, _: Actor) -> Result<(), StoreError> {
        no()
    }
    async fn run_now(&self, _: JobId, _: Actor) -> Result<(), StoreError> {
        no()
    }
    async fn edit(&self, _: JobId, _: JobEdit, _: Actor) -> Result<(), StoreError> {
        no()
    }
    async fn rerun(&self, _: JobId, _: JobId, _: Actor) -> Result<Enqueued, StoreError> {
        no()
    }
    async fn delete(&self, _: JobId, _: Actor) -> Result<(), StoreError> {
        no()
    }
}
