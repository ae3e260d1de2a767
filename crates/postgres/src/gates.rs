//! Gates: who has what they give, who waits at them, and who is called when there is room.
//!
//! A job that a gate turns away is parked, with a lane below zero: no claim comes across it until the gate calls it. Whoever gives
//! something back only notes that the gate is to be looked at; the next claim that may take gated jobs calls those for whom there
//! is room. A job is called as soon as the gate would let it in if nobody came but those of its own lane, so whoever could claim
//! it finds it, or one of its lane that comes before it.
//!
//! Whoever looks at what a gate has given, to change it, has locked its row by a statement before; several in the order of their
//! ids. Rows of jobs are locked before gates, and nobody who has a gate waits for a job. Only who has locked the gates so may
//! change what they have given by the place of a row: nobody else moves it then.
//!
//! The tables of what is held and who is listed are empty most of the time, and full now and then. A plan that was made for empty
//! ones reads them from end to end if it can, and is kept. So the statements ask for each job by itself, in a subquery that
//! `OFFSET 0` keeps from being taken apart, where nothing but an index will do; and they change rows by their places.

mod met;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::future;
use tokio_postgres::Row;
use uuid::Uuid;
use windlass_core::gate::{GateState, Place, Waiting};
use windlass_core::limits::CALLED_MAX;
use windlass_core::{Bounds, Gate, GateForm, Need, Pace, Timestamp, Whole, Wish};
use windlass_store::{Actor, Change, ErrorKind, Noun, StoreError};

use crate::database::{Ask, Database, Session, Transaction, Values};
use crate::error::During;
use crate::lanes::Lane;
use crate::value::Instant;
use crate::workers::micros;
use crate::{audit, floors, row, sql};

pub(crate) use met::Met;

/// Most gates that one call forgets.
const FORGOTTEN_MAX: i64 = 1_000;

/// What is known of a gate.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: i64,
    pub(crate) state: GateState,
    /// Whether a job is parked there.
    pub(crate) parks: bool,
    opens_at: Option<Timestamp>,
    /// When it stood so, by the server's clock.
    at: Timestamp,
}

/// The time at which gates stood as they were read; none if there are none.
pub(crate) fn time(ask: &impl Ask, known: &BTreeMap<Gate, Known>) -> Option<Timestamp> {
    let read = known.values().map(|one| one.at).next();
    read.map(|read| ask.now().map_or(read, |now| now.0))
}

/// Reads how gates stand that this transaction has locked, or that are only looked at.
pub(crate) async fn states(
    ask: &impl Ask,
    ids: &Vec<i64>,
    operation: &'static str,
) -> Result<BTreeMap<Gate, Known>, StoreError> {
    let rows = ask.query(sql::gate::STATES, &[ids]).await.during(operation)?;
    rows.iter().map(known).collect()
}

fn known(row: &Row) -> Result<(Gate, Known), StoreError> {
    let form = row::number(row.get(1), GateForm::from_number)?;
    let mut state = GateState {
        holders: u32::try_from(row.get::<_, i64>(6)).unwrap_or(u32::MAX),
        exclusive: row.get(7),
        freed_at: row::instant_option(row, 3),
        arrival: row::instant_option(row, 4),
        first: row.get::<_, Option<i64>>(14).map(i64::cast_unsigned),
        ..GateState::default()
    };
    if form == GateForm::Lock {
        for (first, wish) in [(8, Wish::Shared), (11, Wish::Exclusive)] {
            if row.get::<_, Option<i16>>(first).is_some() {
                state.line.join(place(row, first), wish);
            }
        }
    }
    let opens_at = row::instant_option(row, 5);
    let known = Known { id: row.get(0), state, parks: row.get(15), opens_at, at: row::instant(row, 16) };
    Ok((Gate::new(form, row.get::<_, &str>(2)), known))
}

/// A place in three columns: priority, due time, enqueue order.
pub(crate) fn place(row: &Row, first: usize) -> Place {
    place_of(row.get(first), row::instant(row, first + 1), row::unsigned(row, first + 2))
}

/// The place of a job whose columns say so.
pub(crate) fn place_of(priority: i16, run_at: Timestamp, order: u64) -> Place {
    Place { priority: u8::try_from(priority).unwrap_or(u8::MAX), run_at, order }
}

/// Gates as two columns: forms and names.
pub(crate) fn columns<'a>(gates: impl Iterator<Item = &'a Gate>) -> (Vec<i16>, Vec<String>) {
    gates.map(|gate| (i16::from(gate.form.as_number()), gate.name.to_string())).unzip()
}

/// Gives back what attempts had, and takes jobs that no longer wait from the lists of gates.
pub(crate) async fn release(
    ask: &impl Ask,
    (closed, left, keys): (&Vec<Uuid>, &Vec<Uuid>, &Vec<String>),
    operation: &'static str,
) -> Result<(), StoreError> {
    if closed.is_empty() && left.is_empty() && keys.is_empty() {
        return Ok(());
    }
    prepare_release(ask, operation).await?;
    give_back(ask, (closed, left, keys), false).await.during(operation)
}

/// Sees to it that what releases is sent when it is asked for, and in its order.
pub(crate) async fn prepare_release(ask: &impl Ask, operation: &'static str) -> Result<(), StoreError> {
    ask.prepare(sql::gate::LOCK_LEFT).await.during(operation)?;
    ask.prepare(sql::gate::RELEASE).await.during(operation)
}

/// Gives back what those of these jobs had that are over, which need not be known yet.
pub(crate) async fn release_ended(ask: &impl Ask, jobs: &Vec<Uuid>) -> Result<(), tokio_postgres::Error> {
    give_back(ask, (jobs, &Vec::new(), &Vec::new()), true).await
}

async fn give_back(
    ask: &impl Ask,
    (closed, left, keys): (&Vec<Uuid>, &Vec<Uuid>, &Vec<String>),
    if_over: bool,
) -> Result<(), tokio_postgres::Error> {
    let now = ask.now();
    let (lock, release): (Values<'_>, Values<'_>) =
        (&[closed, left, keys], &[&now, closed, left, keys, &if_over]);
    // One behind the other, as what is released is looked for once the gates are locked.
    let (concerned, listed) =
        future::join(ask.query(sql::gate::LOCK_LEFT, lock), ask.query(sql::gate::RELEASE, release)).await;
    let (concerned, listed) = (concerned?, listed?);
    // Whom a whole queue or kind keeps out is listed nowhere.
    let is_whole =
        |row: &Row| GateForm::from_number(row.get::<_, i16>(1).into()).is_some_and(GateForm::is_whole);
    if !listed.is_empty() || concerned.iter().any(is_whole) {
        ask.made_work();
    }
    Ok(())
}

/// A waiting job no longer waits as it did: it is to be asked anew.
pub(crate) async fn leave(session: &Session, job: Uuid, operation: &'static str) -> Result<(), StoreError> {
    release(session, (&Vec::new(), &vec![job], &Vec::new()), operation).await?;
    session.execute(sql::gate::SHOW, &[&job]).await.during(operation).map(|_| ())
}

/// Calls at gates that time has opened, in a transaction of its own. Where those stand who were called; none if there was no such
/// gate.
pub(crate) async fn open(
    database: &Database,
    operation: &'static str,
) -> Result<Option<Vec<floors::Place>>, StoreError> {
    let session = database.call(operation).await?;
    // Most often there is none, and so nothing to begin.
    if session.query(sql::gate::DUE, &[&session.now]).await.during(operation)?.is_empty() {
        return Ok(None);
    }
    let transaction = Transaction::begin(session, operation).await?;
    let outcome = open_in(&transaction, operation).await;
    transaction.end(outcome, operation).await
}

async fn open_in(
    session: &Session,
    operation: &'static str,
) -> Result<Option<Vec<floors::Place>>, StoreError> {
    let due = session.query(sql::gate::DUE, &[&session.now]).await.during(operation)?;
    let due: Vec<i64> = due.iter().map(|row| row.get(0)).collect();
    if due.is_empty() {
        return Ok(None);
    }
    let states = states(session, &due, operation).await?;
    let rows = session.query(sql::gate::WAITING, &[&due, &limit(CALLED_MAX)]).await.during(operation)?;
    let Some(now) = time(session, &states) else { return Ok(None) };
    let calls = Calls::at(states, &rows, now);
    if !calls.jobs.is_empty() {
        session.query(sql::gate::CALL, &[&calls.called_at, &calls.jobs]).await.during(operation)?;
    }
    let values: Values<'_> = &[&calls.gates, &calls.opens_at];
    session.execute(sql::gate::OPEN_AT, values).await.during(operation)?;
    Ok(Some(calls.places))
}

/// Whom gates call.
#[derive(Debug, Default)]
struct Calls {
    called_at: Vec<i64>,
    jobs: Vec<Uuid>,
    places: Vec<floors::Place>,
    gates: Vec<i64>,
    opens_at: Vec<Option<Instant>>,
}

impl Calls {
    fn at(states: BTreeMap<Gate, Known>, rows: &[Row], now: Timestamp) -> Self {
        let mut lanes: HashMap<i64, BTreeMap<i32, Vec<&Row>>> = HashMap::new();
        for row in rows {
            lanes.entry(row.get(0)).or_default().entry(row.get(1)).or_default().push(row);
        }
        let mut calls = Self::default();
        for (gate, known) in states {
            let mut opens_at = None;
            for lane in lanes.remove(&known.id).unwrap_or_default().values() {
                let first = &lane[..lane.len().min(CALLED_MAX)];
                let waiting: Vec<Waiting> = first.iter().map(|row| waiting(row, gate.form)).collect();
                let call = known.state.call(&waiting, now);
                calls.called_at.extend(call.jobs.iter().map(|_| known.id));
                calls.jobs.extend(call.jobs.iter().map(|index| first[*index].get::<_, Uuid>(2)));
                calls.places.extend(call.jobs.iter().map(|index| place_in_lane(first[*index])));
                opens_at = opens_at.into_iter().chain(call.opens_at).min();
            }
            calls.gates.push(known.id);
            calls.opens_at.push(opens_at.map(Instant));
        }
        calls
    }
}

fn waiting(row: &Row, form: GateForm) -> Waiting {
    Waiting {
        place: place(row, 3),
        wish: Wish::from_numbers(form, (row.get(6), row.get(7))),
        called: row.get(8),
    }
}

fn place_in_lane(row: &Row) -> floors::Place {
    (row.get(1), row.get(3), row::instant(row, 4), row.get(5))
}

fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Known {
    /// What there is of a gate of which nothing is known.
    pub(crate) fn unknown() -> Self {
        Self { id: 0, state: GateState::default(), parks: false, opens_at: None, at: Timestamp::MIN }
    }

    /// Whether it has to be looked at once somebody was let in: others may be parked whom it would let in too.
    pub(crate) const fn may_call(&self) -> bool {
        self.parks || self.opens_at.is_some()
    }
}

/// The bounds of queues and kinds.
#[derive(Debug, Default)]
pub(crate) struct Wholes(BTreeMap<Whole, Bounds>);

impl Wholes {
    pub(crate) async fn read(ask: &impl Ask, operation: &'static str) -> Result<Self, StoreError> {
        let rows = ask.query(sql::gate::BOUNDS, &[]).await.during(operation)?;
        rows.iter().map(|row| Ok((whole(row)?, bounds(row)))).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn into_all(self) -> Vec<(Whole, Bounds)> {
        self.0.into_iter().collect()
    }

    /// Those of this queue or kind.
    pub(crate) fn of(&self, whole: &Whole) -> Bounds {
        self.0.get(whole).copied().unwrap_or_default()
    }

    /// What they ask of the jobs of a lane.
    pub(crate) fn needs(&self, lane: &Lane) -> Vec<Need> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let wholes = [Whole::Queue(lane.queue.clone()), Whole::Kind(lane.kind.clone())];
        let needs = |whole: &Whole| self.of(whole).needs(whole).collect::<Vec<_>>();
        wholes.iter().flat_map(needs).collect()
    }
}

fn whole(row: &Row) -> Result<Whole, StoreError> {
    Ok(match row.get::<_, i16>(0) {
        1 => Whole::Queue(row::name(row, 1)?),
        _ => Whole::Kind(row::name(row, 1)?),
    })
}

fn bounds(row: &Row) -> Bounds {
    let small = |index: usize| {
        let number: Option<i64> = row.get(index);
        number.map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    };
    let rate = small(3).map(|starts| Pace {
        starts,
        per: Duration::from_micros(row::unsigned(row, 4)),
        burst: small(5).unwrap_or(1),
    });
    Bounds { limit: small(2), rate }
}

/// Bounds a queue or a kind; what runs of it counts from now on.
pub(crate) async fn bound(
    database: &Database,
    whole: &Whole,
    (bounds, by): (Bounds, &Actor),
    operation: &'static str,
) -> Result<(), StoreError> {
    let transaction = database.begin(operation).await?;
    let outcome = bound_in(&transaction, whole, (bounds, by), operation).await;
    transaction.end(outcome, operation).await
}

async fn bound_in(
    session: &Session,
    whole: &Whole,
    (bounds, by): (Bounds, &Actor),
    operation: &'static str,
) -> Result<(), StoreError> {
    let (form, name, gate) = match whole {
        Whole::Queue(queue) => (1_i16, queue.as_str(), GateForm::QueueLimit),
        Whole::Kind(kind) => (2_i16, kind.as_str(), GateForm::KindLimit),
    };
    // A claim that is under way has not seen the bound, and would not be counted.
    session.execute(sql::gate::BAR, &[]).await.during(operation)?;
    let before = Wholes::read(session, operation).await?.of(whole);
    if bounds == Bounds::default() {
        session.execute(sql::gate::UNBOUND, &[&form, &name]).await.during(operation)?;
    } else {
        let (most, rate) = (bounds.limit.map(i64::from), bounds.rate);
        let (starts, burst) =
            (rate.map(|rate| i64::from(rate.starts)), rate.map(|rate| i64::from(rate.burst)));
        let per = rate.map(|rate| micros(rate.per));
        let values: Values<'_> = &[&form, &name, &most, &starts, &per, &burst];
        session.execute(sql::gate::BOUND, values).await.during(operation)?;
    }
    let (forms, names) = columns(std::iter::once(&Gate::new(gate, name)));
    session.execute(sql::gate::MAKE, &[&forms, &names]).await.during(operation)?;
    let locked =
        session.query(sql::gate::LOCK, &[&forms, &names, &Vec::<Uuid>::new()]).await.during(operation)?;
    let Some(id) = locked.first().map(|row| row.get::<_, i64>(0)) else {
        return Err(StoreError::new(operation, ErrorKind::Conflict));
    };
    session.execute(sql::gate::EMPTY, &[&vec![id]]).await.during(operation)?;
    if bounds.limit.is_some() {
        let (queue, kind) = if form == 1 { (Some(name), None) } else { (None, Some(name)) };
        let values: Values<'_> = &[&session.now, &id, &queue, &kind];
        session.execute(sql::gate::ADOPT, values).await.during(operation)?;
    }
    let (noun, subject) = Noun::of_whole(whole);
    let what = (noun, vec![subject.to_owned()], vec![Some(Change::of_bounds(before, bounds))]);
    audit::record_changes(session, "bound", what, (by, operation)).await?;
    session.made_work();
    Ok(())
}

/// Forgets gates that nothing is to be known of any more.
pub(crate) async fn forget(database: &Database, operation: &'static str) -> Result<(), StoreError> {
    let transaction = database.begin(operation).await?;
    let outcome = forget_in(&transaction, operation).await;
    transaction.end(outcome, operation).await
}

async fn forget_in(session: &Session, operation: &'static str) -> Result<(), StoreError> {
    let values: Values<'_> = &[&session.now, &FORGOTTEN_MAX];
    let rows = session.query(sql::gate::FORGETTABLE, values).await.during(operation)?;
    let gates: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    if !gates.is_empty() {
        session.execute(sql::gate::FORGET, &[&gates]).await.during(operation)?;
    }
    Ok(())
}
