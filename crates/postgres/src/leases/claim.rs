//! Claims: the first due jobs of a scope, leased to a worker.

mod answer;
mod rows;

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;
use windlass_core::review::SETTLE_PRIORITY;
use windlass_core::{JobId, Priority, WorkerId};
use windlass_store::rules::{Candidate, LATE_PER_CLAIM_MAX};
use windlass_store::{ClaimRequest, ErrorKind, Kinds, LeaseTerm, LeasedJob, Queues, Scope, StoreError, ids};

use super::guarded;
use super::outstanding::Known;
use crate::database::{Session, Values};
use crate::error::During;
use crate::facts::Facts;
use crate::floors::{Floors, LaneFloors, Place};
use crate::maintenance::expire;
use crate::sql::Statement;
use crate::value::Instant;
use crate::workers::{micros, unknown};
use crate::{Core, row, sql};

use answer::at_gates;
use rows::{Common, leased};

pub(super) use answer::{Answer, AtGates};

/// A claim as it is sent.
pub(super) struct Claim<'a> {
    asked: &'a Scope,
    worker: WorkerId,
    worker_uuid: Uuid,
    queues: Option<Vec<&'a str>>,
    kinds: Option<Vec<&'a str>>,
    versions: Vec<i64>,
    limit: i64,
    own: Option<Duration>,
    own_micros: Option<i64>,
    nonce: u64,
    nonce_signed: i64,
    floors: Floors,
    /// The one lane it looks into, from these floors for each priority; else it looks into every lane of its scope.
    lane: Option<(i32, LaneFloors)>,
}

/// A job that was claimed.
pub(super) struct Leased {
    pub(super) place: Place,
    pub(super) known: Known,
    pub(super) job: LeasedJob,
}

impl<'a> Claim<'a> {
    pub(super) fn of(request: &'a ClaimRequest, floors: Floors) -> Self {
        let (queues, kinds, versions) = scope(&request.scope);
        let (own, nonce) = (own(request.lease), ids::nonce());
        Self {
            asked: &request.scope,
            worker: request.worker,
            worker_uuid: request.worker.as_uuid(),
            queues,
            kinds,
            versions,
            limit: request.limit.into(),
            own,
            own_micros: own.map(micros),
            nonce,
            nonce_signed: nonce.cast_signed(),
            floors,
            lane: None,
        }
    }

    /// The same claim, of a scope that is this lane and no other as far as is known.
    ///
    /// For no longer than a second since the lanes were looked at, or behind floors, which are left as often; and no longer
    /// than until somebody says that there is a new one.
    pub(super) fn in_lane(mut self, lane: Option<i32>) -> Self {
        if (self.floors.lately || !self.floors.is_front()) && self.own.is_none() {
            self.lane = lane.map(|lane| (lane, self.floors.in_lane(lane)));
        }
        self
    }

    pub(super) const fn statement(&self) -> Statement {
        match self.lane {
            Some(_) => sql::lease::CLAIM_LANE,
            None => sql::lease::CLAIM,
        }
    }

    /// The values of the statement; `seen_to` once those past their deadline have been ended.
    #[expect(clippy::ref_option, reason = "a value of a statement is passed by reference")]
    pub(super) fn values<'v>(
        &'v self,
        now: &'v Option<Instant>,
        seen_to: &'v bool,
    ) -> Vec<&'v (dyn ToSql + Sync)> {
        if let Some((lane, floors)) = &self.lane {
            return vec![
                now,
                &self.worker_uuid,
                lane,
                &self.limit,
                &self.nonce_signed,
                &floors.run_at,
                &floors.seqs,
                &floors.follows,
            ];
        }
        vec![
            now,
            &self.worker_uuid,
            &self.queues,
            &self.kinds,
            &self.versions,
            &self.limit,
            &self.nonce_signed,
            &self.own_micros,
            &self.floors.lanes,
            &self.floors.priorities,
            &self.floors.run_at,
            &self.floors.seqs,
            seen_to,
        ]
    }

    /// Whether it looks at all there is in its scope.
    pub(super) fn begins_at_front(&self) -> bool {
        self.floors.is_front() && self.lane.is_none()
    }

    /// How many lanes there are, if it looked at all of them.
    pub(super) fn lanes(&self, rows: &[Row]) -> Option<u64> {
        rows.first().filter(|_| self.begins_at_front()).map(|first| row::unsigned(first, 23))
    }

    /// Whether it looks at all there is of what it looks into.
    pub(super) fn passes_nothing(&self) -> bool {
        self.floors.is_front()
    }

    /// Whether it found as much as it asked for.
    pub(super) fn is_full(&self, answer: &Answer) -> bool {
        i64::try_from(answer.jobs.len()).is_ok_and(|found| found >= self.limit)
    }

    /// The same claim, for what an earlier answer leaves to be found.
    pub(super) fn for_the_rest(mut self, answer: &Answer) -> Self {
        self.limit -= i64::try_from(answer.jobs.len()).unwrap_or(self.limit);
        self
    }

    /// The same claim, in every lane of its scope.
    pub(super) fn in_all_lanes(mut self) -> Self {
        self.lane = None;
        self
    }

    /// Whether it looks into a single lane.
    pub(super) const fn is_in_lane(&self) -> bool {
        self.lane.is_some()
    }

    /// Takes in what the store answered.
    pub(super) async fn answer(&self, store: &Core, rows: &[Row]) -> Result<Answer, StoreError> {
        const NAME: &str = "claim jobs";
        let first = rows.first().ok_or_else(|| unknown(NAME, self.worker))?;
        let common = Common {
            lane: self.lane.as_ref().map(|(lane, _)| *lane),
            spot: match self.lane {
                Some(_) => Some(17),
                // A lease of its own is extended with its worker's.
                None => self.own.is_none().then_some(21),
            },
            nonce: self.nonce,
            started_at: row::instant(first, 14),
            lease_until: self
                .own
                .map_or_else(|| row::instant(first, 15), |span| row::instant(first, 14).after(span)),
        };
        let jobs = leased(store, rows, &common, NAME).await?;
        let (late, next_due, at_gates) = match self.lane {
            Some(_) => (false, row::instant_option(first, 18), None),
            None => (first.get(18), row::instant_option(first, 19), at_gates(first)),
        };
        let (cancelled, from_front) = (row::tokens(first, 16)?, self.begins_at_front());
        Ok(Answer { jobs, next_due, cancelled, late, at_gates, from_front })
    }

    /// How many are still wanted.
    pub(super) fn wanted(&self, answer: &Answer) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX).saturating_sub(answer.jobs.len())
    }

    /// What it can take on, in three columns of a statement.
    pub(super) const fn scope(&self) -> ScopeColumns<'_, 'a> {
        (&self.queues, &self.kinds, &self.versions)
    }

    /// What it can take on.
    pub(super) const fn scope_asked(&self) -> &'a Scope {
        self.asked
    }

    /// The worker that it is for, in a row for [`take_given`](Self::take_given).
    pub(super) async fn here(&self, session: &Session) -> Result<Row, StoreError> {
        const NAME: &str = "claim jobs";
        let values: Values<'_> = &[&session.now, &self.worker_uuid];
        let here = session.query_opt(sql::worker::HERE, values).await.during(NAME)?;
        here.ok_or_else(|| unknown(NAME, self.worker))
    }

    /// Leases jobs that were found claimable, and locked, in the same transaction, to a worker that is here.
    pub(super) async fn take_given(
        &self,
        (store, session): (&Core, &Session),
        here: &Row,
        given: &Given<'_>,
    ) -> Result<Vec<Leased>, StoreError> {
        lease_given(store, session, (here, self.own), given, "claim jobs").await
    }

    /// Ends the jobs past their deadline that this claim meets, then claims, in the transaction of the caller.
    ///
    /// What it would claim stays locked from the look until the claim, so both see the same jobs.
    pub(super) async fn take_with_late(
        &mut self,
        store: &Core,
        session: &Session,
        name: &'static str,
    ) -> Result<Answer, StoreError> {
        let (found, late) = self.meet(session, name).await?;
        let effects = expire(session, &late, name).await?;
        let weary = late.len() == LATE_PER_CLAIM_MAX;
        if weary {
            self.limit = i64::try_from(found).unwrap_or(i64::MAX);
        }
        self.floors = Floors::default();
        let rows = session.query(sql::lease::CLAIM, &self.values(&session.now, &true)).await.during(name)?;
        let mut answer = self.answer(store, &rows).await?;
        if weary {
            answer.next_due = rows.first().map(|first| row::instant(first, 14));
        }
        // Behind the claim: what they let go is for the next one, as everywhere.
        effects.follow(session, name).await?;
        Ok(answer)
    }

    /// How many jobs there are to claim, and those past their deadline that stand before the last of them.
    async fn meet(&self, session: &Session, name: &'static str) -> Result<(usize, Vec<JobId>), StoreError> {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let (mut found, mut late) = (0, Vec::new());
        for rank in SETTLE_PRIORITY..=Priority::Idle.as_number() {
            let priority = i16::from(rank);
            // As many again as may be late, so that one look is enough.
            let limit = self.limit + i64::try_from(LATE_PER_CLAIM_MAX).unwrap_or(0);
            let values: Values<'_> =
                &[&session.now, &self.queues, &self.kinds, &self.versions, &priority, &limit];
            for row in session.query(sql::lease::CANDIDATES, values).await.during(name)? {
                if found == wanted || late.len() == LATE_PER_CLAIM_MAX {
                    return Ok((found, late));
                }
                if row.get(1) {
                    late.push(row::job_id(&row, 0));
                } else {
                    found += 1;
                }
            }
        }
        Ok((found, late))
    }
}

/// Jobs to be leased, and the nonce of their tokens.
pub(super) struct Given<'a> {
    pub(super) nonce: u64,
    pub(super) jobs: &'a Vec<Uuid>,
    /// When they start, where it was decided by a time; none for when it is written.
    pub(super) at: Option<Instant>,
}

type ScopeColumns<'c, 'a> = (&'c Option<Vec<&'a str>>, &'c Option<Vec<&'a str>>, &'c Vec<i64>);

type ScopeValues<'a> = (Option<Vec<&'a str>>, Option<Vec<&'a str>>, Vec<i64>);

fn scope(scope: &Scope) -> ScopeValues<'_> {
    let queues = match &scope.queues {
        Queues::Any => None,
        Queues::Only(queues) => Some(queues.iter().map(windlass_core::QueueName::as_str).collect()),
    };
    let Kinds::Only(kinds) = &scope.kinds else { return (queues, None, Vec::new()) };
    let names = kinds.iter().map(|known| known.kind.as_str()).collect();
    (queues, Some(names), kinds.iter().map(|known| known.version_max.into()).collect())
}

const fn own(lease: LeaseTerm) -> Option<Duration> {
    match lease {
        LeaseTerm::Process => None,
        LeaseTerm::Own(span) => Some(span),
    }
}

/// Claims one given job.
pub(super) async fn claim_job(
    store: &Core,
    (worker, job, lease): (WorkerId, JobId, LeaseTerm),
    name: &'static str,
) -> Result<LeasedJob, StoreError> {
    let transaction = store.database.begin(name).await?;
    let outcome = claim_job_in(&transaction, store, (worker, job, lease), name).await;
    let leased = transaction.end(outcome, name).await?;
    store.outstanding.claimed(std::iter::once((leased.token, Known::default())));
    Ok(leased)
}

async fn claim_job_in(
    session: &Session,
    store: &Core,
    (worker, job, lease): (WorkerId, JobId, LeaseTerm),
    name: &'static str,
) -> Result<LeasedJob, StoreError> {
    let values: Values<'_> = &[&session.now, &worker.as_uuid()];
    let here = session.query_opt(sql::worker::HERE, values);
    let here = here.await.during(name)?.ok_or_else(|| unknown(name, worker))?;
    let facts = match Facts::lock_one(session, job, name).await? {
        Some(facts) => facts,
        None => Facts::look(session, job, name)
            .await?
            .ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))?,
    };
    let paused = session.query_opt(sql::queue::PAUSED, &[&facts.lane.abs()]).await.during(name)?.is_some();
    let candidate = Candidate { stage: facts.stage, run_at: facts.run_at, deadline: facts.deadline, paused };
    candidate.claiming(facts.now).map_err(|kind| StoreError::new(name, kind))?;
    let Some(guarded::Admitted { fences, at }) = guarded::admit(store, session, job.as_uuid(), name).await?
    else {
        return Err(StoreError::new(name, ErrorKind::NotReady));
    };
    let given = Given { nonce: ids::nonce(), jobs: &vec![job.as_uuid()], at };
    let mut jobs = lease_given(store, session, (&here, own(lease)), &given, name).await?;
    let leased = jobs.pop().ok_or_else(|| StoreError::new(name, ErrorKind::Conflict))?;
    Ok(LeasedJob { fences, ..leased.job })
}

/// Leases jobs that were found claimable, and locked, in the same transaction, to a worker that is here.
#[expect(clippy::too_many_arguments, reason = "one step of a statement, called from one place or two")]
async fn lease_given(
    store: &Core,
    session: &Session,
    (here, own): (&Row, Option<Duration>),
    given: &Given<'_>,
    name: &'static str,
) -> Result<Vec<Leased>, StoreError> {
    let (number, until): (i32, Instant) = (here.get(0), here.get(1));
    let values: Values<'_> = &[
        &given.at.or(session.now),
        given.jobs,
        &given.nonce.cast_signed(),
        &own.map(micros),
        &number,
        &until,
    ];
    let rows = session.query(sql::lease::CLAIM_GIVEN, values).await.during(name)?;
    let first = rows.first().ok_or_else(|| StoreError::new(name, ErrorKind::Conflict))?;
    let started_at = row::instant(first, 14);
    let lease_until = own.map_or(until.0, |span| started_at.after(span));
    let spot = own.is_none().then_some(18);
    let common = Common { lane: None, spot, nonce: given.nonce, started_at, lease_until };
    leased(store, &rows, &common, name).await
}
