//! Jobs: enqueued, read, and changed by hand.

use async_trait::async_trait;
use windlass_core::{
    Args, Attempt, Job, JobId, JobState, Limits, LogLine, NewJob, Reason, Stage, Timestamp, Traits,
};
use windlass_store::change::Before;
use windlass_store::rules::edits::edited;
use windlass_store::rules::{cancelling, check_batch, copied, hastening, past, retrying};
use windlass_store::unique::{Made, stand_in};
use windlass_store::{
    Actor, CancelOutcome, Change, Cursor, EnqueueOutcome, Enqueued, ErrorKind, Explanation, JobEdit,
    JobEvent, JobFilter, JobStore, Noun, Page, PageRequest, StoreError,
};

use crate::MemoryStore;
use crate::state::{Record, State};

#[async_trait]
impl JobStore for MemoryStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, StoreError> {
        const NAME: &str = "enqueue jobs";
        self.act_saying(NAME, |state, now| {
            check_batch(&jobs, &self.limits).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
            state.check_parents(&jobs)?;
            state.enqueue(jobs, &self.limits, now)
        })
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

    async fn explain(&self, id: JobId) -> Result<Explanation, StoreError> {
        self.act("explain the job", |state, now| state.explain(id, now))
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

    async fn edit(&self, id: JobId, edit: JobEdit, by: Actor) -> Result<(), StoreError> {
        self.act("edit the job", |state, now| state.edit(id, (&edit, by, &self.limits), now))
    }

    async fn rerun(&self, id: JobId, copy: JobId, by: Actor) -> Result<Enqueued, StoreError> {
        const NAME: &str = "rerun the job";
        self.act_saying(NAME, |state, now| {
            by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
            let kind = |kind| StoreError::new(NAME, kind);
            let new = copied(state.record(id).map_err(kind)?.seen(now), copy).map_err(kind)?;
            let made = state.enqueue(vec![new], &self.limits, now)?;
            let made = made.first().copied().ok_or_else(|| kind(ErrorKind::Corrupt))?;
            if !made.repeated {
                state.audited_change("rerun", (Noun::Job, id), (by, Some(Change::of_rerun(copy))));
            }
            Ok(made)
        })
    }

    async fn delete(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "delete the job";
        self.act_saying(NAME, |state, now| {
            by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
            state.check_deletable(id, NAME)?;
            let change = state.changing("delete", id, now);
            state.drop_key(id);
            state.remove(id);
            state.audited_change("delete", (Noun::Job, id), (by, change));
            Ok(())
        })
    }
}

impl State {
    pub(crate) fn enqueue(
        &mut self,
        mut jobs: Vec<NewJob>,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Vec<Enqueued>, StoreError> {
        const NAME: &str = "enqueue jobs";
        let invalid = |invalid| StoreError::invalid(NAME, invalid);
        check_batch(&jobs, limits).map_err(invalid)?;
        let plan = self.plan(&jobs, now).map_err(|refused| refused.error(NAME, jobs.len()))?;
        stand_in(&mut jobs, &plan).map_err(invalid)?;
        self.check_parents(&jobs)?;
        for made in &plan.made {
            self.make(&jobs[made.place], made, now);
        }
        self.carry_out(&plan, &jobs, now);
        // A parent may stand behind its child.
        let children = plan.made.iter().map(|made| &jobs[made.place]).filter(|job| !job.after.is_empty());
        let children: Vec<&NewJob> = children.collect();
        for child in &children {
            self.connect(child.id, &child.after);
        }
        for child in &children {
            self.hold(child.id);
        }
        Ok(plan.answers)
    }

    /// Makes a job as its batch was planned.
    fn make(&mut self, asked: &NewJob, how: &Made, now: Timestamp) {
        let mut job = made(asked.clone(), now);
        job.run_at = how.run_at.unwrap_or(job.run_at);
        self.add(job, how.reason, asked.traits());
        if how.parked {
            self.park(asked.id);
        }
    }

    pub(crate) fn enqueue_one(&mut self, job: NewJob, now: Timestamp) -> Enqueued {
        let (id, repeated) = (job.id, self.jobs.contains_key(&job.id));
        if !repeated {
            let traits = job.traits();
            self.add(made(job, now), None, traits);
        }
        Enqueued { id, outcome: EnqueueOutcome::Created, repeated }
    }

    /// Whether it is a root, where only those are asked for.
    fn suits(&self, filter: &JobFilter, record: &Record) -> bool {
        !filter.roots || !self.edges.children.contains_key(&record.job.id)
    }

    fn list(&self, filter: &JobFilter, page: PageRequest, now: Timestamp) -> Page<Job> {
        let before =
            page.cursor().and_then(|cursor| u64::try_from(cursor.position()).ok()).unwrap_or(u64::MAX);
        let newest_first = self.order.range(..before).rev().filter_map(|(_, id)| self.jobs.get(id));
        let mut matching = newest_first
            .filter(|record| matches(filter, record, now) && self.suits(filter, record))
            .peekable();

        let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
        let found: Vec<&Record> = matching.by_ref().take(limit).collect();
        let next = matching.peek().and(found.last()).map(|record| cursor(record.order));
        Page { items: found.into_iter().map(|record| record.seen(now)).collect(), next }
    }

    pub(crate) fn cancel(
        &mut self,
        id: JobId,
        by: Actor,
        now: Timestamp,
    ) -> Result<CancelOutcome, ErrorKind> {
        by.validate().map_err(ErrorKind::Invalid)?;
        let outcome = cancelling(self.record(id)?.stage)?;
        if outcome == CancelOutcome::AlreadyCancelled {
            return Ok(outcome);
        }
        let change = self.changing("cancel", id, now);
        self.change(id, |record| {
            record.finish(Stage::Cancelled, now);
            record.reason = Some(Reason::Operator);
            record.note("cancel", by.clone(), now);
        })?;
        self.audited_change("cancel", (Noun::Job, id), (by, change));
        self.hint_work();
        Ok(outcome)
    }

    fn retry(&mut self, id: JobId, by: Actor, now: Timestamp) -> Result<(), ErrorKind> {
        by.validate().map_err(ErrorKind::Invalid)?;
        let record = self.record(id)?;
        let was_over = record.stage.is_final();
        retrying(record.stage, record.reason, record.lease.is_some())?;
        let keys = self.keys_to_retake(&[id], now)?;
        self.put_back(id, by, now)?;
        self.retake_keys(keys);
        if was_over {
            self.hold_again(&[id]);
        }
        Ok(())
    }

    /// Gives a job a new budget, due now.
    pub(crate) fn put_back(&mut self, id: JobId, by: Actor, now: Timestamp) -> Result<(), ErrorKind> {
        let change = self.changing("retry", id, now);
        self.change(id, |record| {
            record.resume(now);
            record.job.run_at = now;
            record.job.attempt = 0;
            record.job.losses = 0;
            record.job.result = None;
            record.job.finished_at = None;
            record.job.deadline = record.job.deadline.filter(|deadline| !past(Some(*deadline), now));
            record.note("retry", by.clone(), now);
        })?;
        self.audited_change("retry", (Noun::Job, id), (by, change));
        Ok(())
    }

    fn run_now(&mut self, id: JobId, by: Actor, now: Timestamp) -> Result<(), ErrorKind> {
        by.validate().map_err(ErrorKind::Invalid)?;
        let record = self.record(id)?;
        hastening(record.stage)?;
        if record.job.run_at <= now {
            return Ok(());
        }
        let change = self.changing("run_now", id, now);
        self.change(id, |record| {
            record.job.run_at = now;
            record.note("run_now", by.clone(), now);
        })?;
        self.audited_change("run_now", (Noun::Job, id), (by, change));
        Ok(())
    }

    fn edit(
        &mut self,
        id: JobId,
        (edit, by, limits): (&JobEdit, Actor, &Limits),
        now: Timestamp,
    ) -> Result<(), ErrorKind> {
        by.validate().map_err(ErrorKind::Invalid)?;
        let record = self.record(id)?;
        let Some(edited) = edited((&record.seen(now), record.reason), edit, limits, now)? else {
            return Ok(());
        };
        let after = edited.job;
        self.queues.entry(after.queue.clone()).or_default();
        self.change(id, |record| {
            record.traits = record.traits.without(Traits::BYTES)
                | Traits::BYTES.when(matches!(after.args, Args::Bytes(_)));
            record.reason = edited.reason;
            let job = &mut record.job;
            job.queue = after.queue;
            job.priority = after.priority;
            job.run_at = edited.run_at;
            job.args = after.args;
            job.options = after.options;
            record.note(edit.verb(), by.clone(), now);
        })?;
        self.audited_change(edit.verb(), (Noun::Job, id), (by, Some(edited.change)));
        Ok(())
    }

    /// What this verb is about to change of a job.
    pub(crate) fn changing(&self, verb: &str, id: JobId, now: Timestamp) -> Option<Change> {
        let record = self.jobs.get(&id)?;
        let Job { attempt, losses, run_at, .. } = record.job;
        Change::of_job(verb, Before { state: record.state(now).0, attempt, losses, run_at }, now)
    }
}

impl Record {
    pub(crate) fn note(&mut self, verb: &str, by: Actor, at: Timestamp) {
        let revision = self.job.revision;
        self.events.push(JobEvent { at, verb: verb.to_owned(), by: by.plain(), revision });
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
        phase: job.options.traits().phase(),
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
        && filter.finished_since.is_none_or(|since| job.finished_at.is_some_and(|at| at >= since))
        && filter.fingerprint.is_none_or(|fingerprint| record.failed_with(fingerprint))
}

fn log_page(lines: &[LogLine], page: PageRequest) -> Page<LogLine> {
    let start = page.cursor().and_then(|cursor| usize::try_from(cursor.position()).ok()).unwrap_or(0);
    let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    let items: Vec<LogLine> = lines.iter().skip(start).take(limit).cloned().collect();
    let end = start + items.len();
    Page { items, next: (end > 0).then(|| cursor(end as u64)) }
}

pub(crate) fn cursor(position: u64) -> Cursor {
    Cursor::at(i64::try_from(position).unwrap_or(i64::MAX))
}
