//! Rows to domain types; the only place that can say a row is damaged.

use std::str::FromStr;

use tokio_postgres::Row;
use uuid::Uuid;
use windlass_core::{
    Args, AttemptError, AttemptToken, Invalid, Job, JobId, JobOptions, Json, LogLevel, LogLine, Priority,
    Progress, Reason, Stage, Timestamp, Traits, state,
};
use windlass_store::{ErrorKind, StoreError};

use crate::value::Instant;

/// Set in a job's traits when its args are not JSON.
pub(crate) const TRAIT_BYTES: i32 = 1;

/// Reports a value that the schema allows and the model does not.
pub(crate) fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::new("read a row", ErrorKind::Corrupt).with_detail(what.to_string())
}

pub(crate) fn job_id(row: &Row, index: usize) -> JobId {
    JobId::from_uuid(row.get::<_, Uuid>(index))
}

/// A token in the first three columns: job, number, nonce.
pub(crate) fn token(row: &Row) -> AttemptToken {
    AttemptToken { job: job_id(row, 0), number: unsigned(row, 1), nonce: unsigned(row, 2) }
}

/// Tokens as `job number nonce`, with commas between.
pub(crate) fn tokens(row: &Row, index: usize) -> Result<Vec<AttemptToken>, StoreError> {
    let Some(text) = row.get::<_, Option<&str>>(index) else { return Ok(Vec::new()) };
    text.split(',').map(|one| parse_token(one).ok_or_else(|| damaged(one))).collect()
}

fn parse_token(text: &str) -> Option<AttemptToken> {
    let mut words = text.split(' ');
    let job = JobId::from_uuid(words.next()?.parse().ok()?);
    let mut number = || Some(words.next()?.parse::<i64>().ok()?.cast_unsigned());
    Some(AttemptToken { job, number: number()?, nonce: number()? })
}

pub(crate) fn instant(row: &Row, index: usize) -> Timestamp {
    row.get::<_, Instant>(index).0
}

pub(crate) fn instant_option(row: &Row, index: usize) -> Option<Timestamp> {
    row.get::<_, Option<Instant>>(index).map(|instant| instant.0)
}

pub(crate) fn name<N: FromStr<Err = Invalid>>(row: &Row, index: usize) -> Result<N, StoreError> {
    row.get::<_, &str>(index).parse().map_err(|invalid: Invalid| damaged(invalid))
}

/// A number the model may or may not know.
pub(crate) fn number<T>(stored: i16, known: impl Fn(i64) -> Option<T>) -> Result<T, StoreError> {
    known(stored.into()).ok_or_else(|| damaged(format!("{stored} has no meaning")))
}

/// The stage of a row that says `stage` and who holds it.
pub(crate) fn stage(row: &Row, index: usize, holder: i32) -> Result<Stage, StoreError> {
    let stage = number(row.get(index), Stage::from_number)?;
    Ok(if stage == Stage::Waiting && holder != 0 { Stage::Running } else { stage })
}

/// The priority that a job of these traits asked for. While a decision about it is carried out, it is kept with another.
pub(crate) fn priority(row: &Row, index: usize, traits: Traits) -> Result<Priority, StoreError> {
    match traits.settles() {
        Some((_, priority)) => Ok(priority),
        None => number(row.get(index), Priority::from_number),
    }
}

pub(crate) fn reason(row: &Row, index: usize) -> Result<Option<Reason>, StoreError> {
    row.get::<_, Option<i16>>(index).map(|reason| number(reason, Reason::from_number)).transpose()
}

/// An unsigned number that is kept in signed 64 bits.
pub(crate) fn unsigned(row: &Row, index: usize) -> u64 {
    row.get::<_, i64>(index).cast_unsigned()
}

/// A number of 32 unsigned bits, which are kept in 64.
pub(crate) fn traits(row: &Row, index: usize) -> Traits {
    Traits::from_bits(row.get::<_, i32>(index).cast_unsigned())
}

pub(crate) fn count(row: &Row, index: usize) -> u32 {
    u32::try_from(row.get::<_, i64>(index)).unwrap_or(u32::MAX)
}

/// How many starts may end in failure, and how many lost attempts are forgiven, as they are kept: in one number.
pub(crate) fn budget(attempts_max: u32, losses_max: u32) -> i64 {
    (u64::from(attempts_max) << 32 | u64::from(losses_max)).cast_signed()
}

/// What [`budget`] keeps.
#[expect(clippy::cast_possible_truncation, reason = "each is one half of it")]
pub(crate) fn budgeted(row: &Row, index: usize) -> (u32, u32) {
    let budget = unsigned(row, index);
    ((budget >> 32) as u32, budget as u32)
}

pub(crate) fn json(row: &Row, index: usize) -> Option<Json> {
    row.get::<_, Option<&str>>(index).map(|text| Json::from_stored(text.as_bytes().to_vec()))
}

pub(crate) fn args(row: &Row, index: usize, traits: i32) -> Args {
    let written: Vec<u8> = row.get(index);
    if traits & TRAIT_BYTES == 0 {
        Args::Json(Json::from_stored(written))
    } else {
        Args::Bytes(written.into())
    }
}

pub(crate) fn options(row: &Row, index: usize) -> Result<Option<Box<JobOptions>>, StoreError> {
    parsed(row, index)
}

pub(crate) fn parsed<T: serde::de::DeserializeOwned>(
    row: &Row,
    index: usize,
) -> Result<Option<T>, StoreError> {
    let text: Option<&str> = row.get(index);
    text.map(|text| serde_json::from_str(text).map_err(damaged)).transpose()
}

pub(crate) fn attempt_error(row: &Row, index: usize) -> Result<Option<AttemptError>, StoreError> {
    parsed(row, index)
}

/// A job in the columns of `sql/job/read.sql`, as it is seen at the time they end with.
pub(crate) fn job(row: &Row) -> Result<Job, StoreError> {
    let run_at = instant(row, 7);
    let kept = stage(row, 4, row.get(27))?;
    let (state, reason) = state::seen(kept, reason(row, 5)?, run_at, instant(row, 28));
    let used = traits(row, 8);
    Ok(Job {
        id: job_id(row, 0),
        kind: name(row, 1)?,
        version: count(row, 2),
        queue: name(row, 3)?,
        state,
        reason,
        phase: used.phase(),
        priority: priority(row, 6, used)?,
        run_at,
        args: args(row, 9, row.get(8)),
        attempt: count(row, 10),
        attempts_max: count(row, 11),
        losses: count(row, 12),
        losses_max: count(row, 13),
        deadline: instant_option(row, 14),
        options: options(row, 15)?.map(|options| *options).unwrap_or_default(),
        progress: progress(row, 16),
        checkpoint: json(row, 18),
        result: json(row, 19),
        error: attempt_error(row, 20)?,
        worker: row.get(21),
        created_at: instant(row, 22),
        started_at: instant_option(row, 23),
        finished_at: instant_option(row, 24),
        revision: unsigned(row, 25),
    })
}

fn progress(row: &Row, index: usize) -> Option<Progress> {
    let percent: Option<i16> = row.get(index);
    let percent = percent.and_then(|percent| u8::try_from(percent).ok());
    percent.map(|percent| Progress { percent, message: row.get(index + 1) })
}

/// A log line in the columns of `sql/job/log.sql`.
pub(crate) fn log_line(row: &Row) -> Result<LogLine, StoreError> {
    Ok(LogLine {
        attempt: unsigned(row, 0),
        at: instant(row, 1),
        level: number(row.get(2), LogLevel::from_number)?,
        message: row.get(3),
    })
}

/// A state as the model numbers them.
pub(crate) fn state(number: i32) -> Result<windlass_core::JobState, StoreError> {
    windlass_core::JobState::from_number(number.into())
        .ok_or_else(|| damaged(format!("{number} is no state")))
}
