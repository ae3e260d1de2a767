//! Enqueueing in a transaction of the caller.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use windlass_core::{JobId, NewJob, Stage};
use windlass_store::rules::check_batch;
use windlass_store::rules::flows::{missing_parent, parents_outside};
use windlass_store::{Enqueued, ErrorKind, StoreError};

use super::{Request, Tx};
use crate::database::Values;
use crate::flows::{Links, is_linked};
use crate::jobs::{Columns, answer, ended_since};
use crate::unique::{self, Lent};
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
    if unique::is_asked_for(jobs) {
        return unique::enqueue_lent(core, &mut Lent { core, tx, name: NAME }, jobs, NAME).await;
    }
    if is_linked(jobs) {
        return enqueue_linked(core, tx, jobs).await;
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
    let lanes = core.lanes.ensure(jobs, &core.database, NAME).await?;
    let columns = Columns::of(jobs, &lanes)?;
    let now = core.database.now();
    let made = tx.ids(Request::new(core, (sql::job::INSERT, &columns.values(&now)), NAME)).await?;
    Ok(made.into_iter().collect())
}

/// Makes jobs known with their edges. Their parents stay locked until the caller's transaction ends, as none may end unseen
/// meanwhile.
async fn enqueue_linked<T: Tx + ?Sized>(
    core: &Core,
    tx: &mut T,
    jobs: &[NewJob],
) -> Result<Vec<Enqueued>, StoreError> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id.as_uuid()).collect();
    let there: HashSet<Uuid> =
        tx.ids(Request::new(core, (sql::job::KNOWN, &[&ids]), NAME)).await?.into_iter().collect();
    let is_new = |id: JobId| !there.contains(&id.as_uuid());
    let new: Vec<NewJob> = jobs.iter().filter(|job| is_new(job.id)).cloned().collect();
    make_linked(core, tx, jobs, &new).await?;
    Ok(jobs.iter().map(|job| answer(job, !is_new(job.id))).collect())
}

/// Makes those of a batch known that are new, with their edges.
pub(crate) async fn make_linked<T: Tx + ?Sized>(
    core: &Core,
    tx: &mut T,
    jobs: &[NewJob],
    new: &[NewJob],
) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let made: HashSet<JobId> = new.iter().map(|job| job.id).collect();
    let stages = stages(core, tx, new).await?;
    if let Some(error) = missing_parent(jobs, |id| made.contains(&id), |id| stages.contains_key(&id)) {
        return Err(error);
    }
    insert_linked(core, tx, new, &Links::of(new, |id| stages.get(&id).copied())).await
}

/// How the parents stand that are not made with their children, as far as it matters to them.
async fn stages<T: Tx + ?Sized>(
    core: &Core,
    tx: &mut T,
    new: &[NewJob],
) -> Result<HashMap<JobId, Stage>, StoreError> {
    let mut rest: Vec<Uuid> = parents_outside(new, |_| true).iter().map(JobId::as_uuid).collect();
    let mut stages = HashMap::new();
    let looks = [
        (sql::edge::LOCK_OPEN, Stage::Waiting),
        (sql::edge::MARK_COMPLETED, Stage::Completed),
        (sql::edge::MARK_FAILED, Stage::Dead),
        // It was cancelled, and its attempt is open.
        (sql::edge::UNFINISHED, Stage::Cancelled),
    ];
    for (statement, stage) in looks {
        if rest.is_empty() {
            break;
        }
        let found = tx.ids(Request::new(core, (statement, &[&rest]), NAME)).await?;
        rest.retain(|id| !found.contains(id));
        stages.extend(found.into_iter().map(|id| (JobId::from_uuid(id), stage)));
    }
    Ok(stages)
}

async fn insert_linked<T: Tx + ?Sized>(
    core: &Core,
    tx: &mut T,
    new: &[NewJob],
    links: &Links,
) -> Result<(), StoreError> {
    if let Some(failed) = links.failed.first() {
        let detail = format!(
            "job {failed} waits for the success of one that has failed: it would be closed at once, which only an enqueue \
             outside of a transaction can do"
        );
        return Err(StoreError::new(NAME, ErrorKind::NotReady).with_detail(detail));
    }
    let lanes = core.lanes.ensure(new, &core.database, NAME).await?;
    let columns = links.columns(new, &lanes)?;
    let now = core.database.now();
    let made = tx.ids(Request::new(core, (sql::edge::MAKE, &links.values(&columns, &now)), NAME)).await?;
    if made.len() < new.len() {
        return Err(StoreError::new(NAME, ErrorKind::Conflict)
            .with_detail("one of the jobs was made at the same time"));
    }
    Ok(())
}

pub(super) async fn notify<T: Tx + ?Sized>(core: &Core, tx: &mut T) -> Result<(), StoreError> {
    const NAME: &str = "notify workers in the transaction";
    tx.ids(Request::new(core, (sql::worker::WAKE, &[]), NAME)).await.map(|_| ())
}
