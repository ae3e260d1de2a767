//! Edges: which job waits for which, and what the end of one means for the others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};
use windlass_core::edge::{Footing, distinct, footing, open_parents};
use windlass_core::{AttemptError, Edge, EdgePolicy, JobId, NewJob, Reason, Stage, Traits};
use windlass_store::rules::flows::{Consequences, Edges, consequences, missing_parent};
use windlass_store::{Enqueued, StoreError};

use crate::error::During;
use crate::facts::Facts;
use crate::jobs::notices;
use crate::leases::array;
use crate::writer::Tx;
use crate::{effects, jobs, reviews, row, sql};

/// What the ends of jobs in the running operation still mean for others.
#[derive(Debug, Default)]
pub(crate) struct Untold {
    /// Jobs with children that have ended, and how.
    pub(crate) ended: Vec<(JobId, Stage)>,
    /// Blocked jobs that a parent had failed before they were made.
    failed: Vec<JobId>,
    /// Jobs that ended while nobody ran them who would clean up behind them.
    pub(crate) left: Vec<JobId>,
}

/// Jobs that ended, and blocked ones that were failed.
type Told = (Vec<(JobId, Stage)>, Vec<JobId>);

impl Untold {
    /// What is to be told to blocked jobs, if anything: those that ended, and those that were failed.
    fn take(&mut self) -> Option<Told> {
        let (ended, failed) = (std::mem::take(&mut self.ended), std::mem::take(&mut self.failed));
        (!ended.is_empty() || !failed.is_empty()).then_some((ended, failed))
    }
}

/// Refuses a batch in which a job is to wait for one that is nowhere.
pub(crate) fn check_parents(
    connection: &Connection,
    new_jobs: &[NewJob],
    name: &'static str,
) -> Result<(), StoreError> {
    if new_jobs.iter().all(|job| job.after.is_empty()) {
        return Ok(());
    }
    let there = places(connection, new_jobs.iter()).during(name)?;
    let is_there = |id: &JobId| there.contains_key(id);
    missing_parent(new_jobs, |id| !is_there(&id), |id| is_there(&id)).map_or(Ok(()), Err)
}

/// Where a job stands in the enqueue order, and at which stage it is.
type Standing = (i64, Stage);

/// Where these jobs and their parents stand, those of them that are there.
fn places<'a>(
    connection: &Connection,
    new_jobs: impl Iterator<Item = &'a NewJob>,
) -> rusqlite::Result<HashMap<JobId, Standing>> {
    let named: HashSet<JobId> =
        new_jobs.flat_map(|job| job.after.iter().map(|edge| edge.parent).chain([job.id])).collect();
    let ids = jobs::blobs(named.iter().map(|id| id.as_bytes().as_slice()));
    let mut statement = connection.prepare_cached(sql::edge::PLACES)?;
    let found =
        statement.query_map([ids], |row| Ok((row::job_id(row, 0)?, (row.get(1)?, row::stage(row, 2)?))))?;
    found.collect()
}

/// Lets the new ones of these jobs wait for their parents, all of which are there.
pub(crate) fn connect(tx: &mut Tx<'_>, new_jobs: &[NewJob], made: &[Enqueued]) -> rusqlite::Result<()> {
    let is_child = |(job, made): &(&NewJob, &Enqueued)| !made.repeated && !job.after.is_empty();
    let children: Vec<&NewJob> = new_jobs.iter().zip(made).filter(is_child).map(|(job, _)| job).collect();
    if children.is_empty() {
        return Ok(());
    }
    let places = places(tx.connection, children.iter().copied())?;
    let mut parents = BTreeSet::new();
    // Those that wait for as many are held back together.
    let mut held: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for child in children {
        let edges = distinct(&child.after);
        insert_edges(
            tx.connection,
            places[&child.id].0,
            edges.iter().map(|edge| (places[&edge.parent].0, edge)),
        )?;
        parents.extend(edges.iter().map(|edge| places[&edge.parent].0));
        let standing = edges.iter().map(|edge| (*edge, Some(places[&edge.parent].1)));
        let Some(waits) = waits(tx, child.id, standing) else { continue };
        if child.options.review.is_some() {
            block(tx, child.id, waits)?;
        } else {
            held.entry(waits).or_default().push(places[&child.id].0);
        }
    }
    tx.connection.prepare_cached(sql::edge::MARK_PARENTS)?.execute([array(parents.into_iter())])?;
    let mut statement = tx.connection.prepare_cached(sql::edge::BLOCK_ALL)?;
    for (waits, seqs) in held {
        statement.execute(params![array(seqs.into_iter()), waits, Reason::Dependency.as_number()])?;
    }
    Ok(())
}

fn insert_edges<'a>(
    connection: &Connection,
    child: i64,
    edges: impl Iterator<Item = (i64, &'a Edge)>,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(sql::edge::INSERT)?;
    for (position, (parent, edge)) in edges.enumerate() {
        insert.execute(params![child, position, parent, edge.policy.as_number()])?;
    }
    Ok(())
}

/// For how many of these parents a new job waits; none if for none.
fn waits(
    tx: &mut Tx<'_>,
    child: JobId,
    parents: impl Iterator<Item = (Edge, Option<Stage>)> + Clone,
) -> Option<u32> {
    match footing(parents.clone()) {
        Footing::Free => None,
        Footing::Blocked(waits) => Some(waits),
        Footing::Failed(_) => {
            tx.untold.failed.push(child);
            Some(open_parents(parents))
        }
    }
}

fn block(tx: &Tx<'_>, child: JobId, waits: u32) -> rusqlite::Result<()> {
    let mut statement = tx.connection.prepare_cached(sql::edge::BLOCK)?;
    let values = params![child.as_bytes(), waits, Reason::Dependency.as_number()];
    let traits = statement.query_row(values, |row| row::traits(row, 0))?;
    if traits.has(Traits::REVIEWED) {
        reviews::withdraw(tx, child)?;
    }
    Ok(())
}

/// Holds jobs back that were put back by hand, and those blocked jobs that wait for them once more.
pub(crate) fn hold_again(tx: &mut Tx<'_>, put_back: &[JobId]) -> rusqlite::Result<()> {
    for id in put_back {
        let waits = open_parents(Graph(tx.connection).parents(*id)?);
        if waits > 0 {
            block(tx, *id, waits)?;
        }
    }
    let parents = array(put_back.iter().map(|id| Value::Blob(id.as_bytes().to_vec())));
    let mut statement = tx.connection.prepare_cached(sql::edge::BLOCKED_BY)?;
    let blocked = statement.query_map([parents], |row| row::job_id(row, 0))?;
    for child in blocked.collect::<rusqlite::Result<Vec<JobId>>>()? {
        let waits = open_parents(Graph(tx.connection).parents(child)?);
        block(tx, child, waits)?;
    }
    Ok(())
}

/// Does to blocked jobs what the ends of others mean for them, and enqueues what cleans up behind those that need it: behind a claim
/// that ended them, so that it gives out nothing of this.
pub(crate) fn tell_children(tx: &mut Tx<'_>) -> rusqlite::Result<()> {
    while let Some((ended, failed)) = tx.untold.take() {
        let Consequences { closed, released } = consequences(&ended, &failed, &mut Graph(tx.connection))?;
        for (child, parent, stage) in closed {
            close(tx, child, &AttemptError::dependency_failed(parent, stage))?;
        }
        // What they mean for others is part of what was done.
        tx.untold.ended.clear();
        for (child, by) in released {
            release(tx, child, by)?;
        }
    }
    for id in std::mem::take(&mut tx.untold.left) {
        notices::clean_up(tx, id)?;
    }
    Ok(())
}

fn close(tx: &mut Tx<'_>, child: JobId, error: &AttemptError) -> rusqlite::Result<()> {
    let Some(facts) = Facts::find(tx.connection, child)? else { return Ok(()) };
    let reason = Reason::DependencyFailed.as_number();
    let values = params![child.as_bytes(), tx.now.as_micros(), reason, jobs::as_json(error)?];
    tx.connection.prepare_cached(sql::edge::CLOSE)?.execute(values)?;
    tx.hint_ended();
    effects::ended(tx, &facts, (Stage::Cancelled, Reason::DependencyFailed))
}

fn release(tx: &mut Tx<'_>, child: JobId, by: u32) -> rusqlite::Result<()> {
    let mut statement = tx.connection.prepare_cached(sql::edge::RELEASE)?;
    let (waits, traits): (u32, Traits) =
        statement.query_row(params![child.as_bytes(), by], |row| Ok((row.get(0)?, row::traits(row, 1)?)))?;
    if waits == 0 {
        if traits.has(Traits::REVIEWED) {
            reviews::enter(tx, child)?;
        }
        tx.hint_work();
    }
    Ok(())
}

/// The first unfinished job that depends on this one.
pub(crate) fn live_child(connection: &Connection, facts: &Facts) -> rusqlite::Result<Option<JobId>> {
    if !facts.traits.has(Traits::PARENT) {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(sql::edge::LIVE_CHILD)?;
    statement.query_row([facts.id.as_bytes()], |row| row::job_id(row, 0)).optional()
}

/// Forgets the edges of a job that is about to be removed.
pub(crate) fn disconnect(connection: &Connection, id: JobId, traits: Traits) -> rusqlite::Result<()> {
    if traits.has(Traits::CHILD) {
        connection.prepare_cached(sql::edge::DELETE_OWN)?.execute([id.as_bytes()])?;
    }
    if traits.has(Traits::PARENT) {
        connection.prepare_cached(sql::edge::DELETE_OTHERS)?.execute([id.as_bytes()])?;
    }
    Ok(())
}

/// The edges of the file.
struct Graph<'a>(&'a Connection);

impl Edges for Graph<'_> {
    type Error = rusqlite::Error;

    fn blocked_children(&mut self, parent: JobId) -> rusqlite::Result<Vec<(JobId, EdgePolicy)>> {
        let mut statement = self.0.prepare_cached(sql::edge::BLOCKED_CHILDREN)?;
        let children = statement
            .query_map([parent.as_bytes()], |row| Ok((row::job_id(row, 0)?, row::policy(row, 1)?)))?;
        children.collect()
    }

    fn parents(&mut self, child: JobId) -> rusqlite::Result<Vec<(Edge, Option<Stage>)>> {
        let mut statement = self.0.prepare_cached(sql::edge::STANDING)?;
        let parents = statement.query_map([child.as_bytes()], |row| {
            let edge = Edge { parent: row::job_id(row, 0)?, policy: row::policy(row, 1)? };
            Ok((edge, Some(row::stage(row, 2)?)))
        })?;
        parents.collect()
    }
}
