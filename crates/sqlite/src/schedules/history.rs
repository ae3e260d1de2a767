//! What became of ticks, and what was done by hand.

use rusqlite::{Connection, OptionalExtension, Row, params};
use windlass_core::limits::SCHEDULE_EVENTS_KEPT;
use windlass_core::schedule::SkipReason;
use windlass_core::{JobId, ScheduleName, Timestamp};
use windlass_store::rules::schedules as rules;
use windlass_store::{
    Actor, Cursor, Firing, FiringOutcome, Noun, Page, PageRequest, Schedule, ScheduleEvent,
};

use crate::writer::Tx;
use crate::{audit, row, sql};

/// Records what became of a tick; false where it has made its job already.
pub(super) fn record_firing(connection: &Connection, id: i64, firing: &Firing) -> rusqlite::Result<bool> {
    let (job, until, count) = match firing.outcome {
        FiringOutcome::Fired(job) => (Some(*job.as_bytes()), None, None),
        FiringOutcome::Skipped { until, count, .. } => (None, Some(until.as_micros()), Some(count)),
    };
    let values =
        params![id, firing.tick.as_micros(), firing.form(), firing.at.as_micros(), job, until, count];
    Ok(connection.prepare_cached(sql::schedule::RECORD_FIRING)?.execute(values)? == 1)
}

/// Whether the tick has made its job.
pub(super) fn has_fired(connection: &Connection, id: i64, tick: Timestamp) -> rusqlite::Result<bool> {
    connection.prepare_cached(sql::schedule::HAS_FIRED)?.exists(params![id, tick.as_micros()])
}

pub(super) fn firings(connection: &Connection, id: i64, page: PageRequest) -> rusqlite::Result<Page<Firing>> {
    let after = page.cursor().map(|cursor| rules::entry_at(cursor.position()));
    let (tick, form) = after.unzip();
    let limit = page.limit() as usize;
    let mut statement = connection.prepare_cached(sql::schedule::FIRINGS)?;
    let values = params![id, tick.map(Timestamp::as_micros), form, page.limit() + 1];
    let mut items: Vec<Firing> = statement.query_map(values, firing)?.collect::<Result<_, _>>()?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| Cursor::at(last.position()));
    Ok(Page { items, next })
}

fn firing(found: &Row<'_>) -> rusqlite::Result<Firing> {
    let outcome = match found.get(1)? {
        0 => FiringOutcome::Fired(row::job_id(found, 3)?),
        _ => FiringOutcome::Skipped {
            until: row::instant(found, 4)?,
            count: found.get(5)?,
            reason: row::number(found, 1, SkipReason::from_number)?,
        },
    };
    Ok(Firing { tick: row::instant(found, 0)?, at: row::instant(found, 2)?, outcome })
}

/// Forgets the part of a history that is more than is kept.
pub(super) fn sweep(tx: &Tx<'_>, id: i64, schedule: Schedule) -> rusqlite::Result<Schedule> {
    let mut statement = tx.connection.prepare_cached(sql::schedule::OLDEST_KEPT)?;
    let found = statement
        .query_row(params![id, rules::kept()], |found| Ok((row::instant(found, 0)?, found.get::<_, u8>(1)?)));
    let Some((tick, form)) = found.optional()? else { return Ok(schedule) };
    let values = params![id, tick.as_micros(), form];
    tx.connection.prepare_cached(sql::schedule::FORGET_FIRINGS)?.execute(values)?;
    Ok(rules::forgotten(schedule, tick))
}

/// Notes a change by hand.
pub(super) fn note(
    tx: &Tx<'_>,
    name: &ScheduleName,
    (verb, job): (&str, Option<JobId>),
    by: &Actor,
) -> rusqlite::Result<()> {
    let job = job.map(|job| *job.as_bytes());
    let values = params![name.as_str(), tx.now.as_micros(), verb, by.name, by.why, job];
    tx.connection.prepare_cached(sql::schedule::RECORD_EVENT)?.execute(values)?;
    let values = params![name.as_str(), SCHEDULE_EVENTS_KEPT];
    tx.connection.prepare_cached(sql::schedule::FORGET_EVENTS)?.execute(values)?;
    audit::record(tx, verb, (Noun::Schedule, name.as_str()), by)
}

pub(super) fn events(connection: &Connection, name: &ScheduleName) -> rusqlite::Result<Vec<ScheduleEvent>> {
    let mut statement = connection.prepare_cached(sql::schedule::EVENTS)?;
    let events = statement.query_map([name.as_str()], |found| {
        let job = found.get::<_, Option<[u8; 16]>>(4)?.map(JobId::from_bytes);
        let by = Actor { name: found.get(2)?, why: found.get(3)?, via: None };
        Ok(ScheduleEvent { at: row::instant(found, 0)?, verb: found.get(1)?, by, job })
    })?;
    events.collect()
}
