//! Enqueueing: one row at a time for a few, and a crowd in one statement.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::vtab::array::Array;
use rusqlite::{CachedStatement, ToSql, params};
use windlass_core::{Args, JobOptions, NewJob, Timestamp, Traits};
use windlass_store::{EnqueueOutcome, Enqueued};

use super::{as_json, exists};
use crate::maintenance::watch_deadline;
use crate::writer::Tx;
use crate::{gates, reviews, sql};

/// Rows of `sql/job/insert_32.sql`.
const CROWD: usize = 32;

/// Makes jobs known, and says of each whether it was there already.
pub(crate) fn insert_all(tx: &mut Tx<'_>, jobs: &[NewJob]) -> rusqlite::Result<Vec<Enqueued>> {
    let mut statement = tx.connection.prepare_cached(sql::job::INSERT)?;
    let mut answers = Vec::with_capacity(jobs.len());
    for crowd in jobs.chunks(CROWD) {
        if may_go_together(tx, crowd)? {
            insert_crowd(tx, crowd)?;
            answers.extend(crowd.iter().map(|job| answer(job, false)));
            continue;
        }
        for job in crowd {
            let inserted = insert(tx, &mut statement, job)?;
            answers.push(answer(job, !inserted));
        }
    }
    tx.hint_work();
    Ok(answers)
}

fn answer(job: &NewJob, repeated: bool) -> Enqueued {
    Enqueued { id: job.id, outcome: EnqueueOutcome::Created, repeated }
}

/// Whether these are as many as the statement for a crowd takes, none has anything that is written beside its row as soon as that
/// is there, and none is there.
fn may_go_together(tx: &Tx<'_>, jobs: &[NewJob]) -> rusqlite::Result<bool> {
    let is_a_row = |job: &NewJob| {
        job.deadline.is_none() && job.options.order_key.is_none() && job.options.review.is_none()
    };
    if jobs.len() != CROWD || !jobs.iter().all(is_a_row) {
        return Ok(false);
    }
    let ids = blobs(jobs.iter().map(|job| job.id.as_bytes().as_slice()));
    let known: i64 =
        tx.connection.prepare_cached(sql::job::COUNT_KNOWN)?.query_row([ids], |row| row.get(0))?;
    Ok(known == 0)
}

/// A column of blobs for a statement that takes many.
pub(crate) fn blobs<'a>(all: impl Iterator<Item = &'a [u8]>) -> Array {
    Array::new(all.map(|blob| Value::Blob(blob.to_vec())).collect())
}

fn insert_crowd(tx: &mut Tx<'_>, jobs: &[NewJob]) -> rusqlite::Result<()> {
    let mut statement = tx.connection.prepare_cached(sql::job::INSERT_32)?;
    let mut next = 1;
    for job in jobs {
        let lane = match tx.lanes.find(tx.connection, job)? {
            Some(lane) => lane,
            None => tx.lanes.make(tx.connection, job)?,
        };
        let options = stored_options(&job.options)?;
        let values: [&dyn ToSql; 10] = [
            job.id.as_bytes(),
            &lane,
            &job.priority.as_number(),
            &job.due.instant(tx.now).as_micros(),
            &job.attempts_max,
            &job.losses_max,
            &tx.now.as_micros(),
            &StoredArgs(&job.args),
            &options,
            &traits(job).bits(),
        ];
        for value in values {
            statement.raw_bind_parameter(next, value)?;
            next += 1;
        }
    }
    statement.raw_execute()?;
    Ok(())
}

/// Makes one job known; false if its id is there already.
fn insert(tx: &mut Tx<'_>, statement: &mut CachedStatement<'_>, job: &NewJob) -> rusqlite::Result<bool> {
    let lane = match tx.lanes.find(tx.connection, job)? {
        Some(lane) => lane,
        // A repeated job makes no new queue, whatever it names this time.
        None if exists(tx.connection, job.id)? => return Ok(false),
        None => tx.lanes.make(tx.connection, job)?,
    };
    let deadline = job.deadline.map(|deadline| deadline.instant(tx.now));
    let inserted = statement.execute(params![
        job.id.as_bytes(),
        lane,
        job.priority.as_number(),
        job.due.instant(tx.now).as_micros(),
        job.attempts_max,
        job.losses_max,
        tx.now.as_micros(),
        deadline.map(Timestamp::as_micros),
        StoredArgs(&job.args),
        stored_options(&job.options)?,
        traits(job).bits(),
    ])?;
    if inserted == 1 {
        let seq = tx.connection.last_insert_rowid();
        watch_deadline(tx, seq, deadline)?;
        gates::keep_order(tx, seq, &job.options)?;
        reviews::hold(tx, (seq, job.id), job.options.review.as_ref())?;
    }
    Ok(inserted == 1)
}

/// Its traits, but for the form of its args, which the column itself tells.
fn traits(job: &NewJob) -> Traits {
    job.traits().without(Traits::BYTES)
}

/// JSON is kept as text, so that `sqlite3` shows it; anything else as a blob.
pub(crate) struct StoredArgs<'a>(&'a Args);

/// Args as they are bound.
pub(crate) const fn stored_args(args: &Args) -> StoredArgs<'_> {
    StoredArgs(args)
}

impl ToSql for StoredArgs<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Args::Json(json) => ValueRef::Text(json.as_bytes()),
            Args::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Nothing, where all is default: most jobs ask for nothing special.
pub(crate) fn stored_options(options: &JobOptions) -> rusqlite::Result<Option<String>> {
    if *options == JobOptions::default() {
        return Ok(None);
    }
    as_json(options).map(Some)
}
