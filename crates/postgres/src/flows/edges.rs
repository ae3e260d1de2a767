//! What the end of a job means for those that wait for it, set by set: a bounded number of statements, however many jobs and
//! however deep.
//!
//! Whoever ends a parent has its row locked, and so has whoever enqueues a child of it: either the one sees the child, or the
//! other the ended parent. Children are locked in the order in which they were enqueued, which is that of the edges but where
//! a batch named a parent behind its child.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use windlass_core::edge::open_parents;
use windlass_core::{AttemptError, Edge, EdgePolicy, JobId, Reason, Stage, Traits};
use windlass_store::StoreError;

use crate::database::{Ask, Session};
use crate::effects::Effects;
use crate::error::During;
use crate::facts::Facts;
use crate::fates::Fates;
use crate::{reviews, row, sql};

/// Does to blocked jobs what it means for them that these have ended, each at a final stage, whose rows say so already. Answers
/// what follows for those that it ends. `failed` are blocked jobs of which it is known already that they will never run.
pub(crate) async fn tell_children(
    ask: &impl Ask,
    ended: &[(Uuid, Stage)],
    failed: &[Uuid],
    name: &'static str,
) -> Result<Effects, StoreError> {
    let of = |completed| {
        let chosen = ended.iter().filter(move |(_, stage)| (*stage == Stage::Completed) == completed);
        chosen.map(|(id, _)| *id).collect::<Vec<Uuid>>()
    };
    let (completed, mut lost) = (of(true), of(false));
    let mut effects = Effects::default();
    if !lost.is_empty() || !failed.is_empty() {
        let closed;
        (closed, effects) = close(ask, &lost, failed, name).await?;
        lost.extend(closed);
    }
    let done = ask.query(sql::edge::COUNT_DOWN, &[&completed, &lost]).await.during(name)?;
    let done: Vec<Uuid> = done.iter().map(|row| row.get(0)).collect();
    if !done.is_empty() {
        ask.made_work();
        let released = ask.query(sql::edge::RELEASE, &[&done]).await.during(name)?;
        let reviewed = released.iter().filter(|row| row::traits(row, 1).has(Traits::REVIEWED));
        let reviewed: Vec<Uuid> = reviewed.map(|row| row.get(0)).collect();
        reviews::enter(ask, &reviewed, name).await?;
    }
    Ok(effects)
}

/// Ends the blocked jobs that will never run, and answers which they are, and what follows.
async fn close(
    ask: &impl Ask,
    lost: &Vec<Uuid>,
    failed: &[Uuid],
    name: &'static str,
) -> Result<(Vec<Uuid>, Effects), StoreError> {
    let failed = failed.to_vec();
    let closing = || async {
        let rows = ask.query(sql::edge::CLOSING, &[lost, &failed]).await.during(name)?;
        Ok::<Vec<Uuid>, StoreError>(rows.iter().map(|row| row.get(0)).collect())
    };
    let first = closing().await?;
    let parents: Vec<Uuid> = lost.iter().chain(&first).copied().collect();
    ask.query(sql::edge::LOCK_CHILDREN, &[&first, &parents]).await.during(name)?;
    // Once more: what was seen before the locks may have changed while they were waited for.
    let closed = closing().await?;
    if closed.is_empty() {
        return Ok((closed, Effects::default()));
    }
    let blamed = blame(ask, &closed, name).await?;
    let ids: Vec<JobId> = closed.iter().copied().map(JobId::from_uuid).collect();
    let mut fates = Fates::default();
    for facts in Facts::lock(ask, &ids, name).await? {
        let (parent, stage) = blamed.get(&facts.id).copied().unwrap_or((facts.id, Stage::Cancelled));
        let error = AttemptError::dependency_failed(parent, stage);
        fates.stop(&facts, (Stage::Cancelled, Reason::DependencyFailed), Some(&error))?;
    }
    // Their children are among those that are told here.
    let effects = fates.write_rows(ask, name).await?.with_children_told();
    Ok((closed, effects))
}

/// Which parent each of these jobs was failed by, and how that ended.
async fn blame(
    ask: &impl Ask,
    closed: &Vec<Uuid>,
    name: &'static str,
) -> Result<HashMap<JobId, (JobId, Stage)>, StoreError> {
    let rows = ask.query(sql::edge::BLAME, &[closed]).await.during(name)?;
    rows.iter()
        .map(|found| Ok((row::job_id(found, 0), (row::job_id(found, 1), row::stage(found, 2, 0)?))))
        .collect()
}

/// Holds jobs back that this transaction has put back, and those blocked jobs that wait for them once more.
///
/// `Conflict` where a parent is locked by somebody who may end it at this moment: whoever asks gives up what they did, and
/// tries again behind them.
pub(crate) async fn hold_again(
    session: &Session,
    put_back: &[Uuid],
    name: &'static str,
) -> Result<(), StoreError> {
    let given = put_back.to_vec();
    let parents: HashSet<Uuid> =
        edges_of(session, &given, name).await?.into_values().flatten().map(parent).collect();
    let outside = parents.into_iter().filter(|id| !put_back.contains(id)).collect();
    super::enqueue::lock_parents(session, outside, name).await?;
    let blocked =
        session.query(sql::edge::LOCK_CHILDREN, &[&Vec::<Uuid>::new(), &given]).await.during(name)?;
    let blocked: Vec<Uuid> = blocked.iter().map(|row| row.get(0)).collect();
    let all: Vec<Uuid> = put_back.iter().copied().chain(blocked.iter().copied()).collect();
    let standing = edges_of(session, &all, name).await?;
    let is_blocked: HashSet<Uuid> = blocked.into_iter().collect();
    let (mut ids, mut waits) = (Vec::new(), Vec::new());
    for (child, parents) in standing {
        let open = open_parents(parents);
        if open > 0 || is_blocked.contains(&child) {
            ids.push(child);
            waits.push(i32::try_from(open).unwrap_or(i32::MAX));
        }
    }
    if !ids.is_empty() {
        session.query(sql::edge::BLOCK, &[&ids, &waits]).await.during(name)?;
    }
    Ok(())
}

type Standing = Vec<(Edge, Option<Stage>)>;

fn parent((edge, _): (Edge, Option<Stage>)) -> Uuid {
    edge.parent.as_uuid()
}

/// The parents of each of these jobs with their stages, in the order of its edges.
async fn edges_of(
    ask: &impl Ask,
    children: &Vec<Uuid>,
    name: &'static str,
) -> Result<HashMap<Uuid, Standing>, StoreError> {
    let mut all: HashMap<Uuid, Standing> = HashMap::new();
    for found in ask.query(sql::edge::STANDING, &[children]).await.during(name)? {
        let edge = Edge { parent: row::job_id(&found, 1), policy: policy(&found, 2)? };
        all.entry(found.get(0)).or_default().push((edge, Some(row::stage(&found, 3, 0)?)));
    }
    Ok(all)
}

/// The policy of an edge.
pub(super) fn policy(found: &tokio_postgres::Row, index: usize) -> Result<EdgePolicy, StoreError> {
    let number: i16 = found.get(index);
    EdgePolicy::from_number(number.into()).ok_or_else(|| row::damaged(format!("{number} has no meaning")))
}
