//! Jobs: enqueued, read, and changed by hand.

use async_trait::async_trait;
use windlass_core::{Attempt, Job, JobId, JobState, Limits, LogLine, NewJob, Reason, Stage, Timestamp};
use windlass_store::rules::{cancelling, check_batch, deleting, hastening, past, retrying};
use windlass_store::{
    Actor, CancelOutcome, Cursor, EnqueueOutcome, Enqueued, ErrorKind, JobEvent, JobFilter, JobStore, Page,
    PageRequest, StoreError,
};

use crate::MemoryStore;
use crate::state::{Record, State};

#[async_trait]
impl JobStore for MemoryStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, StoreError> {
        self.act("enqueue jobs", |state, now| state.enqueue(jobs, &self.limits, now))
    }

    async fn job(&self, id: JobId) -> Result<Job, StoreError> {
        self.act("read the job", |state, now| Ok(state.record(id)?.seen(now)))
    }

    async fn jobs(&self, filter: JobFilter, page: PageRequest) -> Result<Page<Job>, StoreError> {
        self.act("list jobs", |state, now| Ok(state.list(&filter, page, now)))
    }

    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>, StoreError> {
        self.act("read the attempts", |state, _| Ok(state.record(id)?.attempts.clone()))
    }

    async fn logs(&self, id: JobId, page: PageRequest) -> Result<Page<LogLine>, StoreError> {
        self.act("read the log", |state, _| Ok(log_page(&state.record(id)?.logs, page)))
    }

    async fn events(&self, id: JobId) -> Result<Vec<JobEvent>, StoreError> {
        self.act("read the events", |state, _| Ok(state.record(id)?.events.clone()))
    }

    async fn cancel(&self, id: JobId, by: Actor) -> Result<CancelOutcome, StoreError> {
        self.act("cancel the job", |state, now| state.cancel(id, by, now))
    }

    async fn retry(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        self.act("retry the job", |state, now| state.retry(id, by, now))
    }

    async fn run_now(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        self.act("run the job now", |state, now| state.run_now(id, by, now))
    }

    async fn delete(&self, id: JobId) -> Result<(), StoreError> {
        self.act("delete the job", |state, _| {
            deleting(state.record(id)?.lease.is_some())?;
            state.remove(id);
            Ok(())
        })
    }
}

impl State {
    fn enqueue(
        &mut self,
        jobs: Vec<NewJob>,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Vec<Enqueued>, ErrorKind> {
        check_batch(&jobs, limits).map_err(ErrorKind::Invalid)?;
        Ok(jobs.into_iter().map(|job| self.enqueue_one(job, now)).collect())
    }

    fn enqueue_one(&mut self, job: NewJob, now: Timestamp) -> Enqueued {
        let (id, repeated) = (job.id, self.jobs.contains_key(&job.id));
        if !repeated {
            self.add(made(job, now), None);
        }
        Enqueued { id, outcome: EnqueueOutcome::Created, repeated }
    }

    fn list(&self, filter: &JobFilter, page: PageRequest, now: Timestamp) -> Page<Job> {
        let before =
            page.cursor().and_then(|cursor| u64::try_from(cursor.position()).ok()).unwrap_or(u64::MAX);
        let newest_first = self.order.range(..before).rev().filter_map(|(_, id)| self.jobs.get(id));
        let mut matching = newest_first.filter(|record| matches(filter, record, now)).peekable();

        let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
        let found: Vec<&Record> = matching.by_ref().take(limit).collect();
        let next = matching.peek().and(found.last()).map(|record| cursor(record.order));
        Page { items: found.into_iter().map(|record| record.seen(now)).collect(), next }
    }

    fn cancel(&mut self, id: JobId, by: Actor, now: Timestamp) -> Result<CancelOutcome, ErrorKind> {
        by.validate().map_err(ErrorKind::Invalid)?;
        let outcome = cancelling(self.record(id)?.stage)?;
        if outcome == CancelOutcome::AlreadyCancelled {
            return Ok(outcome);
        }
        self.change(id, |record| {
            record.finish(Stage::Cancelled, now);
            record.reason = Some(Reason::Operator);
            record.note("cancel", by, now);
        })?;
        self.hint_work();
        Ok(outcome)
    }

    fn retry(&mut self, id: JobId, by: Actor, now: Timestamp) -> Result<(), ErrorKind> {
        by.validate().map_err(ErrorKind::Invalid)?;
        let record = self.record(id)?;
        retrying(record.stage, record.reason, record.lease.is_some())?;
        self.change(id, |record| {
            record.stage = Stage::Waiting;
            record.reason = None;
            record.job.run_at = now;
            record.job.attempt = 0;
            record.job.losses = 0;
            record.job.result = None;
            record.job.finished_at = None;
            record.job.deadline = record.job.deadline.filter(|deadline| !past(Some(*deadline), now));
            record.note("retry", by, now);
        })
    }

    fn run_now(&mut self, id: JobId, by: Actor, now: Timestamp) -> Result<(), ErrorKind> {
        by.validate().map_err(ErrorKind::Invalid)?;
        let record = self.record(id)?;
        hastening(record.stage)?;
        if record.job.run_at <= now {
            return Ok(());
        }
        self.change(id, |record| {
            record.job.run_at = now;
            record.note("run_now", by, now);
        })
    }
}

impl Record {
    fn note(&mut self, verb: &str, by: Actor, at: Timestamp) {
        let revision = self.job.revision;
        self.events.push(JobEvent { at, verb: verb.to_owned(), by, revision });
    }
}

/// The job that was asked for, as it begins.
fn made(job: NewJob, now: Timestamp) -> Job {
    Job {
        id: job.id,
        kind: job.kind,
        version: job.version,
        queue: job.queue,
        state: JobState::Ready,
        reason: None,
        priority: job.priority,
        args: job.args,
        attempt: 0,
        attempts_max: job.attempts_max,
        losses: 0,
        losses_max: job.losses_max,
        run_at: job.due.instant(now),
        deadline: job.deadline.map(|deadline| deadline.instant(now)),
        options: job.options,
        progress: None,
        checkpoint: None,
        result: None,
        error: None,
        worker: None,
        created_at: now,
        started_at: None,
        finished_at: None,
        revision: 1,
    }
}

fn matches(filter: &JobFilter, record: &Record, now: Timestamp) -> bool {
    let job = &record.job;
    let any = |named: bool, none: bool| named || none;
    any(filter.states.contains(&record.state(now).0), filter.states.is_empty())
        && any(filter.queues.contains(&job.queue), filter.queues.is_empty())
        && any(filter.kinds.contains(&job.kind), filter.kinds.is_empty())
        && filter.tag.as_ref().is_none_or(|tag| job.options.tags.contains(tag))
        && filter.created_since.is_none_or(|since| job.created_at >= since)
}

fn log_page(lines: &[LogLine], page: PageRequest) -> Page<LogLine> {
    let start = page.cursor().and_then(|cursor| usize::try_from(cursor.position()).ok()).unwrap_or(0);
    let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    let items: Vec<LogLine> = lines.iter().skip(start).take(limit).cloned().collect();
    let end = start + items.len();
    Page { items, next: (end > 0).then(|| cursor(end as u64)) }
}

fn cursor(position: u64) -> Cursor {
    Cursor::at(i64::try_from(position).unwrap_or(i64::MAX))
}
