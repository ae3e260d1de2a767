//! Workers: who is there, and who has gone silent.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use windlass_core::limits::PAGE_MAX;
use windlass_core::{AttemptToken, JobId, KindName, QueueName, Timestamp, WorkerId};
use windlass_store::{
    Beat, ErrorKind, KindSupport, LeaseSummary, NewWorker, Queues, StoreError, Worker, WorkerStore,
};

use crate::error::During;
use crate::facts::Facts;
use crate::jobs::as_json;
use crate::leases::{close, micros, stopping, take_back};
use crate::writer::Tx;
use crate::{SqliteStore, row, sql};

#[async_trait]
impl WorkerStore for SqliteStore {
    async fn register(&self, worker: NewWorker) -> Result<(), StoreError> {
        const NAME: &str = "register the worker";
        worker.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| register(tx, &worker).during(NAME)).await
    }

    async fn beat(&self, worker: WorkerId) -> Result<Beat, StoreError> {
        const NAME: &str = "extend the worker's lease";
        self.writer
            .run(NAME, move |tx| beat(tx, worker).during(NAME)?.ok_or_else(|| unknown(NAME, worker)))
            .await
    }

    async fn deregister(&self, worker: WorkerId) -> Result<(), StoreError> {
        const NAME: &str = "deregister the worker";
        self.writer
            .run(NAME, move |tx| {
                let number = known(tx, worker).during(NAME)?.ok_or_else(|| unknown(NAME, worker))?;
                if holds_running(tx, number).during(NAME)? {
                    return Err(StoreError::new(NAME, ErrorKind::NotReady)
                        .with_detail(format!("worker {worker} still holds running jobs")));
                }
                leave(tx, number).during(NAME)
            })
            .await
    }

    async fn workers(&self, silent_for: Duration) -> Result<Vec<Worker>, StoreError> {
        let seen_until = self.now().before(silent_for);
        self.readers
            .run("list workers", move |connection| list(connection, seen_until).during("list workers"))
            .await
    }

    async fn leases(&self, silent_for: Duration) -> Result<Vec<LeaseSummary>, StoreError> {
        let seen_until = self.now().before(silent_for);
        self.readers
            .run("list leases", move |connection| leases(connection, seen_until).during("list leases"))
            .await
    }

    async fn held(&self, worker: WorkerId) -> Result<Vec<AttemptToken>, StoreError> {
        const NAME: &str = "list what the worker holds";
        self.readers
            .run(NAME, move |connection| {
                let mut statement = connection.prepare_cached(sql::worker::HELD_TOKENS).during(NAME)?;
                let tokens = statement.query_map([worker.as_bytes()], row::token).during(NAME)?;
                tokens.collect::<Result<_, _>>().during(NAME)
            })
            .await
    }
}

fn unknown(name: &'static str, worker: WorkerId) -> StoreError {
    let detail = format!("worker {worker} is not registered, or its lease has expired");
    StoreError::new(name, ErrorKind::NotFound).with_detail(detail)
}

fn register(tx: &mut Tx<'_>, worker: &NewWorker) -> rusqlite::Result<()> {
    if let Some(number) = known(tx, worker.id)?
        && here(tx, worker.id)?.is_none()
    {
        // Its tokens have been refused already; the new lease must not bring them back to life.
        for facts in held(tx, sql::maintenance::HELD_BY_PROCESS, number, usize::MAX >> 1)? {
            take_back(tx, &facts)?;
        }
    }
    let queues = match &worker.queues {
        Queues::Any => None,
        Queues::Only(queues) => Some(as_json(queues)?),
    };
    let kinds: Vec<(&KindName, u32)> =
        worker.kinds.iter().map(|known| (&known.kind, known.version_max)).collect();
    tx.connection.prepare_cached(sql::worker::REGISTER)?.execute(params![
        worker.id.as_bytes(),
        worker.name,
        worker.host,
        worker.version,
        queues,
        as_json(&kinds)?,
        worker.slots,
        micros(worker.lease),
        tx.now.as_micros(),
        tx.now.after(worker.lease).as_micros(),
        worker.owner,
    ])?;
    Ok(())
}

/// The number of a worker that has not left.
fn known(tx: &Tx<'_>, worker: WorkerId) -> rusqlite::Result<Option<i64>> {
    let mut statement = tx.connection.prepare_cached(sql::worker::KNOWN)?;
    statement.query_row([worker.as_bytes()], |row| row.get(0)).optional()
}

/// A worker whose lease holds.
struct Here {
    number: i64,
    /// How long its lease holds from each beat, in microseconds.
    lease: i64,
    stopping: bool,
}

fn here(tx: &Tx<'_>, worker: WorkerId) -> rusqlite::Result<Option<Here>> {
    let mut statement = tx.connection.prepare_cached(sql::worker::HERE)?;
    let values = params![worker.as_bytes(), tx.now.as_micros()];
    let here = |row: &Row<'_>| Ok(Here { number: row.get(0)?, lease: row.get(2)?, stopping: row.get(3)? });
    statement.query_row(values, here).optional()
}

fn beat(tx: &Tx<'_>, worker: WorkerId) -> rusqlite::Result<Option<Beat>> {
    let Some(Here { number, lease, stopping: maybe }) = here(tx, worker)? else { return Ok(None) };
    let now = tx.now.as_micros();
    let lease_until = Timestamp::from_micros(now.saturating_add(lease));
    tx.connection.prepare_cached(sql::worker::BEAT)?.execute(params![
        number,
        now,
        lease_until.as_micros()
    ])?;
    Ok(Some(Beat { lease_until, cancelled: stopping(tx, number, maybe)? }))
}

fn holds_running(tx: &Tx<'_>, number: i64) -> rusqlite::Result<bool> {
    tx.connection.prepare_cached(sql::worker::HOLDS_RUNNING)?.exists([number])
}

/// Closes what a worker still holds, which is nothing but attempts of cancelled jobs, and marks it as gone.
fn leave(tx: &mut Tx<'_>, number: i64) -> rusqlite::Result<()> {
    for facts in held(tx, sql::worker::HELD, number, usize::MAX >> 1)? {
        close(tx, &facts, 0)?;
    }
    forget(tx, number)
}

/// Marks a worker as gone.
pub(crate) fn forget(tx: &Tx<'_>, number: i64) -> rusqlite::Result<()> {
    tx.connection.prepare_cached(sql::worker::LEAVE)?.execute(params![number, tx.now.as_micros()])?;
    Ok(())
}

/// The jobs of which a worker holds an attempt, as `statement` finds them.
pub(crate) fn held(tx: &Tx<'_>, statement: &str, number: i64, limit: usize) -> rusqlite::Result<Vec<Facts>> {
    let mut statement = tx.connection.prepare_cached(statement)?;
    let ids = statement.query_map(params![number, limit], |row| row::job_id(row, 0))?;
    let ids: Vec<JobId> = ids.collect::<Result<_, _>>()?;
    ids.into_iter().filter_map(|id| Facts::find(tx.connection, id).transpose()).collect()
}

pub(crate) fn list(connection: &Connection, seen_until: Timestamp) -> rusqlite::Result<Vec<Worker>> {
    let mut statement = connection.prepare_cached(sql::worker::LIST)?;
    let workers = statement.query_map([seen_until.as_micros()], worker)?;
    workers.collect()
}

fn worker(row: &Row<'_>) -> rusqlite::Result<Worker> {
    let kinds: Vec<(KindName, u32)> = row::parsed(row, 5)?.unwrap_or_default();
    let queues: Option<Vec<QueueName>> = row::parsed(row, 4)?;
    Ok(Worker {
        registered: NewWorker {
            id: WorkerId::from_bytes(row.get(0)?),
            name: row.get(1)?,
            host: row.get(2)?,
            version: row.get(3)?,
            queues: queues.map_or(Queues::Any, Queues::Only),
            kinds: kinds.into_iter().map(|(kind, version_max)| KindSupport { kind, version_max }).collect(),
            slots: row.get(6)?,
            lease: Duration::from_micros(row::unsigned(row, 7)?),
            owner: row.get(11)?,
        },
        since: row::instant(row, 8)?,
        seen_at: row::instant(row, 9)?,
        running: row::unsigned(row, 10)?,
    })
}

fn leases(connection: &Connection, seen_until: Timestamp) -> rusqlite::Result<Vec<LeaseSummary>> {
    let mut statement = connection.prepare_cached(sql::worker::LEASES)?;
    let leases = statement.query_map(params![seen_until.as_micros(), PAGE_MAX], |row| {
        let worker = WorkerId::from_bytes(row.get(3)?);
        Ok(LeaseSummary {
            token: row::token(row)?,
            worker,
            seen_at: row::instant(row, 4)?,
            lease_until: row::instant(row, 5)?,
        })
    })?;
    leases.collect()
}
