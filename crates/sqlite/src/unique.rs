//! Unique keys: who has each, and what follows when they are asked for, let go of and taken back.
//!
//! There is one writer, so what it reads of a key in a transaction stays true until the transaction ends. Everything that is
//! refused is refused before anything is written.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, Row, params};
use windlass_core::limits::ANSWER_KEPT;
use windlass_core::{Due, JobId, NewJob, Reason, Timestamp, Traits, UniqueKey};
use windlass_store::unique::{
    Change, Hold, Kept, KeyRow, KeyState, LetGo, Made, NextInLine, Plan, Returning, let_go,
    outcome_from_number, outcome_number, plan, remembered, stand_in,
};
use windlass_store::{EnqueueOutcome, Enqueued, ErrorKind, StoreError};

use crate::error::During;
use crate::facts::Facts;
use crate::flows::{check_parents, connect};
use crate::gates;
use crate::jobs::{blobs, insert_all, stored_args, stored_options};
use crate::maintenance::watch_deadline;
use crate::moving::refuse_answer;
use crate::writer::Tx;
use crate::{row, sql};

/// Most keys, and most answers, that one call forgets.
const FORGOTTEN_MAX: u32 = 1_000;

/// Makes jobs known of which some ask for a key.
pub(crate) fn enqueue(
    tx: &mut Tx<'_>,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    refuse_answer(tx.connection, name)?;
    let (known, keys) = (known(tx, jobs).during(name)?, states(tx.connection, jobs).during(name)?);
    let plan = plan(jobs, &known, keys, tx.now).map_err(|refused| refused.error(name, jobs.len()))?;
    let mut jobs = jobs.to_vec();
    stand_in(&mut jobs, &plan).map_err(|invalid| StoreError::invalid(name, invalid))?;
    check_parents(tx.connection, &jobs, name)?;
    carry_out(tx, &plan, &jobs).during(name)?;
    Ok(plan.answers)
}

/// What was answered to those of these jobs that were enqueued before.
fn known(tx: &Tx<'_>, jobs: &[NewJob]) -> rusqlite::Result<HashMap<JobId, Enqueued>> {
    let named: Vec<&NewJob> = jobs.iter().filter(|job| !job.drawn).collect();
    if named.is_empty() {
        return Ok(HashMap::new());
    }
    let keyed = named.iter().filter(|job| job.options.unique.is_some());
    let mut known = answered(tx, keyed.map(|job| job.id))?;
    // One that is there was made itself.
    let ids = blobs(named.iter().map(|job| job.id.as_bytes().as_slice()));
    let mut statement = tx.connection.prepare_cached(sql::job::KNOWN)?;
    let made = statement.query_map([ids], |found| row::job_id(found, 0))?;
    for id in made {
        let id = id?;
        known.insert(id, Enqueued { id, outcome: EnqueueOutcome::Created, repeated: true });
    }
    Ok(known)
}

/// What is remembered of jobs of these ids that were not made.
fn answered(tx: &Tx<'_>, ids: impl Iterator<Item = JobId>) -> rusqlite::Result<HashMap<JobId, Enqueued>> {
    let ids: Vec<JobId> = ids.collect();
    let mut statement = tx.connection.prepare_cached(sql::unique::ANSWERED)?;
    let found = statement.query_map([blobs(ids.iter().map(|id| id.as_bytes().as_slice()))], |found| {
        let outcome = row::number(found, 2, outcome_from_number)?;
        let answer = remembered(row::job_id(found, 1)?, outcome, row::instant(found, 3)?, tx.now);
        Ok((row::job_id(found, 0)?, answer))
    })?;
    let found: Vec<(JobId, Option<Enqueued>)> = found.collect::<Result<_, _>>()?;
    Ok(found.into_iter().filter_map(|(id, answer)| Some((id, answer?))).collect())
}

/// The keys of these jobs that are taken.
fn states(connection: &Connection, jobs: &[NewJob]) -> rusqlite::Result<HashMap<UniqueKey, KeyState>> {
    let keys: BTreeSet<UniqueKey> = jobs.iter().filter_map(NewJob::unique_key).collect();
    read(connection, keys.iter())
}

fn read<'a>(
    connection: &Connection,
    keys: impl Iterator<Item = &'a UniqueKey>,
) -> rusqlite::Result<HashMap<UniqueKey, KeyState>> {
    let mut statement = connection.prepare_cached(sql::unique::READ)?;
    let found = statement.query_map([blobs(keys.map(|key| key.as_bytes().as_slice()))], |found| {
        let state = KeyState { row: key_row(found)?, holder: kept(found, 5)?, next: kept(found, 9)? };
        Ok((UniqueKey::from_bytes(found.get(13)?), state))
    })?;
    found.collect()
}

/// A row in the first five columns of `sql/unique/of_job.sql` and `sql/unique/read.sql`.
pub(crate) fn key_row(found: &Row<'_>) -> rusqlite::Result<KeyRow> {
    Ok(KeyRow {
        job: row::job_id(found, 0)?,
        hold: row::number(found, 1, Hold::from_number)?,
        until: row::instant_option(found, 2)?,
        next: found.get::<_, Option<[u8; 16]>>(3)?.map(JobId::from_bytes),
        free_at: row::instant_option(found, 4)?,
    })
}

/// What is known of a job in four columns from `first` on; nothing where it has ended.
fn kept(found: &Row<'_>, first: usize) -> rusqlite::Result<Option<Kept>> {
    if found.get_ref(first)? == rusqlite::types::ValueRef::Null {
        return Ok(None);
    }
    let kept = Kept {
        stage: row::stage(found, first)?,
        started: row::unsigned(found, first + 1)? > 0,
        traits: Traits::from_bits(found.get(first + 2)?),
        created_at: row::instant(found, first + 3)?,
    };
    Ok(Some(kept).filter(|kept| !kept.stage.is_final()))
}

fn carry_out(tx: &mut Tx<'_>, plan: &Plan, jobs: &[NewJob]) -> rusqlite::Result<()> {
    let made: Vec<NewJob> = plan.made.iter().map(|made| as_planned(made, jobs)).collect();
    let answers = insert_all(tx, &made)?;
    for how in plan.made.iter().filter(|made| made.parked || made.reason.is_some()) {
        let values = params![jobs[how.place].id.as_bytes(), how.parked, how.reason.map(Reason::as_number)];
        tx.connection.prepare_cached(sql::unique::ADJUST)?.execute(values)?;
    }
    for change in &plan.changed {
        replace(tx, change, &jobs[change.place])?;
    }
    for write in &plan.keys {
        write_row(tx.connection, write.key, &write.row)?;
    }
    for place in &plan.answered {
        let Enqueued { id, outcome, .. } = plan.answers[*place];
        let (asked, outcome) = (jobs[*place].id, outcome_number(outcome));
        let values = params![asked.as_bytes(), id.as_bytes(), outcome, tx.now.as_micros()];
        tx.connection.prepare_cached(sql::unique::REMEMBER)?.execute(values)?;
    }
    connect(tx, &made, &answers)
}

fn as_planned(made: &Made, jobs: &[NewJob]) -> NewJob {
    let mut job = jobs[made.place].clone();
    job.due = made.run_at.map_or(job.due, Due::At);
    job
}

/// Gives a job what another asked for.
fn replace(tx: &mut Tx<'_>, change: &Change, asked: &NewJob) -> rusqlite::Result<()> {
    let lane = match tx.lanes.find(tx.connection, asked)? {
        Some(lane) => lane,
        None => tx.lanes.make(tx.connection, asked)?,
    };
    let deadline = asked.deadline.map(|deadline| deadline.instant(tx.now));
    let mut statement = tx.connection.prepare_cached(sql::unique::REPLACE)?;
    let seq = statement.query_row(
        params![
            change.id.as_bytes(),
            lane,
            asked.priority.as_number(),
            change.run_at.as_micros(),
            asked.attempts_max,
            asked.losses_max,
            deadline.map(Timestamp::as_micros),
            stored_args(&asked.args),
            stored_options(&asked.options)?,
            change.traits(asked.traits().without(Traits::BYTES)).bits(),
            change.reason.map(Reason::as_number),
            change.times.cast_signed(),
        ],
        |found| found.get(0),
    )?;
    gates::replaced(tx, seq, &asked.options)?;
    watch_deadline(tx, seq, deadline)
}

fn write_row(connection: &Connection, key: UniqueKey, row: &KeyRow) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(sql::unique::WRITE)?;
    statement.execute(params![
        key.as_bytes(),
        row.job.as_bytes(),
        row.hold.as_number(),
        row.until.map(Timestamp::as_micros),
        row.next.as_ref().map(JobId::as_bytes),
        row.free_at.map(Timestamp::as_micros),
    ])?;
    Ok(())
}

/// Lets go of the keys that jobs had, or waited for, that have ended.
pub(crate) fn ended(tx: &mut Tx<'_>, ids: &[JobId]) -> rusqlite::Result<()> {
    let claims = claims_of(tx.connection, ids)?;
    pass_on(tx, claims)
}

/// Lets go of the key of a job that is removed by hand. It keeps nothing.
pub(crate) fn removed(tx: &mut Tx<'_>, facts: &Facts) -> rusqlite::Result<()> {
    if !facts.traits.has(Traits::UNIQUE) {
        return Ok(());
    }
    let mut claims = claims_of(tx.connection, &[facts.id])?;
    for KeyClaim { row, .. } in &mut claims {
        row.until = row.until.filter(|_| row.job != facts.id);
    }
    pass_on(tx, claims)
}

/// A key, and a job that has it or waits for it.
struct KeyClaim {
    key: UniqueKey,
    row: KeyRow,
    by: JobId,
}

fn claims_of(connection: &Connection, ids: &[JobId]) -> rusqlite::Result<Vec<KeyClaim>> {
    let mut statement = connection.prepare_cached(sql::unique::OF_JOB)?;
    let claims = statement.query_map([blobs(ids.iter().map(|id| id.as_bytes().as_slice()))], |found| {
        let key = UniqueKey::from_bytes(found.get(5)?);
        Ok(KeyClaim { key, row: key_row(found)?, by: row::job_id(found, 6)? })
    })?;
    claims.collect()
}

/// The job that has the key which this one waits for, if it waits for one.
pub(crate) fn has_key_for(connection: &Connection, id: JobId) -> rusqlite::Result<Option<JobId>> {
    let claims = claims_of(connection, &[id])?;
    Ok(claims.into_iter().find(|claim| claim.row.next == Some(id)).map(|claim| claim.row.job))
}

/// Lets go of the keys of jobs that have ended: those that nobody waits for together, as most are.
fn pass_on(tx: &mut Tx<'_>, claims: Vec<KeyClaim>) -> rusqlite::Result<()> {
    let mut free = Vec::with_capacity(claims.len());
    for KeyClaim { key, row, by } in claims {
        let next = match row.next {
            Some(next) => next_in_line(tx.connection, next)?,
            None => None,
        };
        match let_go(&row, by, next.as_ref(), tx.now) {
            LetGo::Free => free.push(key),
            LetGo::Kept(row) => write_row(tx.connection, key, &row)?,
            LetGo::Passed { row, run_at, reason } => {
                let values = params![row.job.as_bytes(), run_at.as_micros(), reason.map(Reason::as_number)];
                tx.connection.prepare_cached(sql::unique::RELEASE)?.execute(values)?;
                tx.hint_work();
                write_row(tx.connection, key, &row)?;
            }
        }
    }
    if !free.is_empty() {
        let keys = blobs(free.iter().map(|key| key.as_bytes().as_slice()));
        tx.connection.prepare_cached(sql::unique::FREE)?.execute([keys])?;
    }
    Ok(())
}

fn next_in_line(connection: &Connection, id: JobId) -> rusqlite::Result<Option<NextInLine>> {
    let mut statement = connection.prepare_cached(sql::unique::NEXT)?;
    let next = statement
        .query_row([id.as_bytes()], |found| {
            Ok((row::instant(found, 0)?, row::instant(found, 1)?, row::options(found, 2)?))
        })
        .optional()?;
    Ok(next.and_then(|(created_at, run_at, options)| {
        let unique = options?.unique?;
        Some(NextInLine { id, created_at, run_at, unique })
    }))
}

/// Takes the keys back of final jobs that are about to be brought back together; nothing is written if one cannot have its.
pub(crate) fn retake<'a>(
    tx: &Tx<'_>,
    returning: impl Iterator<Item = &'a Facts>,
    name: &'static str,
) -> Result<(), StoreError> {
    let mut rows: HashMap<UniqueKey, KeyRow> = HashMap::new();
    for facts in returning.filter(|facts| facts.stage.is_final() && facts.traits.has(Traits::UNIQUE)) {
        let Some((key, back)) = returning_job(tx, facts).during(name)? else { continue };
        if let Some(other) = rows.get(&key) {
            return Err(StoreError::new(name, ErrorKind::Duplicate(other.job)));
        }
        let states = read(tx.connection, std::iter::once(&key)).during(name)?;
        let row = back.retake(states.get(&key), tx.now).map_err(|kind| StoreError::new(name, kind))?;
        rows.extend(row.map(|row| (key, row)));
    }
    rows.iter().try_for_each(|(key, row)| write_row(tx.connection, *key, row)).during(name)
}

fn returning_job(tx: &Tx<'_>, facts: &Facts) -> rusqlite::Result<Option<(UniqueKey, Returning)>> {
    let mut statement = tx.connection.prepare_cached(sql::job::READ)?;
    let job = statement.query_row([facts.id.as_bytes()], |found| row::job(found, tx.now))?;
    let key = job.unique_key();
    Ok(key.zip(job.options.unique).map(|(key, unique)| {
        let started = facts.number > 0;
        (key, Returning { id: job.id, created_at: job.created_at, started, unique })
    }))
}

/// Forgets keys that nobody has any more, and answers that nobody asks for any more.
pub(crate) fn forget(tx: &Tx<'_>) -> rusqlite::Result<()> {
    let now = tx.now.as_micros();
    tx.connection.prepare_cached(sql::unique::FORGET)?.execute(params![now, FORGOTTEN_MAX])?;
    let before = tx.now.before(ANSWER_KEPT).as_micros();
    tx.connection.prepare_cached(sql::unique::FORGET_ANSWERS)?.execute(params![before, FORGOTTEN_MAX])?;
    Ok(())
}
