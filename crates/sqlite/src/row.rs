//! Rows to domain types; the only place that can say a row is damaged.

use std::str::FromStr;

use rusqlite::Row;
use rusqlite::types::{FromSqlError, Type, ValueRef};
use windlass_core::{
    Args, AttemptError, AttemptToken, EdgePolicy, Invalid, Job, JobId, JobOptions, Json, LogLevel, LogLine,
    Priority, Progress, Reason, Stage, Timestamp, Traits, state,
};

/// Reports a value that the schema allows and the model does not.
fn damaged(
    index: usize,
    kind: Type,
    what: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, kind, what.into())
}

pub(crate) fn job_id(row: &Row<'_>, index: usize) -> rusqlite::Result<JobId> {
    row.get::<_, [u8; 16]>(index).map(JobId::from_bytes)
}

/// A token in the first three columns: job, number, nonce.
pub(crate) fn token(row: &Row<'_>) -> rusqlite::Result<AttemptToken> {
    Ok(AttemptToken { job: job_id(row, 0)?, number: unsigned(row, 1)?, nonce: unsigned(row, 2)? })
}

pub(crate) fn instant(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    row.get(index).map(Timestamp::from_micros)
}

pub(crate) fn instant_option(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_micros))
}

pub(crate) fn name<N: FromStr<Err = Invalid>>(row: &Row<'_>, index: usize) -> rusqlite::Result<N> {
    row.get_ref(index)?.as_str()?.parse().map_err(|invalid: Invalid| damaged(index, Type::Text, invalid))
}

/// What is kept as a text that the model reads.
pub(crate) fn read_text<T: FromStr<Err = Invalid>>(text: &str, index: usize) -> rusqlite::Result<T> {
    text.parse().map_err(|invalid: Invalid| damaged(index, Type::Text, invalid))
}

/// A word that the model may or may not know.
pub(crate) fn word<T>(row: &Row<'_>, index: usize, known: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let word = row.get_ref(index)?.as_str()?;
    known(word).ok_or_else(|| damaged(index, Type::Text, format!("{word:?} has no meaning")))
}

/// A number the model may or may not know.
pub(crate) fn number<T>(
    row: &Row<'_>,
    index: usize,
    known: impl Fn(i64) -> Option<T>,
) -> rusqlite::Result<T> {
    let number = row.get(index)?;
    known(number).ok_or_else(|| damaged(index, Type::Integer, format!("{number} has no meaning")))
}

pub(crate) fn stage(row: &Row<'_>, index: usize) -> rusqlite::Result<Stage> {
    number(row, index, Stage::from_number)
}

/// The priority that a job of these traits asked for. While a decision about it is carried out, it is kept with another.
pub(crate) fn priority(row: &Row<'_>, index: usize, traits: Traits) -> rusqlite::Result<Priority> {
    match traits.settles() {
        Some((_, priority)) => Ok(priority),
        None => number(row, index, Priority::from_number),
    }
}

pub(crate) fn traits(row: &Row<'_>, index: usize) -> rusqlite::Result<Traits> {
    row.get(index).map(Traits::from_bits)
}

pub(crate) fn gate_form(row: &Row<'_>, index: usize) -> rusqlite::Result<windlass_core::GateForm> {
    number(row, index, windlass_core::GateForm::from_number)
}

pub(crate) fn reason(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Reason>> {
    match row.get_ref(index)? {
        ValueRef::Null => Ok(None),
        _ => number(row, index, Reason::from_number).map(Some),
    }
}

pub(crate) fn policy(row: &Row<'_>, index: usize) -> rusqlite::Result<EdgePolicy> {
    number(row, index, EdgePolicy::from_number)
}

/// An unsigned number that SQLite keeps in its signed 64 bits.
pub(crate) fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(index).map(i64::cast_unsigned)
}

pub(crate) fn json(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Json>> {
    match row.get_ref(index)? {
        ValueRef::Null => Ok(None),
        value => Ok(Some(Json::from_stored(value.as_bytes()?.to_vec()))),
    }
}

/// Text is JSON, a blob is anything else.
pub(crate) fn args(row: &Row<'_>, index: usize) -> rusqlite::Result<Args> {
    match row.get_ref(index)? {
        ValueRef::Text(text) => Ok(Args::Json(Json::from_stored(text.to_vec()))),
        ValueRef::Blob(bytes) => Ok(Args::Bytes(bytes.to_vec().into())),
        other => Err(damaged(index, other.data_type(), FromSqlError::InvalidType)),
    }
}

/// Options, where they are not the default.
pub(crate) fn options(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Box<JobOptions>>> {
    parsed(row, index)
}

pub(crate) fn attempt_error(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<AttemptError>> {
    parsed(row, index)
}

pub(crate) fn parsed<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    index: usize,
) -> rusqlite::Result<Option<T>> {
    match row.get_ref(index)? {
        ValueRef::Null => Ok(None),
        value => serde_json::from_slice(value.as_bytes()?)
            .map(Some)
            .map_err(|error| damaged(index, Type::Text, error)),
    }
}

/// A job in the columns of `sql/job/read.sql`, as it is seen at `now`.
pub(crate) fn job(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<Job> {
    let run_at = instant(row, 7)?;
    let (state, reason) = state::seen(stage(row, 4)?, reason(row, 5)?, run_at, now);
    let used = traits(row, 26)?;
    Ok(Job {
        id: job_id(row, 0)?,
        kind: name(row, 1)?,
        version: row.get(2)?,
        queue: name(row, 3)?,
        state,
        reason,
        phase: used.phase(),
        priority: priority(row, 6, used)?,
        run_at,
        args: args(row, 8)?,
        attempt: row.get(9)?,
        attempts_max: row.get(10)?,
        losses: row.get(11)?,
        losses_max: row.get(12)?,
        deadline: instant_option(row, 13)?,
        options: options(row, 14)?.map(|options| *options).unwrap_or_default(),
        progress: progress(row, 15)?,
        checkpoint: json(row, 17)?,
        result: json(row, 18)?,
        error: attempt_error(row, 19)?,
        worker: row.get(20)?,
        created_at: instant(row, 21)?,
        started_at: instant_option(row, 22)?,
        finished_at: instant_option(row, 23)?,
        revision: unsigned(row, 24)?,
    })
}

fn progress(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Progress>> {
    let percent: Option<u8> = row.get(index)?;
    let message = row.get(index + 1)?;
    Ok(percent.map(|percent| Progress { percent, message }))
}

/// A log line in the columns of `sql/job/log.sql`.
pub(crate) fn log_line(row: &Row<'_>) -> rusqlite::Result<LogLine> {
    Ok(LogLine {
        attempt: unsigned(row, 0)?,
        at: instant(row, 1)?,
        level: number(row, 2, LogLevel::from_number)?,
        message: row.get(3)?,
    })
}

/// A state as the model numbers them.
pub(crate) fn state(row: &Row<'_>, index: usize) -> rusqlite::Result<windlass_core::JobState> {
    number(row, index, windlass_core::JobState::from_number)
}
