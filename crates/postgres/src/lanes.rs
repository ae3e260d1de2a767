//! Lanes: a queue, kind and version as one small number.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use tokio_postgres::Row;
use windlass_core::{KindName, NewJob, QueueName};
use windlass_store::{Scope, StoreError};

use crate::database::{Database, News};
use crate::error::During;
use crate::row::{count, damaged, name};
use crate::sql;

/// What a lane stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Lane {
    pub(crate) queue: QueueName,
    pub(crate) kind: KindName,
    pub(crate) version: u32,
    /// Whether its jobs have gates of their own.
    pub(crate) gated: bool,
}

impl Lane {
    fn of(job: &NewJob) -> Self {
        let gated = job.options.is_gated();
        Self { queue: job.queue.clone(), kind: job.kind.clone(), version: job.version, gated }
    }
}

/// The lanes this process has met. Lanes are never removed, so what is known stays true.
#[derive(Debug, Default)]
pub(crate) struct Lanes(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    by_lane: HashMap<Lane, i32>,
    by_id: HashMap<i32, Arc<Lane>>,
}

impl Lanes {
    /// The lane of each job; none where one of them has a lane that does not exist.
    pub(crate) async fn of(
        &self,
        jobs: &[NewJob],
        database: &Database,
        operation: &'static str,
    ) -> Result<Option<Vec<i32>>, StoreError> {
        if let Some(lanes) = self.find(jobs) {
            return Ok(Some(lanes));
        }
        self.read(database, operation).await?;
        Ok(self.find(jobs))
    }

    /// The lane of each job; makes those that are not there, in a transaction of their own, so that nobody waits for the
    /// caller's to end. A lane makes its queue known, so this comes after everything that may refuse the jobs.
    pub(crate) async fn make(
        &self,
        jobs: &[NewJob],
        database: &Database,
        operation: &'static str,
    ) -> Result<Vec<i32>, StoreError> {
        self.write(jobs, database, operation).await?;
        self.read(database, operation).await?;
        self.find(jobs).ok_or_else(|| damaged("a lane that was just made is not there"))
    }

    /// The lane of each job, made where it is not there. The same is to be heeded as with [`Self::make`].
    pub(crate) async fn ensure(
        &self,
        jobs: &[NewJob],
        database: &Database,
        operation: &'static str,
    ) -> Result<Vec<i32>, StoreError> {
        match self.of(jobs, database, operation).await? {
            Some(lanes) => Ok(lanes),
            None => self.make(jobs, database, operation).await,
        }
    }

    /// What these lanes stand for.
    pub(crate) async fn names(
        &self,
        ids: impl Iterator<Item = i32> + Clone,
        database: &Database,
        operation: &'static str,
    ) -> Result<HashMap<i32, Arc<Lane>>, StoreError> {
        if let Some(lanes) = self.named(ids.clone()) {
            return Ok(lanes);
        }
        self.read(database, operation).await?;
        self.named(ids).ok_or_else(|| damaged("a job is in a lane that does not exist"))
    }

    /// Learns of lanes that others have made, if there are as many as `count`.
    pub(crate) async fn learn(
        &self,
        count: u64,
        database: &Database,
        operation: &'static str,
    ) -> Result<(), StoreError> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).by_id.len() as u64;
        if known < count { self.read(database, operation).await } else { Ok(()) }
    }

    /// Whether this lane is in this scope, as far as is known.
    pub(crate) fn is_in(&self, lane: i32, scope: &Scope) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.by_id.get(&lane).is_some_and(|lane| scope.admits(&lane.queue, &lane.kind, lane.version))
    }

    /// The lane of this scope, if this process has met no more than one.
    pub(crate) fn only(&self, scope: &Scope) -> Option<i32> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let admitted = |lane: &Lane| scope.admits(&lane.queue, &lane.kind, lane.version);
        let mut lanes = known.by_id.iter().filter(|(_, lane)| admitted(lane));
        let only = lanes.next().map(|(id, _)| *id);
        only.filter(|only| lanes.next().is_none() && !known.by_id[only].gated)
    }

    /// The lane of each job, as far as this process knows; none where it does not know one of them.
    pub(crate) fn find(&self, jobs: &[NewJob]) -> Option<Vec<i32>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut last: Option<(&NewJob, i32)> = None;
        let lane = |job: &'_ _| known.by_lane.get(&Lane::of(job)).copied();
        let mut lanes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let id = match last {
                Some((before, id)) if same_lane(before, job) => id,
                _ => lane(job)?,
            };
            last = Some((job, id));
            lanes.push(id);
        }
        Some(lanes)
    }

    fn named(&self, ids: impl Iterator<Item = i32>) -> Option<HashMap<i32, Arc<Lane>>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut named = HashMap::new();
        for id in ids {
            if let std::collections::hash_map::Entry::Vacant(entry) = named.entry(id) {
                entry.insert(Arc::clone(known.by_id.get(&id)?));
            }
        }
        Some(named)
    }

    async fn read(&self, database: &Database, operation: &'static str) -> Result<(), StoreError> {
        let rows = database.call(operation).await?.query(sql::lane::ALL, &[]).await.during(operation)?;
        let lanes: Vec<(i32, Lane)> = rows.iter().map(lane).collect::<Result<_, _>>()?;
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (id, lane) in lanes {
            known.by_id.insert(id, Arc::new(lane.clone()));
            known.by_lane.insert(lane, id);
        }
        Ok(())
    }

    async fn write(
        &self,
        jobs: &[NewJob],
        database: &Database,
        operation: &'static str,
    ) -> Result<(), StoreError> {
        // In order, so that two that make the same lanes do not wait for one another.
        let lanes: BTreeSet<Lane> = jobs.iter().map(Lane::of).collect();
        let queues: Vec<&str> = lanes.iter().map(|lane| lane.queue.as_str()).collect();
        let kinds: Vec<&str> = lanes.iter().map(|lane| lane.kind.as_str()).collect();
        let versions: Vec<i64> = lanes.iter().map(|lane| lane.version.into()).collect();
        let gated: Vec<bool> = lanes.iter().map(|lane| lane.gated).collect();
        let session = database.call(operation).await?;
        session.execute(sql::lane::MAKE, &[&queues, &kinds, &versions, &gated]).await.during(operation)?;
        // Before there is a job in it: whoever claims in its scope looks at all lanes again.
        database.listeners.tell(News::Lanes);
        Ok(())
    }
}

fn same_lane(one: &NewJob, other: &NewJob) -> bool {
    one.version == other.version
        && one.kind == other.kind
        && one.queue == other.queue
        && one.options.is_gated() == other.options.is_gated()
}

fn lane(row: &Row) -> Result<(i32, Lane), StoreError> {
    let (queue, kind) = (name(row, 1)?, name(row, 2)?);
    Ok((row.get(0), Lane { queue, kind, version: count(row, 3), gated: row.get(4) }))
}
