//! The lead: a lease by the store's clock, in one row.

use rusqlite::{OptionalExtension, params};
use windlass_core::WorkerId;
use windlass_store::Leadership;
use windlass_store::rules::{leading, resigned};

use crate::writer::Tx;
use crate::{row, schedules, sql};

/// Takes the lead, keeps it, or finds out who has it; that changes nothing.
pub(crate) fn lead(tx: &Tx<'_>, candidate: WorkerId) -> rusqlite::Result<Leadership> {
    let last = read(tx)?;
    let leadership = leading(last, candidate, tx.now);
    if last != Some(leadership) {
        keep(tx, leadership)?;
    }
    Ok(Leadership { look_at: schedules::next(tx.connection)?, ..leadership })
}

pub(crate) fn resign(tx: &Tx<'_>, leader: WorkerId) -> rusqlite::Result<()> {
    match resigned(read(tx)?, leader, tx.now) {
        Some(leadership) => keep(tx, leadership),
        None => Ok(()),
    }
}

fn read(tx: &Tx<'_>) -> rusqlite::Result<Option<Leadership>> {
    let mut statement = tx.connection.prepare_cached(sql::leader::READ)?;
    let leadership = statement.query_row([], |found| {
        let term: i64 = found.get(1)?;
        Ok(Leadership {
            leader: WorkerId::from_bytes(found.get(0)?),
            term: term.cast_unsigned(),
            until: row::instant(found, 2)?,
            look_at: None,
        })
    });
    leadership.optional()
}

fn keep(tx: &Tx<'_>, leadership: Leadership) -> rusqlite::Result<()> {
    let Leadership { leader, term, until, .. } = leadership;
    let values = params![leader.as_bytes(), term.cast_signed(), until.as_micros()];
    tx.connection.prepare_cached(sql::leader::KEEP)?.execute(values)?;
    Ok(())
}
