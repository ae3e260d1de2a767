//! A store that does what another does, and fails when it is told to.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use windlass_core::{
    AttemptToken, JobId, Json, NewJob, NewSchedule, ProgramName, Progress, ScheduleName, Timestamp, WorkerId,
};
use windlass_memory::MemoryStore;
use windlass_store::{
    Actor, Backfilled, Beat, Declared, Enqueued, ErrorKind, Fired, Firing, Holder, Leadership, LeaseStore,
    LeaseSummary, LeaseTerm, LeasedJob, Maintenance, NewLogLine, NewWorker, Page, PageRequest, Pruned,
    Rescued, Retention, Schedule, ScheduleEvent, ScheduleOutcome, ScheduleStore, Signals, Store, StoreError,
    StoreStatus, Turn, Turned, Worker, WorkerStore,
};

/// What happens to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing happens in the store.
    Fail(ErrorKind),
    /// It happens, and the answer is lost.
    LoseAnswer,
    /// The answer is lost, and it happens that much later. Of turns.
    Late(Duration),
    /// It happens once it is let go. Of turns.
    Hold,
    /// It never ends.
    Hang,
    /// It panics.
    Panic,
    /// Nothing is wrong with this one.
    Pass,
}

/// A store with faults to come.
pub(crate) struct FaultyStore {
    pub(crate) inner: Arc<MemoryStore>,
    /// Hints that nobody gives, for a store that is deaf.
    deaf: Option<Signals>,
    turns_at_once: usize,
    /// As many permits as turns that are held may go.
    may_go: Semaphore,
    faults: Mutex<Faults>,
}

#[derive(Default)]
struct Faults {
    /// For the next calls of an operation, in order.
    next: HashMap<&'static str, VecDeque<Fault>>,
    /// For every call of an operation, while it is set.
    always: HashMap<&'static str, Fault>,
    calls: HashMap<&'static str, usize>,
    turns: Vec<Turn>,
}

impl FaultyStore {
    pub(crate) fn new(inner: Arc<MemoryStore>) -> Self {
        let may_go = Semaphore::new(0);
        Self { inner, deaf: None, turns_at_once: 1, may_go, faults: Mutex::default() }
    }

    /// The same store, that says it works on so many turns at once.
    pub(crate) fn with_turns_at_once(inner: Arc<MemoryStore>, turns_at_once: usize) -> Self {
        Self { turns_at_once, ..Self::new(inner) }
    }

    /// Lets the first turn go that is held.
    pub(crate) fn let_go(&self) {
        self.may_go.add_permits(1);
    }

    /// The same store, without its hints.
    pub(crate) fn deaf(inner: Arc<MemoryStore>) -> Self {
        Self { deaf: Some(Signals::default()), ..Self::new(inner) }
    }

    /// What happens to the next calls of `operation`.
    pub(crate) fn next(&self, operation: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().next.entry(operation).or_default().extend(faults);
    }

    /// What happens to all calls of `operation` from now on.
    pub(crate) fn always(&self, operation: &'static str, fault: Fault) {
        self.faults.lock().unwrap().always.insert(operation, fault);
    }

    /// Nothing answers any more, or everything does again.
    pub(crate) fn away(&self, away: bool) {
        for operation in [
            "turn",
            "beat",
            "register",
            "deregister",
            "rescue",
            "lead",
            "prune",
            "tidy",
            "fire",
            "log",
            "progress",
        ] {
            self.always(operation, if away { Fault::Fail(ErrorKind::Unavailable) } else { Fault::Pass });
        }
    }

    /// How often `operation` was called.
    pub(crate) fn calls(&self, operation: &'static str) -> usize {
        self.faults.lock().unwrap().calls.get(operation).copied().unwrap_or(0)
    }

    /// How often the worker's operations were called in all.
    pub(crate) fn calls_of_worker(&self) -> usize {
        self.faults.lock().unwrap().calls.values().sum()
    }

    /// The turns so far.
    pub(crate) fn turns(&self) -> Vec<Turn> {
        self.faults.lock().unwrap().turns.clone()
    }

    fn fault(&self, operation: &'static str) -> Fault {
        let mut faults = self.faults.lock().unwrap();
        *faults.calls.entry(operation).or_default() += 1;
        let next = faults.next.get_mut(operation).and_then(VecDeque::pop_front);
        next.or_else(|| faults.always.get(operation).cloned()).unwrap_or(Fault::Pass)
    }

    async fn faulty<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        Self::suffer(operation, self.fault(operation), call).await
    }

    async fn suffer<T>(
        operation: &'static str,
        fault: Fault,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match fault {
            Fault::Pass => call.await,
            Fault::Fail(kind) => Err(StoreError::new(operation, kind)),
            Fault::Hang => std::future::pending().await,
            Fault::Late(_) | Fault::Hold => panic!("a call of {operation} cannot come late"),
            Fault::Panic => panic!("the store panicked"),
            Fault::LoseAnswer => {
                call.await?;
                Err(StoreError::new(operation, ErrorKind::Unknown))
            }
        }
    }
}

windlass_store_testing::forward!(
    FaultyStore: JobStore, FlowStore, ReviewStore, ErrorStore, QueueStore, OperationStore, TokenStore, AuditStore
);

impl Store for FaultyStore {
    fn signals(&self) -> &Signals {
        self.deaf.as_ref().unwrap_or_else(|| self.inner.signals())
    }
}

#[async_trait]
impl LeaseStore for FaultyStore {
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        self.faults.lock().unwrap().turns.push(turn.clone());
        let late = Arc::clone(&self.inner);
        match self.fault("turn") {
            Fault::Late(after) => {
                let at = tokio::time::Instant::now() + after;
                let _detached = tokio::runtime::Handle::current().spawn(async move {
                    tokio::time::sleep_until(at).await;
                    late.turn(turn).await
                });
                Err(StoreError::new("turn", ErrorKind::Unknown))
            }
            Fault::Hold => {
                self.may_go.acquire().await.expect("it is never closed").forget();
                self.inner.turn(turn).await
            }
            fault => Self::suffer("turn", fault, self.inner.turn(turn)).await,
        }
    }
    fn turns_at_once(&self) -> usize {
        self.turns_at_once
    }
    async fn claim_job(
        &self,
        worker: WorkerId,
        job: JobId,
        lease: LeaseTerm,
    ) -> Result<LeasedJob, StoreError> {
        self.inner.claim_job(worker, job, lease).await
    }
    async fn extend(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        self.inner.extend(token).await
    }
    async fn holder(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        self.inner.holder(token).await
    }
    async fn progress(&self, token: AttemptToken, progress: Progress) -> Result<(), StoreError> {
        self.faulty("progress", self.inner.progress(token, progress)).await
    }
    async fn checkpoint(&self, token: AttemptToken, checkpoint: Json) -> Result<(), StoreError> {
        self.faulty("checkpoint", self.inner.checkpoint(token, checkpoint)).await
    }
    async fn log(&self, token: AttemptToken, lines: Vec<NewLogLine>) -> Result<(), StoreError> {
        self.faulty("log", self.inner.log(token, lines)).await
    }
    async fn enqueue_under(
        &self,
        token: AttemptToken,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        self.inner.enqueue_under(token, jobs).await
    }
}

#[async_trait]
impl WorkerStore for FaultyStore {
    async fn register(&self, worker: NewWorker) -> Result<(), StoreError> {
        self.faulty("register", self.inner.register(worker)).await
    }
    async fn beat(&self, worker: WorkerId) -> Result<Beat, StoreError> {
        self.faulty("beat", self.inner.beat(worker)).await
    }
    async fn deregister(&self, worker: WorkerId) -> Result<(), StoreError> {
        self.faulty("deregister", self.inner.deregister(worker)).await
    }
    async fn workers(&self, silent_for: Duration) -> Result<Vec<Worker>, StoreError> {
        self.inner.workers(silent_for).await
    }
    async fn leases(&self, silent_for: Duration) -> Result<Vec<LeaseSummary>, StoreError> {
        self.inner.leases(silent_for).await
    }
    async fn held(&self, worker: WorkerId) -> Result<Vec<AttemptToken>, StoreError> {
        self.faulty("held", self.inner.held(worker)).await
    }
}

#[async_trait]
impl Maintenance for FaultyStore {
    async fn rescue(&self) -> Result<Rescued, StoreError> {
        self.faulty("rescue", self.inner.rescue()).await
    }
    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        self.faulty("prune", self.inner.prune(retention)).await
    }
    async fn fire(&self) -> Result<Fired, StoreError> {
        self.faulty("fire", self.inner.fire()).await
    }
    async fn tidy(&self) -> Result<(), StoreError> {
        self.faulty("tidy", self.inner.tidy()).await
    }
    async fn lead(&self, candidate: WorkerId) -> Result<Leadership, StoreError> {
        self.faulty("lead", self.inner.lead(candidate)).await
    }
    async fn resign(&self, leader: WorkerId) -> Result<(), StoreError> {
        self.faulty("resign", self.inner.resign(leader)).await
    }
    async fn status(&self) -> Result<StoreStatus, StoreError> {
        self.inner.status().await
    }
    async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.inner.check().await
    }
}

#[async_trait]
impl ScheduleStore for FaultyStore {
    async fn put_schedule(&self, schedule: NewSchedule, by: Actor) -> Result<ScheduleOutcome, StoreError> {
        self.inner.put_schedule(schedule, by).await
    }

    async fn declare_schedules(
        &self,
        program: &ProgramName,
        schedules: Vec<NewSchedule>,
    ) -> Result<Declared, StoreError> {
        self.faulty("declare_schedules", self.inner.declare_schedules(program, schedules)).await
    }

    async fn schedule(&self, name: &ScheduleName) -> Result<Schedule, StoreError> {
        self.inner.schedule(name).await
    }

    async fn schedules(&self, page: PageRequest) -> Result<Page<Schedule>, StoreError> {
        self.inner.schedules(page).await
    }

    async fn pause_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        self.inner.pause_schedule(name, by).await
    }

    async fn resume_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        self.inner.resume_schedule(name, by).await
    }

    async fn delete_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        self.inner.delete_schedule(name, by).await
    }

    async fn run_schedule(&self, name: &ScheduleName, job: JobId, by: Actor) -> Result<(), StoreError> {
        self.inner.run_schedule(name, job, by).await
    }

    async fn backfill(
        &self,
        name: &ScheduleName,
        range: (Timestamp, Timestamp),
        by: Actor,
    ) -> Result<Backfilled, StoreError> {
        self.inner.backfill(name, range, by).await
    }

    async fn firings(&self, name: &ScheduleName, page: PageRequest) -> Result<Page<Firing>, StoreError> {
        self.inner.firings(name, page).await
    }

    async fn schedule_events(&self, name: &ScheduleName) -> Result<Vec<ScheduleEvent>, StoreError> {
        self.inner.schedule_events(name).await
    }
}
