//! Jobs that are edited by hand while they wait, and further copies of those that have ended.

use rusqlite::{OptionalExtension, params};
use windlass_core::{Job, JobId, Limits, Reason, Traits};
use windlass_store::rules::copied;
use windlass_store::rules::edits::{Edited, edited};
use windlass_store::{Actor, Change, Enqueued, ErrorKind, JobEdit, Noun, StoreError};

use super::{change, enqueue, note_change, stored_args, stored_options};
use crate::error::During;
use crate::facts::Facts;
use crate::writer::Tx;
use crate::{audit, gates, row, sql};

pub(super) fn edit(
    tx: &mut Tx<'_>,
    id: JobId,
    (edit, by, limits): (&JobEdit, &Actor, &Limits),
    name: &'static str,
) -> Result<(), StoreError> {
    let facts = Facts::expect(tx.connection, id, name)?;
    let job = read(tx, id, name)?;
    let edited = edited((&job, facts.reason), edit, limits, tx.now);
    let Some(edited) = edited.map_err(|kind| StoreError::new(name, kind))? else { return Ok(()) };
    write(tx, &facts, &edited).during(name)?;
    note_change(tx, &facts, edit.verb(), (by, Some(&edited.change))).during(name)?;
    tx.hint_work();
    Ok(())
}

fn write(tx: &mut Tx<'_>, facts: &Facts, edited: &Edited) -> rusqlite::Result<()> {
    let Edited { job, run_at, reason, .. } = edited;
    if edited.moved && facts.traits.has(Traits::GATED) {
        gates::leave(tx, facts.seq)?;
    }
    let lane = match tx.lanes.find(tx.connection, job)? {
        Some(lane) => lane,
        None => tx.lanes.make(tx.connection, job)?,
    };
    let values = params![
        facts.seq,
        lane,
        job.priority.as_number(),
        run_at.as_micros(),
        reason.map(Reason::as_number),
        stored_args(&job.args),
        stored_options(&job.options)?,
    ];
    change(tx, facts, sql::job::EDIT, values)
}

/// Makes a further copy of a final job.
pub(super) fn rerun(
    tx: &mut Tx<'_>,
    (id, copy): (JobId, JobId),
    (by, limits): (&Actor, &Limits),
    name: &'static str,
) -> Result<Enqueued, StoreError> {
    let new = copied(read(tx, id, name)?, copy).map_err(|kind| StoreError::new(name, kind))?;
    let jobs = [new];
    windlass_store::rules::check_batch(&jobs, limits)
        .map_err(|invalid| StoreError::invalid(name, invalid))?;
    let made = enqueue(tx, &jobs, name)?;
    let made = made.first().copied().ok_or_else(|| StoreError::new(name, ErrorKind::Corrupt))?;
    if !made.repeated {
        let (subject, change) = (id.to_string(), Change::of_rerun(copy));
        audit::record_change(tx, "rerun", (Noun::Job, &subject), (by, Some(&change))).during(name)?;
    }
    Ok(made)
}

fn read(tx: &Tx<'_>, id: JobId, name: &'static str) -> Result<Job, StoreError> {
    let read = || {
        let mut statement = tx.connection.prepare_cached(sql::job::READ)?;
        statement.query_row([id.as_bytes()], |found| row::job(found, tx.now)).optional()
    };
    read().during(name)?.ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))
}
