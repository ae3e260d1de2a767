//! Lanes: a queue, kind and version as one small number.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use rusqlite::{Connection, params};
use windlass_core::{KindName, NewJob, QueueName};
use windlass_store::Scope;

use crate::row::name;
use crate::sql;

/// What a lane stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Lane {
    pub(crate) queue: QueueName,
    pub(crate) kind: KindName,
    pub(crate) version: u32,
}

impl Lane {
    fn of(job: &NewJob) -> Self {
        Self { queue: job.queue.clone(), kind: job.kind.clone(), version: job.version }
    }
}

/// Every lane of the file, as the writer knows it.
///
/// Lanes are never removed, so what is known stays true; what other processes add is read before each claim, which
/// costs one look at the end of the table.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    by_lane: HashMap<Lane, i64>,
    by_id: HashMap<i64, Lane>,
    newest: i64,
    /// The lanes of scopes that claim again and again, worked out once per change.
    resolved: Vec<Resolved>,
}

#[derive(Debug)]
struct Resolved {
    scope: Weak<Scope>,
    newest: i64,
    lanes: Arc<[i64]>,
}

impl Lanes {
    /// Reads lanes that were added since the last look.
    pub(crate) fn refresh(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(sql::lane::NEWER)?;
        let mut rows = statement.query(params![self.newest])?;
        while let Some(row) = rows.next()? {
            let lane = Lane { queue: name(row, 1)?, kind: name(row, 2)?, version: row.get(3)? };
            self.know(row.get(0)?, lane);
        }
        Ok(())
    }

    /// The number of the job's lane, if there is such a lane.
    pub(crate) fn find(&mut self, connection: &Connection, job: &NewJob) -> rusqlite::Result<Option<i64>> {
        let lane = Lane::of(job);
        if !self.by_lane.contains_key(&lane) {
            self.refresh(connection)?;
        }
        Ok(self.by_lane.get(&lane).copied())
    }

    /// Makes the job's lane, which there must not be.
    pub(crate) fn make(&mut self, connection: &Connection, job: &NewJob) -> rusqlite::Result<i64> {
        let lane = Lane::of(job);
        let mut statement = connection.prepare_cached(sql::lane::INSERT)?;
        let id = statement.insert(params![lane.queue.as_str(), lane.kind.as_str(), lane.version])?;
        self.know(id, lane);
        Ok(id)
    }

    /// What lane `id` stands for.
    pub(crate) fn get(&self, id: i64) -> Option<&Lane> {
        self.by_id.get(&id)
    }

    /// Every lane with its queue, in the order in which they were made.
    pub(crate) fn queues(&self) -> Vec<(i64, QueueName)> {
        let mut lanes: Vec<(i64, QueueName)> =
            self.by_id.iter().map(|(id, lane)| (*id, lane.queue.clone())).collect();
        lanes.sort_unstable_by_key(|(id, _)| *id);
        lanes
    }

    /// The lanes a scope can take jobs from.
    pub(crate) fn resolve(&mut self, scope: &Arc<Scope>) -> Arc<[i64]> {
        self.resolved.retain(|resolved| resolved.scope.strong_count() > 0);
        let known = self
            .resolved
            .iter()
            .position(|resolved| std::ptr::eq(resolved.scope.as_ptr(), Arc::as_ptr(scope)));
        if let Some(resolved) = known.map(|index| &self.resolved[index])
            && resolved.newest == self.newest
        {
            return Arc::clone(&resolved.lanes);
        }
        let lanes = self.matching(scope);
        let resolved =
            Resolved { scope: Arc::downgrade(scope), newest: self.newest, lanes: Arc::clone(&lanes) };
        match known {
            Some(index) => self.resolved[index] = resolved,
            None => self.resolved.push(resolved),
        }
        lanes
    }

    fn matching(&self, scope: &Scope) -> Arc<[i64]> {
        let mut ids: Vec<i64> = self
            .by_id
            .iter()
            .filter(|(_, lane)| scope.admits(&lane.queue, &lane.kind, lane.version))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        ids.into()
    }

    /// Those of `lanes` whose queue is not paused.
    pub(crate) fn unpaused(&self, lanes: &[i64], paused: &HashSet<QueueName>) -> Vec<i64> {
        let open = |id: &&i64| self.by_id.get(id).is_some_and(|lane| !paused.contains(&lane.queue));
        lanes.iter().filter(open).copied().collect()
    }

    fn know(&mut self, id: i64, lane: Lane) {
        self.newest = self.newest.max(id);
        self.by_id.insert(id, lane.clone());
        self.by_lane.insert(lane, id);
    }
}
