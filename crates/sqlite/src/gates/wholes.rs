//! The bounds of queues and kinds as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, Row, params};
use windlass_core::{Bounds, Gate, GateForm, Need, Pace, Whole};

use super::{look, make, mark};
use crate::lanes::Lane;
use crate::row;
use crate::sql;
use crate::writer::Tx;

/// The bounds of queues and kinds, read once per claim.
#[derive(Debug, Default)]
pub(crate) struct Wholes(BTreeMap<Whole, Bounds>);

impl Wholes {
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached(sql::gate::BOUNDS)?;
        let bounds = statement.query_map([], |found| Ok((whole(found)?, bounds(found)?)))?;
        bounds.collect::<Result<_, _>>().map(Self)
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

fn whole(found: &Row<'_>) -> rusqlite::Result<Whole> {
    Ok(match found.get(0)? {
        1 => Whole::Queue(row::name(found, 1)?),
        _ => Whole::Kind(row::name(found, 1)?),
    })
}

fn bounds(found: &Row<'_>) -> rusqlite::Result<Bounds> {
    let rate = match found.get::<_, Option<u32>>(3)? {
        Some(starts) => {
            let per = Duration::from_micros(row::unsigned(found, 4)?);
            Some(Pace { starts, per, burst: found.get(5)? })
        }
        None => None,
    };
    Ok(Bounds { limit: found.get(2)?, rate })
}

/// Bounds a queue or a kind; what runs of it counts from now on.
pub(crate) fn bound(tx: &mut Tx<'_>, whole: &Whole, bounds: Bounds) -> rusqlite::Result<()> {
    let (form, name, gate) = match whole {
        Whole::Queue(queue) => (1, queue.as_str(), GateForm::QueueLimit),
        Whole::Kind(kind) => (2, kind.as_str(), GateForm::KindLimit),
    };
    if bounds == Bounds::default() {
        tx.connection.prepare_cached(sql::gate::UNBOUND)?.execute(params![form, name])?;
    } else {
        let rate = bounds.rate;
        let per = rate.map(|rate| crate::leases::micros(rate.per));
        let values =
            params![form, name, bounds.limit, rate.map(|rate| rate.starts), per, rate.map(|rate| rate.burst)];
        tx.connection.prepare_cached(sql::gate::BOUND)?.execute(values)?;
    }
    let gate = Gate::new(gate, name);
    let id = make(tx, &gate, &look(tx.connection, &gate)?)?;
    tx.connection.prepare_cached(sql::gate::EMPTY)?.execute([id])?;
    if bounds.limit.is_some() {
        count_running(tx, whole, id)?;
    }
    tx.hint_work();
    Ok(())
}

fn count_running(tx: &Tx<'_>, whole: &Whole, id: i64) -> rusqlite::Result<()> {
    let (queue, kind) = match whole {
        Whole::Queue(queue) => (Some(queue.as_str()), None),
        Whole::Kind(kind) => (None, Some(kind.as_str())),
    };
    let mut statement = tx.connection.prepare_cached(sql::gate::RUNNING)?;
    let running = statement.query_map(params![queue, kind], |found| Ok((found.get(0)?, found.get(1)?)))?;
    let running: Vec<(i64, Option<i64>)> = running.collect::<Result<_, _>>()?;
    for (seq, since) in &running {
        let values = params![id, seq, false, since.unwrap_or(tx.now.as_micros())];
        tx.connection.prepare_cached(sql::gate::HOLD)?.execute(values)?;
    }
    mark(tx, running.into_iter().map(|(seq, _)| seq))
}
