//! Queues: how full they are, and whether they are paused.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Row;
use windlass_core::{Bounds, JobState, QueueName, Timestamp, Whole};
use windlass_store::{
    Actor, Change, ErrorKind, Keep, Noun, Pause, QueueRetention, QueueStore, QueueSummary, StateCounts,
    StoreError,
};

use crate::database::{Session, Values};
use crate::error::During;
use crate::gates::{self, Wholes};
use crate::workers::micros;
use crate::{PostgresStore, audit, row, sql};

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
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = pause(&transaction, queue, &by, NAME).await;
        transaction.end(outcome, NAME).await
    }

    async fn resume(&self, queue: &QueueName, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "resume the queue";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = resume(&transaction, queue, &by, NAME).await;
        transaction.end(outcome, NAME).await?;
        self.core.hint_work();
        Ok(())
    }

    async fn keep(&self, queue: &QueueName, retention: QueueRetention, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "say how long jobs of the queue are kept";
        retention.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = keep(&transaction, queue, retention, (&by, NAME)).await;
        transaction.end(outcome, NAME).await
    }

    async fn retentions(&self) -> Result<Vec<(QueueName, QueueRetention)>, StoreError> {
        const NAME: &str = "list retentions";
        let session = self.core.database.call(NAME).await?;
        retentions(&session, NAME).await
    }

    async fn bound(&self, whole: &Whole, bounds: Bounds, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "bound the queue";
        bounds.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        gates::bound(&self.core.database, whole, (bounds, &by), NAME).await?;
        self.core.hint_work();
        Ok(())
    }

    async fn bounds(&self) -> Result<Vec<(Whole, Bounds)>, StoreError> {
        const NAME: &str = "list the bounds";
        let session = self.core.database.call(NAME).await?;
        Wholes::read(&session, NAME).await.map(Wholes::into_all)
    }
}

async fn pause(
    session: &Session,
    queue: &QueueName,
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    let values: Values<'_> = &[&session.now, &queue.as_str(), &by.name, &by.why];
    if session.query_opt(sql::queue::PAUSE, values).await.during(name)?.is_none() {
        return Ok(());
    }
    let what = (Noun::Queue, vec![queue.to_string()], vec![Some(Change::of_pause(true))]);
    audit::record_changes(session, "pause", what, (by, name)).await
}

async fn resume(
    session: &Session,
    queue: &QueueName,
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    match session.query_opt(sql::queue::RESUME, &[&queue.as_str()]).await.during(name)? {
        None => {
            Err(StoreError::new(name, ErrorKind::NotFound)
                .with_detail(format!("there is no queue \"{queue}\"")))
        }
        Some(found) if found.get(1) => {
            let what = (Noun::Queue, vec![queue.to_string()], vec![Some(Change::of_pause(false))]);
            audit::record_changes(session, "resume", what, (by, name)).await
        }
        Some(_) => Ok(()),
    }
}

async fn keep(
    session: &Session,
    queue: &QueueName,
    retention: QueueRetention,
    (by, name): (&Actor, &'static str),
) -> Result<(), StoreError> {
    let kept = retentions(session, name).await?;
    let before = kept.into_iter().find(|(one, _)| one == queue).map(|(_, kept)| kept);
    if retention.is_default() {
        session.execute(sql::queue::KEEP_NO_LONGER, &[&queue.as_str()]).await.during(name)?;
    } else {
        let stored = |keep: Option<Keep>| keep.map(|keep| keep.span().map_or(-1, micros));
        let QueueRetention { completed, cancelled, dead, .. } = retention;
        let (completed, cancelled, dead) = (stored(completed), stored(cancelled), stored(dead));
        let values: Values<'_> = &[&queue.as_str(), &completed, &cancelled, &dead];
        session.execute(sql::queue::KEEP, values).await.during(name)?;
    }
    let change = Change::of_retention(before.unwrap_or_default(), retention);
    let what = (Noun::Queue, vec![queue.to_string()], vec![Some(change)]);
    audit::record_changes(session, "keep", what, (by, name)).await
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
        let by = Actor {
            name: found.get::<_, Option<String>>(2).unwrap_or_default(),
            why: found.get(3),
            via: None,
        };
        Pause { since, by }
    });
    Ok(QueueSummary { name, pause, counts, oldest_ready_at })
}

/// How long finished jobs of single queues are kept.
pub(crate) async fn retentions(
    session: &Session,
    name: &'static str,
) -> Result<Vec<(QueueName, QueueRetention)>, StoreError> {
    let kept = |micros: i64| match u64::try_from(micros) {
        Ok(micros) => Keep::For(Duration::from_micros(micros)),
        Err(_) => Keep::Forever,
    };
    let retention = |found: &Row| {
        let keep = |index| found.get::<_, Option<i64>>(index).map(kept);
        let mut retention = QueueRetention::default();
        (retention.completed, retention.cancelled, retention.dead) = (keep(1), keep(2), keep(3));
        Ok((row::name(found, 0)?, retention))
    };
    let found = session.query(sql::queue::RETENTIONS, &[]).await.during(name)?;
    found.iter().map(retention).collect()
}
