//! Claims that come across gates: several steps, in which the model decides whom they let in.
//!
//! Each round is a transaction of its own: jobs are locked, then their gates, then the model is asked, and what it says is written.
//! A round ends where a job that was called somewhere is turned away elsewhere, since others may be called then who come before
//! what was to be looked at next.

mod admit;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant as Moment;

use futures_util::future;
use tokio_postgres::Row;
use uuid::Uuid;
use windlass_core::gate::{Place, Refusal};
use windlass_core::limits::PARKED_PER_CLAIM_MAX;
use windlass_core::{Fence, Gate, GateForm, JobId, JobOptions, Need, Timestamp, Traits};
use windlass_store::rules::{LATE_PER_CLAIM_MAX, past};
use windlass_store::{StoreError, ids};

use super::claim::{Answer, AtGates, Claim, Given, Leased};
use crate::database::{Session, Transaction, Values};
use crate::error::During;
use crate::floors::Floors;
use crate::gates::{self, Known, Wholes};
use crate::lanes::Lane;
use crate::maintenance::expire;
use crate::value::Instant;
use crate::{Core, row, sql};

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

/// What a round has done.
struct Round {
    /// Whether there may be more to find.
    more: bool,
    given: Vec<Leased>,
    /// Whether it has passed somebody by who may be claimed.
    passed_by: bool,
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
            self.store.floors.came_back(places.into_iter());
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
        let session = self.store.database.turn(NAME).await?;
        let transaction = Transaction::begin(session, NAME).await?;
        let outcome = self.round_in(&transaction).await;
        let Round { more, given, passed_by } = transaction.end(outcome, NAME).await?;
        if !passed_by {
            self.store.floors.passed(given.iter().map(|one| one.place));
        }
        self.jobs.extend(given);
        Ok(more)
    }

    async fn round_in(&mut self, session: &Session) -> Result<Round, StoreError> {
        let wanted = self.limit - self.jobs.len();
        let look = wanted.max(self.turned.min(LOOK_MAX));
        let (candidates, here) = self.candidates(session, look).await?;
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
            return Ok(Round { more: true, given: Vec::new(), passed_by: true });
        }
        let (known, stands) = lock(&self.store.gates_met, session, &candidates).await?;
        // Others may have had the gates until this moment; who starts later by the clock has not started before them.
        self.now = gates::time(session, &known).unwrap_or(self.now);
        let mut sorting = Sorting { known, stands, ..Sorting::default() };
        let (mut more, mut passed_by) = (candidates.len() == look, false);
        for candidate in &candidates {
            if sorting.taken.len() == wanted {
                break;
            }
            // While its gates were waited for: the next round ends it.
            if past(candidate.deadline, self.now) {
                (more, passed_by) = (true, true);
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
        let given = self.write(session, (&candidates, &here), sorting).await?;
        Ok(Round { more, given, passed_by })
    }

    /// The first due jobs, and the worker that they are for.
    async fn candidates(
        &mut self,
        session: &Session,
        look: usize,
    ) -> Result<(Vec<Candidate>, Row), StoreError> {
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
        // None of these waits for what another tells.
        let (rows, wholes, here) = future::join3(
            session.query(sql::gate::CANDIDATES, values),
            Wholes::read(session, NAME),
            self.claim.here(session),
        )
        .await;
        let (rows, wholes, here) = (rows.during(NAME)?, wholes?, here?);
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
        Ok((candidates, here))
    }

    async fn write(
        &self,
        session: &Session,
        (candidates, here): (&[Candidate], &Row),
        mut sorting: Sorting,
    ) -> Result<Vec<Leased>, StoreError> {
        sorting.write(session, candidates).await?;
        if sorting.taken.is_empty() {
            return Ok(Vec::new());
        }
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

/// Locks the gates of these jobs, and those where they stand since they were called there; then looks at them. How they stand, and
/// who stands where.
async fn lock(
    met: &gates::Met,
    session: &Session,
    candidates: &[Candidate],
) -> Result<(BTreeMap<Gate, Known>, Stands), StoreError> {
    let wanted: BTreeSet<&Gate> =
        candidates.iter().flat_map(|one| &one.needs).map(|need| &need.gate).collect();
    let jobs: Vec<Uuid> = candidates.iter().filter(|one| one.gated).map(|one| one.id).collect();
    let mut stands = Stands::new();
    if wanted.is_empty() && jobs.is_empty() {
        return Ok((BTreeMap::new(), stands));
    }
    let ids = met.ids(&wanted);
    let (forms, names) = match ids {
        Some(_) => (Vec::new(), Vec::new()),
        None => gates::columns(wanted.iter().copied()),
    };
    let (lock, asked): (_, Values<'_>) = match &ids {
        Some(ids) => (sql::gate::LOCK_MET, &[ids, &jobs]),
        None => (sql::gate::LOCK, &[&forms, &names, &jobs]),
    };
    if ids.is_none() {
        session.execute(sql::gate::MAKE, &[&forms, &names]).await.during(NAME)?;
    }
    // So that what follows is sent in this order: where a job that we have locked stands, nobody else changes.
    session.prepare(lock).await.during(NAME)?;
    let (locked, found) =
        future::join(session.query(lock, asked), session.query(sql::gate::STANDS, &[&jobs])).await;
    let locked = locked.during(NAME)?.iter().map(|row| row.get(0)).collect();
    for row in found.during(NAME)? {
        stands.entry(row.get(0)).or_default().push(row.get(1));
    }
    let known = gates::states(session, &locked, NAME).await?;
    met.learn(&wanted, &known);
    Ok((known, stands))
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

/// Who is let in and who is turned away, gathered to be written together.
#[derive(Debug, Default)]
struct Sorting {
    known: BTreeMap<Gate, Known>,
    stands: Stands,
    taken: Vec<Uuid>,
    /// Those among them that have gates only by their queue or kind.
    marked: Vec<Uuid>,
    parked: Vec<Uuid>,
    /// Lanes whose queue or kind lets nobody in.
    closed: Vec<i32>,
    opens_at: Option<Timestamp>,
    held: Held,
    started: BTreeMap<i64, Timestamp>,
    passed: Passed,
    standing: Standing,
    /// When time opens gates where somebody was parked, and gates that are to be looked at again at once.
    opening: BTreeMap<i64, Timestamp>,
}

/// Columns of `gate/hold.sql`, and the names of what is held alone.
#[derive(Debug, Default)]
struct Held {
    gates: Vec<i64>,
    jobs: Vec<Uuid>,
    exclusive: Vec<bool>,
    alone: Vec<(Uuid, String)>,
}

/// Columns of `gate/pass.sql`.
#[derive(Debug, Default)]
struct Passed {
    gates: Vec<i64>,
    priorities: Vec<i16>,
    run_at: Vec<Instant>,
    seqs: Vec<i64>,
    exclusive: Vec<bool>,
}

/// Columns of `gate/stand.sql`.
#[derive(Debug, Default)]
struct Standing {
    gates: Vec<i64>,
    jobs: Vec<Uuid>,
    lanes: Vec<i32>,
    priorities: Vec<i16>,
    run_at: Vec<Instant>,
    seqs: Vec<i64>,
    amounts: Vec<i64>,
    bursts: Vec<i64>,
    here: Vec<bool>,
    in_line: Vec<bool>,
}

impl Sorting {
    /// Decides about one. Whether others may be called now who come before the next.
    fn sort(&mut self, candidate: &Candidate, now: Timestamp) -> bool {
        if self.closed.contains(&candidate.lane) {
            return false;
        }
        for need in &candidate.needs {
            // One that was forgotten in this very moment is looked at again by the next claim.
            let Some(known) = self.known.get(&need.gate) else { return true };
            if let Some(refusal) = known.state.refusal(need.wish, candidate.place, now) {
                return self.turn_away(candidate, need, refusal, now);
            }
        }
        self.let_in(candidate, now);
        false
    }

    fn let_in(&mut self, candidate: &Candidate, now: Timestamp) {
        self.taken.push(candidate.id);
        if !candidate.needs.is_empty() && !candidate.gated {
            self.marked.push(candidate.id);
        }
        for Need { gate, wish } in &candidate.needs {
            let Some(known) = self.known.get_mut(gate) else { continue };
            if known.state.line.any.is_some_and(|first| first < candidate.place) {
                self.passed.add(known.id, candidate.place, wish.is_exclusive());
            }
            known.state.grant(*wish, now);
            if gate.form.is_held() {
                self.held.gates.push(known.id);
                self.held.jobs.push(candidate.id);
                self.held.exclusive.push(wish.is_exclusive());
            } else if let Some(arrival) = known.state.arrival {
                self.started.insert(known.id, arrival);
            }
            if wish.is_exclusive() {
                self.held.alone.push((candidate.id, gate.name.to_string()));
            }
            if known.may_call() {
                self.opening.insert(known.id, now);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step of a statement, called from one place or two")]
    fn turn_away(&mut self, candidate: &Candidate, at: &Need, refusal: Refusal, now: Timestamp) -> bool {
        if at.gate.form.is_whole() {
            self.opens_at = self.opens_at.into_iter().chain(refusal.until()).min();
            self.closed.push(candidate.lane);
            return false;
        }
        self.parked.push(candidate.id);
        let is_lock = at.gate.form == GateForm::Lock;
        let mut stays = Vec::new();
        for need in &candidate.needs {
            let here = need.gate == at.gate;
            let is_asked = here || is_lock && need.gate.form == GateForm::Lock;
            if !is_asked {
                continue;
            }
            let Some(known) = self.known.get_mut(&need.gate) else { continue };
            self.standing.add(known.id, candidate, need, (here, is_lock));
            if is_lock {
                known.state.line.join(candidate.place, need.wish);
            }
            if here {
                known.parks = true;
                if let Some(until) = refusal.until() {
                    let soonest = self.opening.entry(known.id).or_insert(until);
                    *soonest = (*soonest).min(until);
                }
            }
            stays.push(known.id);
        }
        let left = self.stands.get(&candidate.id).into_iter().flatten().filter(|gate| !stays.contains(gate));
        let left: Vec<i64> = left.copied().collect();
        self.opening.extend(left.iter().map(|gate| (*gate, now)));
        !left.is_empty()
    }

    /// Writes what was decided but for the leases and what they [hold](Held::write).
    async fn write(&mut self, session: &Session, candidates: &[Candidate]) -> Result<(), StoreError> {
        let moved: Vec<Uuid> = candidates
            .iter()
            .map(|one| one.id)
            .filter(|id| {
                self.stands.contains_key(id) && (self.taken.contains(id) || self.parked.contains(id))
            })
            .collect();
        if !moved.is_empty() {
            session.execute(sql::gate::DROP, &[&moved]).await.during(NAME)?;
        }
        if !self.marked.is_empty() {
            session.execute(sql::gate::MARK, &[&self.marked]).await.during(NAME)?;
        }
        self.passed.write(session).await?;
        self.standing.write(session).await?;
        if !self.parked.is_empty() {
            session.execute(sql::gate::PARK, &[&self.parked]).await.during(NAME)?;
        }
        if !self.started.is_empty() {
            let (gates, arrival) = pairs(&self.started);
            session.execute(sql::gate::START, &[&gates, &arrival]).await.during(NAME)?;
        }
        if !self.opening.is_empty() {
            let (gates, at) = pairs(&self.opening);
            session.execute(sql::gate::OPEN_BY, &[&gates, &at]).await.during(NAME)?;
        }
        Ok(())
    }
}

fn pairs(given: &BTreeMap<i64, Timestamp>) -> (Vec<i64>, Vec<Instant>) {
    given.iter().map(|(gate, at)| (*gate, Instant(*at))).unzip()
}

impl Held {
    /// The numbers of what jobs hold alone.
    async fn write(&self, session: &Session) -> Result<HashMap<Uuid, Vec<Fence>>, StoreError> {
        let mut fences: HashMap<Uuid, Vec<Fence>> = HashMap::new();
        if self.gates.is_empty() {
            return Ok(fences);
        }
        let values: Values<'_> = &[&session.now, &self.gates, &self.jobs, &self.exclusive];
        let count = i64::try_from(self.alone.len()).unwrap_or(0);
        let (held, numbers) = future::join(
            session.execute(sql::gate::HOLD, values),
            session.query(sql::gate::NUMBER, &[&count]),
        )
        .await;
        held.during(NAME)?;
        for ((job, resource), number) in self.alone.iter().zip(&numbers.during(NAME)?) {
            let fence = Fence { resource: resource.clone(), number: row::unsigned(number, 0) };
            fences.entry(*job).or_default().push(fence);
        }
        Ok(fences)
    }
}

impl Passed {
    fn add(&mut self, gate: i64, place: Place, exclusive: bool) {
        self.gates.push(gate);
        self.priorities.push(place.priority.into());
        self.run_at.push(Instant(place.run_at));
        self.seqs.push(place.order.cast_signed());
        self.exclusive.push(exclusive);
    }

    async fn write(&self, session: &Session) -> Result<(), StoreError> {
        if self.gates.is_empty() {
            return Ok(());
        }
        let values: Values<'_> = &[&self.gates, &self.priorities, &self.run_at, &self.seqs, &self.exclusive];
        session.execute(sql::gate::PASS, values).await.during(NAME).map(|_| ())
    }
}

impl Standing {
    #[expect(clippy::too_many_arguments, reason = "one step of a statement, called from one place or two")]
    fn add(&mut self, gate: i64, candidate: &Candidate, need: &Need, (here, in_line): (bool, bool)) {
        let (amount, burst) = need.wish.as_numbers();
        self.gates.push(gate);
        self.jobs.push(candidate.id);
        self.lanes.push(candidate.lane);
        self.priorities.push(candidate.place.priority.into());
        self.run_at.push(Instant(candidate.place.run_at));
        self.seqs.push(candidate.place.order.cast_signed());
        self.amounts.push(amount);
        self.bursts.push(burst);
        self.here.push(here);
        self.in_line.push(in_line);
    }

    async fn write(&self, session: &Session) -> Result<(), StoreError> {
        if self.gates.is_empty() {
            return Ok(());
        }
        let values: Values<'_> = &[
            &self.gates,
            &self.jobs,
            &self.lanes,
            &self.priorities,
            &self.run_at,
            &self.seqs,
            &self.amounts,
            &self.bursts,
            &self.here,
            &self.in_line,
        ];
        session.execute(sql::gate::STAND, values).await.during(NAME).map(|_| ())
    }
}
