//! Unique keys: which job has each, and what follows when they are asked for, let go of and taken back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use windlass_core::{JobId, NewJob, Stage, Timestamp, UniqueKey};
use windlass_store::unique::{
    Change, Kept, KeyRow, KeyState, LetGo, NextInLine, Plan, Refused, Returning, let_go, plan, remembered,
};
use windlass_store::{EnqueueOutcome, Enqueued, ErrorKind};

use crate::state::{Record, State};

/// The keys that are taken, and what was answered to jobs that met them.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    rows: BTreeMap<UniqueKey, KeyRow>,
    /// The keys whose rows name a job. Its args may have been edited since, so its fingerprint says nothing.
    named: HashMap<JobId, BTreeSet<UniqueKey>>,
    answered: HashMap<JobId, Answered>,
}

impl Keys {
    fn put(&mut self, key: UniqueKey, row: KeyRow) {
        self.remove(key);
        self.rows.insert(key, row);
        for job in [Some(row.job), row.next].into_iter().flatten() {
            self.named.entry(job).or_default().insert(key);
        }
    }

    fn remove(&mut self, key: UniqueKey) {
        let Some(row) = self.rows.remove(&key) else { return };
        for job in [Some(row.job), row.next].into_iter().flatten() {
            let named = self.named.entry(job).or_default();
            named.remove(&key);
            if named.is_empty() {
                self.named.remove(&job);
            }
        }
    }

    fn of(&self, job: JobId) -> Vec<(UniqueKey, KeyRow)> {
        let keys = self.named.get(&job).into_iter().flatten();
        keys.filter_map(|key| Some((*key, *self.rows.get(key)?))).collect()
    }
}

/// What was answered to a job that was not made.
#[derive(Debug, Clone, Copy)]
struct Answered {
    job: JobId,
    outcome: EnqueueOutcome,
    at: Timestamp,
}

impl State {
    /// Works out what a batch does.
    pub(crate) fn plan(&self, jobs: &[NewJob], now: Timestamp) -> Result<Plan, Refused> {
        let known = jobs.iter().filter_map(|job| Some((job.id, self.known(job, now)?))).collect();
        let keys = jobs.iter().filter_map(NewJob::unique_key);
        let taken = keys.filter_map(|key| Some((key, self.key_state(*self.keys.rows.get(&key)?)))).collect();
        plan(jobs, &known, taken, now)
    }

    /// What was answered when this id was enqueued before, if it was.
    fn known(&self, asked: &NewJob, now: Timestamp) -> Option<Enqueued> {
        let id = asked.id;
        if self.jobs.contains_key(&id) {
            return Some(Enqueued { id, outcome: EnqueueOutcome::Created, repeated: true });
        }
        asked.options.unique.as_ref()?;
        let Answered { job, outcome, at } = *self.keys.answered.get(&id)?;
        remembered(job, outcome, at, now)
    }

    fn key_state(&self, row: KeyRow) -> KeyState {
        let kept = |id| self.jobs.get(&id).map(Record::kept).filter(|kept| !kept.stage.is_final());
        KeyState { row, holder: kept(row.job), next: row.next.and_then(kept) }
    }

    /// Writes down what a plan says but for the jobs that it makes, which are there already.
    pub(crate) fn carry_out(&mut self, plan: &Plan, jobs: &[NewJob], now: Timestamp) {
        for change in &plan.changed {
            self.replace(change, &jobs[change.place], now);
        }
        for write in &plan.keys {
            self.keys.put(write.key, write.row);
        }
        for place in &plan.answered {
            let Enqueued { id, outcome, .. } = plan.answers[*place];
            self.keys.answered.insert(jobs[*place].id, Answered { job: id, outcome, at: now });
        }
    }

    /// Gives a job what another asked for.
    fn replace(&mut self, change: &Change, asked: &NewJob, now: Timestamp) {
        self.queues.entry(asked.queue.clone()).or_default();
        let changed = self.keep(change.id, |record| {
            record.traits = change.traits(asked.traits());
            record.reason = change.reason;
            let job = &mut record.job;
            job.kind = asked.kind.clone();
            job.version = asked.version;
            job.queue = asked.queue.clone();
            job.priority = asked.priority;
            job.args = asked.args.clone();
            job.attempts_max = asked.attempts_max;
            job.losses_max = asked.losses_max;
            job.run_at = change.run_at;
            job.deadline = asked.deadline.map(|deadline| deadline.instant(now));
            job.options = asked.options.clone();
            job.revision += change.times;
        });
        debug_assert!(changed.is_ok(), "a job that is changed is there");
    }

    /// Lets go of the key of a job that has ended, or that ended while it waited for one.
    pub(crate) fn let_key_go(&mut self, ended: JobId) {
        for (key, row) in self.keys.of(ended) {
            self.pass_on(key, &row, ended);
        }
    }

    /// Lets go of the key of a job that is removed by hand; it keeps nothing.
    pub(crate) fn drop_key(&mut self, removed: JobId) {
        for (key, row) in self.keys.of(removed) {
            let until = row.until.filter(|_| row.job != removed);
            self.pass_on(key, &KeyRow { until, ..row }, removed);
        }
    }

    /// The job that has the key which this one waits for, if it waits for one.
    pub(crate) fn has_key_for(&self, id: JobId) -> Option<JobId> {
        self.keys.of(id).into_iter().find(|(_, row)| row.next == Some(id)).map(|(_, row)| row.job)
    }

    /// Holds a new job back until the one that has its key has ended.
    pub(crate) fn park(&mut self, id: JobId) {
        let parked = self.keep(id, |record| record.stage = Stage::Blocked);
        debug_assert!(parked.is_ok(), "only a job that is there is held back");
    }

    fn pass_on(&mut self, key: UniqueKey, row: &KeyRow, ended: JobId) {
        let next = row.next.and_then(|id| self.jobs.get(&id)).and_then(Record::next_in_line);
        let row = match let_go(row, ended, next.as_ref(), self.now) {
            LetGo::Free => {
                self.keys.remove(key);
                return;
            }
            LetGo::Kept(row) => row,
            LetGo::Passed { row, run_at, reason } => {
                let released = self.change(row.job, |record| {
                    record.stage = Stage::Waiting;
                    record.reason = reason;
                    record.job.run_at = run_at;
                });
                debug_assert!(released.is_ok(), "the next in line is there");
                row
            }
        };
        self.keys.put(key, row);
    }

    /// The rows that final jobs need which are to be brought back together.
    pub(crate) fn keys_to_retake(
        &self,
        ids: &[JobId],
        now: Timestamp,
    ) -> Result<BTreeMap<UniqueKey, KeyRow>, ErrorKind> {
        let mut rows: BTreeMap<UniqueKey, KeyRow> = BTreeMap::new();
        for id in ids {
            let record = self.record(*id)?;
            let Some((key, back)) = record.job.unique_key().zip(record.returning()) else { continue };
            if let Some(other) = rows.get(&key) {
                return Err(ErrorKind::Duplicate(other.job));
            }
            let state = self.keys.rows.get(&key).map(|row| self.key_state(*row));
            rows.extend(back.retake(state.as_ref(), now)?.map(|row| (key, row)));
        }
        Ok(rows)
    }

    pub(crate) fn retake_keys(&mut self, rows: BTreeMap<UniqueKey, KeyRow>) {
        for (key, row) in rows {
            self.keys.put(key, row);
        }
    }

    /// Forgets keys that nobody has any more, and answers that nobody asks for any more.
    pub(crate) fn forget_keys(&mut self) {
        let now = self.now;
        let is_over = |row: &KeyRow| {
            let state = self.key_state(*row);
            state.holder.is_none() && !state.blocks(now)
        };
        let over: Vec<UniqueKey> =
            self.keys.rows.iter().filter(|(_, row)| is_over(row)).map(|(key, _)| *key).collect();
        for key in over {
            self.keys.remove(key);
        }
        let is_remembered =
            |answered: &Answered| remembered(answered.job, answered.outcome, answered.at, now).is_some();
        self.keys.answered.retain(|_, answered| is_remembered(answered));
    }

    /// Keys whose rows do not fit their jobs.
    pub(crate) fn key_faults(&self) -> Vec<String> {
        use windlass_store::unique::Hold;
        let mut faults = Vec::new();
        for (key, row) in &self.keys.rows {
            let state = self.key_state(*row);
            if row.hold != Hold::Over && state.holder.is_none() {
                faults.push(format!("job {} has the key {key:?}, and has ended", row.job));
            }
            if row.next.is_some() && state.next.is_none_or(|next| next.stage != Stage::Blocked) {
                faults.push(format!("the next job to have the key {key:?} does not wait for it"));
            }
        }
        faults
    }
}

impl Record {
    fn kept(&self) -> Kept {
        Kept {
            stage: self.stage,
            started: self.number > 0,
            traits: self.traits,
            created_at: self.job.created_at,
        }
    }

    fn next_in_line(&self) -> Option<NextInLine> {
        let Self { job, .. } = self;
        let unique = job.options.unique.clone()?;
        Some(NextInLine { id: job.id, created_at: job.created_at, run_at: job.run_at, unique })
    }

    fn returning(&self) -> Option<Returning> {
        let unique = self.job.options.unique.clone().filter(|_| self.stage.is_final())?;
        Some(Returning { id: self.job.id, created_at: self.job.created_at, started: self.number > 0, unique })
    }
}
