//! Firing: the jobs of the ticks that have come.

use rusqlite::{Connection, Row, params};
use windlass_core::schedule::{FAULT_LOOK, LastJob};
use windlass_core::{JobId, NewJob, ScheduleName, Timestamp};
use windlass_store::rules::check_batch;
use windlass_store::rules::schedules::{self as rules, FIRE_JOBS_MAX, FIRE_SCHEDULES_MAX, Step};
use windlass_store::{Fired, Firing, StoreError};

use super::history::{record_firing, sweep};
use super::record::{Kept, keep};
use crate::error::{During, is_fault};
use crate::jobs::enqueue;
use crate::writer::Tx;
use crate::{row, sql};

const NAME: &str = "fire schedules";

/// A schedule that it is time to look at.
enum Due {
    Readable(Box<Kept>, LastJob),
    /// One whose row makes no sense, with what is wrong with it.
    Unreadable(i64, String, String),
}

/// When it is time to look at a schedule again, if ever.
pub(crate) fn next(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    connection.prepare_cached(sql::schedule::NEXT)?.query_row([], |found| row::instant_option(found, 0))
}

pub(crate) fn fire(tx: &mut Tx<'_>) -> Result<Fired, StoreError> {
    let due = due(tx).during(NAME)?;
    let mut fired = Fired { now: tx.now, more: due.len() > FIRE_SCHEDULES_MAX, ..Fired::default() };
    for one in due.into_iter().take(FIRE_SCHEDULES_MAX) {
        if fired.jobs >= FIRE_JOBS_MAX as u64 {
            fired.more = true;
            break;
        }
        match one {
            Due::Readable(kept, last) => fire_one(tx, *kept, last, &mut fired)?,
            Due::Unreadable(id, name, problem) => {
                put_off(tx, id, (name, problem), &mut fired).during(NAME)?;
            }
        }
    }
    fired.next_at = next(tx.connection).during(NAME)?;
    Ok(fired)
}

fn due(tx: &Tx<'_>) -> rusqlite::Result<Vec<Due>> {
    let mut statement = tx.connection.prepare_cached(sql::schedule::DUE)?;
    let values = params![tx.now.as_micros(), FIRE_SCHEDULES_MAX + 1];
    let due = statement.query_map(values, |found| {
        Ok(match Kept::of(found) {
            Ok(kept) => Due::Readable(Box::new(kept), last_job(found)?),
            Err(error) => Due::Unreadable(found.get(20)?, found.get(0)?, error.to_string()),
        })
    })?;
    due.collect()
}

/// How the job of the last tick stands, behind the columns of `sql/schedule/read.sql`.
fn last_job(found: &Row<'_>) -> rusqlite::Result<LastJob> {
    if found.get_ref(21)? == rusqlite::types::ValueRef::Null || row::stage(found, 21)?.is_final() {
        return Ok(LastJob::Free);
    }
    Ok(if found.get::<_, i64>(22)? == 0 { LastJob::Waiting } else { LastJob::Begun })
}

fn fire_one(tx: &mut Tx<'_>, kept: Kept, last: LastJob, fired: &mut Fired) -> Result<(), StoreError> {
    let Kept { id, schedule } = kept;
    let mut step = rules::fired(schedule, last, tx.limits, tx.now);
    for (tick, job) in step.jobs.clone() {
        if !record_firing(tx.connection, id, &Firing::fired(tick, job.id, tx.now)).during(NAME)? {
            continue;
        }
        match make(tx, (id, tick), job)? {
            Ok(stands) => {
                fired.jobs += 1;
                step = rules::stood_in(step, tick, stands);
            }
            Err(problem) => step = rules::refused(step, tick, &problem, tx.now),
        }
    }
    fired.count(&step);
    write(tx, id, step).during(NAME)
}

/// Makes the job of a tick, and says which job stands for it; or takes back that there is one, and says what is wrong with it.
fn make(
    tx: &mut Tx<'_>,
    (id, tick): (i64, Timestamp),
    job: NewJob,
) -> Result<Result<JobId, String>, StoreError> {
    let (asked, jobs) = (job.id, [job]);
    let checked = check_batch(&jobs, tx.limits).map_err(|invalid| StoreError::invalid(NAME, invalid));
    match checked.and_then(|()| enqueue(tx, &jobs, NAME)) {
        Ok(enqueued) => {
            let stands = enqueued.first().map_or(asked, |enqueued| enqueued.id);
            if stands != asked {
                let values = params![id, tick.as_micros(), stands.as_bytes()];
                amend(tx, sql::schedule::AMEND_FIRING, values).during(NAME)?;
            }
            Ok(Ok(stands))
        }
        Err(error) if is_fault(&error) => Err(error),
        Err(error) => {
            amend(tx, sql::schedule::DROP_FIRING, params![id, tick.as_micros()]).during(NAME)?;
            Ok(Err(error.to_string()))
        }
    }
}

fn amend(tx: &Tx<'_>, statement: &str, values: impl rusqlite::Params) -> rusqlite::Result<()> {
    tx.connection.prepare_cached(statement)?.execute(values).map(|_| ())
}

/// Writes what a step says of a schedule, but for its jobs.
pub(super) fn write(tx: &Tx<'_>, id: i64, step: Step) -> rusqlite::Result<()> {
    for firing in &step.skipped {
        record_firing(tx.connection, id, firing)?;
    }
    let schedule = if step.sweep { sweep(tx, id, step.schedule)? } else { step.schedule };
    keep(tx.connection, &schedule)
}

/// Puts off a schedule that cannot be read.
fn put_off(
    tx: &Tx<'_>,
    id: i64,
    (name, problem): (String, String),
    fired: &mut Fired,
) -> rusqlite::Result<()> {
    let problem = format!("cannot be read: {problem}");
    let values = params![id, problem, tx.now.after(FAULT_LOOK).as_micros()];
    tx.connection.prepare_cached(sql::schedule::AT_FAULT)?.execute(values)?;
    if let Ok(name) = ScheduleName::new(name) {
        fired.failed.push((name, problem));
    }
    Ok(())
}
