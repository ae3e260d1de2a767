//! Flows as they are read.

use tokio_postgres::Row;
use uuid::Uuid;
use windlass_core::limits::{FLOW_EDGES_MAX, FLOW_JOBS_MAX};
use windlass_core::{JobId, JobState, Reason, state};
use windlass_store::{
    Cursor, ErrorKind, Flow, FlowEdge, FlowJob, Input, Page, PageRequest, Relative, StoreError,
};

use super::edges::policy;
use crate::database::{Database, Session, Values};
use crate::error::During;
use crate::sql::Statement;
use crate::{row, sql};

/// A page of the other ends of a job's edges.
pub(super) async fn relatives(
    database: &Database,
    id: JobId,
    (statement, page): (Statement, PageRequest),
    name: &'static str,
) -> Result<Page<Relative>, StoreError> {
    let session = database.call(name).await?;
    paged(&session, (statement, id, page), relative, name).await
}

pub(super) async fn inputs(
    database: &Database,
    id: JobId,
    page: PageRequest,
    name: &'static str,
) -> Result<Page<Input>, StoreError> {
    let session = database.call(name).await?;
    paged(&session, (sql::flow::INPUTS, id, page), input, name).await
}

/// A page of a statement whose seventh column is where it goes on.
async fn paged<T>(
    session: &Session,
    (statement, id, page): (Statement, JobId, PageRequest),
    read: impl Fn(&Row) -> Result<T, StoreError>,
    name: &'static str,
) -> Result<Page<T>, StoreError> {
    check_exists(session, id, name).await?;
    let (limit, after) = (page.limit() as usize, page.cursor().map(Cursor::position));
    let values: Values<'_> = &[&session.now, &id.as_uuid(), &after, &(i64::from(page.limit()) + 1)];
    let mut rows = session.query(statement, values).await.during(name)?;
    let next = (rows.len() > limit).then(|| Cursor::at(rows[limit - 1].get(6)));
    rows.truncate(limit);
    Ok(Page { items: rows.iter().map(read).collect::<Result<_, _>>()?, next })
}

async fn check_exists(session: &Session, id: JobId, name: &'static str) -> Result<(), StoreError> {
    let found = session.query_opt(sql::job::EXISTS, &[&id.as_uuid()]).await.during(name)?;
    found.map(|_| ()).ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))
}

fn relative(found: &Row) -> Result<Relative, StoreError> {
    let (state, reason) = seen(found)?;
    Ok(Relative {
        id: row::job_id(found, 0),
        policy: policy(found, 1)?,
        kind: row::name(found, 2)?,
        state,
        reason,
    })
}

fn input(found: &Row) -> Result<Input, StoreError> {
    let Relative { id, policy, kind, state, reason } = relative(found)?;
    let (result, error) = (row::json(found, 9), row::attempt_error(found, 10)?);
    Ok(Input { parent: id, kind, policy, state, reason, result, error })
}

/// What a reader sees of a row in the columns of `flow/parents.sql`.
fn seen(found: &Row) -> Result<(JobState, Option<Reason>), StoreError> {
    let stage = row::stage(found, 3, found.get(7))?;
    Ok(state::seen(stage, row::reason(found, 4)?, row::instant(found, 5), row::instant(found, 8)))
}

/// The whole flow of a job, as far as it is shown at once.
pub(super) async fn flow(session: &Session, id: JobId, name: &'static str) -> Result<Flow, StoreError> {
    check_exists(session, id, name).await?;
    let values: Values<'_> = &[&id.as_uuid(), &limit(FLOW_JOBS_MAX)];
    let reached = session.query(sql::flow::REACH, values).await.during(name)?;
    let mut ids: Vec<Uuid> = reached.iter().map(|found| found.get(0)).collect();
    let mut cut = ids.len() > FLOW_JOBS_MAX;
    ids.truncate(FLOW_JOBS_MAX);
    let rows = session.query(sql::flow::JOBS, &[&session.now, &ids]).await.during(name)?;
    let jobs: Vec<FlowJob> = rows.iter().map(flow_job).collect::<Result<_, _>>()?;
    let ordered: Vec<Uuid> = jobs.iter().map(|job| job.id.as_uuid()).collect();
    let rows = session.query(sql::flow::EDGES, &[&ordered, &limit(FLOW_EDGES_MAX)]).await.during(name)?;
    let mut edges: Vec<FlowEdge> = rows.iter().map(flow_edge).collect::<Result<_, _>>()?;
    cut |= edges.len() > FLOW_EDGES_MAX;
    edges.truncate(FLOW_EDGES_MAX);
    Ok(Flow { jobs, edges, cut })
}

/// One more than are shown, so that it is known whether there are more.
fn limit(most: usize) -> i64 {
    i64::try_from(most + 1).unwrap_or(i64::MAX)
}

fn flow_job(found: &Row) -> Result<FlowJob, StoreError> {
    let (state, reason) = seen(found)?;
    Ok(FlowJob {
        id: row::job_id(found, 0),
        kind: row::name(found, 2)?,
        queue: row::name(found, 9)?,
        state,
        reason,
        tags: row::options(found, 10)?.map(|options| options.tags).unwrap_or_default(),
    })
}

fn flow_edge(found: &Row) -> Result<FlowEdge, StoreError> {
    Ok(FlowEdge { parent: row::job_id(found, 0), child: row::job_id(found, 1), policy: policy(found, 2)? })
}
