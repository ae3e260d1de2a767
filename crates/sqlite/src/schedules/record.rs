//! A schedule as it lies in its row.

use rusqlite::{Connection, Row, params};
use windlass_core::schedule::Source;
use windlass_core::{NewSchedule, Timestamp};
use windlass_store::{Actor, LastFiring, Pause, Schedule};

use crate::jobs::as_json;
use crate::{row, sql};

/// A schedule in the columns of `sql/schedule/read.sql`.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) id: i64,
    pub(super) schedule: Schedule,
}

impl Kept {
    pub(super) fn of(found: &Row<'_>) -> rusqlite::Result<Self> {
        let asked: Option<NewSchedule> = row::parsed(found, 1)?;
        let asked = asked.ok_or_else(|| rusqlite::Error::InvalidColumnName("asked".to_owned()))?;
        let source = match found.get_ref(2)? {
            rusqlite::types::ValueRef::Null => Source::Operator,
            _ => Source::Code(row::name(found, 2)?),
        };
        let schedule = Schedule {
            asked,
            source,
            created_at: row::instant(found, 3)?,
            changed_at: row::instant(found, 4)?,
            anchor: row::instant(found, 5)?,
            next_tick: row::instant_option(found, 6)?,
            held: row::instant_option(found, 7)?,
            look_at: row::instant_option(found, 8)?,
            pause: pause(found)?,
            removed_at: row::instant_option(found, 12)?,
            last: last(found)?,
            fired: row::unsigned(found, 15)?,
            skipped: row::unsigned(found, 16)?,
            forgotten_until: row::instant_option(found, 17)?,
            error: found.get(18)?,
            revision: row::unsigned(found, 19)?,
        };
        Ok(Self { id: found.get(20)?, schedule })
    }
}

fn pause(found: &Row<'_>) -> rusqlite::Result<Option<Pause>> {
    Ok(match row::instant_option(found, 9)? {
        Some(since) => {
            Some(Pause { since, by: Actor { name: found.get(10)?, why: found.get(11)?, via: None } })
        }
        None => None,
    })
}

fn last(found: &Row<'_>) -> rusqlite::Result<Option<LastFiring>> {
    Ok(match row::instant_option(found, 13)? {
        Some(tick) => Some(LastFiring { tick, job: row::job_id(found, 14)? }),
        None => None,
    })
}

/// Keeps a schedule, be it there or new.
pub(super) fn keep(connection: &Connection, schedule: &Schedule) -> rusqlite::Result<()> {
    let program = match &schedule.source {
        Source::Code(program) => Some(program.as_str()),
        Source::Operator => None,
    };
    let micros = |instant: Option<Timestamp>| instant.map(Timestamp::as_micros);
    let by = schedule.pause.as_ref().map(|pause| &pause.by);
    connection.prepare_cached(sql::schedule::KEEP)?.execute(params![
        schedule.name().as_str(),
        as_json(&schedule.asked)?,
        program,
        schedule.created_at.as_micros(),
        schedule.changed_at.as_micros(),
        schedule.anchor.as_micros(),
        micros(schedule.next_tick),
        micros(schedule.held),
        micros(schedule.look_at),
        micros(schedule.pause.as_ref().map(|pause| pause.since)),
        by.map(|by| &by.name),
        by.and_then(|by| by.why.as_ref()),
        micros(schedule.removed_at),
        micros(schedule.last.map(|last| last.tick)),
        schedule.last.map(|last| *last.job.as_bytes()),
        schedule.fired,
        schedule.skipped,
        micros(schedule.forgotten_until),
        schedule.error,
        schedule.revision,
    ])?;
    Ok(())
}
