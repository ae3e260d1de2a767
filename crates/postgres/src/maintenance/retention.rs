//! Removing jobs that have been kept long enough.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use windlass_core::Stage;
use windlass_store::{Pruned, Retention, StoreError};

use super::days::{self, Dropped, Swept};
use super::{BATCH, limit};
use crate::Core;
use crate::database::{Session, Values};
use crate::error::During;
use crate::queues::retentions;
use crate::sql::Statement;
use crate::sql::maintenance::{PRUNE_COMPLETED, PRUNE_FAILED, PRUNE_REST};
use crate::workers::micros;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A retention from which on completed jobs go with their whole day, at most one later than asked. Below it a day more
/// would be felt, and they go one by one.
const WHOLE_DAYS: Duration = DAY.saturating_mul(2);

/// How far this process has come with the day that is to be dropped next.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Option<Swept>>);

impl Progress {
    fn get(&self) -> Option<Swept> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, swept: Option<Swept>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = swept;
    }
}

pub(super) async fn prune(
    core: &Core,
    retention: Retention,
    name: &'static str,
) -> Result<Pruned, StoreError> {
    let session = core.database.call(name).await?;
    let shares = shares(&session, retention, name).await?;
    let mut dropped = Dropped::default();
    // A day goes only once every queue has kept its jobs long enough.
    let longest = shares.iter().map(|share| share.kept.completed).collect::<Option<Vec<Duration>>>();
    let longest = longest.and_then(|kept| kept.into_iter().max());
    if let Some(keep) = longest {
        let mut swept = core.sweeping.get();
        let days = days::drop_over(&session, (&core.schema, keep), &mut swept, name).await;
        core.sweeping.set(swept);
        dropped = days?;
    }
    let mut rows = 0;
    for share in &shares {
        rows += share.prune(&session, (longest, BATCH - rows), name).await?;
    }
    Ok(Pruned { removed: dropped.jobs + rows as u64, more: dropped.more || rows == BATCH })
}

/// Queues whose finished jobs are kept alike.
struct Share {
    /// None for all but the others.
    queues: Option<Vec<String>>,
    others: Vec<String>,
    kept: Retention,
}

/// Each queue of which something of its own is said, and behind them all the rest.
async fn shares(
    session: &Session,
    retention: Retention,
    name: &'static str,
) -> Result<Vec<Share>, StoreError> {
    let own = retentions(session, name).await?;
    let others = own.iter().map(|(queue, _)| queue.to_string()).collect();
    let mut shares: Vec<Share> = Vec::with_capacity(own.len() + 1);
    for (queue, own) in &own {
        let kept = retention.in_queue(own);
        shares.push(Share { queues: Some(vec![queue.to_string()]), others: Vec::new(), kept });
    }
    shares.push(Share { queues: None, others, kept: retention });
    Ok(shares)
}

impl Share {
    /// Removes at most `room` of its jobs, one by one; `dropped` is the retention after which days are dropped whole.
    async fn prune(
        &self,
        session: &Session,
        (dropped, room): (Option<Duration>, usize),
        name: &'static str,
    ) -> Result<usize, StoreError> {
        let mut rows = 0;
        if let Some(keep) = self.kept.completed {
            rows += self.prune_completed(session, (keep, dropped, room), name).await?;
        }
        for stage in [Stage::Cancelled, Stage::Dead] {
            if let Some(keep) = self.kept.of(stage) {
                let (number, room) = (i16::from(stage.as_number()), limit(room - rows));
                let values: Values<'_> =
                    &[&session.now, &number, &micros(keep), &room, &self.queues, &self.others];
                rows += remove(session, (PRUNE_FAILED, values), name).await?;
            }
        }
        Ok(rows)
    }

    /// Removes completed jobs, those that their day does not take with it in time.
    async fn prune_completed(
        &self,
        session: &Session,
        (keep, dropped, room): (Duration, Option<Duration>, usize),
        name: &'static str,
    ) -> Result<usize, StoreError> {
        if keep < WHOLE_DAYS || dropped != Some(keep) {
            return self.remove(session, (PRUNE_COMPLETED, keep, room), name).await;
        }
        let rows = self.remove(session, (PRUNE_REST, keep, room), name).await?;
        // Of a day that nobody could drop: it is somebody else's, or never left alone.
        let late = keep.saturating_add(DAY);
        Ok(rows + self.remove(session, (PRUNE_COMPLETED, late, room - rows), name).await?)
    }

    async fn remove(
        &self,
        session: &Session,
        (statement, keep, room): (Statement, Duration, usize),
        name: &'static str,
    ) -> Result<usize, StoreError> {
        let values: Values<'_> = &[&session.now, &micros(keep), &limit(room), &self.queues, &self.others];
        remove(session, (statement, values), name).await
    }
}

async fn remove(
    session: &Session,
    (statement, values): (Statement, Values<'_>),
    name: &'static str,
) -> Result<usize, StoreError> {
    let removed = session.query_opt(statement, values).await.during(name)?;
    let removed = removed.map_or(0, |row| row.get::<_, i64>(0));
    Ok(usize::try_from(removed).unwrap_or(0))
}
