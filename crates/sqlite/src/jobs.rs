//! Jobs: enqueued, read, and changed by hand.

mod edit;
mod insert;
pub(crate) mod notices;

pub(crate) use insert::{blobs, insert_all, stored_args, stored_options};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use windlass_core::{
    Attempt, AttemptOutcome, Fingerprint, Job, JobId, LogLine, NewJob, Reason, Stage, Timestamp, Traits,
};
use windlass_store::rules::{cancelling, check_batch, deleting, hastening, retrying};
use windlass_store::{
    Actor, CancelOutcome, Change, Cursor, Enqueued, ErrorKind, Explanation, JobEdit, JobEvent, JobFilter,
    JobStore, Noun, Page, PageRequest, StoreError,
};

use crate::effects;
use crate::error::During;
use crate::facts::Facts;
use crate::flows::{check_parents, connect, disconnect, hold_again, live_child};
use crate::maintenance::watch_deadline;
use crate::writer::Tx;
use crate::{SqliteStore, audit, explain, gates, reviews, row, sql, unique};

#[async_trait]
impl JobStore for SqliteStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, StoreError> {
        const NAME: &str = "enqueue jobs";
        check_batch(&jobs, &self.limits).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        self.writer.run_awake(NAME, move |tx| enqueue(tx, &jobs, NAME)).await
    }

    async fn job(&self, id: JobId) -> Result<Job, StoreError> {
        const NAME: &str = "read the job";
        let now = self.now();
        self.readers
            .run(NAME, move |connection| {
                let mut statement = connection.prepare_cached(sql::job::READ).during(NAME)?;
                let job =
                    statement.query_row([id.as_bytes()], |row| row::job(row, now)).optional().during(NAME)?;
                job.ok_or_else(|| StoreError::new(NAME, ErrorKind::NotFound))
            })
            .await
    }

    async fn jobs(&self, filter: JobFilter, page: PageRequest) -> Result<Page<Job>, StoreError> {
        let now = self.now();
        self.readers
            .run("list jobs", move |connection| list(connection, &filter, page, now).during("list jobs"))
            .await
    }

    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>, StoreError> {
        const NAME: &str = "read the attempts";
        self.readers
            .run(NAME, move |connection| {
                check_exists(connection, id, NAME)?;
                attempts(connection, id).during(NAME)
            })
            .await
    }

    async fn logs(&self, id: JobId, page: PageRequest) -> Result<Page<LogLine>, StoreError> {
        const NAME: &str = "read the log";
        self.readers
            .run(NAME, move |connection| {
                check_exists(connection, id, NAME)?;
                log(connection, id, page).during(NAME)
            })
            .await
    }

    async fn events(&self, id: JobId) -> Result<Vec<JobEvent>, StoreError> {
        const NAME: &str = "read the events";
        self.readers
            .run(NAME, move |connection| {
                check_exists(connection, id, NAME)?;
                events(connection, id).during(NAME)
            })
            .await
    }

    async fn explain(&self, id: JobId) -> Result<Explanation, StoreError> {
        const NAME: &str = "explain the job";
        let now = self.now();
        self.readers
            .run(NAME, move |connection| {
                explain::explain(connection, id, now)
                    .during(NAME)?
                    .ok_or_else(|| StoreError::new(NAME, ErrorKind::NotFound))
            })
            .await
    }

    async fn cancel(&self, id: JobId, by: Actor) -> Result<CancelOutcome, StoreError> {
        const NAME: &str = "cancel the job";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| cancel(tx, id, &by, NAME)).await
    }

    async fn retry(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "retry the job";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| retry(tx, id, &by, NAME)).await
    }

    async fn run_now(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "run the job now";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| run_now(tx, id, &by, NAME)).await
    }

    async fn edit(&self, id: JobId, edit: JobEdit, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "edit the job";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let limits = self.limits.clone();
        self.writer.run(NAME, move |tx| edit::edit(tx, id, (&edit, &by, &limits), NAME)).await
    }

    async fn rerun(&self, id: JobId, copy: JobId, by: Actor) -> Result<Enqueued, StoreError> {
        const NAME: &str = "rerun the job";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let limits = self.limits.clone();
        self.writer.run(NAME, move |tx| edit::rerun(tx, (id, copy), (&by, &limits), NAME)).await
    }

    async fn delete(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "delete the job";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer
            .run(NAME, move |tx| {
                let facts = Facts::expect(tx.connection, id, NAME)?;
                let needed_by = live_child(tx.connection, &facts).during(NAME)?;
                deleting(id, facts.holder.is_some(), needed_by, NAME)?;
                unique::removed(tx, &facts).during(NAME)?;
                gates::removing(tx, &facts).during(NAME)?;
                delete(tx.connection, id, facts.traits).during(NAME)?;
                let change = changing(tx, "delete", &facts);
                let subject = id.to_string();
                audit::record_change(tx, "delete", (Noun::Job, &subject), (&by, change.as_ref())).during(NAME)
            })
            .await
    }
}

/// Makes jobs known that are valid.
pub(crate) fn enqueue(
    tx: &mut Tx<'_>,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    check_parents(tx.connection, jobs, name)?;
    if jobs.iter().any(|job| job.options.unique.is_some()) {
        return unique::enqueue(tx, jobs, name);
    }
    let made = insert_all(tx, jobs).during(name)?;
    connect(tx, jobs, &made).during(name)?;
    Ok(made)
}

/// Writes a value of the model as JSON.
pub(crate) fn as_json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn list(
    connection: &Connection,
    filter: &JobFilter,
    page: PageRequest,
    now: Timestamp,
) -> rusqlite::Result<Page<Job>> {
    let states: Vec<u8> = filter.states.iter().map(|state| state.as_number()).collect();
    let limit = page.limit() as usize;
    let mut statement = connection.prepare_cached(sql::job::LIST)?;
    let mut rows = statement.query(params![
        now.as_micros(),
        page.cursor().map(Cursor::position),
        page.limit() + 1,
        any_of(&states)?,
        any_of(&filter.queues)?,
        any_of(&filter.kinds)?,
        filter.tag.as_ref().map(windlass_core::Tag::as_str),
        filter.created_since.map(Timestamp::as_micros),
        filter.roots,
        filter.finished_since.map(Timestamp::as_micros),
        filter.fingerprint.map(Fingerprint::as_number),
    ])?;
    let (mut items, mut last, mut next) = (Vec::with_capacity(limit), None, None);
    while let Some(found) = rows.next()? {
        if items.len() == limit {
            next = last.map(Cursor::at);
            break;
        }
        items.push(row::job(found, now)?);
        last = Some(found.get(25)?);
    }
    Ok(Page { items, next })
}

/// A JSON array to be matched against, or nothing where everything matches.
pub(crate) fn any_of<T: serde::Serialize>(values: &[T]) -> rusqlite::Result<Option<String>> {
    if values.is_empty() { Ok(None) } else { as_json(&values).map(Some) }
}

pub(crate) fn check_exists(
    connection: &Connection,
    id: JobId,
    operation: &'static str,
) -> Result<(), StoreError> {
    if exists(connection, id).during(operation)? {
        Ok(())
    } else {
        Err(StoreError::new(operation, ErrorKind::NotFound))
    }
}

pub(crate) fn exists(connection: &Connection, id: JobId) -> rusqlite::Result<bool> {
    connection.prepare_cached(sql::job::EXISTS)?.exists([id.as_bytes()])
}

fn attempts(connection: &Connection, id: JobId) -> rusqlite::Result<Vec<Attempt>> {
    let mut statement = connection.prepare_cached(sql::job::ATTEMPTS)?;
    let recorded = statement.query_map([id.as_bytes()], |row| {
        Ok(Attempt {
            number: row::unsigned(row, 0)?,
            worker: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            started_at: row::instant(row, 2)?,
            ended_at: row::instant_option(row, 3)?,
            outcome: AttemptOutcome::from_number(row.get(4)?),
            error: row::attempt_error(row, 5)?,
        })
    })?;
    let mut attempts: Vec<Attempt> = recorded.collect::<Result<_, _>>()?;
    attempts.extend(last_attempt(connection, id)?);
    Ok(attempts)
}

/// The attempt that has no row of its own: the open one, or the one that completed the job.
fn last_attempt(connection: &Connection, id: JobId) -> rusqlite::Result<Option<Attempt>> {
    let mut statement = connection.prepare_cached(sql::job::LAST_ATTEMPT)?;
    statement
        .query_row([id.as_bytes()], |row| {
            let open = row.get::<_, Option<i64>>(5)?.is_some();
            Ok(Attempt {
                number: row::unsigned(row, 0)?,
                worker: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                started_at: row::instant(row, 2)?,
                ended_at: if open { None } else { row::instant_option(row, 3)? },
                outcome: (!open).then_some(AttemptOutcome::Succeeded),
                error: None,
            })
        })
        .optional()
}

fn log(connection: &Connection, id: JobId, page: PageRequest) -> rusqlite::Result<Page<LogLine>> {
    let mut statement = connection.prepare_cached(sql::job::LOG)?;
    let after = page.cursor().map(Cursor::position);
    let lines = statement.query_map(params![id.as_bytes(), after, page.limit()], |row| {
        Ok((row::log_line(row)?, row.get::<_, i64>(4)?))
    })?;
    let (mut items, mut last) = (Vec::new(), after);
    for line in lines {
        let (line, position) = line?;
        items.push(line);
        last = Some(position);
    }
    Ok(Page { items, next: last.map(Cursor::at) })
}

fn events(connection: &Connection, id: JobId) -> rusqlite::Result<Vec<JobEvent>> {
    let mut statement = connection.prepare_cached(sql::job::EVENTS)?;
    let events = statement.query_map([id.as_bytes()], |row| {
        let by = Actor { name: row.get(2)?, why: row.get(3)?, via: None };
        Ok(JobEvent { at: row::instant(row, 0)?, verb: row.get(1)?, by, revision: row::unsigned(row, 4)? })
    })?;
    events.collect()
}

fn cancel(tx: &mut Tx<'_>, id: JobId, by: &Actor, name: &'static str) -> Result<CancelOutcome, StoreError> {
    let facts = Facts::expect(tx.connection, id, name)?;
    let outcome = cancelling(facts.stage).map_err(|kind| StoreError::new(name, kind))?;
    if outcome == CancelOutcome::AlreadyCancelled {
        return Ok(outcome);
    }
    stop(tx, &facts, by).during(name)?;
    Ok(outcome)
}

/// Cancels an unfinished job.
pub(crate) fn stop(tx: &mut Tx<'_>, facts: &Facts, by: &Actor) -> rusqlite::Result<()> {
    let values = params![facts.seq, Reason::Operator.as_number(), tx.now.as_micros()];
    change(tx, facts, sql::job::CANCEL, values)?;
    if let Some(holder) = facts.holder {
        tx.connection.prepare_cached(sql::worker::STOP)?.execute(params![holder, true])?;
    }
    note(tx, facts, "cancel", by)?;
    effects::ended(tx, facts, (Stage::Cancelled, Reason::Operator))?;
    tx.hint_work();
    tx.hint_ended();
    Ok(())
}

fn retry(tx: &mut Tx<'_>, id: JobId, by: &Actor, name: &'static str) -> Result<(), StoreError> {
    let facts = Facts::expect(tx.connection, id, name)?;
    retrying(facts.stage, facts.reason, facts.holder.is_some())
        .map_err(|kind| StoreError::new(name, kind))?;
    unique::retake(tx, std::iter::once(&facts), name)?;
    put_back(tx, &facts, by).during(name)?;
    if facts.stage.is_final() && facts.traits.has(Traits::PARENT | Traits::CHILD) {
        hold_again(tx, &[id]).during(name)?;
    }
    Ok(())
}

/// Gives a job a new budget, due now.
pub(crate) fn put_back(tx: &mut Tx<'_>, facts: &Facts, by: &Actor) -> rusqlite::Result<()> {
    if facts.traits.has(Traits::GATED) {
        // Its place changes.
        gates::leave(tx, facts.seq)?;
    }
    change(tx, facts, sql::job::RETRY, params![facts.seq, tx.now.as_micros()])?;
    reviews::resume(tx, facts)?;
    watch_deadline(tx, facts.seq, facts.deadline)?;
    note(tx, facts, "retry", by)?;
    tx.hint_work();
    Ok(())
}

fn run_now(tx: &mut Tx<'_>, id: JobId, by: &Actor, name: &'static str) -> Result<(), StoreError> {
    let facts = Facts::expect(tx.connection, id, name)?;
    hastening(facts.stage).map_err(|kind| StoreError::new(name, kind))?;
    if facts.run_at <= tx.now {
        return Ok(());
    }
    change(tx, &facts, sql::job::RUN_NOW, params![facts.seq, tx.now.as_micros()]).during(name)?;
    note(tx, &facts, "run_now", by).during(name)?;
    tx.hint_work();
    Ok(())
}

/// Runs a statement that changes the one job we have just looked at, within the same transaction.
pub(crate) fn change(
    tx: &Tx<'_>,
    facts: &Facts,
    statement: &str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<()> {
    let changed = tx.connection.prepare_cached(statement)?.execute(values)?;
    assert!(changed == 1, "job {} was there a moment ago, in this very transaction", facts.id);
    Ok(())
}

/// Keeps who made the change that was just made.
pub(crate) fn note(tx: &Tx<'_>, facts: &Facts, verb: &str, by: &Actor) -> rusqlite::Result<()> {
    note_change(tx, facts, verb, (by, changing(tx, verb, facts).as_ref()))
}

/// The same, with what was changed.
fn note_change(
    tx: &Tx<'_>,
    facts: &Facts,
    verb: &str,
    (by, change): (&Actor, Option<&Change>),
) -> rusqlite::Result<()> {
    tell(tx, facts, verb, by)?;
    audit::record_change(tx, verb, (Noun::Job, &facts.id.to_string()), (by, change))
}

/// What this verb changes of a job that was read before it.
fn changing(tx: &Tx<'_>, verb: &str, facts: &Facts) -> Option<Change> {
    Change::of_job(verb, facts.before(tx.now), tx.now)
}

/// Lets the change that was just made be among what happened to the job.
pub(crate) fn tell(tx: &Tx<'_>, facts: &Facts, verb: &str, by: &Actor) -> rusqlite::Result<()> {
    let mut statement = tx.connection.prepare_cached(sql::job::RECORD_EVENT)?;
    let revision = facts.revision + 1;
    statement.execute(params![facts.id.as_bytes(), revision, tx.now.as_micros(), verb, by.name, by.why])?;
    Ok(())
}

/// Removes a job and all that is kept of it.
pub(crate) fn delete(connection: &Connection, id: JobId, traits: Traits) -> rusqlite::Result<()> {
    disconnect(connection, id, traits)?;
    reviews::delete(connection, id, traits)?;
    for statement in
        [sql::job::DELETE_ATTEMPTS, sql::job::DELETE_LOG, sql::job::DELETE_EVENTS, sql::job::DELETE]
    {
        connection.prepare_cached(statement)?.execute([id.as_bytes()])?;
    }
    Ok(())
}
