//! Flows: jobs that wait for one another, as they are read and changed together. What their edges mean is in `edges`.

mod edges;
mod read;

use async_trait::async_trait;
use rusqlite::Connection;
use windlass_core::limits::FLOW_JOBS_MAX;
use windlass_core::{JobId, Stage};
use windlass_store::rules::flows::{check_whole, unshared};
use windlass_store::rules::{cancelling, deleting, retrying};
use windlass_store::{Actor, Flow, FlowStore, Input, Noun, Page, PageRequest, Relative, StoreError};

pub(crate) use edges::{Untold, check_parents, connect, disconnect, hold_again, live_child, tell_children};

use crate::error::During;
use crate::facts::Facts;
use crate::writer::Tx;
use crate::{SqliteStore, audit, gates, jobs, sql, unique};

#[async_trait]
impl FlowStore for SqliteStore {
    async fn parents(&self, id: JobId, page: PageRequest) -> Result<Page<Relative>, StoreError> {
        const NAME: &str = "read the parents";
        let now = self.now();
        self.readers
            .run(NAME, move |connection| {
                read::relatives(connection, id, (sql::flow::PARENTS, page), now, NAME)
            })
            .await
    }

    async fn children(&self, id: JobId, page: PageRequest) -> Result<Page<Relative>, StoreError> {
        const NAME: &str = "read the children";
        let now = self.now();
        self.readers
            .run(NAME, move |connection| {
                read::relatives(connection, id, (sql::flow::CHILDREN, page), now, NAME)
            })
            .await
    }

    async fn inputs(&self, id: JobId, page: PageRequest) -> Result<Page<Input>, StoreError> {
        const NAME: &str = "read what its parents made";
        let now = self.now();
        self.readers.run(NAME, move |connection| read::inputs(connection, id, page, now, NAME)).await
    }

    async fn flow(&self, id: JobId) -> Result<Flow, StoreError> {
        const NAME: &str = "read the flow";
        let now = self.now();
        self.readers.run(NAME, move |connection| read::flow(connection, id, now, NAME)).await
    }

    async fn cancel_flow(&self, id: JobId, by: Actor) -> Result<Vec<JobId>, StoreError> {
        const NAME: &str = "cancel the flow";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| cancel_flow(tx, id, &by, NAME)).await
    }

    async fn retry_flow(&self, id: JobId, by: Actor) -> Result<Vec<JobId>, StoreError> {
        const NAME: &str = "retry the flow";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| retry_flow(tx, id, &by, NAME)).await
    }

    async fn delete_flow(&self, root: JobId, by: Actor) -> Result<Vec<JobId>, StoreError> {
        const NAME: &str = "delete the flow";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| delete_flow(tx, root, &by, NAME)).await
    }
}

/// What there is of the jobs of a flow that is to be changed, in the order in which they were enqueued.
fn whole_flow(tx: &Tx<'_>, id: JobId, name: &'static str) -> Result<Vec<Facts>, StoreError> {
    let flow = read::flow(tx.connection, id, tx.now, name)?;
    check_whole(flow.cut).map_err(|invalid| StoreError::invalid(name, invalid))?;
    flow.jobs.iter().map(|job| Facts::expect(tx.connection, job.id, name)).collect()
}

fn cancel_flow(tx: &mut Tx<'_>, id: JobId, by: &Actor, name: &'static str) -> Result<Vec<JobId>, StoreError> {
    let mut flow = whole_flow(tx, id, name)?;
    flow.retain(|facts| !facts.stage.is_final());
    for facts in &flow {
        cancelling(facts.stage).map_err(|kind| StoreError::new(name, kind))?;
        jobs::stop(tx, facts, by).during(name)?;
    }
    Ok(ids(&flow))
}

fn retry_flow(tx: &mut Tx<'_>, id: JobId, by: &Actor, name: &'static str) -> Result<Vec<JobId>, StoreError> {
    let mut flow = whole_flow(tx, id, name)?;
    flow.retain(|facts| matches!(facts.stage, Stage::Dead | Stage::Cancelled));
    for facts in &flow {
        retrying(facts.stage, facts.reason, facts.holder.is_some()).map_err(|kind| {
            StoreError::new(name, kind).with_detail(format!("an attempt of job {} is open", facts.id))
        })?;
    }
    unique::retake(tx, flow.iter(), name)?;
    for facts in &flow {
        jobs::put_back(tx, facts, by).during(name)?;
    }
    hold_again(tx, &ids(&flow)).during(name)?;
    Ok(ids(&flow))
}

fn delete_flow(
    tx: &mut Tx<'_>,
    root: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<Vec<JobId>, StoreError> {
    let facts = Facts::expect(tx.connection, root, name)?;
    let needed_by = live_child(tx.connection, &facts).during(name)?;
    deleting(root, facts.holder.is_some(), needed_by, name)?;
    let going = going_with(tx.connection, root).during(name)?;
    check_whole(going.len() > FLOW_JOBS_MAX).map_err(|invalid| StoreError::invalid(name, invalid))?;
    let expect = |id: &JobId| Facts::expect(tx.connection, *id, name);
    let mut going: Vec<Facts> = going.iter().map(expect).collect::<Result<_, _>>()?;
    going.sort_unstable_by_key(|facts| facts.seq);
    for facts in &going {
        deleting(facts.id, facts.holder.is_some(), None, name)?;
    }
    for facts in &going {
        unique::removed(tx, facts).during(name)?;
        gates::removing(tx, facts).during(name)?;
        jobs::delete(tx.connection, facts.id, facts.traits).during(name)?;
        audit::record(tx, "delete", (Noun::Job, &facts.id.to_string()), by).during(name)?;
    }
    Ok(ids(&going))
}

fn going_with(connection: &Connection, root: JobId) -> rusqlite::Result<Vec<JobId>> {
    let mut parents = connection.prepare_cached(sql::edge::PARENTS_OF)?;
    let mut children = connection.prepare_cached(sql::edge::COUNT_CHILDREN)?;
    unshared(
        root,
        |id| {
            let ids = parents.query_map([id.as_bytes()], |row| crate::row::job_id(row, 0))?;
            ids.collect()
        },
        |id| children.query_row([id.as_bytes()], |row| row.get(0)),
    )
}

fn ids(flow: &[Facts]) -> Vec<JobId> {
    flow.iter().map(|facts| facts.id).collect()
}
