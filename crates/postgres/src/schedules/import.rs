//! Schedules that were kept elsewhere until now.

use windlass_core::ScheduleName;
use windlass_store::{ErrorKind, Firing, Schedule, ScheduleEvent, StoreError};

use super::history::{record_firings, tell};
use super::record::keep;
use super::{expect, guard, lock};
use crate::PostgresStore;
use crate::database::Session;

const NAME: &str = "take over schedules";

/// Everything that a store tells of a schedule.
#[derive(Debug, Clone)]
pub struct ScheduleRecord {
    /// The schedule.
    pub schedule: Schedule,
    /// Its history.
    pub firings: Vec<Firing>,
    /// What was done to it by hand, in order.
    pub events: Vec<ScheduleEvent>,
}

impl PostgresStore {
    /// Takes over a schedule that another store kept, with its history: it goes on where it was. False where there is one of
    /// its name, which is left as it is.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Full`; `Unknown`: ask again.
    pub async fn import_schedule(&self, record: &ScheduleRecord) -> Result<bool, StoreError> {
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = async {
            guard(&self.core, &transaction, NAME).await?;
            if is_there(&transaction, record.schedule.name()).await? {
                return Ok(false);
            }
            write(&transaction, record).await.map(|()| true)
        };
        let outcome = outcome.await;
        transaction.end(outcome, NAME).await
    }
}

async fn is_there(session: &Session, name: &ScheduleName) -> Result<bool, StoreError> {
    match expect(session, name, NAME).await {
        Ok(_) => Ok(true),
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

async fn write(session: &Session, record: &ScheduleRecord) -> Result<(), StoreError> {
    let name = record.schedule.name();
    keep(session, std::slice::from_ref(&record.schedule), NAME).await?;
    let (kept, _) = lock(session, name, NAME).await?;
    // A firing has the time at which it was decided: those of one time go together.
    for firings in record.firings.chunk_by(|one, other| one.at == other.at) {
        let at = firings.first().map_or(record.schedule.created_at, |firing| firing.at);
        record_firings(session, (kept.id, at), firings, NAME).await?;
    }
    for event in &record.events {
        tell(session, (name, event.at), (&event.verb, event.job, &event.by), NAME).await?;
    }
    Ok(())
}
