//! Claims: which jobs a worker gets, and in which order.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included};

use windlass_core::{
    Attempt, AttemptError, JobId, JobOptions, Priority, QueueName, Reason, Stage, Timestamp, WorkerId,
};
use windlass_store::leases::check_lease;
use windlass_store::rules::{Candidate, LATE_PER_CLAIM_MAX, expired, past};
use windlass_store::{ClaimRequest, Claimed, ErrorKind, Kinds, LeaseTerm, LeasedJob, Queues, Scope, ids};

use crate::state::{Lease, Place, Record, State, WorkerRecord};

/// Under what a job is leased: the same for all jobs of one claim.
pub(crate) struct Grant {
    worker: WorkerId,
    worker_name: String,
    term: LeaseTerm,
    nonce: u64,
}

impl State {
    /// The worker, if its lease holds.
    pub(crate) fn live_worker(&self, id: WorkerId, now: Timestamp) -> Result<&WorkerRecord, ErrorKind> {
        self.workers.get(&id).filter(|worker| !expired(worker.lease_until(), now)).ok_or(ErrorKind::NotFound)
    }

    /// Leases the first due jobs of the scope, and ends those it meets that are past their deadline.
    pub(crate) fn claim(&mut self, request: &ClaimRequest, now: Timestamp) -> Result<Claimed, ErrorKind> {
        let grant = self.grant(request.worker, request.lease, now)?;
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let (mut jobs, mut late) = (Vec::new(), 0);
        for id in self.candidates(&request.scope, limit, now) {
            if jobs.len() == limit {
                break;
            }
            if past(self.record(id)?.job.deadline, now) {
                self.miss(id, now)?;
                late += 1;
                if late == LATE_PER_CLAIM_MAX {
                    return Ok(Claimed { jobs, next_due: Some(now) });
                }
            } else {
                jobs.push(self.lease(id, &grant, now)?);
            }
        }
        let next_due = if jobs.len() < limit { self.next_due(&request.scope, now) } else { None };
        Ok(Claimed { jobs, next_due })
    }

    pub(crate) fn claim_job(
        &mut self,
        job: JobId,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<LeasedJob, ErrorKind> {
        let record = self.record(job)?;
        let paused = self.is_paused(&record.job.queue);
        let (run_at, deadline) = (record.job.run_at, record.job.deadline);
        Candidate { stage: record.stage, run_at, deadline, paused }.claiming(now)?;
        self.lease(job, grant, now)
    }

    /// Ends a job that was not started by its deadline.
    pub(crate) fn miss(&mut self, id: JobId, now: Timestamp) -> Result<(), ErrorKind> {
        self.change(id, |record| {
            record.finish(Stage::Dead, now);
            record.reason = Some(Reason::Deadline);
            record.job.error = record.job.deadline.map(AttemptError::missed);
        })
    }

    /// What `worker` may lease jobs under, if it lives and asks for a possible lease.
    pub(crate) fn grant(
        &self,
        worker: WorkerId,
        term: LeaseTerm,
        now: Timestamp,
    ) -> Result<Grant, ErrorKind> {
        if let LeaseTerm::Own(span) = term {
            check_lease(span).map_err(ErrorKind::Invalid)?;
        }
        let worker_name = self.live_worker(worker, now)?.registered.name.clone();
        Ok(Grant { worker, worker_name, term, nonce: ids::nonce() })
    }

    fn lease(&mut self, id: JobId, grant: &Grant, now: Timestamp) -> Result<LeasedJob, ErrorKind> {
        let lease = Lease { worker: grant.worker, term: grant.term, seen_at: now };
        let lease_until = self.lease_until(&lease);
        self.change(id, |record| {
            record.start(lease, grant, now);
            record.leased(lease_until, now)
        })
    }

    /// Due jobs of the scope in claim order: enough for `limit` claims, and those past their deadline between them.
    fn candidates(&self, scope: &Scope, limit: usize, now: Timestamp) -> Vec<JobId> {
        let mut found: Vec<(Place, JobId)> = Vec::new();
        for places in self.open_queues(&scope.queues) {
            let mut claimable = 0;
            for (place, id) in due(places, now) {
                let Some(record) = self.jobs.get(&id).filter(|record| supports(&scope.kinds, record)) else {
                    continue;
                };
                if claimable == limit {
                    break;
                }
                claimable += usize::from(!past(record.job.deadline, now));
                found.push((place, id));
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    fn next_due(&self, scope: &Scope, now: Timestamp) -> Option<Timestamp> {
        let waiting =
            self.open_queues(&scope.queues).flat_map(|places| Priority::ALL.map(|first| (places, first)));
        let next = waiting.filter_map(|(places, priority)| {
            let later =
                (Excluded(Place::last(priority, now)), Included(Place::last(priority, Timestamp::MAX)));
            let mut supported = places
                .range(later)
                .filter(|(_, id)| self.jobs.get(id).is_some_and(|record| supports(&scope.kinds, record)));
            supported.next().map(|(place, _)| place.run_at)
        });
        next.min()
    }

    /// The waiting jobs of every queue that is asked for and not paused.
    fn open_queues<'a>(&'a self, queues: &'a Queues) -> impl Iterator<Item = &'a BTreeMap<Place, JobId>> {
        let wanted = move |queue: &QueueName| match queues {
            Queues::Any => true,
            Queues::Only(names) => names.contains(queue),
        };
        let open = self.waiting.iter().filter(move |(queue, _)| wanted(queue) && !self.is_paused(queue));
        open.map(|(_, places)| places)
    }

    fn is_paused(&self, queue: &QueueName) -> bool {
        self.queues.get(queue).is_some_and(Option::is_some)
    }
}

impl Record {
    fn start(&mut self, lease: Lease, grant: &Grant, now: Timestamp) {
        self.stage = Stage::Running;
        self.reason = None;
        self.number += 1;
        self.nonce = grant.nonce;
        self.lease = Some(lease);
        self.job.attempt = self.job.attempt.saturating_add(1);
        self.job.started_at = Some(now);
        self.job.worker = Some(grant.worker_name.clone());
        self.attempts.push(Attempt {
            number: self.number,
            worker: grant.worker_name.clone(),
            started_at: now,
            ended_at: None,
            outcome: None,
            error: None,
        });
    }

    fn leased(&self, lease_until: Timestamp, now: Timestamp) -> LeasedJob {
        let job = &self.job;
        LeasedJob {
            token: self.token(),
            lease_until,
            kind: job.kind.clone(),
            version: job.version,
            queue: job.queue.clone(),
            args: job.args.clone(),
            priority: job.priority,
            attempt: job.attempt,
            attempts_max: job.attempts_max,
            losses: job.losses,
            run_at: job.run_at,
            deadline: job.deadline,
            created_at: job.created_at,
            started_at: now,
            checkpoint: job.checkpoint.clone(),
            options: (job.options != JobOptions::default()).then(|| Box::new(job.options.clone())),
        }
    }
}

impl Place {
    /// The last place among those of this priority that are due at `instant`.
    const fn last(priority: Priority, instant: Timestamp) -> Self {
        Self { priority, run_at: instant, order: u64::MAX }
    }
}

/// What is due of one queue, in claim order. What is not due is never looked at.
fn due(places: &BTreeMap<Place, JobId>, now: Timestamp) -> impl Iterator<Item = (Place, JobId)> {
    Priority::ALL.into_iter().flat_map(move |priority| {
        let first = Place { priority, run_at: Timestamp::MIN, order: 0 };
        places.range(first..=Place::last(priority, now)).map(|(place, id)| (*place, *id))
    })
}

fn supports(kinds: &Kinds, record: &Record) -> bool {
    match kinds {
        Kinds::Any => true,
        Kinds::Only(supported) => supported
            .iter()
            .any(|support| support.kind == record.job.kind && record.job.version <= support.version_max),
    }
}
