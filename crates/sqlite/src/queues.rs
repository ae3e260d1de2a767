//! Queues: how full they are, and whether they are paused.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use windlass_core::{Bounds, JobState, QueueName, Timestamp, Whole};
use windlass_store::{
    Actor, Change, ErrorKind, Keep, Noun, Pause, QueueRetention, QueueStore, QueueSummary, StateCounts,
    StoreError,
};

use crate::error::During;
use crate::gates::{self, Wholes};
use crate::leases::micros;
use crate::{SqliteStore, audit, row, sql};

#[async_trait]
impl QueueStore for SqliteStore {
    async fn queues(&self) -> Result<Vec<QueueSummary>, StoreError> {
        let now = self.now();
        self.readers.run("list queues", move |connection| list(connection, now).during("list queues")).await
    }

    async fn pause(&self, queue: &QueueName, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "pause the queue";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let queue = queue.clone();
        self.writer
            .run(NAME, move |tx| {
                let values = params![queue.as_str(), tx.now.as_micros(), by.name, by.why];
                let pause = || tx.connection.prepare_cached(sql::queue::PAUSE)?.execute(values);
                if pause().during(NAME)? > 0 {
                    let change = Change::of_pause(true);
                    let what = (Noun::Queue, queue.as_str());
                    audit::record_change(tx, "pause", what, (&by, Some(&change))).during(NAME)?;
                }
                Ok(())
            })
            .await
    }

    async fn resume(&self, queue: &QueueName, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "resume the queue";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let queue = queue.clone();
        self.writer
            .run(NAME, move |tx| {
                let known = || tx.connection.prepare_cached(sql::queue::EXISTS)?.exists([queue.as_str()]);
                if !known().during(NAME)? {
                    return Err(StoreError::new(NAME, ErrorKind::NotFound)
                        .with_detail(format!("there is no queue \"{queue}\"")));
                }
                let resume = || tx.connection.prepare_cached(sql::queue::RESUME)?.execute([queue.as_str()]);
                if resume().during(NAME)? > 0 {
                    let change = Change::of_pause(false);
                    let what = (Noun::Queue, queue.as_str());
                    audit::record_change(tx, "resume", what, (&by, Some(&change))).during(NAME)?;
                }
                tx.hint_work();
                Ok(())
            })
            .await
    }

    async fn keep(&self, queue: &QueueName, retention: QueueRetention, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "say how long jobs of the queue are kept";
        retention.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let queue = queue.clone();
        self.writer
            .run(NAME, move |tx| {
                let kept = retentions(tx.connection).during(NAME)?;
                let before = kept.into_iter().find(|(one, _)| *one == queue).map(|(_, kept)| kept);
                keep(tx.connection, &queue, &retention).during(NAME)?;
                let change = Change::of_retention(before.unwrap_or_default(), retention);
                let what = (Noun::Queue, queue.as_str());
                audit::record_change(tx, "keep", what, (&by, Some(&change))).during(NAME)
            })
            .await
    }

    async fn retentions(&self) -> Result<Vec<(QueueName, QueueRetention)>, StoreError> {
        const NAME: &str = "list retentions";
        self.readers.run(NAME, |connection| retentions(connection).during(NAME)).await
    }

    async fn bound(&self, whole: &Whole, bounds: Bounds, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "bound the queue";
        bounds.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let whole = whole.clone();
        self.writer
            .run(NAME, move |tx| {
                let before = Wholes::read(tx.connection).during(NAME)?.of(&whole);
                gates::bound(tx, &whole, bounds).during(NAME)?;
                let change = Change::of_bounds(before, bounds);
                audit::record_change(tx, "bound", Noun::of_whole(&whole), (&by, Some(&change))).during(NAME)
            })
            .await
    }

    async fn bounds(&self) -> Result<Vec<(Whole, Bounds)>, StoreError> {
        const NAME: &str = "list the bounds";
        self.readers.run(NAME, |connection| Wholes::read(connection).during(NAME).map(Wholes::into_all)).await
    }
}

fn keep(connection: &Connection, queue: &QueueName, retention: &QueueRetention) -> rusqlite::Result<()> {
    if retention.is_default() {
        connection.prepare_cached(sql::queue::KEEP_NO_LONGER)?.execute([queue.as_str()])?;
        return Ok(());
    }
    let stored = |keep: Option<Keep>| keep.map(|keep| keep.span().map_or(-1, micros));
    let QueueRetention { completed, cancelled, dead, .. } = *retention;
    let values = params![queue.as_str(), stored(completed), stored(cancelled), stored(dead)];
    connection.prepare_cached(sql::queue::KEEP)?.execute(values)?;
    Ok(())
}

/// How long finished jobs of single queues are kept.
pub(crate) fn retentions(connection: &Connection) -> rusqlite::Result<Vec<(QueueName, QueueRetention)>> {
    let mut statement = connection.prepare_cached(sql::queue::RETENTIONS)?;
    let kept = |micros: i64| match u64::try_from(micros) {
        Ok(micros) => Keep::For(Duration::from_micros(micros)),
        Err(_) => Keep::Forever,
    };
    let retentions = statement.query_map([], |found| {
        let keep = |index| Ok::<_, rusqlite::Error>(found.get::<_, Option<i64>>(index)?.map(kept));
        let mut retention = QueueRetention::default();
        (retention.completed, retention.cancelled, retention.dead) = (keep(1)?, keep(2)?, keep(3)?);
        Ok((row::name(found, 0)?, retention))
    })?;
    retentions.collect()
}

/// What there is to say of one queue's jobs.
#[derive(Debug, Default)]
struct Tally {
    counts: StateCounts,
    oldest_ready_at: Option<Timestamp>,
}

fn list(connection: &Connection, now: Timestamp) -> rusqlite::Result<Vec<QueueSummary>> {
    let mut tallies = tallies(connection, now)?;
    let mut statement = connection.prepare_cached(sql::queue::LIST)?;
    let queues = statement.query_map([], |row| {
        let name: QueueName = row::name(row, 0)?;
        let tally = tallies.remove(&name).unwrap_or_default();
        let pause = match row::instant_option(row, 1)? {
            Some(since) => {
                Some(Pause { since, by: Actor { name: row.get(2)?, why: row.get(3)?, via: None } })
            }
            None => None,
        };
        Ok(QueueSummary { name, pause, counts: tally.counts, oldest_ready_at: tally.oldest_ready_at })
    })?;
    queues.collect()
}

fn tallies(connection: &Connection, now: Timestamp) -> rusqlite::Result<HashMap<QueueName, Tally>> {
    let mut statement = connection.prepare_cached(sql::queue::COUNTS)?;
    let mut rows = statement.query([now.as_micros()])?;
    let mut tallies: HashMap<QueueName, Tally> = HashMap::new();
    while let Some(found) = rows.next()? {
        let tally = tallies.entry(row::name(found, 0)?).or_default();
        let state = row::state(found, 1)?;
        tally.counts.add(state, row::unsigned(found, 2)?);
        if state == JobState::Ready {
            tally.oldest_ready_at = row::instant_option(found, 3)?;
        }
    }
    Ok(tallies)
}
