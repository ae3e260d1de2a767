//! The duties of the store, and what it says of itself.

use std::time::Duration;

use async_trait::async_trait;
use windlass_core::WorkerId;
use windlass_store::{Fired, Leadership, Maintenance, Pruned, Rescued, Retention, StoreError, StoreStatus};
use windlass_wire::answers::Findings;
use windlass_wire::{
    FiredShape, LeadRequest, LeadershipShape, PrunedShape, RescuedShape, RetentionRequest, StatusShape,
};

use super::RemoteStore;
use crate::ask::Ask;

/// How long to wait at the least for an answer that takes a look at everything.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10 * 60);

#[async_trait]
impl Maintenance for RemoteStore {
    async fn rescue(&self) -> Result<Rescued, StoreError> {
        self.get::<RescuedShape, _>("rescue lost jobs", Ok(Ask::post(&[&"upkeep", &"rescue"]))).await
    }

    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError> {
        let ask = Ask::post(&[&"upkeep", &"prune"]).with(&RetentionRequest::all(retention));
        self.get::<PrunedShape, _>("prune jobs", ask).await
    }

    async fn fire(&self) -> Result<Fired, StoreError> {
        self.get::<FiredShape, _>("fire schedules", Ok(Ask::post(&[&"upkeep", &"fire"]))).await
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        self.done("tidy the store", Ok(Ask::post(&[&"upkeep", &"tidy"]).harmless())).await
    }

    async fn lead(&self, candidate: WorkerId) -> Result<Leadership, StoreError> {
        let ask = Ask::post(&[&"upkeep", &"lead"]).harmless().with(&LeadRequest::new(candidate));
        self.get::<LeadershipShape, _>("ask who leads", ask).await
    }

    async fn resign(&self, leader: WorkerId) -> Result<(), StoreError> {
        self.done("give up the lead", Ok(Ask::delete(&[&"upkeep", &"lead", &leader]).harmless())).await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        self.get::<StatusShape, _>("read the status", Ok(Ask::get(&[&"store"]))).await
    }

    async fn check(&self) -> Result<Vec<String>, StoreError> {
        let patience = self.client().timeout().max(CHECK_TIMEOUT);
        let ask = Ask::post(&[&"store", &"check"]).harmless();
        let answered = self.client().ask_for::<Findings>("check the store", Ok(ask), patience).await?;
        Ok(answered.shape.findings)
    }
}
