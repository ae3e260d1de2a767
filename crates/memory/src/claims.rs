//! Claims: which jobs a worker gets, and in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included};
use std::ops::RangeInclusive;

use windlass_core::limits::PARKED_PER_CLAIM_MAX;
use windlass_core::review::SETTLE_PRIORITY;
use windlass_core::{
    Attempt, AttemptError, Gate, GateForm, JobId, JobOptions, Priority, QueueName, Reason, Stage, Timestamp,
    WorkerId,
};
use windlass_store::leases::check_lease;
use windlass_store::rules::{Candidate, LATE_PER_CLAIM_MAX, expired, past};
use windlass_store::{ClaimRequest, Claimed, ErrorKind, Kinds, LeaseTerm, LeasedJob, Queues, Scope, ids};

use crate::state::{Lease, Place, Record, State, WorkerRecord};

/// What jobs are claimed by, in this order: what carries a decision out, and then the priorities.
const RANKS: RangeInclusive<u8> = SETTLE_PRIORITY..=Priority::Idle.as_number();

/// Under what a job is leased: the same for all jobs of one claim.
pub(crate) struct Grant {
    worker: WorkerId,
    worker_name: String,
    term: LeaseTerm,
    nonce: u64,
}

/// What a claim has so far.
struct Catch<'a> {
    scope: &'a Scope,
    grant: Grant,
    limit: usize,
    jobs: Vec<LeasedJob>,
    /// How many it met past their deadline, and how many their gates turned away.
    late: usize,
    turned: usize,
    /// The gates of queues and kinds that let nobody in now, and when time opens one of them.
    closed: BTreeSet<Gate>,
    opens_at: Option<Timestamp>,
    /// The gates that let somebody in.
    passed: BTreeSet<Gate>,
    /// What had been met when it was last asked.
    before: usize,
}

impl<'a> Catch<'a> {
    fn new(request: &'a ClaimRequest, grant: Grant) -> Self {
        Self {
            scope: &request.scope,
            grant,
            limit: usize::try_from(request.limit).unwrap_or(usize::MAX),
            jobs: Vec::new(),
            late: 0,
            turned: 0,
            closed: BTreeSet::new(),
            opens_at: None,
            passed: BTreeSet::new(),
            before: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.jobs.len() == self.limit
    }

    fn is_weary(&self) -> bool {
        self.late >= LATE_PER_CLAIM_MAX || self.turned >= PARKED_PER_CLAIM_MAX
    }

    /// Whether anything could not be claimed since this was asked last.
    fn met(&mut self) -> bool {
        let met = self.late + self.turned;
        std::mem::replace(&mut self.before, met) != met
    }

    fn is_closed(&self, record: &Record) -> bool {
        self.closed.iter().any(|gate| match gate.form {
            GateForm::QueueLimit | GateForm::QueueRate => record.job.queue.as_str() == &*gate.name,
            _ => record.job.kind.as_str() == &*gate.name,
        })
    }
}

impl State {
    /// The worker, if its lease holds.
    pub(crate) fn live_worker(&self, id: WorkerId, now: Timestamp) -> Result<&WorkerRecord, ErrorKind> {
        self.workers.get(&id).filter(|worker| !expired(worker.lease_until(), now)).ok_or(ErrorKind::NotFound)
    }

    /// Leases the first due jobs of the scope, and ends those it meets that are past their deadline.
    pub(crate) fn claim(&mut self, request: &ClaimRequest, now: Timestamp) -> Result<Claimed, ErrorKind> {
        let grant = self.grant(request.worker, request.lease, now)?;
        let mut catch = Catch::new(request, grant);
        self.open_gates(now);
        while self.fill(&mut catch, now)? {}
        for gate in std::mem::take(&mut catch.passed) {
            self.call(&gate);
        }
        let next_due = match &catch {
            catch if catch.is_full() => None,
            catch if catch.is_weary() => Some(now),
            _ => {
                let due = self.next_due(&request.scope, now).into_iter();
                due.chain(catch.opens_at).chain(self.next_opening(&request.scope)).min()
            }
        };
        Ok(Claimed { jobs: catch.jobs, next_due })
    }

    /// Walks through what is due. Whether there may be more to find, since some of what it met could not be claimed.
    fn fill(&mut self, catch: &mut Catch<'_>, now: Timestamp) -> Result<bool, ErrorKind> {
        let wanted = catch.limit - catch.jobs.len();
        for id in self.candidates(catch, wanted, now) {
            if catch.is_full() || catch.is_weary() {
                return Ok(false);
            }
            let record = self.record(id)?;
            if past(record.job.deadline, now) {
                let gated = record.job.options.is_gated();
                self.miss(id, now)?;
                catch.late += 1;
                // Others may have been called who come before what was to be looked at next.
                if gated {
                    return Ok(true);
                }
                continue;
            }
            match self.ask_gates(record, now) {
                Ok(needs) => {
                    let fences = self.pass_gates(id, &needs, now);
                    catch.passed.extend(needs.into_iter().map(|need| need.gate));
                    let leased = self.lease(id, &catch.grant, now)?;
                    catch.jobs.push(LeasedJob { fences, ..leased });
                }
                Err(turned) if turned.need.gate.form.is_whole() => {
                    catch.opens_at = catch.opens_at.into_iter().chain(turned.refusal.until()).min();
                    catch.closed.insert(turned.need.gate);
                    return Ok(true);
                }
                Err(turned) => {
                    catch.turned += 1;
                    // The next of its queue comes into view, and so may others that this called.
                    self.turn_away(id, &turned);
                    return Ok(true);
                }
            }
        }
        Ok(!catch.is_full() && catch.met() && !catch.is_weary())
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
        let needs = self.ask_gates(record, now).map_err(|_| ErrorKind::NotReady)?;
        let fences = self.pass_gates(job, &needs, now);
        let leased = self.lease(job, grant, now)?;
        for need in needs {
            self.call(&need.gate);
        }
        Ok(LeasedJob { fences, ..leased })
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

    /// Due jobs of the scope in claim order: enough for `wanted` claims, and those past their deadline between them.
    fn candidates(&self, catch: &Catch<'_>, wanted: usize, now: Timestamp) -> Vec<JobId> {
        let scope = catch.scope;
        let mut found: Vec<(Place, JobId)> = Vec::new();
        for places in self.open_queues(&scope.queues) {
            let mut claimable = 0;
            for (place, id) in due(places, now) {
                let supported = self.jobs.get(&id).filter(|record| supports(&scope.kinds, record));
                let Some(record) = supported.filter(|record| !catch.is_closed(record)) else { continue };
                if claimable == wanted {
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
            self.open_queues(&scope.queues).flat_map(|places| RANKS.map(move |rank| (places, rank)));
        let next = waiting.filter_map(|(places, rank)| {
            let later = (Excluded(Place::last(rank, now)), Included(Place::last(rank, Timestamp::MAX)));
            let mut supported = places
                .range(later)
                .filter(|(_, id)| self.jobs.get(id).is_some_and(|record| supports(&scope.kinds, record)));
            supported.next().map(|(place, _)| place.run_at)
        });
        next.min()
    }

    /// The waiting jobs of every queue that is asked for and not paused.
    fn open_queues<'a>(&'a self, queues: &'a Queues) -> impl Iterator<Item = &'a BTreeMap<Place, JobId>> {
        let open =
            self.waiting.iter().filter(move |(queue, _)| queues.include(queue) && !self.is_paused(queue));
        open.map(|(_, places)| places)
    }

    pub(crate) fn is_paused(&self, queue: &QueueName) -> bool {
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
            attempts_max: self.running().budget().0,
            losses: job.losses,
            run_at: job.run_at,
            deadline: job.deadline,
            created_at: job.created_at,
            started_at: now,
            checkpoint: job.checkpoint.clone(),
            options: (job.options != JobOptions::default()).then(|| Box::new(job.options.clone())),
            fences: Vec::new(),
            settles: self.settling(),
        }
    }
}

impl Place {
    /// The last place among those of this rank that are due at `instant`.
    const fn last(rank: u8, instant: Timestamp) -> Self {
        Self { rank, run_at: instant, order: u64::MAX }
    }
}

/// What is due of one queue, in claim order. What is not due is never looked at.
pub(crate) fn due(places: &BTreeMap<Place, JobId>, now: Timestamp) -> impl Iterator<Item = (Place, JobId)> {
    RANKS.flat_map(move |rank| {
        let first = Place { rank, run_at: Timestamp::MIN, order: 0 };
        places.range(first..=Place::last(rank, now)).map(|(place, id)| (*place, *id))
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
