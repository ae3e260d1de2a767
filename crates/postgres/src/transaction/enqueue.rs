//! Enqueueing in a transaction of the caller.

use std::collections::HashSet;

use uuid::Uuid;
use windlass_core::NewJob;
use windlass_store::rules::check_batch;
use windlass_store::{Enqueued, StoreError};

use super::{Request, Tx};
use crate::database::Values;
use crate::jobs::{Columns, answer, ended_since};
use crate::{Core, sql};

const NAME: &str = "enqueue jobs in the transaction";

pub(super) async fn enqueue<T: Tx + ?Sized>(
    core: &Core,
    tx: &mut T,
    jobs: &[NewJob],
) -> Result<Vec<Enqueued>, StoreError> {
    check_batch(jobs, &core.limits).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let there = there(core, tx, jobs).await?;
    let fresh: Vec<NewJob> = jobs.iter().filter(|job| !there.contains(&job.id.as_uuid())).cloned().collect();
    let made = insert(core, tx, &fresh).await?;
    Ok(jobs.iter().map(|job| answer(job, !made.contains(&job.id.as_uuid()))).collect())
}

/// Which of them are known to be there already. Those that have ended must be: the statement that inserts refuses them,
/// which would cost the caller the transaction. Where a lane is not there, all must be: a repeated job makes no new one,
/// whatever it names this time.
async fn there<T: Tx + ?Sized>(
    core: &Core,
    tx: &mut T,
    jobs: &[NewJob],
) -> Result<HashSet<Uuid>, StoreError> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id.as_uuid()).collect();
    let since = ended_since(jobs);
    let (ended, known): (Values<'_>, Values<'_>) = (&[&ids, &since], &[&ids]);
    let request = match core.lanes.of(jobs, &core.database, NAME).await? {
        Some(_) => (sql::job::ENDED, ended),
        None => (sql::job::KNOWN, known),
    };
    Ok(tx.ids(Request::new(core, request, NAME)).await?.into_iter().collect())
}

async fn insert<T: Tx + ?Sized>(
    core: &Core,
    tx: &mut T,
    jobs: &[NewJob],
) -> Result<HashSet<Uuid>, StoreError> {
    if jobs.is_empty() {
        return Ok(HashSet::new());
    }
    let lanes = match core.lanes.of(jobs, &core.database, NAME).await? {
        Some(lanes) => lanes,
        None => core.lanes.make(jobs, &core.database, NAME).await?,
    };
    let columns = Columns::of(jobs, &lanes)?;
    let now = core.database.now();
    let made = tx.ids(Request::new(core, (sql::job::INSERT, &columns.values(&now)), NAME)).await?;
    Ok(made.into_iter().collect())
}

pub(super) async fn notify<T: Tx + ?Sized>(core: &Core, tx: &mut T) -> Result<(), StoreError> {
    const NAME: &str = "notify workers in the transaction";
    tx.ids(Request::new(core, (sql::worker::WAKE, &[]), NAME)).await.map(|_| ())
}
