//! Taking back what the dead held.

use windlass_core::{AttemptError, JobId, Next, Reason, Stage, lose};
use windlass_store::{Rescued, StoreError};

use super::{BATCH, limit};
use crate::database::{Database, Session, Transaction, Values};
use crate::effects::Effects;
use crate::error::During;
use crate::facts::Facts;
use crate::fates::{Closing, Fates};
use crate::workers::{held, leave};
use crate::{reviews, row, sql};

/// Takes back what expired leases held. Where there is nothing to do, and that is nearly always, this is a single look.
pub(super) async fn rescue(database: &Database, name: &'static str) -> Result<Rescued, StoreError> {
    let session = database.call(name).await?;
    let look = session.query_opt(sql::maintenance::RESCUABLE, &[&session.now]).await.during(name)?;
    if !look.is_some_and(|row| row.get(0)) {
        return Ok(Rescued::default());
    }
    let transaction = Transaction::begin(session, name).await?;
    let outcome = rescue_in(&transaction, name).await;
    transaction.end(outcome, name).await
}

/// Closes an attempt whose holder gave no sign of life. Its token is forgotten.
pub(crate) fn take_back(facts: &Facts, fates: &mut Fates) -> Result<TakenBack, StoreError> {
    if facts.is_cancelled() {
        fates.close(facts, 0)?;
        return Ok(TakenBack::Closed);
    }
    let ending = lose(&facts.running());
    let error = AttemptError::lost(ending.losses, facts.losses_max);
    fates.end(facts, Closing { ending: &ending, error: Some(&error), result: None, nonce: 0 })?;
    let dead = matches!(ending.next, Next::Finished { .. });
    Ok(if dead { TakenBack::Poisoned } else { TakenBack::Returned })
}

/// What became of an attempt whose lease was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TakenBack {
    /// Its job may be claimed again.
    Returned,
    /// Its job was lost once too often.
    Poisoned,
    /// Its job had been cancelled.
    Closed,
}

fn count(rescued: &mut Rescued, taken_back: TakenBack) {
    match taken_back {
        TakenBack::Returned => rescued.returned += 1,
        TakenBack::Poisoned => rescued.poisoned += 1,
        TakenBack::Closed => rescued.closed += 1,
    }
}

/// Takes back jobs of which the caller knows that their leases are over.
async fn take_back_all(
    session: &Session,
    ids: &[JobId],
    rescued: &mut Rescued,
    name: &'static str,
) -> Result<Effects, StoreError> {
    if ids.is_empty() {
        return Ok(Effects::default());
    }
    let mut fates = Fates::default();
    for facts in Facts::lock(session, ids, name).await? {
        // It may have been settled since it was found.
        if facts.open && facts.lease_until() <= facts.now {
            count(rescued, take_back(&facts, &mut fates)?);
        }
    }
    fates.write_rows(session, name).await
}

async fn rescue_in(session: &Session, name: &'static str) -> Result<Rescued, StoreError> {
    let mut rescued = Rescued::default();
    let (room, mut effects) = rescue_own_leases(session, &mut rescued, name).await?;
    let room = rescue_workers(session, &mut rescued, (room, &mut effects), name).await?;
    effects.follow(session, name).await?;
    let missed = expire_missed(session, name).await?;
    rescued.expired = missed as u64;
    let more_reviews = reviews::look(session, &mut rescued, BATCH, name).await?;
    rescued.more = room == 0 || missed == BATCH || more_reviews;
    Ok(rescued)
}

/// Takes back jobs whose own lease is over. How many more may be taken back.
async fn rescue_own_leases(
    session: &Session,
    rescued: &mut Rescued,
    name: &'static str,
) -> Result<(usize, Effects), StoreError> {
    let values: Values<'_> = &[&session.now, &limit(BATCH)];
    let values = session.query(sql::maintenance::EXPIRED_LEASES, values);
    let ids: Vec<JobId> = values.await.during(name)?.iter().map(|row| row::job_id(row, 0)).collect();
    let effects = take_back_all(session, &ids, rescued, name).await?;
    Ok((BATCH - ids.len(), effects))
}

/// Takes back what expired workers held, and forgets them. How many more may be taken back.
async fn rescue_workers(
    session: &Session,
    rescued: &mut Rescued,
    (mut room, effects): (usize, &mut Effects),
    name: &'static str,
) -> Result<usize, StoreError> {
    let workers = session.query(sql::maintenance::EXPIRED_WORKERS, &[&session.now]).await.during(name)?;
    for worker in workers {
        let (number, here): (i32, bool) = (worker.get(0), worker.get(1));
        let ids = held(session, (number, true), limit(room), name).await?;
        effects.join(take_back_all(session, &ids, rescued, name).await?);
        room -= ids.len();
        if room == 0 {
            // It may hold more than there was room for; it is forgotten by the call that takes back the last of it.
            break;
        }
        leave(session, number, name).await?;
        rescued.workers += u64::from(here);
    }
    Ok(room)
}

/// Ends jobs that were not started by their deadline. How many there were.
async fn expire_missed(session: &Session, name: &'static str) -> Result<usize, StoreError> {
    let values: Values<'_> = &[&session.now, &limit(BATCH)];
    let values = session.query(sql::maintenance::MISSED_DEADLINES, values);
    let ids: Vec<JobId> = values.await.during(name)?.iter().map(|row| row::job_id(row, 0)).collect();
    expire(session, &ids, name).await?.follow(session, name).await?;
    Ok(ids.len())
}

/// Ends unstarted jobs whose deadline has passed, and that this transaction has locked. What follows is still to be carried out.
pub(crate) async fn expire(
    session: &Session,
    ids: &[JobId],
    name: &'static str,
) -> Result<Effects, StoreError> {
    if ids.is_empty() {
        return Ok(Effects::default());
    }
    let mut fates = Fates::default();
    for facts in Facts::lock(session, ids, name).await? {
        let error = facts.deadline.map(AttemptError::missed);
        fates.stop(&facts, (Stage::Dead, Reason::Deadline), error.as_ref())?;
    }
    fates.write_rows(session, name).await
}
