//! What an attempt writes while it runs.

use rusqlite::params;
use windlass_core::attempt::safe_text;
use windlass_core::limits::LOG_LINE_BYTES_MAX;
use windlass_core::log::LOG_CUT;
use windlass_core::{AttemptToken, Json, LogFate, LogFill, LogLevel, NewJob, Progress, Timestamp};
use windlass_store::{Enqueued, Holder, NewLogLine, StoreError};

use super::claim::array;
use super::{fenced, holder};
use crate::error::During;
use crate::facts::Facts;
use crate::jobs::change;
use crate::sql;
use crate::writer::Tx;

pub(super) fn extend(tx: &Tx<'_>, token: &AttemptToken, name: &'static str) -> Result<Holder, StoreError> {
    let (facts, standing) = fenced(tx.connection, token, tx.now, name)?;
    let mut holder = holder(&facts, standing);
    if let Some(lease) = facts.lease {
        holder.lease_until = Timestamp::from_micros(tx.now.as_micros().saturating_add(lease));
        let values = params![array(std::iter::once(facts.seq)), holder.lease_until.as_micros()];
        let keep = || tx.connection.prepare_cached(sql::lease::KEEP)?.execute(values);
        keep().during(name)?;
    }
    Ok(holder)
}

pub(super) fn progress(
    tx: &Tx<'_>,
    token: &AttemptToken,
    progress: &Progress,
    name: &'static str,
) -> Result<(), StoreError> {
    let facts = running(tx, token, name)?;
    change(tx, &facts, sql::lease::PROGRESS, params![facts.seq, progress.percent, progress.message])
        .during(name)
}

pub(super) fn checkpoint(
    tx: &Tx<'_>,
    token: &AttemptToken,
    checkpoint: &Json,
    name: &'static str,
) -> Result<(), StoreError> {
    let facts = running(tx, token, name)?;
    change(tx, &facts, sql::lease::CHECKPOINT, params![facts.seq, checkpoint.as_str()]).during(name)
}

pub(super) fn log(
    tx: &Tx<'_>,
    token: &AttemptToken,
    lines: &[NewLogLine],
    name: &'static str,
) -> Result<(), StoreError> {
    let facts = running(tx, token, name)?;
    append(tx, &facts, lines).during(name)
}

fn append(tx: &Tx<'_>, facts: &Facts, lines: &[NewLogLine]) -> rusqlite::Result<()> {
    let mut fill = LogFill::from_number(facts.log_bytes);
    let mut statement = tx.connection.prepare_cached(sql::lease::APPEND_LOG)?;
    for line in lines {
        let message = safe_text(&line.message, LOG_LINE_BYTES_MAX);
        let (level, message) = match fill.admit(message.len()) {
            LogFate::Kept => (line.level, message.as_str()),
            LogFate::Cut => (LogLevel::Warn, LOG_CUT),
            LogFate::Dropped => break,
        };
        let number = facts.number.cast_signed();
        let at = tx.now.as_micros();
        statement.execute(params![facts.id.as_bytes(), number, at, level.as_number(), message])?;
    }
    change(tx, facts, sql::lease::COUNT_LOG, params![facts.seq, fill.as_number()])
}

/// What there is of a job that runs under this very token.
/// Makes jobs known if the token passes.
pub(super) fn enqueue(
    tx: &mut Tx<'_>,
    token: &AttemptToken,
    jobs: &[NewJob],
    name: &'static str,
) -> Result<Vec<Enqueued>, StoreError> {
    running(tx, token, name)?;
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    crate::jobs::enqueue(tx, jobs, name)
}

fn running(tx: &Tx<'_>, token: &AttemptToken, name: &'static str) -> Result<Facts, StoreError> {
    let (facts, standing) = fenced(tx.connection, token, tx.now, name)?;
    standing.must_run().map_err(|kind| StoreError::new(name, kind))?;
    Ok(facts)
}
