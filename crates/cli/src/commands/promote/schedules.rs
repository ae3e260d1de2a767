//! Copying the schedules with their histories: each goes on where it was.

use windlass_core::limits::PAGE_MAX;
use windlass_postgres::{PostgresStore, ScheduleRecord};
use windlass_sqlite::SqliteStore;
use windlass_store::{Firing, PageRequest, Schedule, ScheduleStore, StoreError};

/// Copies all of them; one that is there already is left as it is.
pub(super) async fn copy(source: &SqliteStore, target: &PostgresStore) -> Result<(), StoreError> {
    let mut ahead = Some(PageRequest::first(PAGE_MAX));
    while let Some(request) = ahead {
        let page = source.schedules(request).await?;
        ahead = page.next.map(|next| request.after(Some(next)));
        for schedule in page.items {
            target.import_schedule(&read(source, schedule).await?).await?;
        }
    }
    Ok(())
}

async fn read(source: &SqliteStore, schedule: Schedule) -> Result<ScheduleRecord, StoreError> {
    let firings = firings(source, &schedule).await?;
    let events = source.schedule_events(schedule.name()).await?;
    Ok(ScheduleRecord { schedule, firings, events })
}

async fn firings(source: &SqliteStore, schedule: &Schedule) -> Result<Vec<Firing>, StoreError> {
    let (mut firings, mut ahead) = (Vec::new(), Some(PageRequest::first(PAGE_MAX)));
    while let Some(request) = ahead {
        let page = source.firings(schedule.name(), request).await?;
        firings.extend(page.items);
        ahead = page.next.map(|next| request.after(Some(next)));
    }
    Ok(firings)
}
