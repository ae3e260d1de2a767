//! Jobs: enqueued, read, and changed by hand.

mod change;
mod edit;
mod insert;
pub(crate) mod notices;
mod read;

pub(crate) use change::{note, restore};
pub(crate) use insert::{Columns, Enqueueing, answer, ended_since};

use async_trait::async_trait;
use windlass_core::{Attempt, Job, JobId, LogLine, NewJob};
use windlass_store::rules::check_batch;
use windlass_store::{
    Actor, CancelOutcome, Enqueued, ErrorKind, Explanation, JobEdit, JobEvent, JobFilter, JobStore, Page,
    PageRequest, StoreError,
};

use crate::error::During;
use crate::flows::{self, is_linked};
use crate::{PostgresStore, explain, row, sql, unique};

#[async_trait]
impl JobStore for PostgresStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, StoreError> {
        const NAME: &str = "enqueue jobs";
        check_batch(&jobs, &self.core.limits).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        if unique::is_asked_for(&jobs) {
            unique::enqueue(&self.core, &jobs, NAME).await
        } else if is_linked(&jobs) {
            flows::enqueue(&self.core, &jobs, NAME).await
        } else if jobs.len() < Enqueueing::LARGE {
            self.enqueues.ask(jobs).await
        } else {
            Enqueueing::alone(&self.core, &jobs).await
        }
    }

    async fn job(&self, id: JobId) -> Result<Job, StoreError> {
        const NAME: &str = "read the job";
        let session = self.core.database.call(NAME).await?;
        let found = session.query_opt(sql::job::READ, &[&session.now, &id.as_uuid()]).await.during(NAME)?;
        found.as_ref().map(row::job).ok_or_else(|| StoreError::new(NAME, ErrorKind::NotFound))?
    }

    async fn jobs(&self, filter: JobFilter, page: PageRequest) -> Result<Page<Job>, StoreError> {
        read::list(&self.core.database, &filter, page, "list jobs").await
    }

    async fn attempts(&self, id: JobId) -> Result<Vec<Attempt>, StoreError> {
        read::attempts(&self.core.database, id, "read the attempts").await
    }

    async fn logs(&self, id: JobId, page: PageRequest) -> Result<Page<LogLine>, StoreError> {
        read::log(&self.core.database, id, page, "read the log").await
    }

    async fn events(&self, id: JobId) -> Result<Vec<JobEvent>, StoreError> {
        read::events(&self.core.database, id, "read the events").await
    }

    async fn explain(&self, id: JobId) -> Result<Explanation, StoreError> {
        explain::explain(&self.core, id, "explain the job").await
    }

    async fn cancel(&self, id: JobId, by: Actor) -> Result<CancelOutcome, StoreError> {
        const NAME: &str = "cancel the job";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let outcome = change::cancel(&self.core.database, id, &by, NAME).await?;
        if outcome != CancelOutcome::AlreadyCancelled {
            self.core.hint_work();
            self.core.hint_ended();
        }
        Ok(outcome)
    }

    async fn retry(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "retry the job";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        change::retry(&self.core.database, id, &by, NAME).await?;
        self.core.floors.forget();
        self.core.hint_work();
        Ok(())
    }

    async fn run_now(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "run the job now";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        change::run_now(&self.core.database, id, &by, NAME).await?;
        self.core.floors.forget();
        self.core.hint_work();
        Ok(())
    }

    async fn edit(&self, id: JobId, edit: JobEdit, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "edit the job";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        if edit::edit(&self.core, id, (&edit, &by), NAME).await? {
            // It may stand before what was claimed last.
            self.core.floors.forget();
            self.core.hint_work();
        }
        Ok(())
    }

    async fn rerun(&self, id: JobId, copy: JobId, by: Actor) -> Result<Enqueued, StoreError> {
        const NAME: &str = "rerun the job";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let made = edit::rerun(self, (id, copy), &by, NAME).await?;
        self.core.hint_work();
        Ok(made)
    }

    async fn delete(&self, id: JobId, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "delete the job";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        change::delete(&self.core.database, id, &by, NAME).await
    }
}
