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
    let mut rows = 0;
    let mut dropped = Dropped::default();
    if let Some(keep) = retention.completed {
        let mut swept = core.sweeping.get();
        let days = days::drop_over(&session, (&core.schema, keep), &mut swept, name).await;
        core.sweeping.set(swept);
        dropped = days?;
        rows += prune_completed(&session, keep, name).await?;
    }
    for (stage, keep) in [(Stage::Cancelled, retention.cancelled), (Stage::Dead, retention.dead)] {
        if let Some(keep) = keep {
            let stage = i16::from(stage.as_number());
            let values: Values<'_> = &[&session.now, &stage, &micros(keep), &limit(BATCH - rows)];
            rows += remove(&session, (PRUNE_FAILED, values), name).await?;
        }
    }
    Ok(Pruned { removed: dropped.jobs + rows as u64, more: dropped.more || rows == BATCH })
}

/// Removes completed jobs one by one, those that their day does not take with it in time.
async fn prune_completed(session: &Session, keep: Duration, name: &'static str) -> Result<usize, StoreError> {
    if keep < WHOLE_DAYS {
        let values: Values<'_> = &[&session.now, &micros(keep), &limit(BATCH)];
        return remove(session, (PRUNE_COMPLETED, values), name).await;
    }
    let values: Values<'_> = &[&session.now, &micros(keep), &limit(BATCH)];
    let rows = remove(session, (PRUNE_REST, values), name).await?;
    // Of a day that nobody could drop: it is somebody else's, or never left alone.
    let values: Values<'_> = &[&session.now, &micros(keep.saturating_add(DAY)), &limit(BATCH - rows)];
    Ok(rows + remove(session, (PRUNE_COMPLETED, values), name).await?)
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
