//! Jobs as they depend on one another.

use async_trait::async_trait;
use windlass_core::JobId;
use windlass_store::{Actor, ErrorTree, Flow, FlowStore, Input, Page, PageRequest, Relative, StoreError};
use windlass_wire::answers::{Inputs, Relatives, Touched};
use windlass_wire::{ErrorTreeShape, FlowShape};

use super::{RemoteStore, by, page};
use crate::ask::Ask;

impl RemoteStore {
    async fn relatives(
        &self,
        operation: &'static str,
        (id, which): (JobId, &'static str),
        of: PageRequest,
    ) -> Result<Page<Relative>, StoreError> {
        let ask = Ask::get(&[&"jobs", &id, &which]).page(of);
        let Relatives { jobs, next } = self.client().ask(operation, Ok(ask)).await?;
        page(operation, (jobs, next))
    }

    pub(super) async fn inputs_at(&self, ask: Ask) -> Result<Page<Input>, StoreError> {
        const NAME: &str = "list inputs";
        let Inputs { parents, next } = self.client().ask(NAME, Ok(ask)).await?;
        page(NAME, (parents, next))
    }
}

#[async_trait]
impl FlowStore for RemoteStore {
    async fn parents(&self, id: JobId, of: PageRequest) -> Result<Page<Relative>, StoreError> {
        self.relatives("list parents", (id, "parents"), of).await
    }

    async fn children(&self, id: JobId, of: PageRequest) -> Result<Page<Relative>, StoreError> {
        self.relatives("list children", (id, "children"), of).await
    }

    async fn inputs(&self, id: JobId, of: PageRequest) -> Result<Page<Input>, StoreError> {
        self.inputs_at(Ask::get(&[&"jobs", &id, &"inputs"]).page(of)).await
    }

    async fn flow(&self, id: JobId) -> Result<Flow, StoreError> {
        self.get::<FlowShape, _>("read the flow", Ok(Ask::get(&[&"jobs", &id, &"flow"]))).await
    }

    async fn cancel_flow(&self, id: JobId, actor: Actor) -> Result<Vec<JobId>, StoreError> {
        let ask = by(Ask::post(&[&"jobs", &id, &"flow", &"cancel"]), &actor);
        Ok(self.client().ask::<Touched>("cancel the flow", ask).await?.jobs)
    }

    async fn retry_flow(&self, id: JobId, actor: Actor) -> Result<Vec<JobId>, StoreError> {
        let ask = by(Ask::post(&[&"jobs", &id, &"flow", &"retry"]), &actor);
        Ok(self.client().ask::<Touched>("retry the flow", ask).await?.jobs)
    }

    async fn delete_flow(&self, root: JobId, actor: Actor) -> Result<Vec<JobId>, StoreError> {
        let ask = by(Ask::delete(&[&"jobs", &root, &"flow"]), &actor);
        Ok(self.client().ask::<Touched>("delete the flow", ask).await?.jobs)
    }

    async fn error_tree(&self, id: JobId) -> Result<ErrorTree, StoreError> {
        let ask = Ask::get(&[&"jobs", &id, &"errors"]);
        self.get::<ErrorTreeShape, _>("read the tree of errors", Ok(ask)).await
    }
}
