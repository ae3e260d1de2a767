//! Records as columns: what is sent for many jobs at a time.

use tokio_postgres::types::ToSql;
use uuid::Uuid;
use windlass_core::edge::open_parents;
use windlass_core::limits::LOG_BYTES_MAX;
use windlass_core::log::{LOG_CUT, LogFill};
use windlass_core::review::SETTLE_PRIORITY;
use windlass_core::{
    Args, Attempt, AttemptOutcome, Edge, Fingerprint, Job, JobOptions, JobState, LogLine, Phase, Reason,
    Stage, Traits,
};
use windlass_store::StoreError;

use super::{Numbers, Record};
use crate::database::Session;
use crate::fates::as_json;
use crate::row::{self, budget};
use crate::sql;
use crate::value::{Instant, instant};

type Written = Result<(), tokio_postgres::Error>;

/// What a job uses that most do not, told by what it asks for.
fn traits(record: &Record) -> Traits {
    let job = &record.job;
    job.options.traits()
        | Traits::CHILD.when(!record.parents.is_empty())
        | Traits::PARENT.when(record.awaited)
        | Traits::BYTES.when(matches!(job.args, Args::Bytes(_)))
}

/// The same, and what of a decision is carried out.
fn all_traits(record: &Record) -> Traits {
    let ruling = record.review.as_ref().and_then(|review| review.ruling.as_ref());
    match ruling.filter(|_| record.job.phase == Phase::Settle) {
        Some(ruling) => traits(record).settling(ruling.decision, record.job.priority),
        None => traits(record),
    }
}

/// Columns of `import/jobs.sql`.
#[derive(Debug, Default)]
pub(super) struct JobColumns {
    ids: Vec<Uuid>,
    seqs: Vec<i64>,
    created: Vec<Instant>,
    run_at: Vec<Instant>,
    started: Vec<Option<Instant>>,
    finished: Vec<Option<Instant>>,
    lanes: Vec<i32>,
    workers: Vec<Option<i32>>,
    budgets: Vec<i64>,
    losses: Vec<i64>,
    numbers: Vec<i64>,
    attempts: Vec<i64>,
    revisions: Vec<i64>,
    stages: Vec<i16>,
    reasons: Vec<Option<i16>>,
    priorities: Vec<i16>,
    traits: Vec<i32>,
    log_bytes: Vec<i32>,
    deadlines: Vec<Option<Instant>>,
    progress: Vec<Option<i16>>,
    args: Vec<Vec<u8>>,
    options: Vec<Option<String>>,
    messages: Vec<Option<String>>,
    checkpoints: Vec<Option<String>>,
    results: Vec<Option<String>>,
    errors: Vec<Option<String>>,
}

impl JobColumns {
    pub(super) fn of(records: &[&Record], numbers: &Numbers) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for record in records {
            columns.seqs.push(record.place.cast_signed());
            let lane = numbers.lane(&record.job)?;
            // No claim comes across what is blocked or in review.
            let is_parked = matches!(record.job.state, JobState::Blocked | JobState::InReview);
            columns.lanes.push(if is_parked { -lane } else { lane });
            columns.workers.push(record.job.worker.as_deref().and_then(|name| numbers.worker(name)));
            columns.numbers.push(newest_number(&record.attempts).cast_signed());
            columns.reasons.push(reason(record).map(|reason| reason.as_number().into()));
            columns.log_bytes.push(log_bytes(&record.log));
            columns.add_budget(&record.job)?;
            columns.add_times(&record.job);
            columns.traits.push(all_traits(record).bits().cast_signed());
            columns.add_contents(&record.job)?;
        }
        Ok(columns)
    }

    fn add_budget(&mut self, job: &Job) -> Result<(), StoreError> {
        self.ids.push(job.id.as_uuid());
        self.stages.push(stage(job)?.as_number().into());
        let settles = job.phase == Phase::Settle;
        self.priorities.push(if settles { SETTLE_PRIORITY } else { job.priority.as_number() }.into());
        self.attempts.push(job.attempt.into());
        self.budgets.push(budget(job.attempts_max, job.losses_max));
        self.losses.push(job.losses.into());
        self.revisions.push(job.revision.cast_signed());
        Ok(())
    }

    fn add_times(&mut self, job: &Job) {
        self.created.push(Instant(job.created_at));
        self.run_at.push(Instant(job.run_at));
        self.started.push(instant(job.started_at));
        self.finished.push(instant(job.finished_at));
        self.deadlines.push(instant(job.deadline));
    }

    fn add_contents(&mut self, job: &Job) -> Result<(), StoreError> {
        let text = |json: &windlass_core::Json| json.as_str().to_owned();
        self.args.push(job.args.as_bytes().to_vec());
        let is_special = job.options != JobOptions::default();
        self.options.push(is_special.then(|| as_json(&job.options)).transpose()?);
        self.progress.push(job.progress.as_ref().map(|progress| progress.percent.into()));
        self.messages.push(job.progress.as_ref().and_then(|progress| progress.message.clone()));
        self.checkpoints.push(job.checkpoint.as_ref().map(text));
        self.results.push(job.result.as_ref().map(text));
        self.errors.push(job.error.as_ref().map(as_json).transpose()?);
        Ok(())
    }

    pub(super) async fn write(&self, session: &Session) -> Written {
        let values: [&(dyn ToSql + Sync); 26] = [
            &self.ids,
            &self.seqs,
            &self.created,
            &self.run_at,
            &self.started,
            &self.finished,
            &self.lanes,
            &self.workers,
            &self.budgets,
            &self.losses,
            &self.numbers,
            &self.attempts,
            &self.revisions,
            &self.stages,
            &self.reasons,
            &self.priorities,
            &self.traits,
            &self.log_bytes,
            &self.deadlines,
            &self.progress,
            &self.args,
            &self.options,
            &self.messages,
            &self.checkpoints,
            &self.results,
            &self.errors,
        ];
        session.execute(sql::import::JOBS, &values).await.map(|_| ())
    }
}

/// What is kept of a state.
fn stage(job: &Job) -> Result<Stage, StoreError> {
    Ok(match job.state {
        JobState::Scheduled | JobState::Ready | JobState::Retryable => Stage::Waiting,
        JobState::Blocked => Stage::Blocked,
        JobState::InReview => Stage::InReview,
        JobState::Completed => Stage::Completed,
        JobState::Cancelled => Stage::Cancelled,
        JobState::Dead => Stage::Dead,
        other => return Err(row::damaged(format!("job {} is {other}, and has no open attempt", job.id))),
    })
}

/// Why it waits. A job that is due says no more why it had to wait; its last attempt tells, and so an operator may still
/// give a failed one a new budget.
fn reason(Record { job, attempts, .. }: &Record) -> Option<Reason> {
    let has_begun = job.attempt > 0 || job.losses > 0;
    if job.state != JobState::Ready || !has_begun {
        return job.reason;
    }
    match attempts.last().and_then(|attempt| attempt.outcome)? {
        AttemptOutcome::Failed => Some(Reason::Error),
        AttemptOutcome::TimedOut => Some(Reason::TimedOut),
        AttemptOutcome::Lost => Some(Reason::Lost),
        AttemptOutcome::Snoozed => Some(Reason::Snoozed),
        _ => None,
    }
}

/// The number of its newest attempt: the next has a higher one.
fn newest_number(attempts: &[Attempt]) -> u64 {
    attempts.iter().map(|attempt| attempt.number).max().unwrap_or(0)
}

/// How full a log is, as stores count it.
fn log_bytes(log: &[LogLine]) -> i32 {
    let is_cut = log.last().is_some_and(|line| line.message == LOG_CUT);
    let mut fill = LogFill::default();
    for line in log {
        let _ = fill.admit(line.message.len());
    }
    let bytes = if is_cut { fill.as_number().max(LOG_BYTES_MAX + 1) } else { fill.as_number() };
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

/// Columns of `import/attempts.sql`.
#[derive(Debug, Default)]
pub(super) struct AttemptColumns {
    jobs: Vec<Uuid>,
    numbers: Vec<i64>,
    workers: Vec<Option<i32>>,
    started: Vec<Instant>,
    ended: Vec<Instant>,
    outcomes: Vec<i16>,
    errors: Vec<Option<String>>,
    fingerprints: Vec<Option<i64>>,
}

impl AttemptColumns {
    pub(super) fn of(records: &[&Record], numbers: &Numbers) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for record in records {
            for attempt in recorded(record) {
                columns.add(record, attempt, numbers)?;
            }
        }
        Ok(columns)
    }

    fn add(&mut self, record: &Record, attempt: &Attempt, numbers: &Numbers) -> Result<(), StoreError> {
        let outcome =
            attempt.outcome.ok_or_else(|| row::damaged("an attempt of another store did not end"))?;
        self.jobs.push(record.job.id.as_uuid());
        self.numbers.push(attempt.number.cast_signed());
        self.workers.push(numbers.worker(&attempt.worker));
        self.started.push(Instant(attempt.started_at));
        self.ended.push(Instant(attempt.ended_at.unwrap_or(attempt.started_at)));
        self.outcomes.push(outcome.as_number().into());
        self.errors.push(attempt.error.as_ref().map(as_json).transpose()?);
        let error = attempt.error.as_ref().filter(|_| outcome.is_failure());
        let fingerprint = error.map(|error| Fingerprint::of(&record.job.kind, error).as_number());
        self.fingerprints.push(fingerprint);
        Ok(())
    }

    pub(super) async fn write(&self, session: &Session) -> Written {
        let values: [&(dyn ToSql + Sync); 8] = [
            &self.jobs,
            &self.numbers,
            &self.workers,
            &self.started,
            &self.ended,
            &self.outcomes,
            &self.errors,
            &self.fingerprints,
        ];
        if !self.jobs.is_empty() {
            session.execute(sql::import::ATTEMPTS, &values).await?;
        }
        Ok(())
    }
}

/// Attempts that have a row of their own. The one that completed the job is told by the job's.
fn recorded(Record { job, attempts, .. }: &Record) -> impl Iterator<Item = &Attempt> {
    let told = (job.state == JobState::Completed).then(|| newest_number(attempts));
    attempts.iter().filter(move |attempt| Some(attempt.number) != told)
}

/// Columns of `import/lines.sql`.
#[derive(Debug, Default)]
pub(super) struct LineColumns<'a> {
    jobs: Vec<Uuid>,
    lines: Vec<i64>,
    attempts: Vec<i64>,
    at: Vec<Instant>,
    levels: Vec<i16>,
    messages: Vec<&'a str>,
}

impl<'a> LineColumns<'a> {
    pub(super) fn of(records: &[&'a Record]) -> Self {
        let mut columns = Self::default();
        for record in records {
            for (number, line) in (1..).zip(&record.log) {
                columns.jobs.push(record.job.id.as_uuid());
                columns.lines.push(number);
                columns.attempts.push(line.attempt.cast_signed());
                columns.at.push(Instant(line.at));
                columns.levels.push(line.level.as_number().into());
                columns.messages.push(&line.message);
            }
        }
        columns
    }

    pub(super) async fn write(&self, session: &Session) -> Written {
        let values: [&(dyn ToSql + Sync); 6] =
            [&self.jobs, &self.lines, &self.attempts, &self.at, &self.levels, &self.messages];
        if !self.jobs.is_empty() {
            session.execute(sql::import::LINES, &values).await?;
        }
        Ok(())
    }
}

/// Columns of `edge/insert.sql` and `import/blocked.sql`.
#[derive(Debug, Default)]
pub(super) struct EdgeColumns {
    children: Vec<Uuid>,
    positions: Vec<i32>,
    parents: Vec<Uuid>,
    policies: Vec<i16>,
    blocked: Vec<Uuid>,
    waits: Vec<i32>,
}

impl EdgeColumns {
    pub(super) fn of(records: &[&Record]) -> Self {
        let mut columns = Self::default();
        for record in records {
            let child = record.job.id.as_uuid();
            for (position, parent) in (0..).zip(&record.parents) {
                columns.children.push(child);
                columns.positions.push(position);
                columns.parents.push(parent.id.as_uuid());
                columns.policies.push(parent.policy.as_number().into());
            }
            // One without parents waits for the key of another, which is kept with the key.
            if record.job.state == JobState::Blocked && !record.parents.is_empty() {
                columns.blocked.push(child);
                columns.waits.push(i32::try_from(open_parents(standing(record))).unwrap_or(i32::MAX));
            }
        }
        columns
    }

    pub(super) async fn write(&self, session: &Session) -> Written {
        let edges: [&(dyn ToSql + Sync); 4] =
            [&self.children, &self.positions, &self.parents, &self.policies];
        if !self.children.is_empty() {
            session.query(sql::edge::INSERT, &edges).await?;
        }
        if !self.blocked.is_empty() {
            session.execute(sql::import::BLOCKED, &[&self.blocked, &self.waits]).await?;
        }
        Ok(())
    }
}

/// The parents of a job, as far as their ends matter to it.
fn standing(record: &Record) -> impl Iterator<Item = (Edge, Option<Stage>)> {
    record.parents.iter().map(|parent| {
        let stage = match parent.state {
            JobState::Completed => Stage::Completed,
            JobState::Cancelled => Stage::Cancelled,
            JobState::Dead => Stage::Dead,
            _ => Stage::Waiting,
        };
        (Edge { parent: parent.id, policy: parent.policy }, Some(stage))
    })
}

/// Columns of `import/events.sql`.
#[derive(Debug, Default)]
pub(super) struct EventColumns<'a> {
    jobs: Vec<Uuid>,
    revisions: Vec<i64>,
    at: Vec<Instant>,
    verbs: Vec<&'a str>,
    actors: Vec<&'a str>,
    reasons: Vec<Option<&'a str>>,
}

impl<'a> EventColumns<'a> {
    pub(super) fn of(records: &[&'a Record]) -> Self {
        let mut columns = Self::default();
        for record in records {
            for event in &record.events {
                columns.jobs.push(record.job.id.as_uuid());
                columns.revisions.push(event.revision.cast_signed());
                columns.at.push(Instant(event.at));
                columns.verbs.push(&event.verb);
                columns.actors.push(&event.by.name);
                columns.reasons.push(event.by.why.as_deref());
            }
        }
        columns
    }

    pub(super) async fn write(&self, session: &Session) -> Written {
        let values: [&(dyn ToSql + Sync); 6] =
            [&self.jobs, &self.revisions, &self.at, &self.verbs, &self.actors, &self.reasons];
        if !self.jobs.is_empty() {
            session.execute(sql::import::EVENTS, &values).await?;
        }
        Ok(())
    }
}
