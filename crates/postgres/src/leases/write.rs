//! What an attempt writes while it runs.

use windlass_core::attempt::safe_text;
use windlass_core::limits::LOG_LINE_BYTES_MAX;
use windlass_core::log::LOG_CUT;
use windlass_core::{AttemptToken, Json, LogFate, LogFill, LogLevel, Progress, Stage};
use windlass_store::{ErrorKind, Holder, NewLogLine, StoreError};

use super::look;
use crate::database::{Database, Session, Values};
use crate::error::During;
use crate::facts::{Facts, fenced};
use crate::sql::Statement;
use crate::value::Instant;
use crate::{row, sql};

pub(super) async fn extend(
    database: &Database,
    token: &AttemptToken,
    name: &'static str,
) -> Result<Holder, StoreError> {
    let session = database.call(name).await?;
    let (number, nonce) = signed(token);
    let values: Values<'_> = &[&session.now, &token.job.as_uuid(), &number, &nonce];
    match session.query_opt(sql::lease::EXTEND, values).await.committing(name)? {
        Some(kept) => {
            let stage: i16 = kept.get(1);
            let cancel_requested = stage == i16::from(Stage::Cancelled.as_number());
            Ok(Holder { job: token.job, lease_until: row::instant(&kept, 0), cancel_requested })
        }
        // It has no lease of its own to extend, or the token is refused.
        None => look(&session, token, name).await,
    }
}

pub(super) async fn progress(
    database: &Database,
    token: &AttemptToken,
    progress: &Progress,
    name: &'static str,
) -> Result<(), StoreError> {
    let session = database.call(name).await?;
    let (number, nonce) = signed(token);
    let percent = i16::from(progress.percent);
    let values: Values<'_> =
        &[&session.now, &token.job.as_uuid(), &number, &nonce, &percent, &progress.message];
    write(&session, token, (sql::lease::PROGRESS, values), name).await
}

pub(super) async fn checkpoint(
    database: &Database,
    token: &AttemptToken,
    checkpoint: &Json,
    name: &'static str,
) -> Result<(), StoreError> {
    let session = database.call(name).await?;
    let (number, nonce) = signed(token);
    let values: Values<'_> = &[&session.now, &token.job.as_uuid(), &number, &nonce, &checkpoint.as_str()];
    write(&session, token, (sql::lease::CHECKPOINT, values), name).await
}

/// Runs a statement that changes the job if the token passes, and says why where it does not.
async fn write(
    session: &Session,
    token: &AttemptToken,
    (statement, values): (Statement, Values<'_>),
    name: &'static str,
) -> Result<(), StoreError> {
    if session.execute(statement, values).await.committing(name)? > 0 {
        return Ok(());
    }
    let facts = Facts::look(session, token.job, name).await?;
    let refused = fenced(token, facts.as_ref()).and_then(windlass_store::rules::Standing::must_run);
    // If it passes now, it did not when it was asked: whoever changed that did so at the same time.
    Err(StoreError::new(name, refused.err().unwrap_or(ErrorKind::Conflict)))
}

pub(super) async fn log(
    database: &Database,
    token: &AttemptToken,
    lines: &[NewLogLine],
    name: &'static str,
) -> Result<(), StoreError> {
    let transaction = database.begin(name).await?;
    let outcome = log_in(&transaction, token, lines, name).await;
    transaction.end(outcome, name).await
}

async fn log_in(
    session: &Session,
    token: &AttemptToken,
    lines: &[NewLogLine],
    name: &'static str,
) -> Result<(), StoreError> {
    let facts = running(session, token, name).await?;
    append(session, &facts, lines, name).await?;
    Ok(())
}

/// The job of a token that passes, locked until the end of the transaction.
pub(super) async fn running(
    session: &Session,
    token: &AttemptToken,
    name: &'static str,
) -> Result<Facts, StoreError> {
    let facts = match Facts::lock_one(session, token.job, name).await? {
        Some(facts) => Some(facts),
        None => Facts::look(session, token.job, name).await?,
    };
    let standing = fenced(token, facts.as_ref()).and_then(windlass_store::rules::Standing::must_run);
    standing.map_err(|kind| StoreError::new(name, kind))?;
    facts.ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))
}

async fn append(
    session: &Session,
    facts: &Facts,
    lines: &[NewLogLine],
    name: &'static str,
) -> Result<(), StoreError> {
    let mut fill = LogFill::from_number(facts.log_bytes);
    let (mut levels, mut messages) = (Vec::<i16>::new(), Vec::<String>::new());
    for line in lines {
        let message = safe_text(&line.message, LOG_LINE_BYTES_MAX);
        let (level, message) = match fill.admit(message.len()) {
            LogFate::Kept => (line.level, message),
            LogFate::Cut => (LogLevel::Warn, LOG_CUT.to_owned()),
            LogFate::Dropped => break,
        };
        levels.push(level.as_number().into());
        messages.push(message);
    }
    let bytes = i32::try_from(fill.as_number()).unwrap_or(i32::MAX);
    let (number, at) = (facts.number.cast_signed(), Instant(facts.now));
    let values: Values<'_> = &[&facts.id.as_uuid(), &number, &at, &levels, &messages, &bytes];
    session.execute(sql::lease::APPEND_LOG, values).await.during(name).map(|_| ())
}

fn signed(token: &AttemptToken) -> (i64, i64) {
    (token.number.cast_signed(), token.nonce.cast_signed())
}
