//! What has to be known of a job to change it, read once per change.

use tokio_postgres::Row;
use windlass_core::AttemptToken;
use windlass_core::attempt::Running;
use windlass_core::retry::Jitter;
use windlass_core::state::seen;
use windlass_core::{JobId, Priority, Reason, RetryPolicy, Review, Stage, Timestamp, Traits};
use windlass_store::change::Before;
use windlass_store::rules::{NewestAttempt, Standing, fence};
use windlass_store::{ErrorKind, StoreError};

use crate::database::Ask;
use crate::error::During;
use crate::{row, sql};

/// The columns of `sql/job/facts.sql`.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) id: JobId,
    pub(crate) lane: i32,
    pub(crate) stage: Stage,
    pub(crate) reason: Option<Reason>,
    pub(crate) run_at: Timestamp,
    pub(crate) attempt: u32,
    attempts_max: u32,
    pub(crate) losses: u32,
    pub(crate) losses_max: u32,
    pub(crate) number: u64,
    pub(crate) nonce: u64,
    /// Whether an attempt of it is open.
    pub(crate) open: bool,
    /// The worker that claimed it last.
    pub(crate) worker: Option<i32>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) revision: i64,
    pub(crate) log_bytes: usize,
    /// What it says went wrong last, as it is stored.
    pub(crate) error: Option<String>,
    lease_until: Option<Timestamp>,
    /// The time when this was read.
    pub(crate) now: Timestamp,
    retry: RetryPolicy,
    pub(crate) review: Option<Review>,
    pub(crate) traits: Traits,
    pub(crate) order_key: Option<String>,
    /// The priority it asked for.
    pub(crate) priority: Priority,
}

impl Facts {
    /// Locks what there is of these jobs unless they have ended, in the order of their ids.
    pub(crate) async fn lock(
        ask: &impl Ask,
        ids: &[JobId],
        operation: &'static str,
    ) -> Result<Vec<Self>, StoreError> {
        let ids: Vec<_> = ids.iter().map(JobId::as_uuid).collect();
        let rows = ask.query(sql::job::FACTS, &[&ask.now(), &ids]).await.during(operation)?;
        rows.iter().map(Self::of).collect()
    }

    /// Locks one job; none if it has ended or never was.
    pub(crate) async fn lock_one(
        ask: &impl Ask,
        id: JobId,
        operation: &'static str,
    ) -> Result<Option<Self>, StoreError> {
        Ok(Self::lock(ask, &[id], operation).await?.pop())
    }

    /// Looks at one job, be it unfinished or not, without a lock.
    pub(crate) async fn look(
        ask: &impl Ask,
        id: JobId,
        operation: &'static str,
    ) -> Result<Option<Self>, StoreError> {
        let rows = ask.query(sql::job::LOOK, &[&ask.now(), &id.as_uuid()]).await.during(operation)?;
        rows.first().map(Self::of).transpose()
    }

    fn of(row: &Row) -> Result<Self, StoreError> {
        let (holder, traits): (i32, Traits) = (row.get(11), row::traits(row, 20));
        let mut options = row::options(row, 16)?;
        let review = options.as_mut().and_then(|options| options.review.take());
        let order_key = options.as_mut().and_then(|options| options.order_key.take());
        let retry = options.as_mut().map(|options| std::mem::take(&mut options.retry)).unwrap_or_default();
        let (attempts_max, losses_max) = row::budgeted(row, 7);
        Ok(Self {
            id: row::job_id(row, 0),
            lane: row.get(1),
            stage: row::stage(row, 3, holder)?,
            reason: row::reason(row, 4)?,
            run_at: row::instant(row, 5),
            attempt: row::count(row, 6),
            attempts_max,
            losses: row::count(row, 8),
            losses_max,
            number: row::unsigned(row, 9),
            nonce: row::unsigned(row, 10),
            open: holder != 0,
            worker: row.get(12),
            started_at: row::instant_option(row, 13),
            finished_at: row::instant_option(row, 14),
            deadline: row::instant_option(row, 15),
            revision: row.get(17),
            log_bytes: usize::try_from(row.get::<_, i32>(18)).unwrap_or(0),
            error: row.get(19),
            lease_until: row::instant_option(row, 21),
            now: row::instant(row, 22),
            retry,
            review,
            traits,
            order_key,
            priority: row::priority(row, 2, traits)?,
        })
    }

    /// What a token of this job is held against.
    fn newest(&self) -> NewestAttempt {
        NewestAttempt {
            number: self.number,
            nonce: self.nonce,
            lease_until: self.open.then(|| self.lease_until()),
            cancelled: self.stage == Stage::Cancelled,
        }
    }

    /// What is told of it where it is changed by hand.
    pub(crate) fn before(&self) -> Before {
        let (state, _) = seen(self.stage, self.reason, self.run_at, self.now);
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

    /// Until when its open attempt's lease holds.
    pub(crate) fn lease_until(&self) -> Timestamp {
        self.lease_until.unwrap_or(Timestamp::MIN)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.stage == Stage::Cancelled
    }
}

/// Holds a token against what there is of its job (G6).
pub(crate) fn fenced(token: &AttemptToken, facts: Option<&Facts>) -> Result<Standing, ErrorKind> {
    let now = facts.map_or(Timestamp::MIN, |facts| facts.now);
    fence(token, facts.map(Facts::newest), now)
}
