//! Who gates let in and whom they turn away, gathered to be written together.

use std::collections::{BTreeMap, HashMap};

use futures_util::future;
use uuid::Uuid;
use windlass_core::gate::{Place, Refusal};
use windlass_core::{Fence, Gate, GateForm, Need, Timestamp};
use windlass_store::StoreError;

use super::{Candidate, NAME, Stands};
use crate::database::{Session, Values};
use crate::error::During;
use crate::gates::Known;
use crate::value::Instant;
use crate::{row, sql};

/// Who is let in and who is turned away, gathered to be written together.
#[derive(Debug, Default)]
pub(super) struct Sorting {
    known: BTreeMap<Gate, Known>,
    stands: Stands,
    pub(super) taken: Vec<Uuid>,
    /// Those among them that have gates only by their queue or kind.
    marked: Vec<Uuid>,
    pub(super) parked: Vec<Uuid>,
    /// Lanes whose queue or kind lets nobody in.
    pub(super) closed: Vec<i32>,
    pub(super) opens_at: Option<Timestamp>,
    pub(super) held: Held,
    started: BTreeMap<i64, Timestamp>,
    passed: Passed,
    standing: Standing,
    /// When time opens gates where somebody was parked, and gates that are to be looked at again at once.
    opening: BTreeMap<i64, Timestamp>,
}

/// Columns of `gate/hold.sql`, and the names of what is held alone.
#[derive(Debug, Default)]
pub(super) struct Held {
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
    /// Nobody yet, at gates that stand like this.
    pub(super) fn at(known: BTreeMap<Gate, Known>, stands: Stands) -> Self {
        Self { known, stands, ..Self::default() }
    }

    /// Decides about one. Whether others may be called now who come before the next.
    pub(super) fn sort(&mut self, candidate: &Candidate, now: Timestamp) -> bool {
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
    pub(super) async fn write(
        &mut self,
        session: &Session,
        candidates: &[Candidate],
    ) -> Result<(), StoreError> {
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
    pub(super) async fn write(&self, session: &Session) -> Result<HashMap<Uuid, Vec<Fence>>, StoreError> {
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
