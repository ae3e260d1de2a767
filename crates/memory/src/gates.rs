//! Gates: who has what they give, who waits at them, and who is called when there is room.
//!
//! A job that a gate turns away is parked: no claim comes across it until the gate calls it. It is called as soon as the gate
//! would let it in if nobody came but those of its own lane, so whoever could claim it finds it, or one of its lane that
//! comes before it. That is looked at whenever something is given back, somebody leaves, or time opens the gate.

use std::collections::{BTreeMap, BTreeSet};

use windlass_core::gate::{GateState, Refusal, Waiting};
use windlass_core::limits::{CALLED_MAX, HOLDERS_TOLD_MAX};
use windlass_core::{
    Bounds, Fence, Gate, GateForm, JobId, KindName, Need, QueueName, Stage, Timestamp, Whole,
};
use windlass_store::explain::GateFacts;
use windlass_store::{GateHolder, Scope};

use crate::state::{Place, Record, State};

/// Every gate that anything is known of.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    known: BTreeMap<Gate, Known>,
    /// The jobs of each order key that are not final, in the order in which they were enqueued.
    turns: BTreeMap<String, BTreeMap<u64, JobId>>,
    pub(crate) bounds: BTreeMap<Whole, Bounds>,
    /// The number of the last exclusive grant.
    fence: u64,
}

#[derive(Debug, Default)]
struct Known {
    held: BTreeMap<JobId, Hold>,
    waiting: BTreeMap<Place, Row>,
    freed_at: Option<Timestamp>,
    arrival: Option<Timestamp>,
    /// When time lets in one that is parked here.
    opens_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Hold {
    exclusive: bool,
    since: Timestamp,
}

/// A job at a gate.
#[derive(Debug)]
struct Row {
    job: JobId,
    lane: Lane,
    wish: windlass_core::Wish,
    /// Whether it was this gate that turned it away, and so calls it.
    here: bool,
    called: bool,
    /// Whether nobody may pass it who comes later.
    in_line: bool,
}

type Lane = (QueueName, KindName, u32);

/// Which gate turned a job away, and why.
#[derive(Debug)]
pub(crate) struct Turned {
    pub(crate) need: Need,
    pub(crate) refusal: Refusal,
}

impl Place {
    pub(crate) fn at_gate(self) -> windlass_core::gate::Place {
        windlass_core::gate::Place { priority: self.rank, run_at: self.run_at, order: self.order }
    }
}

impl Record {
    fn lane(&self) -> Lane {
        (self.job.queue.clone(), self.job.kind.clone(), self.job.version)
    }

    /// What a change must leave as it is for the job to stay where it waits.
    pub(crate) fn stand(&self) -> impl PartialEq + use<> {
        (self.stage, self.place(), self.lane(), self.job.options.needs())
    }
}

impl State {
    /// All that a job needs, that of its queue and kind first.
    pub(crate) fn needs(&self, record: &Record) -> Vec<Need> {
        let wholes = [Whole::Queue(record.job.queue.clone()), Whole::Kind(record.job.kind.clone())];
        let bounds = |whole: &Whole| self.gates.bounds.get(whole).copied().unwrap_or_default();
        let mut needs: Vec<Need> = wholes.iter().flat_map(|whole| bounds(whole).needs(whole)).collect();
        if record.job.options.is_gated() {
            needs.extend(record.job.options.needs());
        }
        needs
    }

    pub(crate) fn gate_state(&self, gate: &Gate) -> GateState {
        let mut state = GateState::default();
        if gate.form == GateForm::Order {
            let turns = self.gates.turns.get(&*gate.name);
            state.first = turns.and_then(|turns| turns.keys().next().copied());
        }
        if let Some(known) = self.gates.known.get(gate) {
            state.holders = u32::try_from(known.held.len()).unwrap_or(u32::MAX);
            state.exclusive = known.held.values().any(|hold| hold.exclusive);
            state.freed_at = known.freed_at;
            state.arrival = known.arrival;
            for (place, row) in known.waiting.iter().filter(|(_, row)| row.in_line) {
                state.line.join(place.at_gate(), row.wish);
            }
        }
        state
    }

    /// Asks all gates of a waiting job.
    pub(crate) fn ask_gates(&self, record: &Record, now: Timestamp) -> Result<Vec<Need>, Turned> {
        let (needs, place) = (self.needs(record), record.place().at_gate());
        for need in &needs {
            if let Some(refusal) = self.gate_state(&need.gate).refusal(need.wish, place, now) {
                return Err(Turned { need: need.clone(), refusal });
            }
        }
        Ok(needs)
    }

    /// Lets a job in whose gates were asked a moment ago.
    pub(crate) fn pass_gates(&mut self, id: JobId, needs: &[Need], now: Timestamp) -> Vec<Fence> {
        let mut fences = Vec::new();
        self.take_rows(id);
        let Some(place) = self.jobs.get(&id).map(Record::place) else { return fences };
        for Need { gate, wish } in needs {
            let mut state = self.gate_state(gate);
            state.grant(*wish, now);
            let known = self.gates.known.entry(gate.clone()).or_default();
            known.arrival = state.arrival;
            if gate.form.is_held() {
                known.held.insert(id, Hold { exclusive: wish.is_exclusive(), since: now });
            }
            // Whom it passes had their chance: what was kept for them is not kept for them again.
            for (_, row) in known.waiting.range_mut(..place) {
                row.in_line &= !(wish.is_exclusive() || row.wish.is_exclusive());
            }
            if wish.is_exclusive() {
                self.gates.fence += 1;
                fences.push(Fence { resource: gate.name.to_string(), number: self.gates.fence });
            }
        }
        fences
    }

    /// Parks a job at the gate that turned it away.
    pub(crate) fn turn_away(&mut self, id: JobId, turned: &Turned) {
        let Some(record) = self.jobs.get(&id) else { return };
        let (place, lane, needs) = (record.place(), record.lane(), record.job.options.needs());
        let left = self.take_rows(id);
        let is_lock = turned.need.gate.form == GateForm::Lock;
        let at = needs
            .into_iter()
            .filter(|need| need.gate == turned.need.gate || (is_lock && need.gate.form == GateForm::Lock));
        let mut stays = BTreeSet::new();
        for Need { gate, wish } in at {
            let here = gate == turned.need.gate;
            let known = self.gates.known.entry(gate.clone()).or_default();
            known.waiting.insert(
                place,
                Row { job: id, lane: lane.clone(), wish, here, called: false, in_line: is_lock },
            );
            if here {
                known.opens_at = known.opens_at.into_iter().chain(turned.refusal.until()).min();
            }
            stays.insert(gate);
        }
        self.set_parked(id, stays.iter().cloned().collect(), true);
        for gate in left.iter().filter(|gate| !stays.contains(gate)) {
            self.call(gate);
        }
    }

    /// Takes a job from wherever it waits, and says where it waited.
    fn take_rows(&mut self, id: JobId) -> Vec<Gate> {
        let Some(record) = self.jobs.get(&id) else { return Vec::new() };
        let (gates, place) = (record.waits_at.clone(), record.place());
        self.drop_rows(&gates, place);
        self.set_parked(id, Vec::new(), false);
        gates
    }

    fn drop_rows(&mut self, gates: &[Gate], place: Place) {
        for gate in gates {
            if let Some(known) = self.gates.known.get_mut(gate) {
                known.waiting.remove(&place);
            }
        }
    }

    fn set_parked(&mut self, id: JobId, waits_at: Vec<Gate>, parked: bool) {
        let Some(mut record) = self.jobs.remove(&id) else { return };
        self.unindex(&record);
        record.waits_at = waits_at;
        record.turned_away = parked;
        self.index(&mut record);
        self.jobs.insert(id, record);
    }

    /// A job that waited at these gates, at this place, does so no longer.
    pub(crate) fn leave_gates(&mut self, gates: &[Gate], place: Place) {
        self.drop_rows(gates, place);
        for gate in gates {
            self.call(gate);
        }
    }

    /// A job has left the jobs of its order key that are not final.
    pub(crate) fn leave_turn(&mut self, order_key: Option<&str>) {
        if let Some(key) = order_key {
            self.call(&Gate::new(GateForm::Order, key));
        }
    }

    /// Gives back what an attempt of the job had.
    pub(crate) fn give_back(&mut self, id: JobId) {
        let holds = |known: &&mut Known| known.held.contains_key(&id);
        let mut freed = Vec::new();
        for (gate, known) in &mut self.gates.known {
            if holds(&known) {
                known.held.remove(&id);
                if known.waiting.values().any(|row| row.in_line) {
                    known.freed_at = Some(self.now);
                }
                freed.push(gate.clone());
            }
        }
        for gate in freed {
            if gate.form.is_whole() {
                self.hint_work();
            }
            self.call(&gate);
        }
    }

    /// Calls those for whom the gate has room, and notes when time makes room for another.
    pub(crate) fn call(&mut self, gate: &Gate) {
        let (state, now) = (self.gate_state(gate), self.now);
        let Some(known) = self.gates.known.get_mut(gate) else { return };
        let here = || known.waiting.iter().filter(|(_, row)| row.here);
        let lanes: BTreeSet<&Lane> =
            here().filter(|(_, row)| !row.called).map(|(_, row)| &row.lane).collect();
        let (mut places, mut opens_at) = (Vec::new(), None);
        for lane in lanes {
            let first: Vec<(Place, Waiting)> = here()
                .filter(|(_, row)| row.lane == *lane)
                .take(CALLED_MAX)
                .map(|(place, row)| {
                    (*place, Waiting { place: place.at_gate(), wish: row.wish, called: row.called })
                })
                .collect();
            let waiting: Vec<Waiting> = first.iter().map(|(_, waiting)| *waiting).collect();
            let call = state.call(&waiting, now);
            places.extend(call.jobs.iter().map(|index| first[*index].0));
            opens_at = opens_at.into_iter().chain(call.opens_at).min();
        }
        known.opens_at = opens_at;
        let called: Vec<JobId> = places
            .iter()
            .filter_map(|place| {
                let row = known.waiting.get_mut(place)?;
                row.called = true;
                Some(row.job)
            })
            .collect();
        for id in &called {
            let gates = self.jobs.get(id).map(|record| record.waits_at.clone()).unwrap_or_default();
            self.set_parked(*id, gates, false);
        }
    }

    /// Calls at every gate that time has opened.
    pub(crate) fn open_gates(&mut self, now: Timestamp) {
        let due = self.gates.known.iter().filter(|(_, known)| known.opens_at.is_some_and(|at| at <= now));
        let due: Vec<Gate> = due.map(|(gate, _)| gate.clone()).collect();
        for gate in due {
            self.call(&gate);
        }
    }

    /// The jobs of a queue that are parked at gates that time has opened, and that a claim would call.
    pub(crate) fn opened<'a>(
        &'a self,
        queue: &'a QueueName,
        now: Timestamp,
    ) -> impl Iterator<Item = (Place, JobId)> + 'a {
        let open = self.gates.known.values().filter(move |known| known.opens_at.is_some_and(|at| at <= now));
        let rows = open.flat_map(|known| &known.waiting);
        rows.filter(|(_, row)| row.here && !row.called && row.lane.0 == *queue)
            .map(|(place, row)| (*place, row.job))
    }

    /// When time opens a gate next for a job of this scope that is parked there.
    pub(crate) fn next_opening(&self, scope: &Scope) -> Option<Timestamp> {
        let wanted = |row: &Row| {
            let (queue, kind, version) = &row.lane;
            row.here && !row.called && scope.admits(queue, kind, *version) && !self.is_paused(queue)
        };
        let opening = self.gates.known.values().filter(|known| known.waiting.values().any(wanted));
        opening.filter_map(|known| known.opens_at).min()
    }

    pub(crate) fn join_turn(&mut self, record: &Record) {
        if let Some(key) = record.job.options.order_key.as_ref().filter(|_| !record.stage.is_final()) {
            self.gates.turns.entry(key.clone()).or_default().insert(record.order, record.job.id);
        }
    }

    pub(crate) fn drop_turn(&mut self, record: &Record) {
        if let Some(key) = &record.job.options.order_key
            && let Some(turns) = self.gates.turns.get_mut(key)
        {
            turns.remove(&record.order);
            if turns.is_empty() {
                self.gates.turns.remove(key);
            }
        }
    }

    /// Bounds a queue or a kind; what runs of it counts from now on.
    pub(crate) fn bound(&mut self, whole: &Whole, bounds: Bounds) {
        let (form, name) = match whole {
            Whole::Queue(queue) => (GateForm::QueueLimit, queue.as_str()),
            Whole::Kind(kind) => (GateForm::KindLimit, kind.as_str()),
        };
        let is_of = |record: &Record| match whole {
            Whole::Queue(queue) => record.job.queue == *queue,
            Whole::Kind(kind) => record.job.kind == *kind,
        };
        let running = self.leased().filter(|(record, _)| is_of(record));
        let holds: BTreeMap<JobId, Hold> = running
            .map(|(record, _)| {
                (record.job.id, Hold { exclusive: false, since: record.job.started_at.unwrap_or(self.now) })
            })
            .collect();
        self.gates.known.entry(Gate::new(form, name)).or_default().held =
            if bounds.limit.is_some() { holds } else { BTreeMap::new() };
        if bounds == Bounds::default() {
            self.gates.bounds.remove(whole);
        } else {
            self.gates.bounds.insert(whole.clone(), bounds);
        }
        self.hint_work();
    }

    /// What there is to say of a gate that a job needs.
    pub(crate) fn gate_facts(&self, need: Need) -> GateFacts {
        let state = self.gate_state(&need.gate);
        let known = self.gates.known.get(&need.gate);
        let mut holders: Vec<GateHolder> = known
            .into_iter()
            .flat_map(|known| &known.held)
            .map(|(job, hold)| GateHolder { job: *job, exclusive: hold.exclusive, since: hold.since })
            .collect();
        holders.sort_by_key(|holder| (holder.since, holder.job));
        holders.truncate(HOLDERS_TOLD_MAX);
        let before = match need.gate.form {
            GateForm::Order => {
                self.gates.turns.get(&*need.gate.name).and_then(|turns| turns.values().next().copied())
            }
            _ => known.and_then(|known| known.waiting.values().find(|row| row.in_line).map(|row| row.job)),
        };
        GateFacts { need, state, holders, before }
    }

    /// What does not fit together: something held by nobody, or a job that stays parked and could run.
    pub(crate) fn gate_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (gate, known) in &self.gates.known {
            for id in known.held.keys() {
                if self.jobs.get(id).is_none_or(|record| record.lease.is_none()) {
                    faults.push(format!("{gate:?} is held by job {id}, which has no open attempt"));
                }
            }
            for (place, row) in &known.waiting {
                if self
                    .jobs
                    .get(&row.job)
                    .is_none_or(|record| record.place() != *place || record.stage != Stage::Waiting)
                {
                    faults.push(format!("job {} is listed at {gate:?}, and does not wait there", row.job));
                }
            }
        }
        faults
    }
}
