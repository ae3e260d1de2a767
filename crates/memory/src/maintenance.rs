//! The periodic duties, and what the store says of itself.

use async_trait::async_trait;
use windlass_core::{JobId, Json, Stage, Timestamp, WorkerId};
use windlass_store::rules::{expired, leading, past, resigned};
use windlass_store::{
    Clock, Durability, ErrorKind, Fired, Leadership, Maintenance, Pruned, Rescued, Retention, StoreError,
    StoreStatus,
};

use crate::MemoryStore;
use crate::leases::TakenBack;
use crate::state::{Record, State};

/// Most jobs that one call of a duty changes: everyone else waits for the lock meanwhile.
const BATCH: usize = 1_000;

#[async_trait]
impl Maintenance for MemoryStore {
    async fn rescue(&self) -> Result<Rescued, StoreError> {
        self.act("rescue jobs", State::rescue)
    }

    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        self.act("prune jobs", |state, now| Ok(state.prune(retention, now)))
    }

    async fn fire(&self) -> Result<Fired, StoreError> {
        self.act("fire schedules", |state, now| Ok(state.fire(&self.limits, now)))
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        self.act("tidy the store", |state, now| {
            state.forget_keys();
            state.forget_errors();
            state.forget_operations(now);
            Ok(())
        })
    }

    async fn lead(&self, candidate: WorkerId) -> Result<Leadership, StoreError> {
        self.act("ask to lead", |state, now| {
            let leadership = leading(state.leadership, candidate, now);
            state.leadership = Some(leadership);
            Ok(Leadership { look_at: state.schedules.look_at(), ..leadership })
        })
    }

    async fn resign(&self, leader: WorkerId) -> Result<(), StoreError> {
        self.act("give up the lead", |state, now| {
            state.leadership = resigned(state.leadership, leader, now).or(state.leadership);
            Ok(())
        })
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        let size_bytes =
            self.act("read the status", |state, _| Ok(state.jobs.values().map(Record::bytes).sum()))?;
        Ok(StoreStatus {
            engine: "memory".to_owned(),
            location: "memory".to_owned(),
            durability: Durability::Volatile,
            schema_version: 1,
            now: self.clock.now(),
            size_bytes,
            warnings: Vec::new(),
        })
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.act("check the store", |state, _| Ok(state.faults()))
    }
}

impl State {
    fn rescue(&mut self, now: Timestamp) -> Result<Rescued, ErrorKind> {
        let mut rescued = Rescued::default();
        let over = self.expired_leases(now);
        for id in &over {
            match self.take_back(*id, now)? {
                TakenBack::Returned => rescued.returned += 1,
                TakenBack::Poisoned => rescued.poisoned += 1,
                TakenBack::Closed => rescued.closed += 1,
            }
        }
        self.tell_all_children();
        let late = self.late_jobs(now);
        for id in &late {
            self.miss(*id, now)?;
            rescued.expired += 1;
        }
        self.tell_all_children();
        (rescued.decided, rescued.reminded) = self.look_at_reviews(BATCH, now)?;
        rescued.workers = self.forget_expired_workers(now);
        let looked_at = usize::try_from(rescued.decided + rescued.reminded).unwrap_or(BATCH);
        rescued.more = [over.len(), late.len(), looked_at].contains(&BATCH);
        Ok(rescued)
    }

    fn expired_leases(&self, now: Timestamp) -> Vec<JobId> {
        let over = self.leased().filter(|(_, lease)| expired(self.lease_until(lease), now));
        over.map(|(record, _)| record.job.id).take(BATCH).collect()
    }

    /// Jobs that were not started by their deadline, paused queues included.
    fn late_jobs(&self, now: Timestamp) -> Vec<JobId> {
        let waiting = self.waiting.values().flat_map(|places| places.values());
        let late = waiting
            .chain(&self.parked)
            .filter(|id| self.jobs.get(id).is_some_and(|record| past(record.job.deadline, now)));
        late.copied().take(BATCH).collect()
    }

    /// Forgets the workers that have gone silent, but for those that a bounded rescue has not finished with.
    fn forget_expired_workers(&mut self, now: Timestamp) -> u64 {
        let silent = self.workers.iter().filter(|(_, worker)| expired(worker.lease_until(), now));
        let over: Vec<WorkerId> =
            silent.map(|(id, _)| *id).filter(|id| self.held_with_process(*id).is_empty()).collect();
        for id in &over {
            self.workers.remove(id);
        }
        over.len() as u64
    }

    fn prune(&mut self, retention: Retention, now: Timestamp) -> Pruned {
        let outlived = self
            .order
            .values()
            .filter(|id| {
                self.jobs.get(id).is_some_and(|record| record.outlived(self.kept(record, retention), now))
            })
            .filter(|id| self.live_child(**id).is_none());
        let ids: Vec<JobId> = outlived.copied().take(BATCH).collect();
        for id in &ids {
            self.remove(*id);
        }
        Pruned { removed: ids.len() as u64, more: ids.len() == BATCH }
    }

    /// How long finished jobs of this one's queue are kept.
    fn kept(&self, record: &Record, retention: Retention) -> Retention {
        self.retentions.get(&record.job.queue).map_or(retention, |own| retention.in_queue(own))
    }

    /// What does not fit together. The indexes say again what the jobs say, so they must say the same.
    fn faults(&self) -> Vec<String> {
        let waiting = self.waiting.values().flat_map(|places| places.values());
        let held = self.held.values().flatten();
        let mut faults = Vec::new();
        let mut compare = |what: &str, index: usize, jobs: usize| {
            if index != jobs {
                faults.push(format!("{index} jobs are listed as {what}, and {jobs} are"));
            }
        };
        let count = |is: fn(&Record) -> bool| self.jobs.values().filter(|record| is(record)).count();
        compare("known", self.order.len(), self.jobs.len());
        compare(
            "waiting",
            waiting.count(),
            count(|record| record.stage == Stage::Waiting && !record.turned_away),
        );
        compare("in review", self.in_review.len(), count(|record| record.stage == Stage::InReview));
        compare("held", held.count(), count(|record| record.lease.is_some()));
        for record in self.jobs.values() {
            faults.extend(record.fault());
        }
        faults.extend(self.edge_faults());
        faults.extend(self.key_faults());
        faults.extend(self.gate_faults());
        faults
    }
}

impl Record {
    fn outlived(&self, retention: Retention, now: Timestamp) -> bool {
        let keep = retention.of(self.stage);
        let over = keep.zip(self.job.finished_at).is_some_and(|(keep, ended)| now.since(ended) >= keep);
        over && self.lease.is_none()
    }

    fn bytes(&self) -> u64 {
        let json = |value: &Option<Json>| value.as_ref().map_or(0, |json| json.as_bytes().len());
        let payloads = self.job.args.as_bytes().len() + json(&self.job.result) + json(&self.job.checkpoint);
        (payloads + self.log_fill.as_number()) as u64
    }

    fn fault(&self) -> Option<String> {
        let id = self.job.id;
        let open = self.attempts.last().is_some_and(|attempt| attempt.ended_at.is_none());
        if open != self.lease.is_some() {
            return Some(format!(
                "job {id}: its last attempt and its lease do not agree on whether it is open"
            ));
        }
        if self.stage == Stage::Running && !open {
            return Some(format!("job {id}: it runs without an open attempt"));
        }
        if self.stage.is_final() != self.job.finished_at.is_some() {
            return Some(format!("job {id}: its stage and its end do not agree on whether it is finished"));
        }
        None
    }
}
