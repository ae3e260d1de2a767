//! What became of ticks, and what was done by hand.

use tokio_postgres::Row;
use uuid::Uuid;
use windlass_core::limits::SCHEDULE_EVENTS_KEPT;
use windlass_core::schedule::SkipReason;
use windlass_core::{JobId, ScheduleName, Timestamp};
use windlass_store::rules::schedules as rules;
use windlass_store::{
    Actor, Cursor, Firing, FiringOutcome, Noun, Page, PageRequest, ScheduleEvent, StoreError,
};

use super::record::column;
use crate::database::{Session, Values};
use crate::error::During;
use crate::value::{Instant, instant};
use crate::{audit, row, sql};

/// Firings in columns, as the statements that record them take them.
pub(super) struct Columns {
    pub(super) ticks: Vec<Instant>,
    pub(super) forms: Vec<i16>,
    pub(super) jobs: Vec<Option<Uuid>>,
    pub(super) until: Vec<Option<Instant>>,
    pub(super) counts: Vec<Option<i32>>,
}

impl Columns {
    pub(super) fn of(firings: &[Firing]) -> Self {
        let job = |firing: &Firing| match firing.outcome {
            FiringOutcome::Fired(job) => Some(job.as_uuid()),
            FiringOutcome::Skipped { .. } => None,
        };
        let run = |firing: &Firing| match firing.outcome {
            FiringOutcome::Fired(_) => None,
            FiringOutcome::Skipped { until, count, .. } => Some((until, count)),
        };
        Self {
            ticks: column(firings, |firing| Instant(firing.tick)),
            forms: column(firings, |firing| i16::from(firing.form())),
            jobs: column(firings, job),
            until: column(firings, |firing| instant(run(firing).map(|(until, _)| until))),
            counts: column(firings, |firing| run(firing).map(|(_, count)| count.cast_signed())),
        }
    }
}

/// Records what became of ticks. The jobs of those that were not recorded before.
pub(super) async fn record_firings(
    session: &Session,
    (id, now): (i64, Timestamp),
    firings: &[Firing],
    name: &'static str,
) -> Result<Vec<Uuid>, StoreError> {
    if firings.is_empty() {
        return Ok(Vec::new());
    }
    let columns = Columns::of(firings);
    let values: Values<'_> =
        &[&Instant(now), &id, &columns.ticks, &columns.forms, &columns.jobs, &columns.until, &columns.counts];
    let recorded = session.query(sql::schedule::RECORD_FIRINGS, values).await.during(name)?;
    Ok(recorded.iter().filter_map(|found| found.get::<_, Option<Uuid>>(0)).collect())
}

pub(super) async fn firings(
    session: &Session,
    id: i64,
    page: PageRequest,
    name: &'static str,
) -> Result<Page<Firing>, StoreError> {
    let after = page.cursor().map(|cursor| rules::entry_at(cursor.position()));
    let (tick, form) = after.map(|(tick, form)| (Instant(tick), i16::from(form))).unzip();
    let values: Values<'_> = &[&id, &tick, &form, &(i64::from(page.limit()) + 1)];
    let found = session.query(sql::schedule::FIRINGS, values).await.during(name)?;
    let mut items: Vec<Firing> = found.iter().map(firing).collect::<Result<_, _>>()?;
    let more = items.len() > page.limit() as usize;
    items.truncate(page.limit() as usize);
    let next = items.last().filter(|_| more).map(|last| Cursor::at(last.position()));
    Ok(Page { items, next })
}

fn firing(found: &Row) -> Result<Firing, StoreError> {
    let outcome = match found.get::<_, i16>(1) {
        0 => FiringOutcome::Fired(row::job_id(found, 3)),
        form => FiringOutcome::Skipped {
            until: row::instant(found, 4),
            count: found.get::<_, i32>(5).cast_unsigned(),
            reason: row::number(form, SkipReason::from_number)?,
        },
    };
    Ok(Firing { tick: row::instant(found, 0), at: row::instant(found, 2), outcome })
}

/// Forgets the part of histories that is more than is kept.
pub(super) async fn sweep(session: &Session, ids: &[i64], name: &'static str) -> Result<(), StoreError> {
    if !ids.is_empty() {
        let values: Values<'_> = &[&ids, &i64::from(rules::kept())];
        session.execute(sql::schedule::FORGET_FIRINGS, values).await.during(name)?;
    }
    Ok(())
}

/// Notes a change by hand, and keeps for ever who made it.
pub(super) async fn note(
    session: &Session,
    (schedule, now): (&ScheduleName, Timestamp),
    (verb, job, by): (&str, Option<JobId>, &Actor),
    name: &'static str,
) -> Result<(), StoreError> {
    tell(session, (schedule, now), (verb, job, by), name).await?;
    audit::record(session, verb, (Noun::Schedule, vec![schedule.to_string()]), (by, name)).await
}

/// Lets a change by hand be among what happened to the schedule.
pub(super) async fn tell(
    session: &Session,
    (schedule, now): (&ScheduleName, Timestamp),
    (verb, job, by): (&str, Option<JobId>, &Actor),
    name: &'static str,
) -> Result<(), StoreError> {
    let job = job.map(|job| job.as_uuid());
    let kept = SCHEDULE_EVENTS_KEPT.cast_signed();
    let values: Values<'_> = &[&Instant(now), &schedule.as_str(), &verb, &by.name, &by.why, &job, &kept];
    session.execute(sql::schedule::RECORD_EVENT, values).await.during(name).map(|_| ())
}

pub(super) async fn events(
    session: &Session,
    schedule: &ScheduleName,
    name: &'static str,
) -> Result<Vec<ScheduleEvent>, StoreError> {
    let found = session.query(sql::schedule::EVENTS, &[&schedule.as_str()]).await.during(name)?;
    let event = |found: &Row| ScheduleEvent {
        at: row::instant(found, 0),
        verb: found.get(1),
        by: Actor { name: found.get(2), why: found.get(3), via: None },
        job: found.get::<_, Option<Uuid>>(4).map(JobId::from_uuid),
    };
    Ok(found.iter().map(event).collect())
}
