//! Workers: who is there, and what they hold.

use std::time::Duration;

use async_trait::async_trait;
use windlass_core::{AttemptToken, WorkerId, span};
use windlass_store::{Beat, LeaseSummary, NewWorker, StoreError, Worker, WorkerStore};
use windlass_wire::answers::{Held, Leases, Registered, Workers};
use windlass_wire::{BeatShape, WorkerRequest};

use super::{RemoteStore, all};
use crate::ask::Ask;

fn silent_for(ask: Ask, long: Duration) -> Ask {
    ask.query(&[("silent_for", Some(span::format(long)))])
}

#[async_trait]
impl WorkerStore for RemoteStore {
    async fn register(&self, worker: NewWorker) -> Result<(), StoreError> {
        let ask = worker
            .validate()
            .and_then(|()| Ask::post(&[&"workers"]).harmless().with(&WorkerRequest::from(worker)));
        self.client().ask::<Registered>("register the worker", ask).await.map(drop)
    }

    async fn beat(&self, worker: WorkerId) -> Result<Beat, StoreError> {
        let ask = Ask::post(&[&"workers", &worker, &"beat"]).harmless();
        self.get::<BeatShape, _>("keep the worker's lease", Ok(ask)).await
    }

    async fn deregister(&self, worker: WorkerId) -> Result<(), StoreError> {
        self.done("deregister the worker", Ok(Ask::delete(&[&"workers", &worker]))).await
    }

    async fn workers(&self, long: Duration) -> Result<Vec<Worker>, StoreError> {
        const NAME: &str = "list workers";
        let ask = silent_for(Ask::get(&[&"workers"]), long);
        all(NAME, self.client().ask::<Workers>(NAME, Ok(ask)).await?.workers)
    }

    async fn leases(&self, long: Duration) -> Result<Vec<LeaseSummary>, StoreError> {
        const NAME: &str = "list leases";
        let ask = silent_for(Ask::get(&[&"leases"]), long);
        all(NAME, self.client().ask::<Leases>(NAME, Ok(ask)).await?.leases)
    }

    async fn held(&self, worker: WorkerId) -> Result<Vec<AttemptToken>, StoreError> {
        let ask = Ask::get(&[&"workers", &worker, &"leases"]);
        Ok(self.client().ask::<Held>("list what the worker holds", Ok(ask)).await?.tokens)
    }
}
