//! Queues: how full they are, and whether they are paused.

use std::collections::HashMap;

use async_trait::async_trait;
use tokio_postgres::Row;
use windlass_core::{JobState, QueueName, Timestamp};
use windlass_store::{Actor, ErrorKind, Pause, QueueStore, QueueSummary, StateCounts, StoreError};

use crate::database::{Session, Values};
use crate::error::During;
use crate::{PostgresStore, row, sql};

#[async_trait]
impl QueueStore for PostgresStore {
    async fn queues(&self) -> Result<Vec<QueueSummary>, StoreError> {
        const NAME: &str = "list queues";
        let session = self.core.database.call(NAME).await?;
        let mut tallies = tallies(&session, NAME).await?;
        let rows = session.query(sql::queue::LIST, &[]).await.during(NAME)?;
        rows.iter().map(|row| summary(row, &mut tallies)).collect()
    }

    async fn pause(&self, queue: &QueueName, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "pause the queue";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let session = self.core.database.call(NAME).await?;
        let values: Values<'_> = &[&session.now, &queue.as_str(), &by.name, &by.why];
        let values = session.execute(sql::queue::PAUSE, values);
        values.await.committing(NAME).map(|_| ())
    }

    async fn resume(&self, queue: &QueueName) -> Result<(), StoreError> {
        const NAME: &str = "resume the queue";
        let session = self.core.database.call(NAME).await?;
        let known = session.query_opt(sql::queue::RESUME, &[&queue.as_str()]).await.committing(NAME)?;
        if known.is_none() {
            return Err(StoreError::new(NAME, ErrorKind::NotFound)
                .with_detail(format!("there is no queue \"{queue}\"")));
        }
        self.core.hint_work();
        Ok(())
    }
}

/// What there is to say of one queue's jobs.
#[derive(Debug, Default)]
struct Tally {
    counts: StateCounts,
    oldest_ready_at: Option<Timestamp>,
}

async fn tallies(session: &Session, name: &'static str) -> Result<HashMap<QueueName, Tally>, StoreError> {
    let mut tallies: HashMap<QueueName, Tally> = HashMap::new();
    for found in session.query(sql::queue::COUNTS, &[&session.now]).await.during(name)? {
        let tally = tallies.entry(row::name(&found, 0)?).or_default();
        let state = row::state(found.get(1))?;
        tally.counts.add(state, row::unsigned(&found, 2));
        if state == JobState::Ready {
            tally.oldest_ready_at = row::instant_option(&found, 3);
        }
    }
    Ok(tallies)
}

fn summary(found: &Row, tallies: &mut HashMap<QueueName, Tally>) -> Result<QueueSummary, StoreError> {
    let name: QueueName = row::name(found, 0)?;
    let Tally { counts, oldest_ready_at } = tallies.remove(&name).unwrap_or_default();
    let pause = row::instant_option(found, 1).map(|since| {
        let by = Actor { name: found.get::<_, Option<String>>(2).unwrap_or_default(), why: found.get(3) };
        Pause { since, by }
    });
    Ok(QueueSummary { name, pause, counts, oldest_ready_at })
}
