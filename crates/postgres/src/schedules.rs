//! Schedules: made, and changed by hand.

mod fire;
mod history;
mod import;
mod keyed;
mod record;

use async_trait::async_trait;
use uuid::Uuid;
use windlass_core::{JobId, NewJob, NewSchedule, ProgramName, ScheduleName, Timestamp};
use windlass_store::rules::check_batch;
use windlass_store::rules::schedules as rules;
use windlass_store::{
    Actor, Backfilled, Cursor, Declared, ErrorKind, Firing, Page, PageRequest, Schedule, ScheduleEvent,
    ScheduleOutcome, ScheduleStore, StoreError,
};

use crate::database::{Session, Values};
use crate::error::During;
use crate::jobs::Columns;
use crate::{Core, PostgresStore, row, sql};

pub(crate) use fire::fire;
use history::{note, record_firings, sweep};
pub use import::ScheduleRecord;
use record::{Kept, keep};

#[async_trait]
impl ScheduleStore for PostgresStore {
    async fn put_schedule(&self, schedule: NewSchedule, by: Actor) -> Result<ScheduleOutcome, StoreError> {
        const NAME: &str = "keep the schedule";
        let checked = schedule.validate(&self.core.limits).and_then(|()| by.validate());
        checked.map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = put((&self.core, &transaction), schedule, &by, NAME).await;
        let outcome = transaction.end(outcome, NAME).await?;
        if outcome != ScheduleOutcome::Unchanged {
            self.core.hint_work();
        }
        Ok(outcome)
    }

    async fn declare_schedules(
        &self,
        program: &ProgramName,
        schedules: Vec<NewSchedule>,
    ) -> Result<Declared, StoreError> {
        const NAME: &str = "declare schedules";
        rules::check_declared(&schedules, &self.core.limits)
            .map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = declare((&self.core, &transaction), program, schedules, NAME).await;
        let told = transaction.end(outcome, NAME).await?;
        if told != Declared::default() {
            self.core.hint_work();
        }
        Ok(told)
    }

    async fn schedule(&self, name: &ScheduleName) -> Result<Schedule, StoreError> {
        const NAME: &str = "read the schedule";
        let session = self.core.database.call(NAME).await?;
        Ok(expect(&session, name, NAME).await?.schedule)
    }

    async fn schedules(&self, page: PageRequest) -> Result<Page<Schedule>, StoreError> {
        const NAME: &str = "list schedules";
        let session = self.core.database.call(NAME).await?;
        list(&session, page, NAME).await
    }

    async fn pause_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "pause the schedule";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = pause(&transaction, name, &by, NAME).await;
        transaction.end(outcome, NAME).await
    }

    async fn resume_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "resume the schedule";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = resume(&transaction, name, &by, NAME).await;
        transaction.end(outcome, NAME).await?;
        self.core.hint_work();
        Ok(())
    }

    async fn delete_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "delete the schedule";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = delete(&transaction, name, &by, NAME).await;
        transaction.end(outcome, NAME).await
    }

    async fn run_schedule(&self, name: &ScheduleName, job: JobId, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "run the schedule";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        loop {
            let mut missing = Missing::default();
            let transaction = self.core.database.begin(NAME).await?;
            let asked: Asked<'_> = (&self.core, &transaction, &mut missing);
            let outcome = run(asked, (name, job), &by, NAME).await;
            let ended = transaction.end(outcome, NAME).await;
            if !missing.mend(&self.core, NAME).await? {
                ended?;
                break;
            }
        }
        self.core.hint_work();
        Ok(())
    }

    async fn backfill(
        &self,
        name: &ScheduleName,
        range: (Timestamp, Timestamp),
        by: Actor,
    ) -> Result<Backfilled, StoreError> {
        const NAME: &str = "backfill the schedule";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let told = loop {
            let mut missing = Missing::default();
            let transaction = self.core.database.begin(NAME).await?;
            let asked: Asked<'_> = (&self.core, &transaction, &mut missing);
            let outcome = backfill(asked, (name, range), &by, NAME).await;
            let ended = transaction.end(outcome, NAME).await;
            if !missing.mend(&self.core, NAME).await? {
                break ended?;
            }
        };
        if !told.jobs.is_empty() {
            self.core.hint_work();
        }
        Ok(told)
    }

    async fn firings(&self, name: &ScheduleName, page: PageRequest) -> Result<Page<Firing>, StoreError> {
        const NAME: &str = "read the firings";
        let session = self.core.database.call(NAME).await?;
        let Kept { id, .. } = expect(&session, name, NAME).await?;
        history::firings(&session, id, page, NAME).await
    }

    async fn schedule_events(&self, name: &ScheduleName) -> Result<Vec<ScheduleEvent>, StoreError> {
        const NAME: &str = "read the events";
        let session = self.core.database.call(NAME).await?;
        history::events(&session, name, NAME).await
    }
}

fn unknown(schedule: &ScheduleName, name: &'static str) -> StoreError {
    StoreError::new(name, ErrorKind::NotFound).with_detail(format!("there is no schedule \"{schedule}\""))
}

/// The schedule of this name, which must be there.
async fn expect(session: &Session, schedule: &ScheduleName, name: &'static str) -> Result<Kept, StoreError> {
    let found = session.query_opt(sql::schedule::READ, &[&schedule.as_str()]).await.during(name)?;
    found.as_ref().map(Kept::of).ok_or_else(|| unknown(schedule, name))?
}

/// The same for those who change it, with the time.
async fn lock(
    session: &Session,
    schedule: &ScheduleName,
    name: &'static str,
) -> Result<(Kept, Timestamp), StoreError> {
    let values: Values<'_> = &[&session.now, &schedule.as_str()];
    let found = session.query_opt(sql::schedule::LOCK, values).await.during(name)?;
    let found = found.ok_or_else(|| unknown(schedule, name))?;
    Ok((Kept::of(&found)?, row::instant(&found, 21)))
}

/// Keeps others from making schedules until the end of the transaction. What time it is then.
async fn guard(core: &Core, session: &Session, name: &'static str) -> Result<Timestamp, StoreError> {
    let values: Values<'_> = &[&session.now, &core.schema];
    let found = session.query_opt(sql::schedule::GUARD, values).await.during(name)?;
    found.map(|found| row::instant(&found, 0)).ok_or_else(|| row::damaged("the time is not told"))
}

async fn list(
    session: &Session,
    page: PageRequest,
    name: &'static str,
) -> Result<Page<Schedule>, StoreError> {
    let after = page.cursor().map_or(0, Cursor::position);
    let values: Values<'_> = &[&after, &(i64::from(page.limit()) + 1)];
    let found = session.query(sql::schedule::LIST, values).await.during(name)?;
    let mut kept: Vec<Kept> = found.iter().map(Kept::of).collect::<Result<_, _>>()?;
    let more = kept.len() > page.limit() as usize;
    kept.truncate(page.limit() as usize);
    let next = kept.last().filter(|_| more).map(|last| Cursor::at(last.id));
    Ok(Page { items: kept.into_iter().map(|one| one.schedule).collect(), next })
}

async fn put(
    (core, session): (&Core, &Session),
    asked: NewSchedule,
    by: &Actor,
    name: &'static str,
) -> Result<ScheduleOutcome, StoreError> {
    let now = guard(core, session, name).await?;
    let schedule = asked.name.clone();
    let old = match lock(session, &schedule, name).await {
        Ok((kept, _)) => Some(kept.schedule),
        Err(error) if *error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let (kept, outcome) = rules::put(old, asked, by, now).map_err(|kind| StoreError::new(name, kind))?;
    if let Some(kept) = kept {
        keep(session, &[kept], name).await?;
        note(session, (&schedule, now), ("put", None, by), name).await?;
    }
    Ok(outcome)
}

async fn declare(
    (core, session): (&Core, &Session),
    program: &ProgramName,
    asked: Vec<NewSchedule>,
    name: &'static str,
) -> Result<Declared, StoreError> {
    let now = guard(core, session, name).await?;
    let names: Vec<&str> = asked.iter().map(|schedule| schedule.name.as_str()).collect();
    let values: Values<'_> = &[&program.as_str(), &names];
    let found = session.query(sql::schedule::LOCK_PROGRAM, values).await.during(name)?;
    let known = found.iter().map(|found| Ok(Kept::of(found)?.schedule));
    let known: Vec<Schedule> = known.collect::<Result<_, StoreError>>()?;
    let (changed, told) =
        rules::declared(known, program, asked, now).map_err(|invalid| StoreError::invalid(name, invalid))?;
    keep(session, &changed, name).await?;
    Ok(told)
}

async fn pause(
    session: &Session,
    schedule: &ScheduleName,
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    let (kept, now) = lock(session, schedule, name).await?;
    let Some(paused) = rules::paused(kept.schedule, by.clone(), now) else { return Ok(()) };
    keep(session, &[paused], name).await?;
    note(session, (schedule, now), ("pause", None, by), name).await
}

async fn resume(
    session: &Session,
    schedule: &ScheduleName,
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    let (Kept { id, schedule: kept }, now) = lock(session, schedule, name).await?;
    let Some(step) = rules::resumed(kept, now) else { return Ok(()) };
    record_firings(session, (id, now), &step.skipped, name).await?;
    keep(session, &[step.schedule], name).await?;
    note(session, (schedule, now), ("resume", None, by), name).await
}

async fn delete(
    session: &Session,
    schedule: &ScheduleName,
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    let (Kept { id, .. }, now) = lock(session, schedule, name).await?;
    session.execute(sql::schedule::DELETE, &[&id]).await.during(name)?;
    note(session, (schedule, now), ("delete", None, by), name).await
}

async fn run(
    (core, session, missing): Asked<'_>,
    (schedule, id): (&ScheduleName, JobId),
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    let (kept, now) = lock(session, schedule, name).await?;
    rules::running(&kept.schedule).map_err(|kind| StoreError::new(name, kind))?;
    let jobs = [kept.schedule.asked.job_by_hand(id)];
    check_batch(&jobs, &core.limits).map_err(|invalid| StoreError::invalid(name, invalid))?;
    let enqueued = keyed::enqueue_all((core, session, missing), &jobs, name).await?;
    if enqueued.iter().any(|(_, is_new)| *is_new) {
        note(session, (schedule, now), ("run", Some(id), by), name).await?;
    }
    Ok(())
}

async fn backfill(
    (core, session, missing): Asked<'_>,
    (schedule, range): (&ScheduleName, (Timestamp, Timestamp)),
    by: &Actor,
    name: &'static str,
) -> Result<Backfilled, StoreError> {
    let (Kept { id, schedule: kept }, now) = lock(session, schedule, name).await?;
    let jobs =
        rules::backfilled(&kept, range, &core.limits, now).map_err(|kind| StoreError::new(name, kind))?;
    let firings: Vec<Firing> = jobs.iter().map(|(tick, job)| Firing::fired(*tick, job.id, now)).collect();
    let recorded = record_firings(session, (id, now), &firings, name).await?;
    let new = jobs.into_iter().filter(|(_, job)| recorded.contains(&job.id.as_uuid()));
    let (ticks, new): (Vec<Timestamp>, Vec<NewJob>) = new.unzip();
    let known = (firings.len() - new.len()) as u64;
    if new.is_empty() {
        return Ok(Backfilled { jobs: Vec::new(), known });
    }
    let enqueued = keyed::enqueue_all((core, session, missing), &new, name).await?;
    for ((tick, job), (stands, _)) in ticks.into_iter().zip(&new).zip(&enqueued) {
        if *stands != job.id {
            keyed::amend(session, (id, tick), *stands, name).await?;
        }
    }
    let (kept, look) = rules::after_backfill(kept, new.len() as u64);
    keep(session, &[kept], name).await?;
    if look {
        sweep(session, &[id], name).await?;
    }
    note(session, (schedule, now), ("backfill", None, by), name).await?;
    Ok(Backfilled { jobs: enqueued.iter().map(|(stands, _)| *stands).collect(), known })
}

/// Jobs whose lanes this process has not met. They are looked for, or made, once the transaction is given up: whoever holds a
/// connection must not wait for another one.
#[derive(Debug, Default)]
struct Missing(Vec<NewJob>);

/// What jobs are made with in a transaction.
type Asked<'a> = (&'a Core, &'a Session, &'a mut Missing);

impl Missing {
    /// Whether something was missing, and is there now.
    async fn mend(self, core: &Core, name: &'static str) -> Result<bool, StoreError> {
        if self.0.is_empty() {
            return Ok(false);
        }
        core.lanes.ensure(&self.0, &core.database, name).await.map(|_| true)
    }
}

/// Makes jobs that are not there yet. Which ones that were.
async fn insert(
    (core, session, missing): Asked<'_>,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Vec<Uuid>, StoreError> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id.as_uuid()).collect();
    let known = session.query(sql::job::KNOWN, &[&ids]).await.during(name)?;
    let known: Vec<Uuid> = known.iter().map(|found| found.get(0)).collect();
    let fresh: Vec<NewJob> = jobs.iter().filter(|job| !known.contains(&job.id.as_uuid())).cloned().collect();
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    let Some(lanes) = core.lanes.find(&fresh) else {
        missing.0 = fresh;
        return Err(StoreError::new(name, ErrorKind::Conflict));
    };
    let columns = Columns::of(&fresh, &lanes)?;
    let made = session.query(sql::job::INSERT, &columns.values(&session.now)).await.during(name)?;
    Ok(made.iter().map(|found| found.get(0)).collect())
}
