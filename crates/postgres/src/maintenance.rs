//! The periodic duties, and what the store says of itself.

use std::time::Duration;

use async_trait::async_trait;
use windlass_core::{AttemptError, JobId, Next, Reason, Stage, lose};
use windlass_store::{Durability, Maintenance, Pruned, Rescued, Retention, StoreError, StoreStatus};

use crate::database::{Session, Values};
use crate::error::During;
use crate::facts::Facts;
use crate::fates::{Closing, Fates};
use crate::workers::{held, leave, micros};
use crate::{PostgresStore, migrate, row, sql};

/// Most jobs that one call of a duty changes: their rows are locked meanwhile.
const BATCH: usize = 1_000;

#[async_trait]
impl Maintenance for PostgresStore {
    async fn rescue(&self) -> Result<Rescued, StoreError> {
        const NAME: &str = "rescue jobs";
        let transaction = self.database.begin(NAME).await?;
        let outcome = rescue(&transaction, NAME).await;
        let rescued = transaction.end(outcome, NAME).await?;
        if rescued.returned > 0 {
            // They keep their places, which may lie before those that claims begin at.
            self.floors.forget();
            self.hint_work();
        }
        if rescued.poisoned + rescued.closed + rescued.expired > 0 {
            self.hint_ended();
        }
        Ok(rescued)
    }

    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        const NAME: &str = "prune jobs";
        let session = self.database.call(NAME).await?;
        let mut removed = 0;
        let stages = [
            (Stage::Completed, retention.completed),
            (Stage::Cancelled, retention.cancelled),
            (Stage::Dead, retention.dead),
        ];
        for (stage, keep) in stages {
            if let Some(keep) = keep {
                removed += prune(&session, (stage, keep), BATCH - removed, NAME).await?;
            }
        }
        Ok(Pruned { removed: removed as u64, more: removed == BATCH })
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        const NAME: &str = "tidy the store";
        let session = self.database.call(NAME).await?;
        session.execute(sql::maintenance::FORGET_CLAIMS, &[&session.now]).await.during(NAME)?;
        session.execute(sql::maintenance::FORGET_WORKERS, &[&session.now]).await.during(NAME)?;
        Ok(())
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        const NAME: &str = "read the status";
        let session = self.database.call(NAME).await?;
        let found =
            session.query(sql::maintenance::STATUS, &[&session.now, &self.schema]).await.during(NAME)?;
        let found = found.first().ok_or_else(|| row::damaged("the server says nothing of itself"))?;
        let durable: bool = found.get(2);
        Ok(StoreStatus {
            engine: format!("postgresql {}", found.get::<_, &str>(0)),
            location: self.location.clone(),
            durability: if durable { Durability::Durable } else { Durability::Relaxed },
            schema_version: migrate::VERSION,
            now: row::instant(found, 1),
            size_bytes: row::unsigned(found, 3),
            warnings: Vec::new(),
        })
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        const NAME: &str = "check the store";
        let session = self.database.call(NAME).await?;
        let faults = session.query(sql::maintenance::FAULTS, &[]).await.during(NAME)?;
        Ok(faults.iter().map(|row| row.get(0)).collect())
    }
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
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut fates = Fates::default();
    for facts in Facts::lock(session, ids, name).await? {
        // It may have been settled since it was found.
        if facts.open && facts.lease_until() <= facts.now {
            count(rescued, take_back(&facts, &mut fates)?);
        }
    }
    fates.write(session, name).await
}

async fn rescue(session: &Session, name: &'static str) -> Result<Rescued, StoreError> {
    let mut rescued = Rescued::default();
    let room = rescue_own_leases(session, &mut rescued, name).await?;
    let room = rescue_workers(session, &mut rescued, room, name).await?;
    let missed = expire_missed(session, name).await?;
    rescued.expired = missed as u64;
    rescued.more = room == 0 || missed == BATCH;
    Ok(rescued)
}

/// Takes back jobs whose own lease is over. How many more may be taken back.
async fn rescue_own_leases(
    session: &Session,
    rescued: &mut Rescued,
    name: &'static str,
) -> Result<usize, StoreError> {
    let values: Values<'_> = &[&session.now, &limit(BATCH)];
    let values = session.query(sql::maintenance::EXPIRED_LEASES, values);
    let ids: Vec<JobId> = values.await.during(name)?.iter().map(|row| row::job_id(row, 0)).collect();
    take_back_all(session, &ids, rescued, name).await?;
    Ok(BATCH - ids.len())
}

/// Takes back what expired workers held, and forgets them. How many more may be taken back.
async fn rescue_workers(
    session: &Session,
    rescued: &mut Rescued,
    mut room: usize,
    name: &'static str,
) -> Result<usize, StoreError> {
    let workers = session.query(sql::maintenance::EXPIRED_WORKERS, &[&session.now]).await.during(name)?;
    for worker in workers {
        let (number, here): (i32, bool) = (worker.get(0), worker.get(1));
        let ids = held(session, (number, true), limit(room), name).await?;
        take_back_all(session, &ids, rescued, name).await?;
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
    expire(session, &ids, name).await?;
    Ok(ids.len())
}

/// Ends unstarted jobs whose deadline has passed, and that this transaction has locked.
pub(crate) async fn expire(session: &Session, ids: &[JobId], name: &'static str) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut fates = Fates::default();
    for facts in Facts::lock(session, ids, name).await? {
        let error = facts.deadline.map(AttemptError::missed);
        fates.stop(&facts, (Stage::Dead, Reason::Deadline), error.as_ref())?;
    }
    fates.write(session, name).await
}

async fn prune(
    session: &Session,
    (stage, keep): (Stage, Duration),
    room: usize,
    name: &'static str,
) -> Result<usize, StoreError> {
    let stage = i16::from(stage.as_number());
    let values: Values<'_> = &[&session.now, &stage, &micros(keep), &limit(room)];
    let values = session.query_opt(sql::maintenance::PRUNE, values);
    let removed = values.await.during(name)?.map_or(0, |row| row.get::<_, i64>(0));
    Ok(usize::try_from(removed).unwrap_or(0))
}

fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
