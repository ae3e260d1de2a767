//! Workers: who is there, and who has gone silent.

use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Row;
use windlass_core::limits::PAGE_MAX;
use windlass_core::{AttemptToken, JobId, KindName, QueueName, WorkerId};
use windlass_store::{
    Beat, ErrorKind, KindSupport, LeaseSummary, NewWorker, Queues, StoreError, Worker, WorkerStore,
};

use crate::database::{Session, Values};
use crate::error::During;
use crate::facts::Facts;
use crate::fates::{Fates, as_json};
use crate::maintenance::take_back;
use crate::{PostgresStore, row, sql};

#[async_trait]
impl WorkerStore for PostgresStore {
    async fn register(&self, worker: NewWorker) -> Result<(), StoreError> {
        const NAME: &str = "register the worker";
        worker.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = register(&transaction, &worker, NAME).await;
        transaction.end(outcome, NAME).await?;
        self.core.hint_work();
        Ok(())
    }

    async fn beat(&self, worker: WorkerId) -> Result<Beat, StoreError> {
        const NAME: &str = "extend the worker's lease";
        let database = &self.core.database;
        let beat = database.beats.beat((worker, database.now()), NAME).await?;
        let beat = beat.ok_or_else(|| unknown(NAME, worker))?;
        Ok(Beat { lease_until: row::instant(&beat, 0), cancelled: row::tokens(&beat, 1)? })
    }

    async fn deregister(&self, worker: WorkerId) -> Result<(), StoreError> {
        const NAME: &str = "deregister the worker";
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = deregister(&transaction, worker, NAME).await;
        transaction.end(outcome, NAME).await
    }

    async fn workers(&self, silent_for: Duration) -> Result<Vec<Worker>, StoreError> {
        const NAME: &str = "list workers";
        let session = self.core.database.call(NAME).await?;
        let values = session.query(sql::worker::LIST, &[&session.now, &micros(silent_for)]).await;
        values.during(NAME)?.iter().map(worker).collect()
    }

    async fn leases(&self, silent_for: Duration) -> Result<Vec<LeaseSummary>, StoreError> {
        const NAME: &str = "list leases";
        let session = self.core.database.call(NAME).await?;
        let values = [
            &session.now as &(dyn tokio_postgres::types::ToSql + Sync),
            &micros(silent_for),
            &i64::from(PAGE_MAX),
        ];
        let rows = session.query(sql::worker::LEASES, &values).await.during(NAME)?;
        Ok(rows.iter().map(lease).collect())
    }

    async fn held(&self, worker: WorkerId) -> Result<Vec<AttemptToken>, StoreError> {
        const NAME: &str = "list what the worker holds";
        let session = self.core.database.call(NAME).await?;
        let rows = session.query(sql::worker::HELD_TOKENS, &[&worker.as_uuid()]).await.during(NAME)?;
        Ok(rows.iter().map(row::token).collect())
    }
}

/// Refuses a worker that is not there.
pub(crate) fn unknown(name: &'static str, worker: WorkerId) -> StoreError {
    let detail = format!("worker {worker} is not registered, or its lease has expired");
    StoreError::new(name, ErrorKind::NotFound).with_detail(detail)
}

/// A span as stores keep it, at most as long as there are instants.
pub(crate) fn micros(span: Duration) -> i64 {
    const MOST: i64 = windlass_core::Timestamp::MAX.as_micros();
    i64::try_from(span.as_micros()).unwrap_or(MOST).min(MOST)
}

/// The number of a worker that has not left, and whether its lease holds.
async fn known(
    session: &Session,
    worker: WorkerId,
    name: &'static str,
) -> Result<Option<(i32, bool)>, StoreError> {
    let row = session.query_opt(sql::worker::KNOWN, &[&session.now, &worker.as_uuid()]).await.during(name)?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}

async fn register(session: &Session, worker: &NewWorker, name: &'static str) -> Result<(), StoreError> {
    if let Some((number, false)) = known(session, worker.id, name).await? {
        // Its tokens have been refused already; the new lease must not bring them back to life.
        let held = held(session, (number, true), i64::MAX, name).await?;
        let mut fates = Fates::default();
        for facts in Facts::lock(session, &held, name).await? {
            take_back(&facts, &mut fates)?;
        }
        fates.write(session, name).await?;
    }
    let queues = match &worker.queues {
        Queues::Any => None,
        Queues::Only(queues) => Some(as_json(queues)?),
    };
    let kinds: Vec<(&KindName, u32)> =
        worker.kinds.iter().map(|known| (&known.kind, known.version_max)).collect();
    let values: Values<'_> = &[
        &session.now,
        &worker.id.as_uuid(),
        &worker.name,
        &worker.host,
        &worker.version,
        &queues,
        &as_json(&kinds)?,
        &i64::from(worker.slots),
        &micros(worker.lease),
        &worker.owner,
    ];
    let values = session.execute(sql::worker::REGISTER, values);
    values.await.during(name).map(|_| ())
}

async fn deregister(session: &Session, worker: WorkerId, name: &'static str) -> Result<(), StoreError> {
    let (number, _) = known(session, worker, name).await?.ok_or_else(|| unknown(name, worker))?;
    let held = held(session, (number, false), i64::MAX, name).await?;
    let mut fates = Fates::default();
    for facts in Facts::lock(session, &held, name).await? {
        if !facts.is_cancelled() {
            return Err(StoreError::new(name, ErrorKind::NotReady)
                .with_detail(format!("worker {worker} still holds running jobs")));
        }
        fates.close(&facts, 0)?;
    }
    fates.write(session, name).await?;
    leave(session, number, name).await
}

/// Marks a worker as gone.
pub(crate) async fn leave(session: &Session, number: i32, name: &'static str) -> Result<(), StoreError> {
    session.execute(sql::worker::LEAVE, &[&session.now, &number]).await.during(name).map(|_| ())
}

/// The jobs of which a worker holds an attempt; `process` for only those it holds as long as it lives.
pub(crate) async fn held(
    session: &Session,
    (number, process): (i32, bool),
    limit: i64,
    name: &'static str,
) -> Result<Vec<JobId>, StoreError> {
    let rows = session.query(sql::worker::HELD, &[&number, &process, &limit]).await.during(name)?;
    Ok(rows.iter().map(|row| row::job_id(row, 0)).collect())
}

pub(crate) fn worker(row: &Row) -> Result<Worker, StoreError> {
    let kinds: Vec<(KindName, u32)> = row::parsed(row, 5)?.unwrap_or_default();
    let queues: Option<Vec<QueueName>> = row::parsed(row, 4)?;
    Ok(Worker {
        registered: NewWorker {
            id: WorkerId::from_uuid(row.get(0)),
            name: row.get(1),
            host: row.get(2),
            version: row.get(3),
            queues: queues.map_or(Queues::Any, Queues::Only),
            kinds: kinds.into_iter().map(|(kind, version_max)| KindSupport { kind, version_max }).collect(),
            slots: row::count(row, 6),
            lease: Duration::from_micros(row::unsigned(row, 7)),
            owner: row.get(11),
        },
        since: row::instant(row, 8),
        seen_at: row::instant(row, 9),
        running: row::unsigned(row, 10),
    })
}

fn lease(row: &Row) -> LeaseSummary {
    LeaseSummary {
        token: row::token(row),
        worker: WorkerId::from_uuid(row.get(3)),
        seen_at: row::instant(row, 4),
        lease_until: row::instant(row, 5),
    }
}
