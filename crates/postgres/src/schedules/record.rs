//! A schedule as it lies in its row.

use tokio_postgres::Row;
use uuid::Uuid;
use windlass_core::schedule::Source;
use windlass_core::{JobId, NewSchedule, Timestamp};
use windlass_store::{Actor, LastFiring, Pause, Schedule, StoreError};

use crate::database::Session;
use crate::error::During;
use crate::fates::as_json;
use crate::value::{Instant, instant};
use crate::{row, sql};

/// A schedule in the columns of `sql/schedule/read.sql`.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) id: i64,
    pub(super) schedule: Schedule,
}

impl Kept {
    pub(super) fn of(found: &Row) -> Result<Self, StoreError> {
        let asked: Option<NewSchedule> = row::parsed(found, 1)?;
        let source = match found.get::<_, Option<&str>>(2) {
            Some(_) => Source::Code(row::name(found, 2)?),
            None => Source::Operator,
        };
        let schedule = Schedule {
            asked: asked.ok_or_else(|| row::damaged("a schedule asks for nothing"))?,
            source,
            created_at: row::instant(found, 3),
            changed_at: row::instant(found, 4),
            anchor: row::instant(found, 5),
            next_tick: row::instant_option(found, 6),
            held: row::instant_option(found, 7),
            look_at: row::instant_option(found, 8),
            pause: pause(found),
            removed_at: row::instant_option(found, 12),
            last: last(found),
            fired: row::unsigned(found, 15),
            skipped: row::unsigned(found, 16),
            forgotten_until: row::instant_option(found, 17),
            error: found.get(18),
            revision: row::unsigned(found, 19),
        };
        Ok(Self { id: found.get(20), schedule })
    }
}

fn pause(found: &Row) -> Option<Pause> {
    row::instant_option(found, 9).map(|since| {
        let by = Actor {
            name: found.get::<_, Option<String>>(10).unwrap_or_default(),
            why: found.get(11),
            via: None,
        };
        Pause { since, by }
    })
}

fn last(found: &Row) -> Option<LastFiring> {
    let job = found.get::<_, Option<Uuid>>(14).map(JobId::from_uuid);
    row::instant_option(found, 13).zip(job).map(|(tick, job)| LastFiring { tick, job })
}

/// Keeps schedules, be they there or new.
pub(super) async fn keep(
    session: &Session,
    schedules: &[Schedule],
    name: &'static str,
) -> Result<(), StoreError> {
    if schedules.is_empty() {
        return Ok(());
    }
    let asked: Vec<String> =
        schedules.iter().map(|schedule| as_json(&schedule.asked)).collect::<Result<_, _>>()?;
    let by = |schedule: &Schedule| schedule.pause.as_ref().map(|pause| pause.by.clone());
    session
        .execute(
            sql::schedule::KEEP,
            &[
                &column(schedules, |schedule| schedule.name().to_string()),
                &asked,
                &column(schedules, program),
                &column(schedules, |schedule| Instant(schedule.created_at)),
                &column(schedules, |schedule| Instant(schedule.changed_at)),
                &column(schedules, |schedule| Instant(schedule.anchor)),
                &instants(schedules, |schedule| schedule.next_tick),
                &instants(schedules, |schedule| schedule.held),
                &instants(schedules, |schedule| schedule.look_at),
                &instants(schedules, |schedule| schedule.pause.as_ref().map(|pause| pause.since)),
                &column(schedules, |schedule| by(schedule).map(|by| by.name)),
                &column(schedules, |schedule| by(schedule).and_then(|by| by.why)),
                &instants(schedules, |schedule| schedule.removed_at),
                &instants(schedules, |schedule| schedule.last.map(|last| last.tick)),
                &column(schedules, |schedule| schedule.last.map(|last| last.job.as_uuid())),
                &column(schedules, |schedule| schedule.fired.cast_signed()),
                &column(schedules, |schedule| schedule.skipped.cast_signed()),
                &instants(schedules, |schedule| schedule.forgotten_until),
                &column(schedules, |schedule| schedule.error.clone()),
                &column(schedules, |schedule| schedule.revision.cast_signed()),
            ],
        )
        .await
        .during(name)?;
    Ok(())
}

fn program(schedule: &Schedule) -> Option<String> {
    match &schedule.source {
        Source::Code(program) => Some(program.to_string()),
        Source::Operator => None,
    }
}

pub(super) fn column<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

pub(super) fn instants<R>(rows: &[R], value: impl Fn(&R) -> Option<Timestamp>) -> Vec<Option<Instant>> {
    rows.iter().map(|row| instant(value(row))).collect()
}
