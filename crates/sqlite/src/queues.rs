//! Queues: how full they are, and whether they are paused.

use std::collections::HashMap;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use windlass_core::{JobState, QueueName, Timestamp};
use windlass_store::{Actor, ErrorKind, Pause, QueueStore, QueueSummary, StateCounts, StoreError};

use crate::error::During;
use crate::{SqliteStore, row, sql};

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
                pause().during(NAME).map(|_| ())
            })
            .await
    }

    async fn resume(&self, queue: &QueueName) -> Result<(), StoreError> {
        const NAME: &str = "resume the queue";
        let queue = queue.clone();
        self.writer
            .run(NAME, move |tx| {
                let known = || tx.connection.prepare_cached(sql::queue::EXISTS)?.exists([queue.as_str()]);
                if !known().during(NAME)? {
                    return Err(StoreError::new(NAME, ErrorKind::NotFound)
                        .with_detail(format!("there is no queue \"{queue}\"")));
                }
                let resume = || tx.connection.prepare_cached(sql::queue::RESUME)?.execute([queue.as_str()]);
                resume().during(NAME)?;
                tx.hint_work();
                Ok(())
            })
            .await
    }
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
            Some(since) => Some(Pause { since, by: Actor { name: row.get(2)?, why: row.get(3)? } }),
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
