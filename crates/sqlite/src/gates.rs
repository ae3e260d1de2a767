//! Gates: who has what they give, who waits at them, and who is called when there is room.
//!
//! A job that a gate turns away is parked, with a lane below zero: no claim comes across it until the gate calls it. It is
//! called as soon as the gate would let it in if nobody came but those of its own lane, so whoever could claim it finds it,
//! or one of its lane that comes before it. That is looked at whenever something is given back, somebody leaves, or time opens
//! the gate.

mod calls;
mod wholes;

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use windlass_core::gate::{GateState, Place, Refusal};
use windlass_core::limits::LINE_GRACE;
use windlass_core::{Fence, Gate, GateForm, JobOptions, Need, Timestamp, Traits, Wish};

use crate::facts::Facts;
use crate::leases::array;
use crate::row;
use crate::sql;
use crate::writer::Tx;

pub(crate) use calls::{call, next_opening, open};
pub(crate) use wholes::{Wholes, bound};

/// Most gates that one call forgets.
const FORGOTTEN_MAX: u32 = 1_000;

/// How long a gate that was given back is remembered at least: longer than anybody in line is waited for.
const REMEMBERED: Duration = LINE_GRACE.saturating_mul(6);

/// A job as gates see it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) seq: i64,
    pub(crate) lane: i64,
    pub(crate) place: Place,
    /// All that it needs, that of its queue and kind first.
    pub(crate) needs: Vec<Need>,
}

/// Which gate turned a job away, and why.
#[derive(Debug)]
pub(crate) struct Turned {
    pub(crate) need: Need,
    pub(crate) refusal: Refusal,
}

/// What is known of a gate, and its number if anything is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    pub(crate) id: Option<i64>,
    pub(crate) state: GateState,
    crowd: Crowd,
}

/// Who may have to be called at a gate.
#[derive(Debug, Clone, Copy, Default)]
struct Crowd {
    /// Whether a job is listed there.
    is_stood: bool,
    /// Whether time is to open it.
    is_timed: bool,
}

impl Crowd {
    /// At most gates there is nobody, and nothing to do.
    const fn is_there(self) -> bool {
        self.is_stood || self.is_timed
    }

    fn of(found: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self { is_stood: found.get(first)?, is_timed: found.get(first + 1)? })
    }
}

/// What gates say to a job.
#[derive(Debug)]
pub(crate) enum Asked {
    /// It may start; of each gate what is known, in the order of its needs.
    LetIn(Vec<Known>),
    Turned(Turned),
}

fn place(found: &Row<'_>, first: usize) -> rusqlite::Result<Place> {
    Ok(Place {
        priority: found.get(first)?,
        run_at: row::instant(found, first + 1)?,
        order: row::unsigned(found, first + 2)?,
    })
}

/// Looks at a gate.
pub(crate) fn look(connection: &Connection, gate: &Gate) -> rusqlite::Result<Known> {
    let mut known = connection
        .prepare_cached(sql::gate::LOOK)?
        .query_row(params![gate.form.as_number(), &*gate.name], |found| {
            let state = GateState {
                holders: found.get(4)?,
                exclusive: found.get(5)?,
                freed_at: row::instant_option(found, 1)?,
                arrival: row::instant_option(found, 2)?,
                ..GateState::default()
            };
            Ok(Known { id: Some(found.get(0)?), state, crowd: Crowd::of(found, 6)? })
        })
        .optional()?
        .unwrap_or_default();
    if gate.form == GateForm::Order {
        let mut statement = connection.prepare_cached(sql::gate::TURN)?;
        known.state.first = statement.query_row([&*gate.name], |found| row::unsigned(found, 0)).optional()?;
    }
    if let Some(id) = known.id.filter(|_| gate.form == GateForm::Lock && known.crowd.is_stood) {
        let mut statement = connection.prepare_cached(sql::gate::LINE)?;
        for wish in [Wish::Shared, Wish::Exclusive] {
            let first = statement.query_row([id, wish.as_numbers().0], |found| place(found, 0)).optional()?;
            if let Some(first) = first {
                known.state.line.join(first, wish);
            }
        }
    }
    Ok(known)
}

fn named(connection: &Connection, id: i64) -> rusqlite::Result<Gate> {
    connection.prepare_cached(sql::gate::NAME)?.query_row([id], |found| {
        let form = row::gate_form(found, 0)?;
        Ok(Gate::new(form, found.get_ref(1)?.as_str()?))
    })
}

/// Asks all gates of a job.
pub(crate) fn ask(connection: &Connection, candidate: &Candidate, now: Timestamp) -> rusqlite::Result<Asked> {
    let mut gates = Vec::with_capacity(candidate.needs.len());
    for need in &candidate.needs {
        let known = look(connection, &need.gate)?;
        if let Some(refusal) = known.state.refusal(need.wish, candidate.place, now) {
            return Ok(Asked::Turned(Turned { need: need.clone(), refusal }));
        }
        gates.push(known);
    }
    Ok(Asked::LetIn(gates))
}

fn make(tx: &Tx<'_>, gate: &Gate, known: &Known) -> rusqlite::Result<i64> {
    match known.id {
        Some(id) => Ok(id),
        None => {
            tx.connection.prepare_cached(sql::gate::MAKE)?.insert(params![gate.form.as_number(), &*gate.name])
        }
    }
}

/// What a job was given that passed its gates: the numbers of what it holds alone, and the gates at which others may have to be
/// called now.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    pub(crate) fences: Vec<Fence>,
    pub(crate) gates: Vec<i64>,
}

/// Lets a job in whose gates were asked a moment ago, and have said this.
pub(crate) fn pass(tx: &Tx<'_>, candidate: &Candidate, gates: Vec<Known>) -> rusqlite::Result<Passed> {
    // It is listed at none but its own gates.
    if gates.iter().any(|known| known.crowd.is_stood) {
        tx.connection.prepare_cached(sql::gate::LEAVE)?.execute([candidate.seq])?;
    }
    let mut passed = Passed::default();
    for (Need { gate, wish }, mut known) in candidate.needs.iter().zip(gates) {
        let id = make(tx, gate, &known)?;
        if known.crowd.is_there() {
            passed.gates.push(id);
        }
        known.state.grant(*wish, tx.now);
        if !gate.form.is_held() {
            let arrival = known.state.arrival.unwrap_or(tx.now).as_micros();
            tx.connection.prepare_cached(sql::gate::START)?.execute([id, arrival])?;
            continue;
        }
        let values = params![id, candidate.seq, wish.is_exclusive(), tx.now.as_micros()];
        tx.connection.prepare_cached(sql::gate::HOLD)?.execute(values)?;
        let Place { priority, run_at, order } = candidate.place;
        if known.state.line.any.is_some_and(|first| first < candidate.place) {
            let values = params![id, priority, run_at.as_micros(), order.cast_signed(), wish.is_exclusive()];
            tx.connection.prepare_cached(sql::gate::PASS)?.execute(values)?;
        }
        if wish.is_exclusive() {
            let mut statement = tx.connection.prepare_cached(sql::gate::NUMBER)?;
            let number = statement.query_row([], |found| row::unsigned(found, 0))?;
            passed.fences.push(Fence { resource: gate.name.to_string(), number });
        }
    }
    Ok(passed)
}

/// Lists a job at the gate that turned it away; the caller parks it. Whether that called others, which come before what a
/// claim would look at next.
pub(crate) fn turn_away(tx: &mut Tx<'_>, candidate: &Candidate, turned: &Turned) -> rusqlite::Result<bool> {
    let left = take_off(tx, candidate.seq)?;
    let is_lock = turned.need.gate.form == GateForm::Lock;
    let mut stays = BTreeSet::new();
    for Need { gate, wish } in &candidate.needs {
        let here = *gate == turned.need.gate;
        let is_asked = here || is_lock && gate.form == GateForm::Lock;
        if !is_asked {
            continue;
        }
        let id = make(tx, gate, &look(tx.connection, gate)?)?;
        let Place { priority, run_at, order } = candidate.place;
        let (amount, burst) = wish.as_numbers();
        let (run_at, order) = (run_at.as_micros(), order.cast_signed());
        let values = params![id, priority, run_at, order, candidate.lane, amount, burst, here, is_lock];
        tx.connection.prepare_cached(sql::gate::STAND)?.execute(values)?;
        if let Some(until) = turned.refusal.until().filter(|_| here) {
            tx.connection.prepare_cached(sql::gate::OPEN_BY)?.execute([id, until.as_micros()])?;
        }
        stays.insert(id);
    }
    let mut called = false;
    for id in left.into_iter().filter(|id| !stays.contains(id)) {
        called |= call(tx, id)?;
    }
    Ok(called)
}

/// Takes a job from the lists of all gates, and says of which.
fn take_off(tx: &Tx<'_>, seq: i64) -> rusqlite::Result<Vec<i64>> {
    let mut statement = tx.connection.prepare_cached(sql::gate::STANDS)?;
    let gates: Vec<i64> = statement.query_map([seq], |found| found.get(0))?.collect::<Result<_, _>>()?;
    if !gates.is_empty() {
        tx.connection.prepare_cached(sql::gate::LEAVE)?.execute([seq])?;
    }
    Ok(gates)
}

/// Puts jobs out of the sight of claims.
pub(crate) fn park(tx: &Tx<'_>, seqs: &[i64]) -> rusqlite::Result<()> {
    if !seqs.is_empty() {
        tx.connection.prepare_cached(sql::gate::PARK)?.execute([array(seqs.iter().copied())])?;
    }
    Ok(())
}

/// Puts a job back into the sight of claims, where it is parked.
pub(crate) fn show(tx: &Tx<'_>, seq: i64) -> rusqlite::Result<()> {
    tx.connection.prepare_cached(sql::gate::UNPARK)?.execute([array(std::iter::once(seq))])?;
    Ok(())
}

/// A job no longer waits, or no longer as it did: it leaves its gates, and those behind it may go.
pub(crate) fn leave(tx: &mut Tx<'_>, seq: i64) -> rusqlite::Result<()> {
    let left = take_off(tx, seq)?;
    if !left.is_empty() {
        show(tx, seq)?;
    }
    for id in left {
        call(tx, id)?;
    }
    Ok(())
}

/// A job has ended: it also leaves those of its order key. `facts` are from before: what ran stood at no gate.
pub(crate) fn ended(tx: &mut Tx<'_>, facts: &Facts) -> rusqlite::Result<()> {
    if facts.holder.is_none() {
        leave(tx, facts.seq)?;
    }
    end_turn(tx, facts.seq)
}

/// A job that stood at no gate has ended: the next of its order key may go.
pub(crate) fn end_turn(tx: &mut Tx<'_>, seq: i64) -> rusqlite::Result<()> {
    let order_key = order_key(tx, seq)?;
    call_turn(tx, order_key.as_deref())
}

/// A job is about to be removed.
pub(crate) fn removing(tx: &mut Tx<'_>, facts: &Facts) -> rusqlite::Result<()> {
    if !facts.traits.has(Traits::GATED) {
        return Ok(());
    }
    let key = order_key(tx, facts.seq)?;
    tx.connection.prepare_cached(sql::gate::SET_ORDER)?.execute(params![facts.seq, None::<&str>])?;
    leave(tx, facts.seq)?;
    call_turn(tx, key.as_deref())
}

/// A waiting job was given what another asked for.
pub(crate) fn replaced(tx: &mut Tx<'_>, seq: i64, options: &JobOptions) -> rusqlite::Result<()> {
    let before = order_key(tx, seq)?;
    if before != options.order_key {
        tx.connection.prepare_cached(sql::gate::SET_ORDER)?.execute(params![seq, options.order_key])?;
    }
    leave(tx, seq)?;
    if before != options.order_key {
        call_turn(tx, before.as_deref())?;
    }
    Ok(())
}

/// Keeps the order key of a new job.
pub(crate) fn keep_order(tx: &Tx<'_>, seq: i64, options: &JobOptions) -> rusqlite::Result<()> {
    if let Some(key) = &options.order_key {
        tx.connection.prepare_cached(sql::gate::SET_ORDER)?.execute(params![seq, key])?;
    }
    Ok(())
}

fn order_key(tx: &Tx<'_>, seq: i64) -> rusqlite::Result<Option<String>> {
    tx.connection.prepare_cached(sql::gate::ORDER_KEY)?.query_row([seq], |found| found.get(0))
}

fn call_turn(tx: &mut Tx<'_>, order_key: Option<&str>) -> rusqlite::Result<()> {
    if let Some(key) = order_key
        && let Some(id) = look(tx.connection, &Gate::new(GateForm::Order, key))?.id
    {
        call(tx, id)?;
    }
    Ok(())
}

/// Gives back what an attempt of the job had.
pub(crate) fn give_back(tx: &mut Tx<'_>, seq: i64) -> rusqlite::Result<()> {
    let mut statement = tx.connection.prepare_cached(sql::gate::GIVE_BACK)?;
    let gates: BTreeSet<i64> = statement.query_map([seq], |found| found.get(0))?.collect::<Result<_, _>>()?;
    if gates.is_empty() {
        return Ok(());
    }
    let mut crowd = tx.connection.prepare_cached(sql::gate::CROWD)?;
    for id in gates {
        if crowd.query_row([id], |found| Crowd::of(found, 0))?.is_there() {
            tx.connection.prepare_cached(sql::gate::FREE)?.execute([id, tx.now.as_micros()])?;
            call(tx, id)?;
        }
    }
    tx.hint_work();
    Ok(())
}

/// What gates ask of a job.
pub(crate) fn candidate(connection: &Connection, seq: i64, wholes: Vec<Need>) -> rusqlite::Result<Candidate> {
    let mut statement = connection.prepare_cached(sql::gate::JOB)?;
    statement.query_row([seq], |found| {
        let options = row::options(found, 3)?;
        let mut needs = wholes;
        needs.extend(options.iter().flat_map(|options| options.needs()));
        let place =
            Place { priority: found.get(0)?, run_at: row::instant(found, 1)?, order: seq.cast_unsigned() };
        Ok(Candidate { seq, lane: found.get(2)?, place, needs })
    })
}

/// Marks jobs that have something to give back when their attempts close.
pub(crate) fn mark(tx: &Tx<'_>, seqs: impl Iterator<Item = i64>) -> rusqlite::Result<()> {
    let values = params![array(seqs), Traits::GATED.bits()];
    tx.connection.prepare_cached(sql::gate::MARK)?.execute(values)?;
    Ok(())
}

/// Forgets gates that nothing is to be known of any more.
pub(crate) fn forget(tx: &Tx<'_>) -> rusqlite::Result<()> {
    let values = params![tx.now.before(REMEMBERED).as_micros(), tx.now.as_micros(), FORGOTTEN_MAX];
    tx.connection.prepare_cached(sql::gate::FORGET)?.execute(values)?;
    Ok(())
}
