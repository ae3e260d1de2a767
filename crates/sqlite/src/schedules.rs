//! Schedules: made, and changed by hand.

mod fire;
mod history;
mod record;

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::vtab::array::Array;
use rusqlite::{Connection, OptionalExtension, params};
use windlass_core::{JobId, Limits, NewSchedule, ProgramName, ScheduleName, Timestamp};
use windlass_store::rules::check_batch;
use windlass_store::rules::schedules as rules;
use windlass_store::{
    Actor, Backfilled, Cursor, Declared, ErrorKind, Firing, Page, PageRequest, Schedule, ScheduleEvent,
    ScheduleOutcome, ScheduleStore, StoreError,
};

use crate::error::During;
use crate::jobs::enqueue;
use crate::writer::Tx;
use crate::{SqliteStore, sql};

pub(crate) use fire::{fire, next};
use history::{has_fired, note, record_firing, sweep};
use record::{Kept, keep};

#[async_trait]
impl ScheduleStore for SqliteStore {
    async fn put_schedule(&self, schedule: NewSchedule, by: Actor) -> Result<ScheduleOutcome, StoreError> {
        const NAME: &str = "keep the schedule";
        check(&schedule, &by, &self.limits).map_err(|kind| StoreError::new(NAME, kind))?;
        self.writer.run(NAME, move |tx| put(tx, &schedule, &by, NAME)).await
    }

    async fn declare_schedules(
        &self,
        program: &ProgramName,
        schedules: Vec<NewSchedule>,
    ) -> Result<Declared, StoreError> {
        const NAME: &str = "declare schedules";
        rules::check_declared(&schedules, &self.limits)
            .map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let program = program.clone();
        self.writer.run(NAME, move |tx| declare(tx, &program, &schedules, NAME)).await
    }

    async fn schedule(&self, name: &ScheduleName) -> Result<Schedule, StoreError> {
        const NAME: &str = "read the schedule";
        let name = name.clone();
        self.readers.run(NAME, move |connection| Ok(expect(connection, &name, NAME)?.schedule)).await
    }

    async fn schedules(&self, page: PageRequest) -> Result<Page<Schedule>, StoreError> {
        const NAME: &str = "list schedules";
        self.readers.run(NAME, move |connection| list(connection, page).during(NAME)).await
    }

    async fn pause_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "pause the schedule";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let name = name.clone();
        self.writer
            .run(NAME, move |tx| {
                let Kept { schedule, .. } = expect(tx.connection, &name, NAME)?;
                let Some(paused) = rules::paused(schedule, by.clone(), tx.now) else { return Ok(()) };
                keep(tx.connection, &paused).during(NAME)?;
                note(tx, &name, ("pause", None), &by).during(NAME)
            })
            .await
    }

    async fn resume_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "resume the schedule";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let name = name.clone();
        self.writer
            .run(NAME, move |tx| {
                let Kept { id, schedule, .. } = expect(tx.connection, &name, NAME)?;
                let Some(step) = rules::resumed(schedule, tx.now) else { return Ok(()) };
                fire::write(tx, id, step).during(NAME)?;
                tx.hint_work();
                note(tx, &name, ("resume", None), &by).during(NAME)
            })
            .await
    }

    async fn delete_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "delete the schedule";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let name = name.clone();
        self.writer
            .run(NAME, move |tx| {
                let Kept { id, .. } = expect(tx.connection, &name, NAME)?;
                delete(tx.connection, id).during(NAME)?;
                note(tx, &name, ("delete", None), &by).during(NAME)
            })
            .await
    }

    async fn run_schedule(&self, name: &ScheduleName, job: JobId, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "run the schedule";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let name = name.clone();
        self.writer.run(NAME, move |tx| run(tx, (&name, job), &by, NAME)).await
    }

    async fn backfill(
        &self,
        name: &ScheduleName,
        range: (Timestamp, Timestamp),
        by: Actor,
    ) -> Result<Backfilled, StoreError> {
        const NAME: &str = "backfill the schedule";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let name = name.clone();
        self.writer.run(NAME, move |tx| backfill(tx, (&name, range), &by, NAME)).await
    }

    async fn firings(&self, name: &ScheduleName, page: PageRequest) -> Result<Page<Firing>, StoreError> {
        const NAME: &str = "read the firings";
        let name = name.clone();
        self.readers
            .run(NAME, move |connection| {
                let Kept { id, .. } = expect(connection, &name, NAME)?;
                history::firings(connection, id, page).during(NAME)
            })
            .await
    }

    async fn schedule_events(&self, name: &ScheduleName) -> Result<Vec<ScheduleEvent>, StoreError> {
        const NAME: &str = "read the events";
        let name = name.clone();
        self.readers.run(NAME, move |connection| history::events(connection, &name).during(NAME)).await
    }
}

fn check(schedule: &NewSchedule, by: &Actor, limits: &Limits) -> Result<(), ErrorKind> {
    schedule.validate(limits).and_then(|()| by.validate()).map_err(ErrorKind::Invalid)
}

/// The schedule of this name, which must be there.
fn expect(connection: &Connection, name: &ScheduleName, operation: &'static str) -> Result<Kept, StoreError> {
    find(connection, name).during(operation)?.ok_or_else(|| {
        StoreError::new(operation, ErrorKind::NotFound)
            .with_detail(format!("there is no schedule \"{name}\""))
    })
}

fn find(connection: &Connection, name: &ScheduleName) -> rusqlite::Result<Option<Kept>> {
    connection.prepare_cached(sql::schedule::READ)?.query_row([name.as_str()], Kept::of).optional()
}

fn list(connection: &Connection, page: PageRequest) -> rusqlite::Result<Page<Schedule>> {
    let limit = page.limit() as usize;
    let mut statement = connection.prepare_cached(sql::schedule::LIST)?;
    let rows = statement
        .query_map(params![page.cursor().map_or(0, Cursor::position), page.limit() + 1], Kept::of)?;
    let mut kept: Vec<Kept> = rows.collect::<Result<_, _>>()?;
    let more = kept.len() > limit;
    kept.truncate(limit);
    let next = kept.last().filter(|_| more).map(|last| Cursor::at(last.id));
    Ok(Page { items: kept.into_iter().map(|one| one.schedule).collect(), next })
}

fn put(
    tx: &mut Tx<'_>,
    asked: &NewSchedule,
    by: &Actor,
    name: &'static str,
) -> Result<ScheduleOutcome, StoreError> {
    let old = find(tx.connection, &asked.name).during(name)?.map(|kept| kept.schedule);
    let (schedule, outcome) =
        rules::put(old, asked.clone(), by, tx.now).map_err(|kind| StoreError::new(name, kind))?;
    if let Some(schedule) = schedule {
        keep(tx.connection, &schedule).during(name)?;
        note(tx, &asked.name, ("put", None), by).during(name)?;
        tx.hint_work();
    }
    Ok(outcome)
}

fn declare(
    tx: &mut Tx<'_>,
    program: &ProgramName,
    asked: &[NewSchedule],
    name: &'static str,
) -> Result<Declared, StoreError> {
    let known = of_program(tx.connection, program, asked).during(name)?;
    let (changed, told) = rules::declared(known, program, asked.to_vec(), tx.now)
        .map_err(|invalid| StoreError::invalid(name, invalid))?;
    for schedule in &changed {
        keep(tx.connection, schedule).during(name)?;
    }
    if !changed.is_empty() {
        tx.hint_work();
    }
    Ok(told)
}

fn of_program(
    connection: &Connection,
    program: &ProgramName,
    asked: &[NewSchedule],
) -> rusqlite::Result<Vec<Schedule>> {
    let names = asked.iter().map(|schedule| Value::Text(schedule.name.to_string()));
    let names = Array::new(names.collect());
    let mut statement = connection.prepare_cached(sql::schedule::OF_PROGRAM)?;
    let kept = statement.query_map(params![program.as_str(), names], Kept::of)?;
    kept.map(|kept| Ok(kept?.schedule)).collect()
}

fn delete(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    for statement in [sql::schedule::DELETE_FIRINGS, sql::schedule::DELETE] {
        connection.prepare_cached(statement)?.execute([id])?;
    }
    Ok(())
}

fn run(
    tx: &mut Tx<'_>,
    (schedule, id): (&ScheduleName, JobId),
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    let kept = expect(tx.connection, schedule, name)?.schedule;
    rules::running(&kept).map_err(|kind| StoreError::new(name, kind))?;
    let jobs = [kept.asked.job_by_hand(id)];
    check_batch(&jobs, tx.limits).map_err(|invalid| StoreError::invalid(name, invalid))?;
    let enqueued = enqueue(tx, &jobs, name)?;
    if enqueued.iter().any(|enqueued| !enqueued.repeated) {
        note(tx, schedule, ("run", Some(id)), by).during(name)?;
    }
    Ok(())
}

fn backfill(
    tx: &mut Tx<'_>,
    (schedule, range): (&ScheduleName, (Timestamp, Timestamp)),
    by: &Actor,
    name: &'static str,
) -> Result<Backfilled, StoreError> {
    let Kept { id, schedule: kept, .. } = expect(tx.connection, schedule, name)?;
    let jobs =
        rules::backfilled(&kept, range, tx.limits, tx.now).map_err(|kind| StoreError::new(name, kind))?;
    let asked = jobs.len();
    let mut ticks = Vec::with_capacity(asked);
    let mut new = Vec::with_capacity(asked);
    for (tick, job) in jobs {
        if !has_fired(tx.connection, id, tick).during(name)? {
            ticks.push(tick);
            new.push(job);
        }
    }
    let known = (asked - new.len()) as u64;
    if new.is_empty() {
        return Ok(Backfilled { jobs: Vec::new(), known });
    }
    let enqueued = enqueue(tx, &new, name)?;
    for (tick, stands) in ticks.iter().zip(&enqueued) {
        record_firing(tx.connection, id, &Firing::fired(*tick, stands.id, tx.now)).during(name)?;
    }
    let (kept, look) = rules::after_backfill(kept, enqueued.len() as u64);
    let kept = if look { sweep(tx, id, kept).during(name)? } else { kept };
    keep(tx.connection, &kept).during(name)?;
    note(tx, schedule, ("backfill", None), by).during(name)?;
    Ok(Backfilled { jobs: enqueued.iter().map(|stands| stands.id).collect(), known })
}
