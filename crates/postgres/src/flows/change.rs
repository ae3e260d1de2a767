//! What is done to flows by hand: all of their jobs or none.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use windlass_core::limits::FLOW_JOBS_MAX;
use windlass_core::{JobId, JobState, Reason, Stage};
use windlass_store::rules::flows::check_whole;
use windlass_store::rules::{deleting, retrying};
use windlass_store::{Actor, ErrorKind, FlowJob, Noun, StoreError};

use super::read;
use crate::database::{Database, Session, Values};
use crate::effects::Effects;
use crate::error::During;
use crate::facts::Facts;
use crate::fates::{Fates, number};
use crate::jobs::{note, restore};
use crate::tries::Tries;
use crate::{audit, gates, sql, unique};

pub(super) async fn cancel_flow(
    database: &Database,
    id: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<Vec<JobId>, StoreError> {
    // Somebody who ends jobs of the flow may have locked them in an order of their own.
    let mut tries = Tries::new(database, name);
    loop {
        let transaction = tries.begin().await?;
        let outcome = cancel_flow_in(&transaction, id, by, name).await;
        if let Some(answer) = tries.end(transaction, outcome).await {
            return answer;
        }
    }
}

/// The jobs of a flow that is to be changed, in the order in which they were enqueued.
async fn whole_flow(session: &Session, id: JobId, name: &'static str) -> Result<Vec<FlowJob>, StoreError> {
    let flow = read::flow(session, id, name).await?;
    check_whole(flow.cut).map_err(|invalid| StoreError::invalid(name, invalid))?;
    Ok(flow.jobs)
}

async fn cancel_flow_in(
    session: &Session,
    id: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<Vec<JobId>, StoreError> {
    let jobs = whole_flow(session, id, name).await?;
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let (mut fates, mut effects, mut running) = (Fates::default(), Effects::default(), Vec::new());
    let mut changed: HashMap<JobId, Facts> = HashMap::new();
    for facts in lock_flow(session, &jobs, name).await? {
        match facts.stage {
            Stage::Cancelled => continue,
            Stage::Running => {
                running.push(facts.id.as_uuid());
                effects.ended(&facts, (Stage::Cancelled, Reason::Operator));
            }
            _ => fates.stop(&facts, (Stage::Cancelled, Reason::Operator), None)?,
        }
        changed.insert(facts.id, facts);
    }
    let values: Values<'_> = &[&session.now, &running, &number(Reason::Operator)];
    session.execute(sql::job::STOP, values).await.during(name)?;
    effects.join(fates.write_rows(session, name).await?);
    // Behind all of them, so that none is told that it was failed.
    effects.follow(session, name).await?;
    let cancelled: Vec<JobId> = ids.into_iter().filter(|id| changed.contains_key(id)).collect();
    let facts: Vec<&Facts> = cancelled.iter().map(|id| &changed[id]).collect();
    note(session, &facts, ("cancel", by), name).await?;
    Ok(cancelled)
}

/// Locks the jobs of a flow in the order of those who end them: what may run first, and then what is blocked, in the order in
/// which it was enqueued.
async fn lock_flow(
    session: &Session,
    jobs: &[FlowJob],
    name: &'static str,
) -> Result<Vec<Facts>, StoreError> {
    let (blocked, others): (Vec<_>, Vec<_>) = jobs.iter().partition(|job| job.state == JobState::Blocked);
    let ids_of = |jobs: &[&FlowJob]| jobs.iter().map(|job| job.id).collect::<Vec<JobId>>();
    let mut locked = Facts::lock(session, &ids_of(&others), name).await?;
    if blocked.is_empty() {
        return Ok(locked);
    }
    let children: Vec<Uuid> = blocked.iter().map(|job| job.id.as_uuid()).collect();
    session.query(sql::edge::LOCK_CHILDREN, &[&children, &Vec::<Uuid>::new()]).await.during(name)?;
    locked.extend(Facts::lock(session, &ids_of(&blocked), name).await?);
    Ok(locked)
}

pub(super) async fn retry_flow(
    database: &Database,
    id: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<Vec<JobId>, StoreError> {
    let mut tries = Tries::new(database, name);
    loop {
        let transaction = tries.begin().await?;
        let outcome = retry_flow_in(&transaction, id, by, name).await;
        if let Some(answer) = tries.end(transaction, outcome).await {
            return answer;
        }
    }
}

async fn retry_flow_in(
    session: &Session,
    id: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<Vec<JobId>, StoreError> {
    let jobs = whole_flow(session, id, name).await?;
    let over = jobs.into_iter().filter(|job| matches!(job.state, JobState::Dead | JobState::Cancelled));
    let ids: Vec<JobId> = over.map(|job| job.id).collect();
    let mut found = Vec::with_capacity(ids.len());
    for id in &ids {
        let facts = Facts::look(session, *id, name).await?;
        let facts = facts.ok_or_else(|| StoreError::new(name, ErrorKind::Conflict))?;
        retrying(facts.stage, facts.reason, facts.open).map_err(|kind| {
            StoreError::new(name, kind).with_detail(format!("an attempt of job {id} is open"))
        })?;
        found.push(facts);
    }
    restore(session, &found.iter().collect::<Vec<_>>(), by, name).await?;
    Ok(ids)
}

pub(super) async fn delete_flow(
    database: &Database,
    root: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<Vec<JobId>, StoreError> {
    let transaction = database.begin(name).await?;
    let outcome = delete_flow_in(&transaction, root, by, name).await;
    transaction.end(outcome, name).await
}

async fn delete_flow_in(
    session: &Session,
    root: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<Vec<JobId>, StoreError> {
    check_deletable(session, root, name).await?;
    let going = going_with(session, root, name).await?;
    check_whole(going.len() > FLOW_JOBS_MAX).map_err(|invalid| StoreError::invalid(name, invalid))?;
    session.query(sql::edge::LOCK_ENDED, &[&going]).await.during(name)?;
    let ids: Vec<JobId> = going.iter().copied().map(JobId::from_uuid).collect();
    let locked = Facts::lock(session, &ids, name).await?;
    for facts in &locked {
        deleting(facts.id, facts.open, None, name)?;
    }
    let keys = locked.into_iter().filter_map(|facts| facts.order_key).collect();
    gates::release(session, (&Vec::new(), &going, &keys), name).await?;
    let ordered = session.query(sql::flow::JOBS, &[&session.now, &going]).await.during(name)?;
    let ordered: Vec<JobId> = ordered.iter().map(|found| crate::row::job_id(found, 0)).collect();
    unique::removed(session, &going, name).await?;
    let removed = session.query(sql::job::DELETE, &[&going]).await.during(name)?;
    if removed.len() < ordered.len() {
        return Err(StoreError::new(name, ErrorKind::Conflict));
    }
    let ids = ordered.iter().map(JobId::to_string).collect();
    audit::record(session, "delete", (Noun::Job, ids), (by, name)).await?;
    Ok(ordered)
}

/// Refuses to remove a job that is held or needed; locks it.
pub(crate) async fn check_deletable(
    session: &Session,
    id: JobId,
    name: &'static str,
) -> Result<Facts, StoreError> {
    let facts = if let Some(facts) = Facts::lock_one(session, id, name).await? {
        facts
    } else {
        session.query(sql::edge::LOCK_ENDED, &[&vec![id.as_uuid()]]).await.during(name)?;
        let facts = Facts::look(session, id, name).await?;
        facts.ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))?
    };
    let needed_by = session.query_opt(sql::edge::LIVE_CHILDREN, &[&vec![id.as_uuid()]]).await.during(name)?;
    deleting(id, facts.open, needed_by.map(|found| crate::row::job_id(&found, 1)), name)?;
    Ok(facts)
}

/// What is removed with a job, level by level; the twin of `windlass_store::rules::flows::unshared`.
async fn going_with(session: &Session, root: JobId, name: &'static str) -> Result<Vec<Uuid>, StoreError> {
    let mut going = vec![root.as_uuid()];
    let mut seen: HashSet<Uuid> = HashSet::from([root.as_uuid()]);
    let mut others: HashMap<Uuid, i64> = HashMap::new();
    let mut level = going.clone();
    while !level.is_empty() && going.len() <= FLOW_JOBS_MAX {
        let rows = session.query(sql::edge::PARENTS_OF, &[&level]).await.during(name)?;
        level.clear();
        for found in &rows {
            let parent: Uuid = found.get(1);
            let left = others.entry(parent).or_insert_with(|| found.get(2));
            *left -= 1;
            if *left == 0 && seen.insert(parent) {
                going.push(parent);
                level.push(parent);
            }
        }
    }
    Ok(going)
}
