//! What has to be known of a job to change it, read once per change.

use rusqlite::{Connection, OptionalExtension, Row};
use windlass_core::attempt::Running;
use windlass_core::retry::Jitter;
use windlass_core::state::seen;
use windlass_core::{AttemptError, JobId, Priority, Reason, RetryPolicy, Review, Stage, Timestamp, Traits};
use windlass_store::change::Before;
use windlass_store::rules::NewestAttempt;
use windlass_store::{ErrorKind, StoreError};

use crate::error::During;
use crate::{row, sql};

/// The columns of `sql/job/facts.sql`.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) id: JobId,
    pub(crate) seq: i64,
    pub(crate) stage: Stage,
    pub(crate) reason: Option<Reason>,
    pub(crate) run_at: Timestamp,
    attempt: u32,
    attempts_max: u32,
    pub(crate) losses: u32,
    pub(crate) losses_max: u32,
    pub(crate) number: u64,
    pub(crate) nonce: u64,
    /// The worker that holds its open attempt.
    pub(crate) holder: Option<i64>,
    /// How long a lease of its own holds, in microseconds.
    pub(crate) lease: Option<i64>,
    pub(crate) worker: Option<i64>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) revision: i64,
    pub(crate) log_bytes: usize,
    lease_until: Option<Timestamp>,
    retry: RetryPolicy,
    pub(crate) review: Option<Review>,
    /// The one it asked for.
    pub(crate) priority: Priority,
    pub(crate) traits: Traits,
}

impl Facts {
    /// Reads what there is of job `id`, if there is one.
    pub(crate) fn read(
        connection: &Connection,
        id: JobId,
        operation: &'static str,
    ) -> Result<Option<Self>, StoreError> {
        Self::find(connection, id).during(operation)
    }

    /// What [`read`](Self::read) reads, where the operation is named further up.
    pub(crate) fn find(connection: &Connection, id: JobId) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(sql::job::FACTS)?
            .query_row([id.as_bytes()], |row| Self::of(id, row))
            .optional()
    }

    /// Like [`read`](Self::read), for a job that must be there.
    pub(crate) fn expect(
        connection: &Connection,
        id: JobId,
        operation: &'static str,
    ) -> Result<Self, StoreError> {
        Self::read(connection, id, operation)?.ok_or_else(|| StoreError::new(operation, ErrorKind::NotFound))
    }

    fn of(id: JobId, row: &Row<'_>) -> rusqlite::Result<Self> {
        let traits = row::traits(row, 19)?;
        let mut options = row::options(row, 15)?;
        let review = options.as_mut().and_then(|options| options.review.take());
        let retry = options.as_mut().map(|options| std::mem::take(&mut options.retry)).unwrap_or_default();
        Ok(Self {
            id,
            seq: row.get(0)?,
            stage: row::stage(row, 1)?,
            reason: row::reason(row, 2)?,
            run_at: row::instant(row, 3)?,
            attempt: row.get(4)?,
            attempts_max: row.get(5)?,
            losses: row.get(6)?,
            losses_max: row.get(7)?,
            number: row::unsigned(row, 8)?,
            nonce: row::unsigned(row, 9)?,
            holder: row.get(10)?,
            lease: row.get(11)?,
            worker: row.get(12)?,
            started_at: row::instant_option(row, 13)?,
            deadline: row::instant_option(row, 14)?,
            revision: row.get(16)?,
            log_bytes: row.get(17)?,
            lease_until: row::instant_option(row, 18)?,
            retry,
            review,
            priority: row::priority(row, 20, traits)?,
            traits,
        })
    }

    /// What a token of this job is held against.
    pub(crate) fn newest(&self) -> NewestAttempt {
        NewestAttempt {
            number: self.number,
            nonce: self.nonce,
            lease_until: self.holder.map(|_| self.lease_until.unwrap_or(Timestamp::MIN)),
            cancelled: self.stage == Stage::Cancelled,
        }
    }

    /// What is told of it where it is changed by hand.
    pub(crate) fn before(&self, now: Timestamp) -> Before {
        let (state, _) = seen(self.stage, self.reason, self.run_at, now);
        Before { state, attempt: self.attempt, losses: self.losses, run_at: self.run_at }
    }

    /// What the model asks to know of a running job.
    pub(crate) fn running(&self) -> Running<'_> {
        Running {
            attempt: self.attempt,
            attempts_max: self.attempts_max,
            losses: self.losses,
            losses_max: self.losses_max,
            run_at: self.run_at,
            deadline: self.deadline,
            retry: &self.retry,
            jitter: Jitter::of(self.id, self.number),
            review: self.review.as_ref(),
            settles: self.traits.settles().map(|(decision, _)| decision),
        }
    }

    /// What the job says went wrong last.
    pub(crate) fn error(&self, connection: &Connection) -> rusqlite::Result<Option<AttemptError>> {
        connection
            .prepare_cached(sql::job::ERROR)?
            .query_row([self.seq], |found| row::attempt_error(found, 0))
    }

    /// Until when its open attempt's lease holds.
    pub(crate) fn lease_until(&self) -> Timestamp {
        self.lease_until.unwrap_or(Timestamp::MIN)
    }
}
