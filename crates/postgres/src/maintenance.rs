//! The periodic duties, and what the store says of itself.

pub(crate) mod days;
mod leader;
mod rescue;
mod retention;
mod status;
mod vacuum;

use async_trait::async_trait;
use windlass_core::WorkerId;
use windlass_store::{Fired, Leadership, Maintenance, Pruned, Rescued, Retention, StoreError, StoreStatus};

use crate::error::During;
use crate::{PostgresStore, errors, gates, operations, schedules, sql, unique};

pub(crate) use rescue::{expire, take_back};
pub(crate) use retention::Progress;
pub(crate) use vacuum::Rest;

/// Most jobs that one call of a duty changes: their rows are locked meanwhile.
const BATCH: usize = 1_000;

#[async_trait]
impl Maintenance for PostgresStore {
    async fn rescue(&self) -> Result<Rescued, StoreError> {
        let rescued = rescue::rescue(&self.core.database, "rescue jobs").await?;
        if rescued.returned > 0 {
            // They keep their places, which may lie before those that claims begin at.
            self.core.floors.forget();
            self.core.hint_work();
        }
        if rescued.poisoned + rescued.closed + rescued.expired > 0 {
            // What ended may have let others go.
            self.core.floors.forget();
            self.core.hint_work();
            self.core.hint_ended();
        }
        Ok(rescued)
    }

    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        retention::prune(&self.core, retention, "prune jobs").await
    }

    async fn fire(&self) -> Result<Fired, StoreError> {
        Box::pin(schedules::fire(&self.core, "fire schedules")).await
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        const NAME: &str = "tidy the store";
        let session = self.core.database.call(NAME).await?;
        days::make(&session, &self.core.schema, NAME).await?;
        session.query(sql::maintenance::SUMMARISE, &[&session.now, &self.core.schema]).await.during(NAME)?;
        session.execute(sql::maintenance::FORGET_CLAIMS, &[&session.now]).await.during(NAME)?;
        session.execute(sql::maintenance::FORGET_WORKERS, &[&session.now]).await.during(NAME)?;
        unique::forget(&session, NAME).await?;
        errors::forget(&session, NAME).await?;
        operations::forget(&session, NAME).await?;
        drop(session);
        gates::forget(&self.core.database, NAME).await?;
        vacuum::vacuum(&self.core, NAME).await
    }

    async fn lead(&self, candidate: WorkerId) -> Result<Leadership, StoreError> {
        const NAME: &str = "ask to lead";
        let session = self.core.database.call(NAME).await?;
        leader::lead(&session, candidate, NAME).await
    }

    async fn resign(&self, leader: WorkerId) -> Result<(), StoreError> {
        const NAME: &str = "give up the lead";
        let session = self.core.database.call(NAME).await?;
        leader::resign(&session, leader, NAME).await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        status::status(&self.core, "read the status").await
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        const NAME: &str = "check the store";
        let session = self.core.database.call(NAME).await?;
        let faults = session.query(sql::maintenance::FAULTS, &[]).await.during(NAME)?;
        Ok(faults.iter().map(|row| row.get(0)).collect())
    }
}

fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
