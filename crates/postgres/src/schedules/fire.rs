//! Firing: the jobs of the ticks that have come.
//!
//! One look says which schedules are due. What is to be done is decided here, by the server's time; one statement then
//! writes all of it, for the schedules that nobody has changed in between. So two that fire at once do no harm, and neither
//! waits for the other.

use std::collections::HashSet;

use tokio_postgres::Row;
use uuid::Uuid;
use windlass_core::schedule::{FAULT_LOOK, LastJob};
use windlass_core::{NewJob, ScheduleName, Timestamp};
use windlass_store::rules::schedules::{self as rules, FIRE_JOBS_MAX, FIRE_SCHEDULES_MAX, Step};
use windlass_store::{Fired, Firing, StoreError};

use super::history::{Columns as Entries, sweep};
use super::keyed;
use super::record::{Kept, column, instants};
use crate::database::{Session, Values};
use crate::error::During;
use crate::jobs::Columns;
use crate::value::Instant;
use crate::workers::micros;
use crate::{Core, row, sql};

/// What there is to fire.
struct Look {
    now: Timestamp,
    /// When those are to be looked at that are not due.
    next_at: Option<Timestamp>,
    due: Vec<(Kept, LastJob)>,
    /// Schedules whose rows make no sense, with what is wrong with them.
    unreadable: Vec<(i64, ScheduleName, String)>,
    more: bool,
}

pub(crate) async fn fire(core: &Core, name: &'static str) -> Result<Fired, StoreError> {
    let session = core.database.call(name).await?;
    let look = look(&session, name).await?;
    let mut fired = Fired { now: look.now, next_at: look.next_at, more: look.more, ..Fired::default() };
    put_off(&session, &look, &mut fired, name).await?;
    let (mut steps, mut keyed_steps) = (Vec::new(), Vec::new());
    let mut jobs = 0;
    for (kept, last) in look.due {
        if jobs >= FIRE_JOBS_MAX {
            fired.more = true;
            break;
        }
        let step = rules::fired(kept.schedule, last, &core.limits, look.now);
        jobs += step.jobs.len();
        let rest = if keyed::is_keyed(&step) { &mut keyed_steps } else { &mut steps };
        rest.push((kept.id, step));
    }
    // Finding out about lanes may take a connection of its own.
    drop(session);
    keyed_steps.extend(without_lanes(core, &mut steps, name).await?);
    if !steps.is_empty() {
        write(core, (look.now, steps), &mut fired, name).await?;
    }
    for (id, step) in keyed_steps {
        let look_at = keyed::write(core, (id, step, look.now), &mut fired, name).await?;
        fired.next_at = look_at.into_iter().chain(fired.next_at).min();
    }
    if fired.jobs > 0 {
        // Due at their ticks, which may lie before what was claimed already.
        core.floors.forget();
        core.hint_work();
    }
    Ok(fired)
}

/// Takes those steps away whose lanes are not all there, and whatever comes after them, as jobs are in the order in which they are
/// made. A tick that has made its job already makes no new lane, whatever its schedule says by now.
async fn without_lanes(
    core: &Core,
    steps: &mut Vec<(i64, Step)>,
    name: &'static str,
) -> Result<Vec<(i64, Step)>, StoreError> {
    if core.lanes.of(&jobs_of(steps), &core.database, name).await?.is_some() {
        return Ok(Vec::new());
    }
    let is_there = |step: &(i64, Step)| core.lanes.find(&jobs_of(std::slice::from_ref(step))).is_some();
    let before = steps.iter().take_while(|step| is_there(step)).count();
    Ok(steps.split_off(before))
}

fn jobs_of(steps: &[(i64, Step)]) -> Vec<NewJob> {
    steps.iter().flat_map(|(_, step)| step.jobs.iter().map(|(_, job)| job.clone())).collect()
}

async fn look(session: &Session, name: &'static str) -> Result<Look, StoreError> {
    let limit = i64::try_from(FIRE_SCHEDULES_MAX + 1).unwrap_or(i64::MAX);
    let rows = session.query(sql::schedule::DUE, &[&session.now, &limit]).await.during(name)?;
    let first = rows.first().ok_or_else(|| row::damaged("the time is not told"))?;
    let mut look = Look {
        now: row::instant(first, 21),
        next_at: row::instant_option(first, 22),
        due: Vec::new(),
        unreadable: Vec::new(),
        more: rows.len() > FIRE_SCHEDULES_MAX,
    };
    let found =
        rows.iter().take(FIRE_SCHEDULES_MAX).filter(|found| found.get::<_, Option<i64>>(20).is_some());
    for found in found {
        match Kept::of(found) {
            Ok(kept) => look.due.push((kept, last_job(found))),
            Err(error) => look.unreadable.push((found.get(20), row::name(found, 0)?, error.to_string())),
        }
    }
    Ok(look)
}

fn last_job(found: &Row) -> LastJob {
    match found.get::<_, Option<i64>>(23) {
        None => LastJob::Free,
        Some(0) => LastJob::Waiting,
        Some(_) => LastJob::Begun,
    }
}

/// Puts off the schedules that cannot be read.
async fn put_off(
    session: &Session,
    look: &Look,
    fired: &mut Fired,
    name: &'static str,
) -> Result<(), StoreError> {
    if look.unreadable.is_empty() {
        return Ok(());
    }
    let ids = column(&look.unreadable, |(id, ..)| *id);
    let errors = column(&look.unreadable, |(.., problem)| format!("cannot be read: {problem}"));
    let values: Values<'_> = &[&session.now, &ids, &errors, &micros(FAULT_LOOK)];
    session.execute(sql::schedule::PUT_OFF, values).await.committing(name)?;
    let names = look.unreadable.iter().map(|(_, name, _)| name.clone());
    fired.failed.extend(names.zip(errors));
    fired.next_at = fired.next_at.into_iter().chain([look.now.after(FAULT_LOOK)]).min();
    Ok(())
}

/// Writes what is to be done, and takes account of what was.
async fn write(
    core: &Core,
    (now, steps): (Timestamp, Vec<(i64, Step)>),
    fired: &mut Fired,
    name: &'static str,
) -> Result<(), StoreError> {
    let jobs = jobs_of(&steps);
    let lanes = core.lanes.ensure(&jobs, &core.database, name).await?;
    let columns = Columns::of(&jobs, &lanes)?;
    let session = core.database.call(name).await?;
    let (kept, made) = record(&session, (now, &steps), &columns, name).await?;
    let written = || steps.iter().filter(|(id, _)| kept.contains(id));
    for (_, step) in written() {
        fired.count(step);
        fired.jobs += step.jobs.iter().filter(|(_, job)| made.contains(&job.id.as_uuid())).count() as u64;
    }
    // One that somebody else has changed in between is to be looked at again.
    let looks =
        steps.iter().map(|(id, step)| if kept.contains(id) { step.schedule.look_at } else { Some(now) });
    fired.next_at = looks.flatten().chain(fired.next_at).min();
    let swept: Vec<i64> = written().filter(|(_, step)| step.sweep).map(|(id, _)| *id).collect();
    sweep(&session, &swept, name).await
}

/// The schedules that were written, and the jobs of ticks that had made none.
async fn record(
    session: &Session,
    (now, steps): (Timestamp, &[(i64, Step)]),
    jobs: &Columns<'_>,
    name: &'static str,
) -> Result<(HashSet<i64>, HashSet<Uuid>), StoreError> {
    let entries = entries(steps, now);
    let owners = column(&entries, |(id, _)| *id);
    let entries = Entries::of(&column(&entries, |(_, firing)| *firing));
    let (at, ids) = (Instant(now), column(steps, |(id, _)| *id));
    let revisions = column(steps, |(_, step)| step.schedule.revision.cast_signed());
    let next_ticks = instants(steps, |(_, step)| step.schedule.next_tick);
    let held = instants(steps, |(_, step)| step.schedule.held);
    let look_at = instants(steps, |(_, step)| step.schedule.look_at);
    let last_ticks = instants(steps, |(_, step)| step.schedule.last.map(|last| last.tick));
    let last_jobs = column(steps, |(_, step)| step.schedule.last.map(|last| last.job.as_uuid()));
    let fired = column(steps, |(_, step)| step.schedule.fired.cast_signed());
    let skipped = column(steps, |(_, step)| step.schedule.skipped.cast_signed());
    let errors = column(steps, |(_, step)| step.schedule.error.clone());
    let schedules: Values<'_> = &[
        &at,
        &ids,
        &revisions,
        &next_ticks,
        &held,
        &look_at,
        &last_ticks,
        &last_jobs,
        &fired,
        &skipped,
        &errors,
    ];
    let firings: Values<'_> =
        &[&owners, &entries.ticks, &entries.forms, &entries.jobs, &entries.until, &entries.counts];
    let none = None;
    let jobs = jobs.values(&none);
    let values: Vec<_> = schedules.iter().chain(firings).chain(&jobs[1..jobs.len() - 1]).copied().collect();
    let found = session.query_opt(sql::schedule::FIRE, &values).await.committing(name)?;
    let found = found.ok_or_else(|| row::damaged("nothing is told of what was fired"))?;
    let (kept, made): (Vec<i64>, Vec<Uuid>) = (found.get(0), found.get(1));
    Ok((kept.into_iter().collect(), made.into_iter().collect()))
}

/// What becomes of every tick, with the schedule it is of.
fn entries(steps: &[(i64, Step)], now: Timestamp) -> Vec<(i64, Firing)> {
    let of_step = |(id, step): &(i64, Step)| {
        let fired = step.jobs.iter().map(|(tick, job)| Firing::fired(*tick, job.id, now));
        let entries: Vec<(i64, Firing)> =
            fired.chain(step.skipped.iter().copied()).map(|firing| (*id, firing)).collect();
        entries
    };
    steps.iter().flat_map(of_step).collect()
}
