//! Queues: how full they are, and how they are bounded.

use async_trait::async_trait;
use windlass_core::{Bounds, QueueName, Whole};
use windlass_store::{Actor, QueueRetention, QueueStore, QueueSummary, StoreError};
use windlass_wire::BoundsRequest;
use windlass_wire::answers::{AllBounds, AllKept, Queues};

use super::{RemoteStore, all, by, verb};
use crate::ask::Ask;

#[async_trait]
impl QueueStore for RemoteStore {
    async fn queues(&self) -> Result<Vec<QueueSummary>, StoreError> {
        const NAME: &str = "list queues";
        all(NAME, self.client().ask::<Queues>(NAME, Ok(Ask::get(&[&"queues"]))).await?.queues)
    }

    async fn pause(&self, queue: &QueueName, actor: Actor) -> Result<(), StoreError> {
        let ask = by(Ask::post(&[&"queues", queue, &"pause"]).harmless(), &actor);
        self.done("pause the queue", ask).await
    }

    async fn resume(&self, queue: &QueueName, actor: Actor) -> Result<(), StoreError> {
        let ask = by(Ask::post(&[&"queues", queue, &"resume"]).harmless(), &actor);
        self.done("resume the queue", ask).await
    }

    async fn keep(
        &self,
        queue: &QueueName,
        retention: QueueRetention,
        actor: Actor,
    ) -> Result<(), StoreError> {
        let ask = Ask::patch(&[&"queues", queue]).harmless().named_by(&actor);
        let verb = retention.validate().and_then(|()| verb(&actor));
        self.done("keep jobs", verb.and_then(|verb| ask.with(&BoundsRequest::kept(retention, verb)))).await
    }

    async fn retentions(&self) -> Result<Vec<(QueueName, QueueRetention)>, StoreError> {
        let ask = Ask::get(&[&"retentions"]);
        let AllKept { retentions } = self.client().ask("list retentions", Ok(ask)).await?;
        Ok(retentions.into_iter().map(|kept| (kept.queue, kept.retention.into())).collect())
    }

    async fn bound(&self, whole: &Whole, bounds: Bounds, actor: Actor) -> Result<(), StoreError> {
        let ask = match whole {
            Whole::Queue(queue) => Ask::patch(&[&"queues", queue]),
            Whole::Kind(kind) => Ask::patch(&[&"kinds", kind]),
        };
        let ask = ask.harmless().named_by(&actor);
        let verb = bounds.validate().and_then(|()| verb(&actor));
        self.done("bound", verb.and_then(|verb| ask.with(&BoundsRequest::of(bounds, verb)))).await
    }

    async fn bounds(&self) -> Result<Vec<(Whole, Bounds)>, StoreError> {
        const NAME: &str = "list bounds";
        all(NAME, self.client().ask::<AllBounds>(NAME, Ok(Ask::get(&[&"bounds"]))).await?.bounds)
    }
}
