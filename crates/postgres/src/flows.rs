//! Flows: jobs that wait for one another. What their edges mean is in `edges`, and how they are made in `enqueue`.

mod change;
mod edges;
mod enqueue;
mod read;

use async_trait::async_trait;
use windlass_core::JobId;
use windlass_store::{Actor, Flow, FlowStore, Input, Page, PageRequest, Relative, StoreError};

pub(crate) use change::check_deletable;
pub(crate) use edges::{hold_again, tell_children};
pub(crate) use enqueue::{Links, enqueue, is_linked, make};

use crate::{PostgresStore, sql};

#[async_trait]
impl FlowStore for PostgresStore {
    async fn parents(&self, id: JobId, page: PageRequest) -> Result<Page<Relative>, StoreError> {
        read::relatives(&self.core.database, id, (sql::flow::PARENTS, page), "read the parents").await
    }

    async fn children(&self, id: JobId, page: PageRequest) -> Result<Page<Relative>, StoreError> {
        read::relatives(&self.core.database, id, (sql::flow::CHILDREN, page), "read the children").await
    }

    async fn inputs(&self, id: JobId, page: PageRequest) -> Result<Page<Input>, StoreError> {
        read::inputs(&self.core.database, id, page, "read what its parents made").await
    }

    async fn flow(&self, id: JobId) -> Result<Flow, StoreError> {
        const NAME: &str = "read the flow";
        let session = self.core.database.call(NAME).await?;
        read::flow(&session, id, NAME).await
    }

    async fn cancel_flow(&self, id: JobId, by: Actor) -> Result<Vec<JobId>, StoreError> {
        const NAME: &str = "cancel the flow";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let cancelled = change::cancel_flow(&self.core.database, id, &by, NAME).await?;
        self.core.hint_work();
        self.core.hint_ended();
        Ok(cancelled)
    }

    async fn retry_flow(&self, id: JobId, by: Actor) -> Result<Vec<JobId>, StoreError> {
        const NAME: &str = "retry the flow";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let retried = change::retry_flow(&self.core.database, id, &by, NAME).await?;
        self.core.floors.forget();
        self.core.hint_work();
        Ok(retried)
    }

    async fn delete_flow(&self, root: JobId, by: Actor) -> Result<Vec<JobId>, StoreError> {
        const NAME: &str = "delete the flow";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        change::delete_flow(&self.core.database, root, &by, NAME).await
    }
}
