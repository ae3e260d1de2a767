//! What is done to jobs by hand.

use windlass_core::{JobId, Reason, Stage};
use windlass_store::rules::{cancelling, deleting, hastening, retrying};
use windlass_store::{Actor, CancelOutcome, ErrorKind, StoreError};

use crate::database::{Database, Session, Values};
use crate::error::During;
use crate::facts::Facts;
use crate::fates::{Fates, number};
use crate::sql;

pub(super) async fn cancel(
    database: &Database,
    id: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<CancelOutcome, StoreError> {
    let transaction = database.begin(name).await?;
    let outcome = cancel_in(&transaction, id, by, name).await;
    transaction.end(outcome, name).await
}

async fn cancel_in(
    session: &Session,
    id: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<CancelOutcome, StoreError> {
    let (facts, _) = expect(session, id, name).await?;
    let outcome = cancelling(facts.stage).map_err(|kind| StoreError::new(name, kind))?;
    match outcome {
        CancelOutcome::AlreadyCancelled => return Ok(outcome),
        CancelOutcome::Requested => {
            let values: Values<'_> = &[&session.now, &id.as_uuid(), &number(Reason::Operator)];
            let values = session.execute(sql::job::STOP, values);
            values.await.during(name)?;
        }
        CancelOutcome::Cancelled => {
            let mut fates = Fates::default();
            fates.stop(&facts, (Stage::Cancelled, Reason::Operator), None)?;
            fates.write(session, name).await?;
        }
    }
    note(session, &facts, ("cancel", by), name).await?;
    Ok(outcome)
}

pub(super) async fn retry(
    database: &Database,
    id: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    let transaction = database.begin(name).await?;
    let outcome = retry_in(&transaction, id, by, name).await;
    transaction.end(outcome, name).await
}

async fn retry_in(session: &Session, id: JobId, by: &Actor, name: &'static str) -> Result<(), StoreError> {
    let (facts, unfinished) = expect(session, id, name).await?;
    retrying(facts.stage, facts.reason, facts.open).map_err(|kind| StoreError::new(name, kind))?;
    let statement = if unfinished { sql::job::RETRY } else { sql::job::RESTORE };
    let changed = session.execute(statement, &[&session.now, &id.as_uuid()]).await.during(name)?;
    if changed == 0 {
        return Err(StoreError::new(name, ErrorKind::Conflict));
    }
    note(session, &facts, ("retry", by), name).await?;
    Ok(())
}

pub(super) async fn run_now(
    database: &Database,
    id: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    let transaction = database.begin(name).await?;
    let outcome = run_now_in(&transaction, id, by, name).await;
    transaction.end(outcome, name).await
}

async fn run_now_in(session: &Session, id: JobId, by: &Actor, name: &'static str) -> Result<(), StoreError> {
    let (facts, _) = expect(session, id, name).await?;
    hastening(facts.stage).map_err(|kind| StoreError::new(name, kind))?;
    if facts.run_at <= facts.now {
        return Ok(());
    }
    session.execute(sql::job::RUN_NOW, &[&session.now, &id.as_uuid()]).await.during(name)?;
    note(session, &facts, ("run_now", by), name).await?;
    Ok(())
}

pub(super) async fn delete(database: &Database, id: JobId, name: &'static str) -> Result<(), StoreError> {
    let transaction = database.begin(name).await?;
    let outcome = delete_in(&transaction, id, name).await;
    transaction.end(outcome, name).await
}

async fn delete_in(session: &Session, id: JobId, name: &'static str) -> Result<(), StoreError> {
    let (facts, _) = expect(session, id, name).await?;
    deleting(facts.open).map_err(|kind| StoreError::new(name, kind))?;
    let removed = session.query(sql::job::DELETE, &[&vec![id.as_uuid()]]).await.during(name)?;
    if removed.is_empty() {
        return Err(StoreError::new(name, ErrorKind::Conflict));
    }
    Ok(())
}

/// What there is of the job, locked if it has not ended; and whether it has not.
async fn expect(session: &Session, id: JobId, name: &'static str) -> Result<(Facts, bool), StoreError> {
    if let Some(facts) = Facts::lock_one(session, id, name).await? {
        return Ok((facts, true));
    }
    let facts = Facts::look(session, id, name).await?;
    let facts = facts.ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))?;
    if facts.stage.is_final() {
        return Ok((facts, false));
    }
    // It was brought back in between.
    Err(StoreError::new(name, ErrorKind::Conflict))
}

/// Keeps who made the change that was just made.
async fn note(
    session: &Session,
    facts: &Facts,
    (verb, by): (&str, &Actor),
    name: &'static str,
) -> Result<(), StoreError> {
    let revision = facts.revision + 1;
    let values: Values<'_> = &[&session.now, &facts.id.as_uuid(), &revision, &verb, &by.name, &by.why];
    let values = session.execute(sql::job::RECORD_EVENT, values);
    values.await.during(name).map(|_| ())
}
