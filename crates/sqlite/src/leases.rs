//! Leases: claimed, kept, and given back.

mod claim;
mod complete;
mod settle;
mod write;

use std::ops::RangeInclusive;

use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};
use windlass_core::review::SETTLE_PRIORITY;
use windlass_core::{AttemptToken, JobId, Json, NewJob, Priority, Progress, Timestamp, WorkerId};
use windlass_store::rules::{Candidate, Standing, check_batch, check_checkpoint, fence};
use windlass_store::{
    Enqueued, ErrorKind, Holder, LeaseStore, LeaseTerm, LeasedJob, NewLogLine, StoreError, Turn, Turned,
    leases::check_lease,
};

pub(crate) use claim::array;
pub(crate) use settle::{TakenBack, close, take_back};

use crate::error::During;
use crate::facts::Facts;
use crate::flows::tell_children;
use crate::writer::Tx;
use crate::{SqliteStore, row, sql};

#[async_trait]
impl LeaseStore for SqliteStore {
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        const NAME: &str = "settle and claim jobs";
        if let Some(claim) = &turn.claim {
            claim.validate().map_err(|invalid| StoreError::invalid("claim jobs", invalid))?;
        }
        if turn.settlements.is_empty() && turn.claim.is_none() {
            return Ok(Turned::default());
        }
        self.writer.run(NAME, move |tx| take_turn(tx, &turn)).await
    }

    async fn claim_job(
        &self,
        worker: WorkerId,
        job: JobId,
        lease: LeaseTerm,
    ) -> Result<LeasedJob, StoreError> {
        const NAME: &str = "claim the job";
        if let LeaseTerm::Own(span) = lease {
            check_lease(span).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        }
        self.writer.run(NAME, move |tx| claim_job(tx, worker, job, lease)).await
    }

    async fn extend(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        const NAME: &str = "extend the lease";
        self.writer.run(NAME, move |tx| write::extend(tx, &token, NAME)).await
    }

    async fn holder(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        const NAME: &str = "look up the attempt";
        let now = self.now();
        self.readers
            .run(NAME, move |connection| {
                let (facts, standing) = fenced(connection, &token, now, NAME)?;
                Ok(holder(&facts, standing))
            })
            .await
    }

    async fn progress(&self, token: AttemptToken, progress: Progress) -> Result<(), StoreError> {
        const NAME: &str = "store the progress";
        // A progress can be put together without its constructor; what is stored has passed it.
        let progress = Progress::new(progress.percent, progress.message.as_deref())
            .map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| write::progress(tx, &token, &progress, NAME)).await
    }

    async fn checkpoint(&self, token: AttemptToken, checkpoint: Json) -> Result<(), StoreError> {
        const NAME: &str = "store the checkpoint";
        check_checkpoint(&checkpoint, &self.limits).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| write::checkpoint(tx, &token, &checkpoint, NAME)).await
    }

    async fn log(&self, token: AttemptToken, lines: Vec<NewLogLine>) -> Result<(), StoreError> {
        const NAME: &str = "store log lines";
        self.writer.run(NAME, move |tx| write::log(tx, &token, &lines, NAME)).await
    }

    async fn enqueue_under(
        &self,
        token: AttemptToken,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        const NAME: &str = "enqueue jobs under a lease";
        check_batch(&jobs, &self.limits).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run_awake(NAME, move |tx| write::enqueue(tx, &token, &jobs, NAME)).await
    }
}

fn take_turn(tx: &mut Tx<'_>, turn: &Turn) -> Result<Turned, StoreError> {
    // Looked up first: under an expired process lease not even the settlements would be good.
    let who =
        turn.claim.as_ref().map(|request| Claimer::find(tx, request.worker, request.lease)).transpose()?;
    let settled = settle::settle_all(tx, &turn.settlements)?;
    tell_children(tx).during("settle the attempts")?;
    let (Some(request), Some(who)) = (&turn.claim, who) else {
        return Ok(Turned { settled, ..Turned::default() });
    };
    let claimed = claim::claim(tx, request, &who)?;
    let cancelled = stopping(tx, who.number, who.stopping).during("claim jobs")?;
    Ok(Turned { settled, claimed, cancelled })
}

fn claim_job(
    tx: &mut Tx<'_>,
    worker: WorkerId,
    job: JobId,
    lease: LeaseTerm,
) -> Result<LeasedJob, StoreError> {
    const NAME: &str = "claim the job";
    let claimer = Claimer::find(tx, worker, lease)?;
    let facts = Facts::expect(tx.connection, job, NAME)?;
    let candidate = Candidate {
        stage: facts.stage,
        run_at: facts.run_at,
        deadline: facts.deadline,
        paused: claim::waits_in_paused_queue(tx, job).during(NAME)?,
    };
    candidate.claiming(tx.now).map_err(|kind| StoreError::new(NAME, kind))?;
    claim::claim_one(tx, facts.seq, &claimer)
        .during(NAME)?
        .ok_or_else(|| StoreError::new(NAME, ErrorKind::NotReady))
}

/// Who claims, and under what lease.
pub(crate) struct Claimer {
    number: i64,
    /// The lease each job gets of its own, in microseconds, and its end; none when it holds as long as the worker.
    own: Option<(i64, Timestamp)>,
    /// Until when the jobs are held if nobody gives a sign of life.
    until: Timestamp,
    /// Whether an attempt it holds may be of a job that was cancelled.
    stopping: bool,
    /// Whether there may be decisions to be carried out.
    settling: bool,
    nonce: u64,
}

impl Claimer {
    /// What it claims by, in this order: what carries a decision out, if there may be such, and then the priorities.
    fn ranks(&self) -> RangeInclusive<u8> {
        let first = if self.settling { SETTLE_PRIORITY } else { Priority::Critical.as_number() };
        first..=Priority::Idle.as_number()
    }

    fn find(tx: &Tx<'_>, worker: WorkerId, lease: LeaseTerm) -> Result<Self, StoreError> {
        let mut statement = tx.connection.prepare_cached(sql::worker::HERE).during("claim jobs")?;
        let here = statement
            .query_row(params![worker.as_bytes(), tx.now.as_micros()], |row| {
                Ok((row.get(0)?, row::instant(row, 1)?, row.get(3)?, row.get(4)?))
            })
            .optional()
            .during("claim jobs")?;
        let Some((number, worker_until, stopping, settling)) = here else {
            return Err(StoreError::new("claim jobs", ErrorKind::NotFound)
                .with_detail(format!("worker {worker} is not registered, or its lease has expired")));
        };
        let own = match lease {
            LeaseTerm::Process => None,
            LeaseTerm::Own(span) => Some((micros(span), tx.now.after(span))),
        };
        let until = own.map_or(worker_until, |(_, until)| until);
        Ok(Self { number, own, until, stopping, settling, nonce: windlass_store::ids::nonce() })
    }
}

/// A span as stores keep it. Every span that is stored was checked to be far shorter than what fits.
pub(crate) fn micros(span: std::time::Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// What there is of the token's job, once the token has passed.
fn fenced(
    connection: &rusqlite::Connection,
    token: &AttemptToken,
    now: Timestamp,
    name: &'static str,
) -> Result<(Facts, Standing), StoreError> {
    let facts = Facts::read(connection, token.job, name)?;
    let standing =
        fence(token, facts.as_ref().map(Facts::newest), now).map_err(|kind| StoreError::new(name, kind))?;
    facts.map(|facts| (facts, standing)).ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))
}

fn holder(facts: &Facts, standing: Standing) -> Holder {
    Holder {
        job: facts.id,
        lease_until: facts.lease_until(),
        cancel_requested: standing == Standing::Cancelled,
    }
}

/// Open attempts of a worker whose jobs were cancelled; looked for only where there may be some.
pub(crate) fn stopping(tx: &Tx<'_>, worker: i64, maybe: bool) -> rusqlite::Result<Vec<AttemptToken>> {
    if !maybe {
        return Ok(Vec::new());
    }
    let mut statement = tx.connection.prepare_cached(sql::lease::STOPPING)?;
    let tokens = statement.query_map([worker], row::token)?;
    let tokens: Vec<AttemptToken> = tokens.collect::<Result<_, _>>()?;
    if tokens.is_empty() {
        tx.connection.prepare_cached(sql::worker::STOP)?.execute(params![worker, false])?;
    }
    Ok(tokens)
}
