//! Who is called when a gate has room, or when time makes some.

use rusqlite::{Connection, OptionalExtension, params};
use windlass_core::gate::{GateState, Waiting};
use windlass_core::limits::CALLED_MAX;
use windlass_core::{Timestamp, Wish};

use super::{look, named, place};
use crate::leases::array;
use crate::row;
use crate::sql;
use crate::writer::Tx;

/// Calls those for whom the gate has room, and notes when time makes room for another. Whether it called any.
pub(crate) fn call(tx: &mut Tx<'_>, id: i64) -> rusqlite::Result<bool> {
    let (mut called, mut opens_at, mut lane) = (Vec::new(), None, i64::MIN);
    let mut state = None;
    while let Some(next) = next_lane(tx.connection, id, lane)? {
        lane = next;
        let (seqs, waiting) = first(tx.connection, id, lane)?;
        let state = match state {
            Some(state) => state,
            None => *state.insert(look(tx.connection, &named(tx.connection, id)?)?.state),
        };
        let call = GateState::call(&state, &waiting, tx.now);
        called.extend(call.jobs.iter().map(|index| seqs[*index]));
        opens_at = opens_at.into_iter().chain(call.opens_at).min();
    }
    let values = params![id, opens_at.map(Timestamp::as_micros)];
    tx.connection.prepare_cached(sql::gate::OPEN_AT)?.execute(values)?;
    if called.is_empty() {
        return Ok(false);
    }
    tx.connection.prepare_cached(sql::gate::CALL)?.execute(params![id, array(called.iter().copied())])?;
    tx.connection.prepare_cached(sql::gate::UNPARK)?.execute([array(called.into_iter())])?;
    tx.hint_work();
    Ok(true)
}

fn next_lane(connection: &Connection, gate: i64, after: i64) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(sql::gate::NEXT_LANE)?;
    statement.query_row([gate, after], |found| found.get(0)).optional()
}

/// The first of one lane that a gate turned away, in claim order.
fn first(connection: &Connection, gate: i64, lane: i64) -> rusqlite::Result<(Vec<i64>, Vec<Waiting>)> {
    let form = named(connection, gate)?.form;
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut statement = connection.prepare_cached(sql::gate::FIRST)?;
    for called in [true, false] {
        let rows = statement.query_map(params![gate, called, lane, CALLED_MAX], |found| {
            let wish = Wish::from_numbers(form, (found.get(3)?, found.get(4)?));
            Ok(Waiting { place: place(found, 0)?, wish, called: found.get(5)? })
        })?;
        for one in rows {
            waiting.push(one?);
        }
    }
    waiting.sort_unstable_by_key(|one| one.place);
    waiting.truncate(CALLED_MAX);
    Ok((waiting.iter().map(|one| one.place.order.cast_signed()).collect(), waiting))
}

/// Calls at every gate that time has opened.
pub(crate) fn open(tx: &mut Tx<'_>) -> rusqlite::Result<()> {
    let mut statement = tx.connection.prepare_cached(sql::gate::DUE)?;
    let due: Vec<i64> =
        statement.query_map([tx.now.as_micros()], |found| found.get(0))?.collect::<Result<_, _>>()?;
    due.into_iter().try_for_each(|id| call(tx, id).map(|_| ()))
}

/// When time opens a gate next for a job of these lanes that is parked there.
pub(crate) fn next_opening(connection: &Connection, lanes: &[i64]) -> rusqlite::Result<Option<Timestamp>> {
    let mut statement = connection.prepare_cached(sql::gate::OPENING)?;
    let mut rows = statement.query([])?;
    while let Some(found) = rows.next()? {
        let (id, mut lane) = (found.get(0)?, i64::MIN);
        while let Some(next) = next_lane(connection, id, lane)? {
            if lanes.contains(&next) {
                return row::instant_option(found, 1);
            }
            lane = next;
        }
    }
    Ok(None)
}
