//! Flows as they are read.

use rusqlite::{Connection, Row, params};
use windlass_core::limits::{FLOW_EDGES_MAX, FLOW_JOBS_MAX};
use windlass_core::{JobId, JobState, Reason, Timestamp, state};
use windlass_store::{
    Cursor, ErrorKind, Flow, FlowEdge, FlowJob, Input, Page, PageRequest, Relative, StoreError,
};

use crate::error::During;
use crate::jobs::check_exists;
use crate::leases::array;
use crate::{row, sql};

/// A page of the other ends of a job's edges.
#[expect(clippy::too_many_arguments, reason = "one step of a statement, called from one place or two")]
pub(super) fn relatives(
    connection: &Connection,
    id: JobId,
    (statement, page): (&str, PageRequest),
    now: Timestamp,
    name: &'static str,
) -> Result<Page<Relative>, StoreError> {
    check_exists(connection, id, name)?;
    paged(connection, id, (statement, page), |row| relative(row, now)).during(name)
}

#[expect(clippy::too_many_arguments, reason = "one step of a statement, called from one place or two")]
pub(super) fn inputs(
    connection: &Connection,
    id: JobId,
    page: PageRequest,
    now: Timestamp,
    name: &'static str,
) -> Result<Page<Input>, StoreError> {
    check_exists(connection, id, name)?;
    paged(connection, id, (sql::flow::INPUTS, page), |row| input(row, now)).during(name)
}

/// A page of a statement whose seventh column is where it goes on.
fn paged<T>(
    connection: &Connection,
    id: JobId,
    (statement, page): (&str, PageRequest),
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Page<T>> {
    let limit = page.limit() as usize;
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows =
        statement.query(params![id.as_bytes(), page.cursor().map(Cursor::position), page.limit() + 1])?;
    let (mut items, mut last, mut next) = (Vec::new(), None, None);
    while let Some(found) = rows.next()? {
        if items.len() == limit {
            next = last.map(Cursor::at);
            break;
        }
        items.push(read(found)?);
        last = Some(found.get(6)?);
    }
    Ok(Page { items, next })
}

fn relative(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<Relative> {
    let (state, reason) = seen(row, now)?;
    Ok(Relative {
        id: row::job_id(row, 0)?,
        policy: row::policy(row, 1)?,
        kind: row::name(row, 2)?,
        state,
        reason,
    })
}

fn input(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<Input> {
    let Relative { id, policy, kind, state, reason } = relative(row, now)?;
    let (result, error) = (row::json(row, 7)?, row::attempt_error(row, 8)?);
    Ok(Input { parent: id, kind, policy, state, reason, result, error })
}

/// What a reader sees of stage, reason and due time in the fourth column and those after it.
fn seen(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<(JobState, Option<Reason>)> {
    Ok(state::seen(row::stage(row, 3)?, row::reason(row, 4)?, row::instant(row, 5)?, now))
}

pub(super) fn flow(
    connection: &Connection,
    id: JobId,
    now: Timestamp,
    name: &'static str,
) -> Result<Flow, StoreError> {
    let mut seqs = reach(connection, id).during(name)?;
    if seqs.is_empty() {
        return Err(StoreError::new(name, ErrorKind::NotFound));
    }
    let mut cut = seqs.len() > FLOW_JOBS_MAX;
    seqs.truncate(FLOW_JOBS_MAX);
    seqs.sort_unstable();
    let jobs = flow_jobs(connection, &seqs, now).during(name)?;
    let mut edges = flow_edges(connection, &seqs).during(name)?;
    cut |= edges.len() > FLOW_EDGES_MAX;
    edges.truncate(FLOW_EDGES_MAX);
    Ok(Flow { jobs, edges, cut })
}

fn reach(connection: &Connection, id: JobId) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(sql::flow::REACH)?;
    let seqs = statement.query_map(params![id.as_bytes(), FLOW_JOBS_MAX + 1], |row| row.get(0))?;
    seqs.collect()
}

fn flow_jobs(connection: &Connection, seqs: &[i64], now: Timestamp) -> rusqlite::Result<Vec<FlowJob>> {
    let mut statement = connection.prepare_cached(sql::flow::JOBS)?;
    let jobs = statement.query_map([array(seqs.iter().copied())], |row| {
        let (state, reason) = seen(row, now)?;
        Ok(FlowJob {
            id: row::job_id(row, 0)?,
            kind: row::name(row, 1)?,
            queue: row::name(row, 2)?,
            state,
            reason,
            tags: row::options(row, 7)?.map(|options| options.tags).unwrap_or_default(),
        })
    })?;
    jobs.collect()
}

/// The edges between these jobs, and one more than are shown if there are more.
fn flow_edges(connection: &Connection, seqs: &[i64]) -> rusqlite::Result<Vec<FlowEdge>> {
    let mut statement = connection.prepare_cached(sql::flow::EDGES)?;
    let mut rows = statement.query(params![array(seqs.iter().copied()), FLOW_EDGES_MAX + 1])?;
    let mut edges = Vec::new();
    while let Some(found) = rows.next()? {
        if seqs.binary_search(&found.get(3)?).is_ok() {
            edges.push(FlowEdge {
                parent: row::job_id(found, 0)?,
                child: row::job_id(found, 1)?,
                policy: row::policy(found, 2)?,
            });
        }
    }
    Ok(edges)
}
