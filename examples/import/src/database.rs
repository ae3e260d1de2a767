//! The program's own data. The queue is elsewhere, and no transaction spans both: so whatever is written here can be
//! written twice by the same job without being there twice.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params, params_from_iter};
use windlass::prelude::*;

use crate::changes::{Change, between};
use crate::table::{Row, Rows, Table};

/// How long a write waits for another program that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The tables, what waits to be put into them, and what was. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Database(Arc<Mutex<Connection>>);

/// An attempt to stage rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Staging {
    pub(crate) job: JobId,
    /// Grows with each attempt of the job.
    pub(crate) attempt: u64,
    pub(crate) table: Table,
}

/// What is done in a transaction.
trait Work<T>: FnOnce(&Transaction<'_>) -> Result<T, JobError> + Send + 'static {}

impl<T, F: FnOnce(&Transaction<'_>) -> Result<T, JobError> + Send + 'static> Work<T> for F {}

impl Database {
    /// Opens the file, and makes it if there is none.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        connection.execute_batch(include_str!("schema.sql"))?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Does `work` in one transaction that writes.
    async fn write<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, JobError> {
        self.transact(TransactionBehavior::Immediate, work).await
    }

    /// Does `work` in one transaction that reads.
    async fn read<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, JobError> {
        self.transact(TransactionBehavior::Deferred, work).await
    }

    /// On a thread that may block.
    async fn transact<T: Send + 'static>(
        &self,
        behavior: TransactionBehavior,
        work: impl Work<T>,
    ) -> Result<T, JobError> {
        let connection = Arc::clone(&self.0);
        let transact = move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let tx = connection.transaction_with_behavior(behavior)?;
            let done = work(&tx)?;
            tx.commit()?;
            Ok(done)
        };
        tokio::task::spawn_blocking(transact).await?
    }

    /// What a table has.
    pub(crate) async fn rows(&self, table: Table) -> Result<Rows, JobError> {
        self.read(move |tx| Ok(rows(tx, table)?)).await
    }

    /// Puts rows aside for a decision, and tells what they would change. If that is nothing, they are not put aside.
    ///
    /// Rows that an earlier attempt of the job put aside are replaced. An attempt that is not the last any more, and does not
    /// know it yet, is refused: what a person looks at does not change behind their back.
    pub(crate) async fn stage(
        &self,
        staging: Staging,
        file: Rows,
    ) -> Result<Vec<(Change, String)>, JobError> {
        let Staging { job, attempt, table } = staging;
        self.write(move |tx| {
            let changes = between(&rows(tx, table)?, &file);
            let later = "SELECT 1 FROM staging WHERE job = ?1 AND attempt > ?2";
            if tx.prepare(later)?.exists(params![job.to_string(), attempt])? {
                return Err(JobError::fatal("a later attempt has staged this import"));
            }
            forget(tx, job)?;
            if changes.is_empty() {
                return Ok(changes);
            }
            let base = last_publication(tx, table)?;
            tx.execute(
                r#"INSERT INTO staging (job, attempt, "table", base) VALUES (?1, ?2, ?3, ?4)"#,
                params![job.to_string(), attempt, table.as_str(), base],
            )?;
            let mut add = tx.prepare("INSERT INTO staged_row (job, columns) VALUES (?1, ?2)")?;
            for row in file.values() {
                add.execute(params![job.to_string(), serde_json::to_string(row)?])?;
            }
            Ok(changes)
        })
        .await
    }

    /// Makes the staged rows of an import the rows of its table; once, however often it is asked for. What was compared with
    /// what the table is no more is thrown away instead.
    pub(crate) async fn publish(
        &self,
        job: JobId,
        table: Table,
        accepted_by: Option<String>,
    ) -> Result<(), JobError> {
        let published = self.write(move |tx| {
            if tx.prepare("SELECT 1 FROM publication WHERE job = ?1")?.exists([job.to_string()])? {
                return Ok(true);
            }
            let holds = staged_base(tx, job)? == last_publication(tx, table)?;
            if holds {
                replace(tx, table, &staged_rows(tx, job)?)?;
                tx.execute(
                    r#"INSERT INTO publication ("table", job, accepted_by) VALUES (?1, ?2, ?3)"#,
                    params![table.as_str(), job.to_string(), accepted_by],
                )?;
            }
            forget(tx, job)?;
            Ok(holds)
        });
        if published.await? {
            return Ok(());
        }
        let problem = "has changed since this import was compared with it: import the file again";
        Err(JobError::fatal(format!("the table {} {problem}", table.as_str())))
    }

    /// Throws away what was staged by an import.
    pub(crate) async fn forget(&self, job: JobId) -> Result<(), JobError> {
        self.write(move |tx| Ok(forget(tx, job)?)).await
    }

    /// The imports that have something staged for a table.
    pub(crate) async fn staged(&self, table: Table) -> Result<Vec<JobId>, JobError> {
        self.read(move |tx| {
            let mut staged = tx.prepare(r#"SELECT job FROM staging WHERE "table" = ?1"#)?;
            let jobs: Vec<String> =
                staged.query_map([table.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
            jobs.iter().map(|job| Ok(job.parse()?)).collect()
        })
        .await
    }
}

/// What is asked of each table.
impl Table {
    const fn select(self) -> &'static str {
        match self {
            Self::Country => "SELECT code, name FROM country",
            Self::Zone => "SELECT name, countries, place, comments FROM zone",
        }
    }

    const fn clear(self) -> &'static str {
        match self {
            Self::Country => "DELETE FROM country",
            Self::Zone => "DELETE FROM zone",
        }
    }

    const fn insert(self) -> &'static str {
        match self {
            Self::Country => "INSERT INTO country (code, name) VALUES (?1, ?2)",
            Self::Zone => "INSERT INTO zone (name, countries, place, comments) VALUES (?1, ?2, ?3, ?4)",
        }
    }
}

fn rows(tx: &Transaction<'_>, table: Table) -> rusqlite::Result<Rows> {
    let mut select = tx.prepare(table.select())?;
    let columns = select.column_count();
    let rows = select
        .query_map([], |row| (0..columns).map(|index| row.get(index)).collect::<rusqlite::Result<Row>>())?;
    rows.map(|row| row.map(|row| (row[0].clone(), row))).collect()
}

fn replace(tx: &Transaction<'_>, table: Table, rows: &[Row]) -> rusqlite::Result<()> {
    tx.execute(table.clear(), [])?;
    let mut insert = tx.prepare(table.insert())?;
    rows.iter().try_for_each(|row| insert.execute(params_from_iter(row)).map(drop))
}

fn last_publication(tx: &Transaction<'_>, table: Table) -> rusqlite::Result<i64> {
    let last = r#"SELECT coalesce(max(number), 0) FROM publication WHERE "table" = ?1"#;
    tx.query_row(last, [table.as_str()], |row| row.get(0))
}

fn staged_base(tx: &Transaction<'_>, job: JobId) -> Result<i64, JobError> {
    let base = tx.query_row("SELECT base FROM staging WHERE job = ?1", [job.to_string()], |row| row.get(0));
    base.optional()?.ok_or_else(|| JobError::fatal("nothing is staged any more: import the file again"))
}

fn staged_rows(tx: &Transaction<'_>, job: JobId) -> Result<Vec<Row>, JobError> {
    let mut staged = tx.prepare("SELECT columns FROM staged_row WHERE job = ?1")?;
    let rows = staged.query_map([job.to_string()], |row| row.get::<_, String>(0))?;
    rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
}

fn forget(tx: &Transaction<'_>, job: JobId) -> rusqlite::Result<()> {
    // Its rows go with it.
    tx.execute("DELETE FROM staging WHERE job = ?1", [job.to_string()]).map(drop)
}
