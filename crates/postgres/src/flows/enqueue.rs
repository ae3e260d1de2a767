//! Enqueueing jobs that wait for others.
//!
//! Parents are locked before their children are made, so that none ends unseen. Nobody waits for one lock here while he
//! holds another: where a parent is somebody else's at the moment, everything is given up, and tried again behind them. So
//! these can be no part of a deadlock.

use std::collections::{HashMap, HashSet};

use tokio_postgres::types::ToSql;
use uuid::Uuid;
use windlass_core::edge::{Footing, distinct, footing, open_parents};
use windlass_core::{Edge, JobId, NewJob, Stage};
use windlass_store::rules::flows::{missing_parent, parents_outside};
use windlass_store::{Enqueued, ErrorKind, StoreError};

use super::edges::tell_children;
use crate::database::Session;
use crate::error::{During, ENDED};
use crate::jobs::{Columns, answer};
use crate::tries::Tries;
use crate::value::Instant;
use crate::{Core, row, sql};

/// Whether a batch has to be enqueued by [`enqueue`].
pub(crate) fn is_linked(jobs: &[NewJob]) -> bool {
    jobs.iter().any(|job| !job.after.is_empty())
}

/// Makes jobs known with their edges, and says of each whether it was there already.
pub(crate) async fn enqueue(
    store: &Core,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    let mut tries = Tries::in_line(&store.database, name);
    loop {
        let known = known(store, jobs, name).await?;
        let new: Vec<NewJob> = jobs.iter().filter(|job| !known.contains(&job.id)).cloned().collect();
        if new.is_empty() || make_known(store, (jobs, &new), &mut tries, name).await? {
            return Ok(jobs.iter().map(|job| answer(job, known.contains(&job.id))).collect());
        }
    }
}

/// Makes those of a batch known that are new; false if others were in the way, and it is to be tried again.
async fn make_known(
    store: &Core,
    (jobs, new): (&[NewJob], &[NewJob]),
    tries: &mut Tries<'_>,
    name: &'static str,
) -> Result<bool, StoreError> {
    let lanes = if let Some(lanes) = store.lanes.of(new, &store.database, name).await? {
        lanes
    } else {
        check_parents(store, jobs, new, name).await?;
        store.lanes.make(new, &store.database, name).await?
    };
    let transaction = tries.begin().await?;
    let made = make(&transaction, (jobs, new, &lanes), name).await;
    let Some(made) = tries.end(transaction, made).await else { return Ok(false) };
    made?;
    // What is let go at once may be due before what was claimed.
    store.floors.forget();
    store.hint_work();
    Ok(true)
}

/// Refuses a batch that names parents which are nowhere, before a lane is made for it.
async fn check_parents(
    store: &Core,
    jobs: &[NewJob],
    new: &[NewJob],
    name: &'static str,
) -> Result<(), StoreError> {
    let made: HashSet<JobId> = new.iter().map(|job| job.id).collect();
    let outside: Vec<Uuid> = parents_outside(new, |_| true).iter().map(JobId::as_uuid).collect();
    let found = store.database.call(name).await?.query(sql::job::KNOWN, &[&outside]).await.during(name)?;
    let known: HashSet<JobId> = found.iter().map(|found| row::job_id(found, 0)).collect();
    missing_parent(jobs, |id| made.contains(&id), |id| known.contains(&id)).map_or(Ok(()), Err)
}

/// Which of these jobs are there already.
async fn known(store: &Core, jobs: &[NewJob], name: &'static str) -> Result<HashSet<JobId>, StoreError> {
    let ids: Vec<Uuid> = jobs.iter().filter(|job| !job.drawn).map(|job| job.id.as_uuid()).collect();
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = store.database.call(name).await?.query(sql::job::KNOWN, &[&ids]).await.during(name)?;
    Ok(rows.iter().map(|found| row::job_id(found, 0)).collect())
}

/// Makes those of a batch known that are new, with their edges. `Conflict` where others have one of their parents at the moment.
pub(crate) async fn make(
    session: &Session,
    (jobs, new, lanes): (&[NewJob], &[NewJob], &[i32]),
    name: &'static str,
) -> Result<(), StoreError> {
    let made: HashSet<JobId> = new.iter().map(|job| job.id).collect();
    let outside = parents_outside(new, |_| true).iter().map(JobId::as_uuid).collect();
    let parents = lock_parents(session, outside, name).await?;
    let is_known = |id: JobId| parents.contains_key(&id);
    if let Some(error) = missing_parent(jobs, |id| made.contains(&id), is_known) {
        return Err(error);
    }
    let links = Links::of(new, |id| parents.get(&id).copied());
    links.insert(session, (new, lanes), name).await?;
    if !links.failed.is_empty() {
        let closed = Box::pin(tell_children(session, &[], &links.failed, name)).await?;
        Box::pin(closed.follow(session, name)).await?;
    }
    Ok(())
}

/// Marks jobs as parents and locks them, those that have ended as well. One that is nowhere has no stage afterwards.
///
/// `Conflict` where somebody else has one of them: it is noted as met.
pub(super) async fn lock_parents(
    session: &Session,
    ids: Vec<Uuid>,
    name: &'static str,
) -> Result<HashMap<JobId, Stage>, StoreError> {
    let mut stages = HashMap::new();
    if ids.is_empty() {
        return Ok(stages);
    }
    for found in session.query(sql::edge::LOCK_PARENTS, &[&ids]).await.during(name)? {
        stages.insert(row::job_id(&found, 0), row::stage(&found, 1, found.get(2))?);
    }
    // In this order: a job that ends between the two looks is found by the second.
    let ids = rest(ids, &stages);
    check_idle(session, &ids, name).await?;
    if ids.is_empty() {
        return Ok(stages);
    }
    for found in session.query(sql::edge::MARK_ENDED, &[&ids]).await.during(name)? {
        stages.insert(row::job_id(&found, 0), row::stage(&found, 1, 0)?);
    }
    // What is left was brought back meanwhile, or is nowhere.
    check_idle(session, &rest(ids, &stages), name).await?;
    Ok(stages)
}

fn rest(ids: Vec<Uuid>, found: &HashMap<JobId, Stage>) -> Vec<Uuid> {
    ids.into_iter().filter(|id| !found.contains_key(&JobId::from_uuid(*id))).collect()
}

/// Refuses jobs that are unfinished, though they were not to be had.
async fn check_idle(session: &Session, ids: &[Uuid], name: &'static str) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let unfinished = session.query(sql::edge::UNFINISHED, &[&ids]).await.during(name)?;
    let Some(busy) = unfinished.first() else { return Ok(()) };
    session.meet(busy.get(0));
    Err(StoreError::new(name, ErrorKind::Conflict))
}

/// The edges of new jobs, and how the jobs stand with those they wait for.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Columns of `edge/make.sql`: for how many parents each of the jobs waits, if for any.
    waits: Vec<Option<i32>>,
    children: Vec<Uuid>,
    positions: Vec<i32>,
    parents: Vec<Uuid>,
    policies: Vec<i16>,
    /// Those of the jobs that a parent has failed already.
    pub(crate) failed: Vec<Uuid>,
}

impl Links {
    /// `stage` is that of a parent that is not made with them.
    pub(crate) fn of(new: &[NewJob], stage: impl Fn(JobId) -> Option<Stage>) -> Self {
        let made: HashSet<JobId> = new.iter().map(|job| job.id).collect();
        let mut links = Self::default();
        for job in new {
            let edges = distinct(&job.after);
            let standing = edges.iter().map(|edge| {
                let made_with = made.contains(&edge.parent).then_some(Stage::Waiting);
                (*edge, made_with.or_else(|| stage(edge.parent)))
            });
            let waits = links.waits(job.id, standing);
            links.waits.push(waits);
            links.add_edges(job.id, &edges);
        }
        links
    }

    fn add_edges(&mut self, child: JobId, edges: &[Edge]) {
        for (position, edge) in (0..).zip(edges) {
            self.children.push(child.as_uuid());
            self.positions.push(position);
            self.parents.push(edge.parent.as_uuid());
            self.policies.push(edge.policy.as_number().into());
        }
    }

    fn waits(
        &mut self,
        child: JobId,
        standing: impl Iterator<Item = (Edge, Option<Stage>)> + Clone,
    ) -> Option<i32> {
        let waits = match footing(standing.clone()) {
            Footing::Free => return None,
            Footing::Blocked(waits) => waits,
            Footing::Failed(_) => {
                self.failed.push(child.as_uuid());
                open_parents(standing)
            }
        };
        Some(i32::try_from(waits).unwrap_or(i32::MAX))
    }

    async fn insert(
        &self,
        session: &Session,
        (new, lanes): (&[NewJob], &[i32]),
        name: &'static str,
    ) -> Result<(), StoreError> {
        let columns = self.columns(new, lanes)?;
        let made = match session.query(sql::edge::MAKE, &self.values(&columns, &session.now)).await {
            Err(error) if error.code().is_some_and(|code| code.code() == ENDED) => 0,
            made => made.during(name)?.len(),
        };
        if made < new.len() {
            // Somebody else made one of them meanwhile.
            return Err(StoreError::new(name, ErrorKind::Conflict));
        }
        Ok(())
    }

    /// The jobs as they are inserted.
    pub(crate) fn columns<'a>(&self, new: &'a [NewJob], lanes: &'a [i32]) -> Result<Columns<'a>, StoreError> {
        let mut columns = Columns::of(new, lanes)?;
        columns.mark_parents(&self.parents);
        Ok(columns)
    }

    /// The values of `edge/make.sql`.
    #[expect(clippy::ref_option, reason = "a value of a statement is passed by reference")]
    pub(crate) fn values<'v>(
        &'v self,
        columns: &'v Columns<'_>,
        now: &'v Option<Instant>,
    ) -> Vec<&'v (dyn ToSql + Sync)> {
        let own: [&'v (dyn ToSql + Sync); 5] =
            [&self.waits, &self.children, &self.positions, &self.parents, &self.policies];
        columns.values(now).into_iter().chain(own).collect()
    }
}
