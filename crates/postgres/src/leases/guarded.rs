//! Claims that come across gates: several steps, in which the model decides whom they let in.
//!
//! Each round is a transaction of its own: jobs are locked, then their gates, then the model is asked, and what it says is written.
//! A round ends where a job that was called somewhere is turned away elsewhere, since others may be called then who come before
//! what was to be looked at next.

mod admit;
mod sorting;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Instant as Moment;

use futures_util::future;
use tokio_postgres::Row;
use uuid::Uuid;
use windlass_core::gate::Place;
use windlass_core::limits::PARKED_PER_CLAIM_MAX;
use windlass_core::{Gate, JobId, JobOptions, Need, Timestamp, Traits};
use windlass_store::rules::{LATE_PER_CLAIM_MAX, past};
use windlass_store::{StoreError, ids};

use super::claim::{Answer, AtGates, Claim, Given, Leased};
use crate::database::{BEGIN_AT_GATES, Session, Transaction, Values};
use crate::error::During;
use crate::floors::{self, Floors};
use crate::gates::{self, Known, Wholes};
use crate::lanes::Lane;
use crate::maintenance::expire;
use crate::value::Instant;
use crate::{Core, row, sql};

use sorting::Sorting;

pub(super) use admit::{Admitted, admit};

const NAME: &str = "claim jobs";

/// Most jobs that are looked at together beyond those that are wanted.
const LOOK_MAX: usize = 200;

/// A due job as gates see it.
struct Candidate {
    id: Uuid,
    lane: i32,
    place: Place,
    gated: bool,
    deadline: Option<Timestamp>,
    needs: Vec<Need>,
}

impl Candidate {
    fn place_in_lane(&self) -> floors::Place {
        (self.lane, self.place.priority.into(), self.place.run_at, self.place.order.cast_signed())
    }
}

/// A claim as far as it has come.
struct Guarded<'a, 'r> {
    store: &'a Core,
    claim: &'a Claim<'r>,
    jobs: Vec<Leased>,
    limit: usize,
    late: usize,
    turned: usize,
    /// Lanes whose queue or kind lets nobody in now, and when time opens one of them.
    closed: BTreeSet<i32>,
    opens_at: Option<Timestamp>,
    now: Timestamp,
    /// Whether it begins at the front of its lanes, rather than where others have ended.
    from_front: bool,
}

/// What a round comes to.
struct Round {
    /// Whether there may be more to find.
    more: bool,
    /// Those who are let in, and the worker that they are for.
    admitted: Option<(Sorting, Row)>,
    /// Where those stand that it has locked, and left for others.
    left: Vec<floors::Place>,
}

/// Claims for what is wanted beyond what `answer` has.
pub(super) async fn claim(store: &Core, claim: &Claim<'_>, answer: &mut Answer) -> Result<(), StoreError> {
    let mut guarded = Guarded {
        store,
        claim,
        jobs: Vec::new(),
        limit: claim.wanted(answer),
        late: 0,
        turned: 0,
        closed: BTreeSet::new(),
        opens_at: None,
        now: Timestamp::MIN,
        from_front: answer.from_front,
    };
    if answer.at_gates == Some(AtGates::Call) {
        guarded.call().await?;
    }
    while !guarded.is_full() && !guarded.is_weary() {
        let more = guarded.round().await?;
        // Before this claim ends, so that it does not have to be asked again at once.
        let called = !guarded.is_full() && guarded.call().await?;
        if !more && !called && !guarded.turns_back() {
            break;
        }
    }
    let next_due = guarded.next_due().await?;
    answer.add(guarded.jobs, next_due);
    Ok(())
}

impl Guarded<'_, '_> {
    fn is_full(&self) -> bool {
        self.jobs.len() >= self.limit
    }

    fn is_weary(&self) -> bool {
        self.late >= LATE_PER_CLAIM_MAX || self.turned >= PARKED_PER_CLAIM_MAX
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        if self.is_full() {
            return Ok(None);
        }
        if self.is_weary() {
            return Ok(Some(self.now));
        }
        let session = self.store.database.turn(NAME).await?;
        let (queues, kinds, versions) = self.claim.scope();
        let values: Values<'_> = &[&session.now, queues, kinds, versions];
        let rows = session.query(sql::gate::NEXT, values).await.during(NAME)?;
        let due = rows.first().and_then(|found| row::instant_option(found, 0));
        Ok(due.into_iter().chain(self.opens_at).min())
    }

    /// Calls at all gates that are to be looked at. Whether anybody was called.
    async fn call(&self) -> Result<bool, StoreError> {
        let mut called = false;
        while let Some(places) = gates::open(&self.store.database, NAME).await? {
            called |= !places.is_empty();
            self.store.floors.came_back(&places);
            let (lanes, scope) = (&self.store.lanes, self.claim.scope_asked());
            if places.iter().any(|(lane, ..)| !lanes.is_in(*lane, scope)) {
                // They are for others, who have passed their places.
                self.store.floors.forget();
            }
        }
        Ok(called)
    }

    /// Whether it goes on at the front, now that there is nothing more to find where it began.
    fn turns_back(&mut self) -> bool {
        let turns = !self.from_front && self.store.floors.should_look_again();
        self.from_front |= turns;
        turns
    }

    /// One transaction. Whether there may be more to find.
    async fn round(&mut self) -> Result<bool, StoreError> {
        let floors = &self.store.floors;
        let returns = floors.returns();
        let session = self.store.database.turn(NAME).await?;
        let transaction = Transaction::unbegun(session);
        let outcome = self.round_in(&transaction).await;
        let ended = match outcome {
            Ok(Round { more, admitted: Some((sorting, here)), left }) => {
                let lease = async |session: &Session| self.lease(session, &here, &sorting).await;
                transaction.end_behind(lease, NAME).await.map(|given| (more, given, left))
            }
            outcome => transaction.end(outcome, NAME).await.map(|round| (round.more, Vec::new(), round.left)),
        };
        // Whoever has met these jobs while they were locked has passed those that were not taken.
        let (more, given, left) = ended.inspect_err(|_| floors.forget())?;
        floors.passed(returns, given.iter().map(|one| one.place));
        floors.came_back(&left);
        self.jobs.extend(given);
        Ok(more)
    }

    async fn round_in(&mut self, session: &Session) -> Result<Round, StoreError> {
        let wanted = self.limit - self.jobs.len();
        let look = wanted.max(self.turned.min(LOOK_MAX));
        let candidates = self.candidates(session, look).await?;
        let late: Vec<JobId> = candidates
            .iter()
            .filter(|one| past(one.deadline, self.now))
            .map(|one| JobId::from_uuid(one.id))
            .collect();
        if !late.is_empty() {
            // By itself: what follows for their gates is not to be mixed with the locks of others.
            let late = &late[..late.len().min(LATE_PER_CLAIM_MAX - self.late)];
            expire(session, late, NAME).await?.follow(session, NAME).await?;
            self.late += late.len();
            let left = candidates.iter().map(Candidate::place_in_lane).collect();
            return Ok(Round { more: true, admitted: None, left });
        }
        if candidates.is_empty() {
            return Ok(Round { more: false, admitted: None, left: Vec::new() });
        }
        let Locked { known, stands, here } = self.lock(session, &candidates).await?;
        // Others may have had the gates until this moment; who starts later by the clock has not started before them.
        self.now = gates::time(session, &known).unwrap_or(self.now);
        let mut sorting = Sorting::at(known, stands);
        let mut more = candidates.len() == look;
        for candidate in &candidates {
            if sorting.taken.len() == wanted {
                break;
            }
            // While its gates were waited for: the next round ends it.
            if past(candidate.deadline, self.now) {
                more = true;
                continue;
            }
            if sorting.sort(candidate, self.now) {
                more = true;
                break;
            }
        }
        more |= sorting.parked.len() + sorting.closed.len() > 0;
        self.turned += sorting.parked.len();
        self.closed.extend(&sorting.closed);
        self.opens_at = self.opens_at.into_iter().chain(sorting.opens_at).min();
        let gone: HashSet<Uuid> = sorting.taken.iter().chain(&sorting.parked).copied().collect();
        let left = candidates.iter().filter(|one| !gone.contains(&one.id));
        let left = left.map(Candidate::place_in_lane).collect();
        sorting.write(session, &candidates).await?;
        if sorting.taken.is_empty() {
            return Ok(Round { more, admitted: None, left });
        }
        // So that they are sent in their order, and the commit behind them.
        for statement in [sql::lease::CLAIM_GIVEN, sql::gate::HOLD, sql::gate::NUMBER] {
            session.prepare(statement).await.during(NAME)?;
        }
        Ok(Round { more, admitted: Some((sorting, here)), left })
    }

    /// Begins the round's transaction, and locks the first due jobs.
    async fn candidates(&mut self, session: &Session, look: usize) -> Result<Vec<Candidate>, StoreError> {
        let (queues, kinds, versions) = self.claim.scope();
        let closed: Vec<i32> = self.closed.iter().copied().collect();
        let look = i64::try_from(look).unwrap_or(i64::MAX);
        let floors = if self.from_front { Floors::default() } else { self.store.floors.behind() };
        let values: Values<'_> = &[
            &session.now,
            queues,
            kinds,
            versions,
            &look,
            &closed,
            &floors.lanes,
            &floors.priorities,
            &floors.run_at,
            &floors.seqs,
        ];
        let sent = Moment::now();
        // None waits for what another tells.
        let (begun, rows, wholes) = future::join3(
            session.run(BEGIN_AT_GATES),
            session.query(sql::gate::CANDIDATES, values),
            Wholes::read(session, NAME),
        )
        .await;
        begun.during(NAME)?;
        let (rows, wholes) = (rows.during(NAME)?, wholes?);
        if self.from_front {
            self.store.floors.began_at_front(sent.elapsed(), rows.len());
        }
        let lanes = rows.iter().map(|row| row.get::<_, i32>(2));
        let lanes = self.store.lanes.names(lanes, &self.store.database, NAME).await?;
        let mut candidates = Vec::with_capacity(rows.len());
        for row in &rows {
            self.now = row::instant(row, 8);
            let lane: i32 = row.get(2);
            candidates.push(candidate(row, lane, &lanes[&lane], &wholes)?);
        }
        candidates.sort_unstable_by_key(|one| one.place);
        Ok(candidates)
    }

    /// Locks the gates of these jobs, and those where they stand since they were called there; then looks at them.
    async fn lock(&self, session: &Session, candidates: &[Candidate]) -> Result<Locked, StoreError> {
        let wanted: BTreeSet<&Gate> =
            candidates.iter().flat_map(|one| &one.needs).map(|need| &need.gate).collect();
        let jobs: Vec<Uuid> = candidates.iter().filter(|one| one.gated).map(|one| one.id).collect();
        let ids = self.store.gates_met.ids(&wanted);
        let (forms, names);
        let (lock, asked): (_, Values<'_>) = if let Some(ids) = &ids {
            (sql::gate::LOCK_MET, &[ids, &jobs])
        } else {
            (forms, names) = gates::columns(wanted.iter().copied());
            session.execute(sql::gate::MAKE, &[&forms, &names]).await.during(NAME)?;
            (sql::gate::LOCK, &[&forms, &names, &jobs])
        };
        // So that what follows is sent in this order. Others may have the gates for a while, in which the worker may go; where
        // a job stands that we have locked, nobody else changes.
        session.prepare(lock).await.during(NAME)?;
        let unmet = Vec::new();
        let (locked, found, here, known) = future::join4(
            session.query(lock, asked),
            session.query(sql::gate::STANDS, &[&jobs]),
            self.claim.here(session),
            gates::states(session, ids.as_ref().unwrap_or(&unmet), NAME),
        )
        .await;
        let locked: Vec<i64> = locked.during(NAME)?.iter().map(|row| row.get(0)).collect();
        let mut stands = Stands::new();
        for row in found.during(NAME)? {
            stands.entry(row.get(0)).or_default().push(row.get(1));
        }
        let mut known = known?;
        // Those that were met and are there are locked, and most often they are all of them.
        if known.len() != locked.len() {
            known = gates::states(session, &locked, NAME).await?;
        }
        self.store.gates_met.learn(&wanted, &known);
        Ok(Locked { known, stands, here: here? })
    }

    /// Leases the jobs that are let in, and writes what they hold.
    async fn lease(
        &self,
        session: &Session,
        here: &Row,
        sorting: &Sorting,
    ) -> Result<Vec<Leased>, StoreError> {
        let given = Given { nonce: ids::nonce(), jobs: &sorting.taken, at: Some(Instant(self.now)) };
        let leased = self.claim.take_given((self.store, session), here, &given);
        let (fences, jobs) = future::join(sorting.held.write(session), leased).await;
        let (mut fences, mut jobs) = (fences?, jobs?);
        for Leased { job, .. } in &mut jobs {
            job.fences = fences.remove(&job.id().as_uuid()).unwrap_or_default();
        }
        Ok(jobs)
    }
}

fn candidate(row: &Row, lane: i32, named: &Lane, wholes: &Wholes) -> Result<Candidate, StoreError> {
    let mut needs = wholes.needs(named);
    let options: Option<Box<JobOptions>> = row::options(row, 6)?;
    needs.extend(options.iter().flat_map(|options| options.needs()));
    let order = row::unsigned(row, 1);
    let place = gates::place_of(row.get(3), row::instant(row, 4), order);
    let gated = row::traits(row, 5).has(Traits::GATED);
    Ok(Candidate { id: row.get(0), lane, place, gated, deadline: row::instant_option(row, 7), needs })
}

/// The gates where jobs stand.
type Stands = HashMap<Uuid, Vec<i64>>;

/// What there is of gates that were locked, who stands where, and the worker that it is for.
struct Locked {
    known: BTreeMap<Gate, Known>,
    stands: Stands,
    here: Row,
}
