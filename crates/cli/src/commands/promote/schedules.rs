//! Copying the schedules with their histories: each goes on where it was.

use windlass_postgres::{PostgresStore, ScheduleRecord};
use windlass_sqlite::SqliteStore;
use windlass_store::{Firing, Schedule, ScheduleStore, StoreError};

use crate::pages;

/// Copies all of them; one that is there already is left as it is.
pub(super) async fn copy(source: &SqliteStore, target: &PostgresStore) -> Result<(), StoreError> {
    for schedule in pages::all(async |page| source.schedules(page).await).await? {
        target.import_schedule(&read(source, schedule).await?).await?;
    }
    Ok(())
}

async fn read(source: &SqliteStore, schedule: Schedule) -> Result<ScheduleRecord, StoreError> {
    let firings = firings(source, &schedule).await?;
    let events = source.schedule_events(schedule.name()).await?;
    Ok(ScheduleRecord { schedule, firings, events })
}

async fn firings(source: &SqliteStore, schedule: &Schedule) -> Result<Vec<Firing>, StoreError> {
    pages::all(async |page| source.firings(schedule.name(), page).await).await
}
