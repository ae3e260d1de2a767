//! What is done to jobs by hand.

use uuid::Uuid;
use windlass_core::{JobId, Reason, Stage, Traits};
use windlass_store::rules::{cancelling, hastening, retrying};
use windlass_store::{Actor, CancelOutcome, Change, ErrorKind, Noun, StoreError};

use crate::database::{Database, Session, Values};
use crate::effects::Effects;
use crate::error::During;
use crate::facts::Facts;
use crate::fates::{Fates, number};
use crate::flows::{check_deletable, hold_again};
use crate::reviews;
use crate::tries::Tries;
use crate::value::Instant;
use crate::{audit, gates, sql, unique};

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
            let values: Values<'_> = &[&session.now, &vec![id.as_uuid()], &number(Reason::Operator)];
            session.execute(sql::job::STOP, values).await.during(name)?;
            let mut effects = Effects::default();
            effects.ended(&facts, (Stage::Cancelled, Reason::Operator));
            effects.follow(session, name).await?;
        }
        CancelOutcome::Cancelled => {
            let mut fates = Fates::default();
            fates.stop(&facts, (Stage::Cancelled, Reason::Operator), None)?;
            fates.write(session, name).await?;
        }
    }
    note(session, &[&facts], ("cancel", by), name).await?;
    Ok(outcome)
}

pub(super) async fn retry(
    database: &Database,
    id: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    // Somebody may be ending a job that it depends on at this moment.
    let mut tries = Tries::new(database, name);
    loop {
        let transaction = tries.begin().await?;
        let outcome = retry_in(&transaction, id, by, name).await;
        if let Some(answer) = tries.end(transaction, outcome).await {
            return answer;
        }
    }
}

async fn retry_in(session: &Session, id: JobId, by: &Actor, name: &'static str) -> Result<(), StoreError> {
    let (facts, unfinished) = expect(session, id, name).await?;
    retrying(facts.stage, facts.reason, facts.open).map_err(|kind| StoreError::new(name, kind))?;
    if !unfinished {
        return restore(session, &[&facts], by, name).await;
    }
    session.execute(sql::job::RETRY, &[&session.now, &id.as_uuid()]).await.during(name)?;
    if facts.traits.has(Traits::GATED) {
        gates::leave(session, id.as_uuid(), name).await?;
    }
    reviews::resume(session, &[&facts], name).await?;
    note(session, &[&facts], ("retry", by), name).await
}

/// Gives jobs that are over a new budget each, due now or once their parents let them go.
pub(crate) async fn restore(
    session: &Session,
    jobs: &[&Facts],
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    unique::retake(session, jobs.iter().copied(), name).await?;
    let ids: Vec<Uuid> = jobs.iter().map(|facts| facts.id.as_uuid()).collect();
    let restored = session.query(sql::job::RESTORE, &[&session.now, &ids]).await.during(name)?;
    if restored.len() < ids.len() {
        return Err(StoreError::new(name, ErrorKind::Conflict));
    }
    reviews::resume(session, jobs, name).await?;
    note(session, jobs, ("retry", by), name).await?;
    if jobs.iter().any(|facts| facts.traits.has(Traits::PARENT | Traits::CHILD)) {
        hold_again(session, &ids, name).await?;
    }
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
    // The very instant that the audit is told.
    session.execute(sql::job::RUN_NOW, &[&Some(Instant(facts.now)), &id.as_uuid()]).await.during(name)?;
    note(session, &[&facts], ("run_now", by), name).await
}

pub(super) async fn delete(
    database: &Database,
    id: JobId,
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    let transaction = database.begin(name).await?;
    let outcome = delete_in(&transaction, id, by, name).await;
    transaction.end(outcome, name).await
}

async fn delete_in(session: &Session, id: JobId, by: &Actor, name: &'static str) -> Result<(), StoreError> {
    let facts = check_deletable(session, id, name).await?;
    if facts.traits.has(Traits::UNIQUE) {
        unique::removed(session, &[id.as_uuid()], name).await?;
    }
    if facts.traits.has(Traits::GATED) {
        let (left, keys) = (vec![id.as_uuid()], facts.order_key.clone().into_iter().collect());
        gates::release(session, (&Vec::new(), &left, &keys), name).await?;
    }
    let removed = session.query(sql::job::DELETE, &[&vec![id.as_uuid()]]).await.during(name)?;
    if removed.is_empty() {
        return Err(StoreError::new(name, ErrorKind::Conflict));
    }
    let change = Change::of_job("delete", facts.before(), facts.now);
    audit::record_changes(session, "delete", (Noun::Job, vec![id.to_string()], vec![change]), (by, name))
        .await
}

/// What there is of the job, locked if it has not ended; and whether it has not.
pub(super) async fn expect(
    session: &Session,
    id: JobId,
    name: &'static str,
) -> Result<(Facts, bool), StoreError> {
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

/// Keeps who made the change that was just made to these jobs.
pub(crate) async fn note(
    session: &Session,
    jobs: &[&Facts],
    (verb, by): (&str, &Actor),
    name: &'static str,
) -> Result<(), StoreError> {
    let changes = jobs.iter().map(|facts| Change::of_job(verb, facts.before(), facts.now)).collect();
    note_changes(session, jobs, (verb, by, changes), name).await
}

/// The same, with what was changed of each.
pub(super) async fn note_changes(
    session: &Session,
    jobs: &[&Facts],
    (verb, by, changes): (&str, &Actor, Vec<Option<Change>>),
    name: &'static str,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = jobs.iter().map(|facts| facts.id.as_uuid()).collect();
    let revisions: Vec<i64> = jobs.iter().map(|facts| facts.revision + 1).collect();
    let values: Values<'_> = &[&session.now, &ids, &revisions, &verb, &by.name, &by.why];
    session.execute(sql::job::RECORD_EVENT, values).await.during(name)?;
    let ids = jobs.iter().map(|facts| facts.id.to_string()).collect();
    audit::record_changes(session, verb, (Noun::Job, ids, changes), (by, name)).await
}
