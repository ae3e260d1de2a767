//! Flows: which job waits for which, what the end of one means for the others, and changes of a whole graph.

mod read;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;

use async_trait::async_trait;
use windlass_core::edge::{Bearing, Footing, distinct, footing, open_parents};
use windlass_core::limits::FLOW_JOBS_MAX;
use windlass_core::{AttemptError, Edge, EdgePolicy, JobId, NewJob, Reason, Stage, Timestamp, Traits};
use windlass_store::rules::flows::{Consequences, check_whole, consequences, missing_parent, unshared};
use windlass_store::rules::{deleting, retrying};
use windlass_store::{
    Actor, ErrorKind, Flow, FlowStore, Input, Noun, Page, PageRequest, Relative, StoreError,
};

use crate::MemoryStore;
use crate::state::State;

/// Who waits for whom.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    /// The parents of each child, in the order of its edges.
    pub(crate) parents: HashMap<JobId, Vec<Edge>>,
    /// The children of each parent, in the order in which they were enqueued.
    pub(crate) children: HashMap<JobId, BTreeMap<u64, (JobId, EdgePolicy)>>,
    /// Jobs that have ended, and whose children are still to be told.
    untold: Vec<JobId>,
    /// Blocked jobs that a parent had failed before they were made.
    failed: Vec<JobId>,
    /// Jobs that ended while nobody ran them who would clean up behind them.
    pub(crate) left: Vec<JobId>,
}

#[async_trait]
impl FlowStore for MemoryStore {
    async fn parents(&self, id: JobId, page: PageRequest) -> Result<Page<Relative>, StoreError> {
        self.act("read the parents", |state, now| {
            let (edges, next) = state.parents_page(id, page)?;
            let relative = |edge: &Edge| state.relative(edge.parent, edge.policy, now);
            Ok(Page { items: edges.iter().map(relative).collect::<Result<_, _>>()?, next })
        })
    }

    async fn children(&self, id: JobId, page: PageRequest) -> Result<Page<Relative>, StoreError> {
        self.act("read the children", |state, now| state.children_page(id, page, now))
    }

    async fn inputs(&self, id: JobId, page: PageRequest) -> Result<Page<Input>, StoreError> {
        self.act("read what its parents made", |state, now| {
            let (edges, next) = state.parents_page(id, page)?;
            let input = |edge: &Edge| state.input(*edge, now);
            Ok(Page { items: edges.iter().map(input).collect::<Result<_, _>>()?, next })
        })
    }

    async fn flow(&self, id: JobId) -> Result<Flow, StoreError> {
        self.act("read the flow", |state, now| state.flow(id, now))
    }

    async fn cancel_flow(&self, id: JobId, by: Actor) -> Result<Vec<JobId>, StoreError> {
        self.act("cancel the flow", |state, now| state.cancel_flow(id, &by, now))
    }

    async fn retry_flow(&self, id: JobId, by: Actor) -> Result<Vec<JobId>, StoreError> {
        self.act("retry the flow", |state, now| state.retry_flow(id, &by, now))
    }

    async fn delete_flow(&self, root: JobId, by: Actor) -> Result<Vec<JobId>, StoreError> {
        const NAME: &str = "delete the flow";
        self.act_saying(NAME, |state, _| {
            by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
            let gone = state.delete_flow(root, NAME)?;
            for id in &gone {
                state.audited("delete", (Noun::Job, id), by.clone());
            }
            Ok(gone)
        })
    }
}

impl State {
    /// Refuses a batch in which a job is to wait for one that is nowhere.
    pub(crate) fn check_parents(&self, jobs: &[NewJob]) -> Result<(), StoreError> {
        let known = |id: JobId| self.jobs.contains_key(&id);
        missing_parent(jobs, |id| !known(id), known).map_or(Ok(()), Err)
    }

    /// Makes the new job at the end of the order wait for its parents, all of which are there.
    pub(crate) fn connect(&mut self, child: JobId, after: &[Edge]) {
        let (edges, order) = (distinct(after), self.jobs[&child].order);
        for edge in &edges {
            self.edges.children.entry(edge.parent).or_default().insert(order, (child, edge.policy));
            if let Some(parent) = self.jobs.get_mut(&edge.parent) {
                parent.traits |= Traits::PARENT;
            }
        }
        self.edges.parents.insert(child, edges);
    }

    /// Holds a new job back, now that every job of its batch is there.
    pub(crate) fn hold(&mut self, child: JobId) {
        let waits = match footing(self.standing(child)) {
            Footing::Free => return,
            Footing::Blocked(waits) => waits,
            Footing::Failed(_) => {
                self.edges.failed.push(child);
                open_parents(self.standing(child))
            }
        };
        self.block(child, waits);
    }

    fn block(&mut self, child: JobId, waits: u32) {
        let blocked = self.keep(child, |record| {
            record.withdraw();
            record.stage = Stage::Blocked;
            record.reason = Some(Reason::Dependency);
            record.waits = waits;
        });
        debug_assert!(blocked.is_ok(), "only a job that is there is held back");
    }

    /// A job has ended on which others may depend.
    pub(crate) fn tell_children(&mut self, parent: JobId) {
        if self.edges.children.contains_key(&parent) {
            self.edges.untold.push(parent);
        }
    }

    /// Does to blocked jobs what the ends of others mean for them, and enqueues what cleans up behind those that need it: behind a
    /// claim that ended them, so that it gives out nothing of this.
    pub(crate) fn tell_all_children(&mut self) {
        while !self.edges.untold.is_empty() || !self.edges.failed.is_empty() {
            let untold = std::mem::take(&mut self.edges.untold);
            let failed = std::mem::take(&mut self.edges.failed);
            let ended: Vec<(JobId, Stage)> = untold
                .into_iter()
                .filter_map(|id| self.jobs.get(&id).map(|record| (id, record.stage)))
                .collect();
            let Ok(Consequences { closed, released }) = consequences(&ended, &failed, &mut &*self);
            for (child, parent, stage) in closed {
                self.close_child(child, parent, stage);
            }
            // What they mean for others is part of what was done.
            self.edges.untold.clear();
            for (child, by) in released {
                self.release(child, by);
            }
        }
        for id in std::mem::take(&mut self.edges.left) {
            self.clean_up(id);
        }
    }

    fn close_child(&mut self, child: JobId, parent: JobId, stage: Stage) {
        let now = self.now;
        let closed = self.change(child, |record| {
            record.finish(Stage::Cancelled, now);
            record.reason = Some(Reason::DependencyFailed);
            record.job.error = Some(AttemptError::dependency_failed(parent, stage));
        });
        debug_assert!(closed.is_ok(), "only a job that is there is closed");
    }

    fn release(&mut self, child: JobId, by: u32) {
        let now = self.now;
        let released = self.keep(child, |record| {
            record.waits = record.waits.saturating_sub(by);
            if record.waits == 0 {
                record.job.revision += 1;
                record.enter(now);
            }
        });
        debug_assert!(released.is_ok(), "only a job that is there is let go");
    }

    /// Holds jobs back that were put back by hand, and those blocked jobs that wait for them once more.
    pub(crate) fn hold_again(&mut self, put_back: &[JobId]) {
        for id in put_back {
            let waits = open_parents(self.standing(*id));
            if waits > 0 {
                self.block(*id, waits);
            }
        }
        let children =
            put_back.iter().filter_map(|id| self.edges.children.get(id)).flat_map(BTreeMap::values);
        let blocked: BTreeSet<JobId> = children
            .map(|(child, _)| *child)
            .filter(|child| self.jobs[child].stage == Stage::Blocked)
            .collect();
        for child in blocked {
            let waits = open_parents(self.standing(child));
            self.block(child, waits);
        }
    }

    /// The parents of a job with their stages.
    fn standing(&self, child: JobId) -> Vec<(Edge, Option<Stage>)> {
        let edges = self.edges.parents.get(&child).map_or(&[][..], Vec::as_slice);
        edges.iter().map(|edge| (*edge, self.jobs.get(&edge.parent).map(|record| record.stage))).collect()
    }

    /// The first unfinished job that depends on this one.
    pub(crate) fn live_child(&self, id: JobId) -> Option<JobId> {
        let children = self.edges.children.get(&id)?;
        children.values().map(|(child, _)| *child).find(|child| !self.jobs[child].stage.is_final())
    }

    /// Refuses to remove what is needed or held.
    pub(crate) fn check_deletable(&self, id: JobId, name: &'static str) -> Result<(), StoreError> {
        let record = self.record(id).map_err(|kind| StoreError::new(name, kind))?;
        deleting(id, record.lease.is_some(), self.live_child(id), name)
    }

    /// Forgets the edges of a job that is removed.
    pub(crate) fn disconnect(&mut self, id: JobId, order: u64) {
        for edge in self.edges.parents.remove(&id).unwrap_or_default() {
            if let Some(children) = self.edges.children.get_mut(&edge.parent) {
                children.remove(&order);
                if children.is_empty() {
                    self.edges.children.remove(&edge.parent);
                }
            }
        }
        for (child, _) in self.edges.children.remove(&id).unwrap_or_default().into_values() {
            if let Some(parents) = self.edges.parents.get_mut(&child) {
                parents.retain(|edge| edge.parent != id);
            }
        }
    }

    /// The jobs of a flow that is to be changed, in the order in which they were enqueued.
    fn whole_flow(&self, id: JobId, by: &Actor, now: Timestamp) -> Result<Vec<JobId>, ErrorKind> {
        by.validate().map_err(ErrorKind::Invalid)?;
        let flow = self.flow(id, now)?;
        check_whole(flow.cut).map_err(ErrorKind::Invalid)?;
        Ok(flow.jobs.into_iter().map(|job| job.id).collect())
    }

    fn cancel_flow(&mut self, id: JobId, by: &Actor, now: Timestamp) -> Result<Vec<JobId>, ErrorKind> {
        let mut ids = self.whole_flow(id, by, now)?;
        ids.retain(|id| !self.jobs[id].stage.is_final());
        for id in &ids {
            self.cancel(*id, by.clone(), now)?;
        }
        Ok(ids)
    }

    fn retry_flow(&mut self, id: JobId, by: &Actor, now: Timestamp) -> Result<Vec<JobId>, ErrorKind> {
        let mut ids = self.whole_flow(id, by, now)?;
        ids.retain(|id| matches!(self.jobs[id].stage, Stage::Dead | Stage::Cancelled));
        for id in &ids {
            let record = self.record(*id)?;
            retrying(record.stage, record.reason, record.lease.is_some())?;
        }
        let keys = self.keys_to_retake(&ids, now)?;
        for id in &ids {
            self.put_back(*id, by.clone(), now)?;
        }
        self.retake_keys(keys);
        self.hold_again(&ids);
        Ok(ids)
    }

    fn delete_flow(&mut self, root: JobId, name: &'static str) -> Result<Vec<JobId>, StoreError> {
        self.check_deletable(root, name)?;
        let parents =
            |id: JobId| self.edges.parents.get(&id).into_iter().flatten().map(|edge| edge.parent).collect();
        let children = |id: JobId| self.edges.children.get(&id).map_or(0, BTreeMap::len);
        let Ok(mut going) = unshared(root, |id| Ok::<_, Infallible>(parents(id)), |id| Ok(children(id)));
        let too_many = check_whole(going.len() > FLOW_JOBS_MAX);
        too_many.map_err(|invalid| StoreError::invalid(name, invalid))?;
        for id in &going {
            deleting(*id, self.jobs[id].lease.is_some(), None, name)?;
        }
        going.sort_unstable_by_key(|id| self.jobs[id].order);
        for id in &going {
            self.drop_key(*id);
            self.remove(*id);
        }
        Ok(going)
    }
}

impl windlass_store::rules::flows::Edges for &State {
    type Error = Infallible;

    fn blocked_children(&mut self, parent: JobId) -> Result<Vec<(JobId, EdgePolicy)>, Infallible> {
        let children = self.edges.children.get(&parent).into_iter().flat_map(BTreeMap::values);
        Ok(children.filter(|(child, _)| self.jobs[child].stage == Stage::Blocked).copied().collect())
    }

    fn parents(&mut self, child: JobId) -> Result<Vec<(Edge, Option<Stage>)>, Infallible> {
        Ok(self.standing(child))
    }
}

impl State {
    /// What of the edges does not fit together.
    pub(crate) fn edge_faults(&self) -> Vec<String> {
        let listed: usize = self.edges.children.values().map(BTreeMap::len).sum();
        let said: usize = self.edges.parents.values().map(Vec::len).sum();
        let mut faults = Vec::new();
        if listed != said {
            faults.push(format!("{listed} edges are listed by their parents, and {said} by their children"));
        }
        for record in self.jobs.values().filter(|record| record.stage == Stage::Blocked) {
            let standing = self.standing(record.job.id);
            let releasing = |(edge, stage): &(Edge, Option<Stage>)| {
                stage.is_none_or(|stage| edge.policy.bearing(stage) == Bearing::Releases)
            };
            let open = standing.iter().filter(|parent| !releasing(parent)).count();
            if u32::try_from(open) != Ok(record.waits) {
                let (id, waits) = (record.job.id, record.waits);
                faults.push(format!(
                    "job {id}: it counts {waits} parents that it waits for, and there are {open}"
                ));
            }
        }
        faults
    }
}
