//! The graph as it is seen.

use std::collections::{BTreeMap, HashSet, VecDeque};

use windlass_core::limits::{FLOW_EDGES_MAX, FLOW_JOBS_MAX};
use windlass_core::{Edge, EdgePolicy, Job, JobId, Timestamp};
use windlass_store::{Cursor, ErrorKind, Flow, FlowEdge, FlowJob, Input, Page, PageRequest, Relative};

use crate::state::{Record, State};

impl State {
    pub(super) fn parents_page(
        &self,
        id: JobId,
        page: PageRequest,
    ) -> Result<(&[Edge], Option<Cursor>), ErrorKind> {
        self.record(id)?;
        let edges = self.edges.parents.get(&id).map_or(&[][..], Vec::as_slice);
        let start = page.cursor().and_then(|cursor| usize::try_from(cursor.position()).ok()).unwrap_or(0);
        let start = start.min(edges.len());
        let end = edges.len().min(start + page.limit() as usize);
        let next = (end < edges.len()).then(|| Cursor::at(i64::try_from(end).unwrap_or(i64::MAX)));
        Ok((&edges[start..end], next))
    }

    pub(super) fn children_page(
        &self,
        id: JobId,
        page: PageRequest,
        now: Timestamp,
    ) -> Result<Page<Relative>, ErrorKind> {
        self.record(id)?;
        let after = page.cursor().and_then(|cursor| u64::try_from(cursor.position()).ok()).unwrap_or(0);
        let Some(children) = self.edges.children.get(&id) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let mut rest = children.range(after + 1..);
        let (mut items, mut last) = (Vec::new(), after);
        for (order, (child, policy)) in rest.by_ref().take(page.limit() as usize) {
            items.push(self.relative(*child, *policy, now)?);
            last = *order;
        }
        let next = rest.next().map(|_| Cursor::at(i64::try_from(last).unwrap_or(i64::MAX)));
        Ok(Page { items, next })
    }

    pub(super) fn relative(
        &self,
        id: JobId,
        policy: EdgePolicy,
        now: Timestamp,
    ) -> Result<Relative, ErrorKind> {
        let record = self.record(id)?;
        let (state, reason) = record.state(now);
        Ok(Relative { id, policy, kind: record.job.kind.clone(), state, reason })
    }

    pub(super) fn input(&self, edge: Edge, now: Timestamp) -> Result<Input, ErrorKind> {
        let record = self.record(edge.parent)?;
        let (state, reason) = record.state(now);
        let (result, error) = (record.job.result.clone(), record.job.error.clone());
        let kind = record.job.kind.clone();
        Ok(Input { parent: edge.parent, kind, policy: edge.policy, state, reason, result, error })
    }

    pub(super) fn flow(&self, id: JobId, now: Timestamp) -> Result<Flow, ErrorKind> {
        self.record(id)?;
        let (reached, mut cut) = self.connected(id);
        let mut records: Vec<&Record> = reached.iter().map(|id| &self.jobs[id]).collect();
        records.sort_unstable_by_key(|record| record.order);
        let jobs = records.iter().map(|record| record.flow_job(now)).collect();
        let edges = records.iter().flat_map(|record| {
            let child = record.job.id;
            let edges = self.edges.parents.get(&child).map_or(&[][..], Vec::as_slice);
            edges.iter().map(move |edge| FlowEdge { parent: edge.parent, child, policy: edge.policy })
        });
        let mut edges: Vec<FlowEdge> =
            edges.filter(|edge| reached.contains(&edge.parent)).take(FLOW_EDGES_MAX + 1).collect();
        cut |= edges.len() > FLOW_EDGES_MAX;
        edges.truncate(FLOW_EDGES_MAX);
        Ok(Flow { jobs, edges, cut })
    }

    /// What a job is connected with, the nearest first; and whether there is more.
    fn connected(&self, id: JobId) -> (HashSet<JobId>, bool) {
        let (mut reached, mut open) = (HashSet::from([id]), VecDeque::from([id]));
        while let Some(id) = open.pop_front() {
            let parents = self.edges.parents.get(&id).into_iter().flatten().map(|edge| edge.parent);
            let children =
                self.edges.children.get(&id).into_iter().flat_map(BTreeMap::values).map(|(child, _)| *child);
            for next in parents.chain(children) {
                if reached.contains(&next) {
                    continue;
                }
                if reached.len() == FLOW_JOBS_MAX {
                    return (reached, true);
                }
                reached.insert(next);
                open.push_back(next);
            }
        }
        (reached, false)
    }
}

impl Record {
    fn flow_job(&self, now: Timestamp) -> FlowJob {
        let (state, reason) = self.state(now);
        let Job { id, kind, queue, options, .. } = &self.job;
        let tags = options.tags.clone();
        FlowJob { id: *id, kind: kind.clone(), queue: queue.clone(), state, reason, tags }
    }
}
