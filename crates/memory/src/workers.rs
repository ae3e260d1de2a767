//! Workers: who is there, and who has gone silent.

use std::time::Duration;

use async_trait::async_trait;
use windlass_core::limits::PAGE_MAX;
use windlass_core::{AttemptToken, JobId, Stage, Timestamp, WorkerId};
use windlass_store::rules::expired;
use windlass_store::{Beat, ErrorKind, LeaseSummary, LeaseTerm, NewWorker, StoreError, Worker, WorkerStore};

use crate::MemoryStore;
use crate::state::{Record, State, WorkerRecord};

#[async_trait]
impl WorkerStore for MemoryStore {
    async fn register(&self, worker: NewWorker) -> Result<(), StoreError> {
        self.act("register the worker", |state, now| state.register(worker, now))
    }

    async fn beat(&self, worker: WorkerId) -> Result<Beat, StoreError> {
        self.act("keep the worker's lease", |state, now| state.beat(worker, now))
    }

    async fn deregister(&self, worker: WorkerId) -> Result<(), StoreError> {
        self.act("deregister the worker", |state, now| state.deregister(worker, now))
    }

    async fn workers(&self, silent_for: Duration) -> Result<Vec<Worker>, StoreError> {
        self.act("list workers", |state, now| Ok(state.silent_workers(silent_for, now)))
    }

    async fn leases(&self, silent_for: Duration) -> Result<Vec<LeaseSummary>, StoreError> {
        self.act("list leases", |state, now| Ok(state.silent_leases(silent_for, now)))
    }

    async fn held(&self, worker: WorkerId) -> Result<Vec<AttemptToken>, StoreError> {
        self.act("list what the worker holds", |state, _| {
            Ok(state.held_by(worker).map(Record::token).collect())
        })
    }
}

impl State {
    fn register(&mut self, worker: NewWorker, now: Timestamp) -> Result<(), ErrorKind> {
        worker.validate().map_err(ErrorKind::Invalid)?;
        let known = self.workers.get(&worker.id);
        if known.is_some_and(|known| expired(known.lease_until(), now)) {
            // Its tokens have been refused already; the new lease must not bring them back to life.
            for job in self.held_with_process(worker.id) {
                self.take_back(job, now)?;
            }
        }
        self.workers.insert(worker.id, WorkerRecord { registered: worker, since: now, seen_at: now });
        Ok(())
    }

    fn beat(&mut self, id: WorkerId, now: Timestamp) -> Result<Beat, ErrorKind> {
        self.live_worker(id, now)?;
        let worker = self.workers.get_mut(&id).ok_or(ErrorKind::NotFound)?;
        worker.seen_at = now;
        let lease_until = worker.lease_until();
        Ok(Beat { lease_until, cancelled: self.cancelled_of(id) })
    }

    fn deregister(&mut self, id: WorkerId, now: Timestamp) -> Result<(), ErrorKind> {
        self.workers.get(&id).ok_or(ErrorKind::NotFound)?;
        if self.held_by(id).any(|record| record.stage == Stage::Running) {
            return Err(ErrorKind::NotReady);
        }
        let cancelled: Vec<JobId> = self.held_by(id).map(|record| record.job.id).collect();
        for job in cancelled {
            self.close_for_good(job, now)?;
        }
        self.workers.remove(&id);
        Ok(())
    }

    /// The jobs that `worker` holds under the lease of its process.
    pub(crate) fn held_with_process(&self, worker: WorkerId) -> Vec<JobId> {
        let of_process =
            self.leased().filter(|(_, lease)| lease.worker == worker && lease.term == LeaseTerm::Process);
        of_process.map(|(record, _)| record.job.id).collect()
    }

    fn silent_workers(&self, silent_for: Duration, now: Timestamp) -> Vec<Worker> {
        let silent = self.workers.values().filter(|worker| now.since(worker.seen_at) >= silent_for);
        let mut workers: Vec<Worker> = silent.map(|worker| self.summary(worker)).collect();
        workers.sort_by_key(|worker| (worker.seen_at, worker.registered.id));
        workers
    }

    fn summary(&self, worker: &WorkerRecord) -> Worker {
        Worker {
            registered: worker.registered.clone(),
            since: worker.since,
            seen_at: worker.seen_at,
            running: self.held_by(worker.registered.id).count() as u64,
        }
    }

    fn silent_leases(&self, silent_for: Duration, now: Timestamp) -> Vec<LeaseSummary> {
        let each = self.leased().map(|(record, lease)| LeaseSummary {
            token: record.token(),
            worker: lease.worker,
            seen_at: self.seen_at(lease),
            lease_until: self.lease_until(lease),
        });
        let mut leases: Vec<LeaseSummary> =
            each.filter(|lease| now.since(lease.seen_at) >= silent_for).collect();
        leases.sort_by_key(|lease| (lease.seen_at, lease.token.job));
        leases.truncate(usize::try_from(PAGE_MAX).unwrap_or(usize::MAX));
        leases
    }
}
