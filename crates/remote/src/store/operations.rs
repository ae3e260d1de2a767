//! Operations on many jobs.

use async_trait::async_trait;
use windlass_core::OperationId;
use windlass_store::{
    Actor, Advance, DriveToken, Driven, NewOperation, Operation, OperationStore, Page, PageRequest,
    StoreError,
};
use windlass_wire::{AdvanceRequest, AllOperations, DrivenShape, OperationRequest, OperationShape};

use super::{RemoteStore, by, page, verb};
use crate::ask::Ask;

#[async_trait]
impl OperationStore for RemoteStore {
    async fn begin_operation(&self, operation: NewOperation, actor: Actor) -> Result<Operation, StoreError> {
        let ask = Ask::post(&[&"operations"]).harmless().named_by(&actor);
        let ask = verb(&actor).and_then(|verb| ask.with(&OperationRequest::new(operation, verb)));
        self.get::<OperationShape, _>("begin the operation", ask).await
    }

    async fn operation(&self, id: OperationId) -> Result<Operation, StoreError> {
        self.get::<OperationShape, _>("read the operation", Ok(Ask::get(&[&"operations", &id]))).await
    }

    async fn operations(&self, of: PageRequest) -> Result<Page<Operation>, StoreError> {
        const NAME: &str = "list operations";
        let ask = Ok(Ask::get(&[&"operations"]).page(of));
        let AllOperations { operations, next } = self.client().ask(NAME, ask).await?;
        page(NAME, (operations, next))
    }

    async fn pause_operation(&self, id: OperationId, actor: Actor) -> Result<Operation, StoreError> {
        let ask = by(Ask::post(&[&"operations", &id, &"pause"]).harmless(), &actor);
        self.get::<OperationShape, _>("pause the operation", ask).await
    }

    async fn resume_operation(&self, id: OperationId, actor: Actor) -> Result<Operation, StoreError> {
        let ask = by(Ask::post(&[&"operations", &id, &"resume"]).harmless(), &actor);
        self.get::<OperationShape, _>("resume the operation", ask).await
    }

    async fn abort_operation(&self, id: OperationId, actor: Actor) -> Result<Operation, StoreError> {
        let ask = by(Ask::post(&[&"operations", &id, &"abort"]).harmless(), &actor);
        self.get::<OperationShape, _>("abort the operation", ask).await
    }

    async fn drive_operation(&self) -> Result<Option<(DriveToken, Operation)>, StoreError> {
        // Taken up without anybody hearing of it, it is free again after its lease.
        let ask = Ok(Ask::post(&[&"upkeep", &"operations"]));
        self.get::<DrivenShape, _>("take up an operation", ask).await
    }

    async fn advance_operation(
        &self,
        token: DriveToken,
        advance: Advance,
        limit: u32,
    ) -> Result<Driven, StoreError> {
        let ask = Ask::post(&[&"upkeep", &"operations", &token.operation]).harmless();
        let ask = ask.with(&AdvanceRequest::new(token.nonce, advance, limit));
        self.get::<DrivenShape, _>("tell of the operation", ask).await
    }
}
