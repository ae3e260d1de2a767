//! What becomes of jobs that are locked: gathered one by one, written in three statements however many there are.

use tokio_postgres::types::ToSql;
use uuid::Uuid;
use windlass_core::{AttemptError, AttemptOutcome, Ending, Json, Next, Reason, Stage, Timestamp};
use windlass_store::StoreError;

use crate::database::Ask;
use crate::effects::Effects;
use crate::error::During;
use crate::errors::{Errors, Groups};
use crate::facts::Facts;
use crate::reviews::{self, Questions};
use crate::value::Instant;
use crate::{row, sql};

/// How an attempt that is closed ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closing<'a> {
    pub(crate) ending: &'a Ending,
    /// What went wrong in the attempt.
    pub(crate) error: Option<&'a AttemptError>,
    /// What the job made.
    pub(crate) result: Option<&'a Json>,
    /// The nonce its token is known by from now on; zero when it must be forgotten.
    pub(crate) nonce: u64,
}

/// Fates of jobs that this transaction has locked.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    attempts: Attempts,
    returned: Returned,
    /// Of those that are returned, the ones about whose result persons are asked.
    questions: Questions,
    finished: Finished,
    effects: Effects,
}

impl Fates {
    /// Closes the open attempt of a job that was running.
    pub(crate) fn end(&mut self, facts: &Facts, closing: Closing<'_>) -> Result<(), StoreError> {
        let Closing { ending, error, result, nonce } = closing;
        self.effects.closed(facts);
        // The attempt that completed its job is told by the job's own row.
        if let Some(outcome) = ending.outcome.filter(|_| ending.next.stage() != Stage::Completed) {
            self.attempts.add(facts, outcome, error)?;
        }
        let last_error = match (ending.outcome, error) {
            (Some(AttemptOutcome::Succeeded), _) => None,
            (_, Some(error)) => Some(as_json(error)?),
            (_, None) => facts.error.clone(),
        };
        let Ending { attempt, losses, .. } = *ending;
        let change = Change { attempt, losses, nonce, revision: facts.revision + 1, error: last_error };
        match ending.next {
            Next::Waiting { reason, run_at } => {
                self.returned.add(facts, change, (reason, run_at));
            }
            Next::InReview => {
                self.returned.add(facts, change, (ending.next.reason(), facts.run_at));
                if let Some(terms) = &facts.review {
                    self.questions.add(facts, terms, result);
                }
            }
            Next::Finished { stage, reason } => {
                if reason == Reason::Accepted && result.is_none() {
                    self.finished.staged.push(facts.id.as_uuid());
                }
                // Of a job that is not completed, nothing is the result.
                let result = result.filter(|_| stage == Stage::Completed);
                let over = Over { stage, reason: Some(reason), finished_at: facts.now, result };
                self.finished.add(facts, change, &over);
                self.effects.ended(facts, (stage, reason));
            }
        }
        Ok(())
    }

    /// Closes the open attempt of a job that was cancelled while it ran; `nonce` is zero when its token must be forgotten.
    pub(crate) fn close(&mut self, facts: &Facts, nonce: u64) -> Result<(), StoreError> {
        self.attempts.add(facts, AttemptOutcome::Cancelled, None)?;
        self.effects.closed(facts);
        let finished_at = facts.finished_at.unwrap_or(facts.now);
        let over = Over { stage: Stage::Cancelled, reason: facts.reason, finished_at, result: None };
        self.finished.add(facts, Change::none(facts, nonce), &over);
        Ok(())
    }

    /// Jobs that were completed and have gates, which are to be told.
    pub(crate) fn left_gates(&mut self, jobs: Vec<Uuid>) {
        self.effects.left_gates(jobs);
    }

    /// Ends a job that has no open attempt; `error` is what it says went wrong last, unless that stays.
    pub(crate) fn stop(
        &mut self,
        facts: &Facts,
        (stage, reason): (Stage, Reason),
        error: Option<&AttemptError>,
    ) -> Result<(), StoreError> {
        let last_error = error.map(as_json).transpose()?.or_else(|| facts.error.clone());
        let change =
            Change { revision: facts.revision + 1, error: last_error, ..Change::none(facts, facts.nonce) };
        let over = Over { stage, reason: Some(reason), finished_at: facts.now, result: None };
        self.finished.add(facts, change, &over);
        self.effects.ended(facts, (stage, reason));
        Ok(())
    }

    /// Writes them all, and carries out what follows. The transaction's to commit.
    pub(crate) async fn write(self, ask: &impl Ask, operation: &'static str) -> Result<(), StoreError> {
        self.write_rows(ask, operation).await?.follow(ask, operation).await
    }

    /// Writes them all, and leaves it to whoever asks to carry out what follows.
    pub(crate) async fn write_rows(
        mut self,
        ask: &impl Ask,
        operation: &'static str,
    ) -> Result<Effects, StoreError> {
        let groups = self.attempts.group_errors(ask, operation).await?;
        self.effects.failed(groups);
        self.attempts.write(ask).await.during(operation)?;
        self.returned.write(ask).await.during(operation)?;
        self.questions.write(ask).await.during(operation)?;
        self.finished.take_staged(ask).await.during(operation)?;
        self.finished.write(ask).await.during(operation)?;
        Ok(self.effects)
    }
}

/// What changes of a job wherever it goes.
struct Change {
    attempt: u32,
    losses: u32,
    nonce: u64,
    revision: i64,
    /// What it says went wrong last, as it is stored.
    error: Option<String>,
}

impl Change {
    /// Nothing but the nonce.
    fn none(facts: &Facts, nonce: u64) -> Self {
        let Facts { attempt, losses, revision, .. } = *facts;
        Self { attempt, losses, nonce, revision, error: facts.error.clone() }
    }
}

/// How a job is over.
struct Over<'a> {
    stage: Stage,
    reason: Option<Reason>,
    finished_at: Timestamp,
    /// What the job made.
    result: Option<&'a Json>,
}

type Written = Result<(), tokio_postgres::Error>;

/// Columns of `lease/record_attempts.sql`.
#[derive(Debug, Default)]
struct Attempts {
    jobs: Vec<Uuid>,
    numbers: Vec<i64>,
    workers: Vec<Option<i32>>,
    started: Vec<Instant>,
    ended: Vec<Instant>,
    outcomes: Vec<i16>,
    errors: Vec<Option<String>>,
    fingerprints: Vec<Option<i64>>,
    /// The errors to be counted, and where their attempts stand.
    counted: (Errors, Vec<usize>),
}

impl Attempts {
    fn add(
        &mut self,
        facts: &Facts,
        outcome: AttemptOutcome,
        error: Option<&AttemptError>,
    ) -> Result<(), StoreError> {
        self.jobs.push(facts.id.as_uuid());
        self.numbers.push(facts.number.cast_signed());
        self.workers.push(facts.worker);
        self.started.push(Instant(facts.started_at.unwrap_or(facts.now)));
        self.ended.push(Instant(facts.now));
        self.outcomes.push(outcome.as_number().into());
        self.errors.push(error.map(as_json).transpose()?);
        self.fingerprints.push(None);
        if let Some(error) = error.filter(|_| outcome.is_failure()) {
            self.counted.0.add(facts, error);
            self.counted.1.push(self.jobs.len() - 1);
        }
        Ok(())
    }

    /// Says of each error which group it is in.
    async fn group_errors(&mut self, ask: &impl Ask, operation: &'static str) -> Result<Groups, StoreError> {
        let (errors, places) = &self.counted;
        let groups = errors.groups(ask, operation).await?;
        for (place, fingerprint) in places.iter().zip(&groups.fingerprints) {
            self.fingerprints[*place] = Some(fingerprint.as_number());
        }
        Ok(groups)
    }

    async fn write(&self, ask: &impl Ask) -> Written {
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
            ask.query(sql::lease::RECORD_ATTEMPTS, &values).await?;
        }
        Ok(())
    }
}

/// Columns of `lease/return.sql`.
#[derive(Debug, Default)]
struct Returned {
    ids: Vec<Uuid>,
    reasons: Vec<Option<i16>>,
    run_at: Vec<Instant>,
    attempts: Vec<i64>,
    losses: Vec<i64>,
    nonces: Vec<i64>,
    revisions: Vec<i64>,
    errors: Vec<Option<String>>,
}

impl Returned {
    fn add(&mut self, facts: &Facts, change: Change, (reason, run_at): (Option<Reason>, Timestamp)) {
        self.ids.push(facts.id.as_uuid());
        self.reasons.push(reason.map(number));
        self.run_at.push(Instant(run_at));
        self.attempts.push(change.attempt.into());
        self.losses.push(change.losses.into());
        self.nonces.push(change.nonce.cast_signed());
        self.revisions.push(change.revision);
        self.errors.push(change.error);
    }

    async fn write(&self, ask: &impl Ask) -> Written {
        let values: [&(dyn ToSql + Sync); 8] = [
            &self.ids,
            &self.reasons,
            &self.run_at,
            &self.attempts,
            &self.losses,
            &self.nonces,
            &self.revisions,
            &self.errors,
        ];
        if !self.ids.is_empty() {
            ask.query(sql::lease::RETURN, &values).await?;
        }
        Ok(())
    }
}

/// Columns of `lease/finish.sql`.
#[derive(Debug, Default)]
struct Finished {
    ids: Vec<Uuid>,
    stages: Vec<i16>,
    reasons: Vec<Option<i16>>,
    ended: Vec<Instant>,
    attempts: Vec<i64>,
    losses: Vec<i64>,
    nonces: Vec<i64>,
    revisions: Vec<i64>,
    results: Vec<Option<String>>,
    errors: Vec<Option<String>>,
    /// Those whose result is what was staged, as a person accepted it.
    staged: Vec<Uuid>,
}

impl Finished {
    /// Reads what was accepted.
    async fn take_staged(&mut self, ask: &impl Ask) -> Written {
        if self.staged.is_empty() {
            return Ok(());
        }
        for (job, staged) in reviews::staged(ask, &self.staged).await? {
            let mut places = (0..self.ids.len()).filter(|place| self.ids[*place] == job);
            if let Some(place) = places.next() {
                self.results[place] = Some(staged);
            }
        }
        Ok(())
    }

    fn add(&mut self, facts: &Facts, change: Change, over: &Over<'_>) {
        self.ids.push(facts.id.as_uuid());
        self.stages.push(over.stage.as_number().into());
        self.reasons.push(over.reason.map(number));
        self.ended.push(Instant(over.finished_at));
        self.attempts.push(change.attempt.into());
        self.losses.push(change.losses.into());
        self.nonces.push(change.nonce.cast_signed());
        self.revisions.push(change.revision);
        self.results.push(over.result.map(|result| result.as_str().to_owned()));
        self.errors.push(change.error);
    }

    async fn write(&self, ask: &impl Ask) -> Written {
        let values: [&(dyn ToSql + Sync); 10] = [
            &self.ids,
            &self.stages,
            &self.reasons,
            &self.ended,
            &self.attempts,
            &self.losses,
            &self.nonces,
            &self.revisions,
            &self.results,
            &self.errors,
        ];
        if !self.ids.is_empty() {
            ask.query(sql::lease::FINISH, &values).await?;
        }
        Ok(())
    }
}

pub(crate) fn number(reason: Reason) -> i16 {
    reason.as_number().into()
}

/// Writes a value of the model as JSON.
pub(crate) fn as_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(row::damaged)
}
