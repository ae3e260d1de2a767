//! What the store holds, and the one way to change a job.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use windlass_core::attempt::Running;
use windlass_core::retry::Jitter;
use windlass_core::state::seen;
use windlass_core::{
    Attempt, AttemptToken, Ending, Job, JobId, JobState, LogFill, LogLine, Next, Priority, QueueName, Reason,
    Stage, Timestamp, WorkerId,
};
use windlass_store::rules::NewestAttempt;
use windlass_store::{ErrorKind, JobEvent, Leadership, LeaseTerm, NewWorker, Pause};

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
    /// The newest leadership, be it over or not.
    pub(crate) leadership: Option<Leadership>,
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
    pub(crate) priority: Priority,
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
        let Job { id, attempt, attempts_max, losses, losses_max, run_at, deadline, ref options, .. } =
            self.job;
        let jitter = Jitter::of(id, self.number);
        Running { attempt, attempts_max, losses, losses_max, run_at, deadline, retry: &options.retry, jitter }
    }

    /// Puts the job where `ending` says.
    pub(crate) fn end(&mut self, ending: &Ending, now: Timestamp) {
        self.job.attempt = ending.attempt;
        self.job.losses = ending.losses;
        self.reason = ending.next.reason();
        match ending.next {
            Next::Waiting { run_at, .. } => {
                self.stage = Stage::Waiting;
                self.job.run_at = run_at;
            }
            Next::Finished { stage, .. } => self.finish(stage, now),
        }
    }

    pub(crate) fn finish(&mut self, stage: Stage, now: Timestamp) {
        self.stage = stage;
        self.job.finished_at = Some(now);
    }

    fn place(&self) -> Place {
        Place { priority: self.job.priority, run_at: self.job.run_at, order: self.order }
    }
}

impl State {
    pub(crate) fn record(&self, id: JobId) -> Result<&Record, ErrorKind> {
        self.jobs.get(&id).ok_or(ErrorKind::NotFound)
    }

    /// Adds a new job after all others.
    pub(crate) fn add(&mut self, job: Job, reason: Option<Reason>) {
        self.enqueued += 1;
        self.queues.entry(job.queue.clone()).or_default();
        let record = Record {
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
            job,
        };
        self.order.insert(record.order, record.job.id);
        self.index(&record);
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
        let was_final = record.stage.is_final();
        let changed = change(&mut record);
        self.hints.ended |= record.stage.is_final() && !was_final;
        self.index(&record);
        self.jobs.insert(id, record);
        Ok(changed)
    }

    /// Removes a job and all that is kept of it.
    pub(crate) fn remove(&mut self, id: JobId) {
        if let Some(record) = self.jobs.remove(&id) {
            self.unindex(&record);
            self.order.remove(&record.order);
        }
    }

    fn index(&mut self, record: &Record) {
        let id = record.job.id;
        if record.stage == Stage::Waiting {
            self.hints.work = true;
            self.waiting.entry(record.job.queue.clone()).or_default().insert(record.place(), id);
        }
        if let Some(lease) = record.lease {
            self.held.entry(lease.worker).or_default().insert(id);
        }
    }

    fn unindex(&mut self, record: &Record) {
        if let Some(places) = self.waiting.get_mut(&record.job.queue) {
            places.remove(&record.place());
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
