//! The periodic duties, and what the store says of itself.

use std::collections::HashMap;

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use windlass_core::{AttemptError, JobId, QueueName, Reason, Stage, Timestamp, Traits, WorkerId};
use windlass_store::{
    Durability, Fired, Leadership, Maintenance, Pruned, QueueRetention, Rescued, Retention, StoreError,
    StoreStatus,
};

use crate::effects;
use crate::error::During;
use crate::facts::Facts;
use crate::file_system::{self, FileSystem};
use crate::flows::tell_children;
use crate::leases::{TakenBack, take_back};
use crate::wal;
use crate::workers::{forget, held};
use crate::writer::Tx;
use crate::{
    SqliteStore, errors, gates, jobs, leader, open, operations, queues, reviews, row, schedules, sql, unique,
};

/// Most jobs that one call of a duty changes: everyone else waits for the writer meanwhile.
const BATCH: usize = 1_000;

/// Most free pages that one call gives back to the file system.
const VACUUM_PAGES: u32 = 1_000;

#[async_trait]
impl Maintenance for SqliteStore {
    async fn rescue(&self) -> Result<Rescued, StoreError> {
        self.writer.run("rescue jobs", |tx| rescue(tx).during("rescue jobs")).await
    }

    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        self.writer.run("prune jobs", move |tx| prune(tx, retention).during("prune jobs")).await
    }

    async fn fire(&self) -> Result<Fired, StoreError> {
        const NAME: &str = "fire schedules";
        let next_at = self.readers.run(NAME, |connection| schedules::next(connection).during(NAME)).await?;
        let now = self.now();
        if next_at.is_none_or(|next_at| next_at > now) {
            return Ok(Fired { now, next_at, ..Fired::default() });
        }
        self.writer.run(NAME, schedules::fire).await
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        const NAME: &str = "tidy the store";
        self.writer.run(NAME, |tx| tidy(tx).during(NAME)).await
    }

    async fn lead(&self, candidate: WorkerId) -> Result<Leadership, StoreError> {
        const NAME: &str = "ask to lead";
        self.writer.run(NAME, move |tx| leader::lead(tx, candidate).during(NAME)).await
    }

    async fn resign(&self, leader: WorkerId) -> Result<(), StoreError> {
        const NAME: &str = "give up the lead";
        self.writer.run(NAME, move |tx| leader::resign(tx, leader).during(NAME)).await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        let now = self.now();
        let opener = self.opener.clone();
        self.readers.run("read the status", move |_| Ok(status(&opener, now))).await
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.readers.run("check the store", |connection| check(connection).during("check the store")).await
    }
}

fn rescue(tx: &mut Tx<'_>) -> rusqlite::Result<Rescued> {
    let mut rescued = Rescued::default();
    let mut room = BATCH;
    for id in expired_leases(tx, room)? {
        room -= 1;
        if let Some(facts) = Facts::find(tx.connection, id)? {
            count(&mut rescued, take_back(tx, &facts)?);
        }
    }
    for worker in expired_workers(tx)? {
        let lost = held(tx, sql::maintenance::HELD_BY_PROCESS, worker, room)?;
        room -= lost.len();
        for facts in &lost {
            count(&mut rescued, take_back(tx, facts)?);
        }
        if room == 0 {
            // It may hold more than there was room for; it is forgotten by the call that takes back the last of it.
            break;
        }
        forget(tx, worker)?;
        rescued.workers += 1;
    }
    tell_children(tx)?;
    let passed = passed_deadlines(tx)?;
    for deadline in &passed {
        deadline.look(tx, &mut rescued)?;
    }
    tell_children(tx)?;
    let more_reviews = reviews::look(tx, &mut rescued, BATCH)?;
    rescued.more = room == 0 || passed.len() == BATCH || more_reviews;
    Ok(rescued)
}

fn count(rescued: &mut Rescued, taken_back: TakenBack) {
    match taken_back {
        TakenBack::Returned => rescued.returned += 1,
        TakenBack::Poisoned => rescued.poisoned += 1,
        TakenBack::Closed => rescued.closed += 1,
    }
}

fn expired_leases(tx: &Tx<'_>, limit: usize) -> rusqlite::Result<Vec<JobId>> {
    let mut statement = tx.connection.prepare_cached(sql::maintenance::EXPIRED_LEASES)?;
    let ids = statement.query_map(params![tx.now.as_micros(), limit], |row| row::job_id(row, 0))?;
    ids.collect()
}

fn expired_workers(tx: &Tx<'_>) -> rusqlite::Result<Vec<i64>> {
    let mut statement = tx.connection.prepare_cached(sql::maintenance::EXPIRED_WORKERS)?;
    let numbers = statement.query_map([tx.now.as_micros()], |row| row.get(0))?;
    numbers.collect()
}

/// A deadline that has passed.
struct Passed {
    at: i64,
    seq: i64,
    /// Whether its job has not been started since it was last put off.
    missed: bool,
}

impl Passed {
    fn look(&self, tx: &mut Tx<'_>, rescued: &mut Rescued) -> rusqlite::Result<()> {
        if self.missed {
            expire(tx, self.seq)?;
            rescued.expired += 1;
        }
        tx.connection.prepare_cached(sql::maintenance::DROP_DEADLINE)?.execute([self.at, self.seq])?;
        Ok(())
    }
}

fn passed_deadlines(tx: &Tx<'_>) -> rusqlite::Result<Vec<Passed>> {
    let mut statement = tx.connection.prepare_cached(sql::maintenance::MISSED_DEADLINES)?;
    let passed = statement.query_map(params![tx.now.as_micros(), BATCH], |row| {
        Ok(Passed { at: row.get(0)?, seq: row.get(1)?, missed: row.get(2)? })
    })?;
    passed.collect()
}

/// Remembers to look whether a job that waits has been started by its deadline, if it has one.
pub(crate) fn watch_deadline(tx: &Tx<'_>, seq: i64, deadline: Option<Timestamp>) -> rusqlite::Result<()> {
    if let Some(deadline) = deadline {
        let mut statement = tx.connection.prepare_cached(sql::maintenance::WATCH_DEADLINE)?;
        statement.execute([deadline.as_micros(), seq])?;
    }
    Ok(())
}

/// Ends the unstarted job at `seq`, whose deadline has passed.
pub(crate) fn expire(tx: &mut Tx<'_>, seq: i64) -> rusqlite::Result<()> {
    let mut statement = tx.connection.prepare_cached(sql::maintenance::DEADLINE)?;
    let (id, deadline) =
        statement.query_row([seq], |found| Ok((row::job_id(found, 0)?, row::instant(found, 1)?)))?;
    let facts = Facts::find(tx.connection, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let error = jobs::as_json(&AttemptError::missed(deadline))?;
    let values = params![seq, tx.now.as_micros(), Reason::Deadline.as_number(), error];
    tx.connection.prepare_cached(sql::maintenance::EXPIRE)?.execute(values)?;
    tx.hint_ended();
    effects::ended(tx, &facts, (Stage::Dead, Reason::Deadline))
}

fn prune(tx: &mut Tx<'_>, retention: Retention) -> rusqlite::Result<Pruned> {
    let own: HashMap<QueueName, QueueRetention> = queues::retentions(tx.connection)?.into_iter().collect();
    tx.lanes.refresh(tx.connection)?;
    let mut removed = 0;
    for (lane, queue) in tx.lanes.queues() {
        let kept = own.get(&queue).map_or(retention, |own| retention.in_queue(own));
        for stage in [Stage::Completed, Stage::Cancelled, Stage::Dead] {
            let Some(keep) = kept.of(stage) else { continue };
            let ids = prunable(tx, (lane, stage), (tx.now.before(keep), BATCH - removed))?;
            for (id, traits) in &ids {
                jobs::delete(tx.connection, *id, *traits)?;
            }
            removed += ids.len();
        }
    }
    Ok(Pruned { removed: removed as u64, more: removed == BATCH })
}

fn prunable(
    tx: &Tx<'_>,
    (lane, stage): (i64, Stage),
    (until, limit): (Timestamp, usize),
) -> rusqlite::Result<Vec<(JobId, Traits)>> {
    let mut statement = tx.connection.prepare_cached(sql::maintenance::PRUNABLE)?;
    let values = params![stage.as_number(), lane, until.as_micros(), limit];
    let found = |row: &Row<'_>| Ok((row::job_id(row, 0)?, Traits::from_bits(row.get(1)?)));
    let ids = statement.query_map(values, found)?;
    ids.collect()
}

/// Forgets workers that nothing names any more, and gives some free pages back.
fn tidy(tx: &Tx<'_>) -> rusqlite::Result<()> {
    tx.connection.prepare_cached(sql::maintenance::FORGET_WORKERS)?.execute([])?;
    gates::forget(tx)?;
    unique::forget(tx)?;
    errors::forget(tx)?;
    operations::forget(tx)?;
    let mut statement = tx.connection.prepare(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

fn status(opener: &open::Opener, now: Timestamp) -> StoreStatus {
    let path = opener.path();
    let log_bytes = wal::file_bytes(path);
    let size_bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len()) + log_bytes;
    let mut warnings = Vec::new();
    if opener.durability() == Durability::Relaxed {
        warnings.push("the store is relaxed: the last moments before a loss of power may be lost".to_owned());
    }
    if log_bytes > wal::WARN_BYTES {
        let mib = log_bytes / (1024 * 1024);
        warnings.push(format!(
            "the write-ahead log has grown to {mib} MiB because a reader holds on to it: close it"
        ));
    }
    if path.parent().is_some_and(|folder| file_system::of(folder) == FileSystem::UserSpace) {
        warnings.push(
            "the file lies on a file system in user space: make sure that it flushes to disk".to_owned(),
        );
    }
    StoreStatus {
        engine: format!("sqlite {}", rusqlite::version()),
        location: path.display().to_string(),
        durability: opener.durability(),
        schema_version: open::schema_version(),
        now,
        size_bytes,
        warnings,
    }
}

/// What SQLite finds wrong with the file, and what of ours does not fit together.
fn check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut faults: Vec<String> = lines.collect::<Result<_, _>>()?;
    faults.retain(|line| line != "ok");
    for statement in [sql::maintenance::FAULTS, sql::gate::FAULTS] {
        let mut statement = connection.prepare(statement)?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
        for line in lines {
            faults.push(line?);
        }
    }
    Ok(faults)
}
