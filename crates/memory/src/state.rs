//! What the store holds, and the one way to change a job.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use windlass_core::attempt::Running;
use windlass_core::retry::Jitter;
use windlass_core::review::{SETTLE_PRIORITY, needs_approval};
use windlass_core::state::seen;
use windlass_core::{
    Attempt, AttemptToken, Ending, Gate, Job, JobId, JobState, Json, LogFill, LogLine, Next, QueueName,
    Reason, Stage, Timestamp, Traits, WorkerId,
};
use windlass_store::rules::NewestAttempt;
use windlass_store::{
    AuditEntry, ErrorKind, JobEvent, Leadership, LeaseTerm, NewWorker, Pause, QueueRetention, Token,
};

use crate::errors::ErrorGroups;
use crate::flows::Edges;
use crate::gates::Gates;
use crate::operations::OperationRecord;
use crate::reviews::Kept;
use crate::schedules::Schedules;
use crate::unique::Keys;

/// Everything the store holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) jobs: HashMap<JobId, Record>,
    pub(crate) workers: BTreeMap<WorkerId, WorkerRecord>,
    pub(crate) queues: BTreeMap<QueueName, Option<Pause>>,
    /// Every job in the order in which they were enqueued.
    pub(crate) order: BTreeMap<u64, JobId>,
    /// The waiting jobs of each queue in claim order, so that a claim looks at what is due and nothing else.
    pub(crate) waiting: BTreeMap<QueueName, BTreeMap<Place, JobId>>,
    /// The jobs with an open attempt, by the worker that holds it.
    pub(crate) held: BTreeMap<WorkerId, BTreeSet<JobId>>,
    /// The jobs that wait for other jobs, for a person, or at a gate.
    pub(crate) parked: BTreeSet<JobId>,
    pub(crate) edges: Edges,
    pub(crate) keys: Keys,
    pub(crate) errors: ErrorGroups,
    /// How long the finished jobs of a queue are kept, where that differs from what holds for all.
    pub(crate) retentions: BTreeMap<QueueName, QueueRetention>,
    /// When what is being done now is done.
    pub(crate) now: Timestamp,
    /// The newest leadership, be it over or not.
    pub(crate) leadership: Option<Leadership>,
    pub(crate) schedules: Schedules,
    /// What was done by hand, oldest first.
    pub(crate) audit: Vec<AuditEntry>,
    /// Every token that ever was, oldest first.
    pub(crate) tokens: Vec<Token>,
    /// By number, in the order in which they began.
    pub(crate) operations: BTreeMap<i64, OperationRecord>,
    pub(crate) gates: Gates,
    /// The jobs in review in the order in which they came into it.
    pub(crate) in_review: BTreeMap<u64, JobId>,
    asked: u64,
    enqueued: u64,
    hints: Hints,
}

/// What those should be told who wait for something new.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Hints {
    pub(crate) work: bool,
    pub(crate) ended: bool,
}

/// A job's place in the claim order of its queue: priority, then due time, then enqueue order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The number of its priority, or that of what is carried out of a decision.
    pub(crate) rank: u8,
    pub(crate) run_at: Timestamp,
    pub(crate) order: u64,
}

/// A job with everything that is kept of it.
#[derive(Debug)]
pub(crate) struct Record {
    /// When it was enqueued, as a number that only grows.
    pub(crate) order: u64,
    pub(crate) stage: Stage,
    pub(crate) reason: Option<Reason>,
    /// The rest of the job. Its `state` and `reason` are not kept here: they depend on the time, see [`Record::seen`].
    pub(crate) job: Job,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) log_fill: LogFill,
    pub(crate) events: Vec<JobEvent>,
    /// The number of the newest attempt; 0 if there was none.
    pub(crate) number: u64,
    /// The nonce of the newest attempt, as [`NewestAttempt`] has it.
    pub(crate) nonce: u64,
    /// The open attempt's lease.
    pub(crate) lease: Option<Lease>,
    pub(crate) traits: Traits,
    /// The last time that it came into review.
    pub(crate) review: Option<Kept>,
    /// How many of its parents it waits for.
    pub(crate) waits: u32,
    /// The gates where it waits, and whether it is parked there rather than called.
    pub(crate) waits_at: Vec<Gate>,
    pub(crate) turned_away: bool,
}

/// Who holds a job, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) worker: WorkerId,
    pub(crate) term: LeaseTerm,
    /// Last sign of life of a lease of its own; that of the process counts for the others.
    pub(crate) seen_at: Timestamp,
}

/// A registered worker.
#[derive(Debug)]
pub(crate) struct WorkerRecord {
    pub(crate) registered: NewWorker,
    pub(crate) since: Timestamp,
    pub(crate) seen_at: Timestamp,
}

impl WorkerRecord {
    pub(crate) fn lease_until(&self) -> Timestamp {
        self.seen_at.after(self.registered.lease)
    }
}

impl Record {
    /// The job as a reader sees it at `now`.
    pub(crate) fn seen(&self, now: Timestamp) -> Job {
        let (state, reason) = self.state(now);
        Job { state, reason, ..self.job.clone() }
    }

    pub(crate) fn state(&self, now: Timestamp) -> (JobState, Option<Reason>) {
        seen(self.stage, self.reason, self.job.run_at, now)
    }

    pub(crate) fn token(&self) -> AttemptToken {
        AttemptToken { job: self.job.id, number: self.number, nonce: self.nonce }
    }

    pub(crate) fn running(&self) -> Running<'_> {
        let job = &self.job;
        Running {
            attempt: job.attempt,
            attempts_max: job.attempts_max,
            losses: job.losses,
            losses_max: job.losses_max,
            run_at: job.run_at,
            deadline: job.deadline,
            retry: &job.options.retry,
            jitter: Jitter::of(job.id, self.number),
            review: job.options.review.as_ref(),
            settles: self.traits.settles().map(|(decision, _)| decision),
        }
    }

    /// Puts the job where `ending` says, with what it made for a person to decide about, if they have to.
    pub(crate) fn end(&mut self, ending: &Ending, staged: Option<Json>, now: Timestamp) {
        self.job.attempt = ending.attempt;
        self.job.losses = ending.losses;
        self.reason = ending.next.reason();
        match ending.next {
            Next::Waiting { run_at, .. } => {
                self.stage = Stage::Waiting;
                self.job.run_at = run_at;
            }
            Next::Finished { stage, .. } => self.finish(stage, now),
            Next::InReview => self.ask(staged, now),
        }
    }

    pub(crate) fn finish(&mut self, stage: Stage, now: Timestamp) {
        self.stage = stage;
        self.job.finished_at = Some(now);
    }

    pub(crate) fn place(&self) -> Place {
        let asked = self.job.priority.as_number();
        let rank = self.traits.settles().map_or(asked, |_| SETTLE_PRIORITY);
        Place { rank, run_at: self.job.run_at, order: self.order }
    }
}

impl State {
    pub(crate) fn record(&self, id: JobId) -> Result<&Record, ErrorKind> {
        self.jobs.get(&id).ok_or(ErrorKind::NotFound)
    }

    /// Adds a new job after all others.
    pub(crate) fn add(&mut self, job: Job, reason: Option<Reason>, traits: Traits) {
        self.enqueued += 1;
        self.queues.entry(job.queue.clone()).or_default();
        let mut record = Record {
            order: self.enqueued,
            stage: Stage::Waiting,
            reason,
            attempts: Vec::new(),
            logs: Vec::new(),
            log_fill: LogFill::default(),
            events: Vec::new(),
            number: 0,
            nonce: 0,
            lease: None,
            traits,
            waits: 0,
            waits_at: Vec::new(),
            turned_away: false,
            review: None,
            job,
        };
        if needs_approval(record.job.options.review.as_ref(), None) {
            record.ask(None, self.now);
        }
        self.order.insert(record.order, record.job.id);
        self.index(&mut record);
        self.jobs.insert(record.job.id, record);
    }

    /// Changes a job that exists: raises its revision, and keeps the indexes in step.
    pub(crate) fn change<T>(
        &mut self,
        id: JobId,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Result<T, ErrorKind> {
        self.keep(id, |record| {
            record.job.revision += 1;
            change(record)
        })
    }

    /// Changes what is kept beside a job, which leaves its revision: an attempt, a lease, the log.
    pub(crate) fn keep<T>(
        &mut self,
        id: JobId,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Result<T, ErrorKind> {
        let mut record = self.jobs.remove(&id).ok_or(ErrorKind::NotFound)?;
        self.unindex(&record);
        let (was_open, before) = (record.lease.is_some(), record.stage);
        let order_key = record.job.options.order_key.clone();
        let (stood, place) = ((!record.waits_at.is_empty()).then(|| record.stand()), record.place());
        let changed = change(&mut record);
        let left = if stood.is_some_and(|stood| stood != record.stand()) {
            record.turned_away = false;
            std::mem::take(&mut record.waits_at)
        } else {
            Vec::new()
        };
        let closed = was_open && record.lease.is_none();
        let ended = record.stage.is_final() && !before.is_final();
        self.hints.ended |= ended;
        self.index(&mut record);
        self.jobs.insert(id, record);
        self.leave_gates(&left, place);
        if order_key.is_some()
            && self.jobs.get(&id).is_some_and(|record| record.job.options.order_key != order_key)
        {
            self.leave_turn(order_key.as_deref());
        }
        if closed {
            self.closed(id);
        }
        if ended {
            self.ended(id, before);
        }
        Ok(changed)
    }

    /// Removes a job and all that is kept of it.
    pub(crate) fn remove(&mut self, id: JobId) {
        if let Some(record) = self.jobs.remove(&id) {
            self.unindex(&record);
            self.order.remove(&record.order);
            self.disconnect(id, record.order);
            self.leave_gates(&record.waits_at, record.place());
            self.leave_turn(record.job.options.order_key.as_deref());
        }
    }

    pub(crate) fn index(&mut self, record: &mut Record) {
        let id = record.job.id;
        self.join_turn(record);
        if let Some(kept) = record.review.as_mut().filter(|_| record.stage == Stage::InReview) {
            if kept.order == 0 {
                self.asked += 1;
                kept.order = self.asked;
            }
            self.in_review.insert(kept.order, id);
        }
        if record.stage == Stage::Waiting && !record.turned_away {
            self.hints.work = true;
            self.waiting.entry(record.job.queue.clone()).or_default().insert(record.place(), id);
        }
        if matches!(record.stage, Stage::Blocked | Stage::InReview) || record.turned_away {
            self.parked.insert(id);
        }
        if let Some(lease) = record.lease {
            self.held.entry(lease.worker).or_default().insert(id);
        }
    }

    pub(crate) fn unindex(&mut self, record: &Record) {
        self.drop_turn(record);
        if let Some(places) = self.waiting.get_mut(&record.job.queue) {
            places.remove(&record.place());
        }
        self.parked.remove(&record.job.id);
        if let Some(kept) = &record.review {
            self.in_review.remove(&kept.order);
        }
        if let Some(lease) = record.lease
            && let Some(held) = self.held.get_mut(&lease.worker)
        {
            held.remove(&record.job.id);
            if held.is_empty() {
                self.held.remove(&lease.worker);
            }
        }
    }

    /// Until when a lease holds: that of a process as long as its worker's. One whose worker is gone is over.
    pub(crate) fn lease_until(&self, lease: &Lease) -> Timestamp {
        match lease.term {
            LeaseTerm::Own(span) => lease.seen_at.after(span),
            LeaseTerm::Process => {
                self.workers.get(&lease.worker).map_or(Timestamp::MIN, WorkerRecord::lease_until)
            }
        }
    }

    /// When the holder of a lease last gave a sign of life.
    pub(crate) fn seen_at(&self, lease: &Lease) -> Timestamp {
        match lease.term {
            LeaseTerm::Own(_) => lease.seen_at,
            LeaseTerm::Process => {
                self.workers.get(&lease.worker).map_or(Timestamp::MIN, |worker| worker.seen_at)
            }
        }
    }

    /// What a token of this job is held against.
    pub(crate) fn newest(&self, id: JobId) -> Option<NewestAttempt> {
        let record = self.jobs.get(&id)?;
        Some(NewestAttempt {
            number: record.number,
            nonce: record.nonce,
            lease_until: record.lease.as_ref().map(|lease| self.lease_until(lease)),
            cancelled: record.stage == Stage::Cancelled,
        })
    }

    /// The jobs of which `worker` holds an attempt.
    pub(crate) fn held_by(&self, worker: WorkerId) -> impl Iterator<Item = &Record> {
        self.held.get(&worker).into_iter().flatten().filter_map(|id| self.jobs.get(id))
    }

    /// Every job of which anyone holds an attempt, with its lease.
    pub(crate) fn leased(&self) -> impl Iterator<Item = (&Record, &Lease)> {
        let ids = self.held.values().flatten();
        ids.filter_map(|id| self.jobs.get(id)).filter_map(|record| Some((record, record.lease.as_ref()?)))
    }

    /// The tokens of `worker`'s attempts whose jobs were cancelled.
    pub(crate) fn cancelled_of(&self, worker: WorkerId) -> Vec<AttemptToken> {
        self.held_by(worker).filter(|record| record.stage == Stage::Cancelled).map(Record::token).collect()
    }

    /// Hints that there may be work, or that a running job was asked to stop.
    pub(crate) fn hint_work(&mut self) {
        self.hints.work = true;
    }

    pub(crate) fn take_hints(&mut self) -> Hints {
        std::mem::take(&mut self.hints)
    }
}
