//! Leases: claimed, kept, and given back.

mod claim;
mod enqueue;
mod guarded;
mod outstanding;
mod settle;
mod turn;
mod write;

use async_trait::async_trait;
use windlass_core::{AttemptToken, JobId, JobState, Json, NewJob, Progress, WorkerId};
use windlass_store::leases::check_lease;
use windlass_store::rules::{Standing, check_batch, check_checkpoint};
use windlass_store::{
    Enqueued, ErrorKind, Holder, LeaseStore, LeaseTerm, LeasedJob, NewLogLine, StoreError, Turn, Turned,
};

pub(crate) use outstanding::{Known, Outstanding};
pub(crate) use settle::{Successes, reason, settle_in};
pub(crate) use turn::{Settling, Turns};

use crate::PostgresStore;
use crate::database::Session;
use crate::facts::{Facts, fenced};

#[async_trait]
impl LeaseStore for PostgresStore {
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        if let Some(claim) = &turn.claim {
            claim.validate().map_err(|invalid| StoreError::invalid("claim jobs", invalid))?;
        }
        if turn.settlements.is_empty() && turn.claim.is_none() {
            return Ok(Turned::default());
        }
        let settles = !turn.settlements.is_empty();
        let turned = match turn.claim {
            Some(_) => Box::pin(turn::take(&self.core, &turn)).await?,
            None => Turned { settled: self.settles.ask(turn.settlements).await?, ..Turned::default() },
        };
        if settles {
            self.core.hint_ended();
        }
        if turned.settled.iter().flatten().any(|settled| settled.state == JobState::Ready) {
            // It keeps its place, which lies before what was claimed.
            self.core.floors.forget();
            self.core.hint_work();
        }
        Ok(turned)
    }

    /// The server works on a connection with one processor.
    fn turns_at_once(&self) -> usize {
        2
    }

    async fn claim_job(
        &self,
        worker: WorkerId,
        job: JobId,
        lease: LeaseTerm,
    ) -> Result<LeasedJob, StoreError> {
        const NAME: &str = "claim the job";
        if let LeaseTerm::Own(span) = lease {
            check_lease(span).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        }
        claim::claim_job(&self.core, (worker, job, lease), NAME).await
    }

    async fn extend(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        self.core.outstanding.moved(&token);
        write::extend(&self.core.database, &token, "extend the lease").await
    }

    async fn holder(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        const NAME: &str = "look up the attempt";
        let session = self.core.database.call(NAME).await?;
        look(&session, &token, NAME).await
    }

    async fn progress(&self, token: AttemptToken, progress: Progress) -> Result<(), StoreError> {
        const NAME: &str = "store the progress";
        // A progress can be put together without its constructor; what is stored has passed it.
        let progress = Progress::new(progress.percent, progress.message.as_deref())
            .map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.core.outstanding.moved(&token);
        write::progress(&self.core.database, &token, &progress, NAME).await
    }

    async fn checkpoint(&self, token: AttemptToken, checkpoint: Json) -> Result<(), StoreError> {
        const NAME: &str = "store the checkpoint";
        check_checkpoint(&checkpoint, &self.core.limits)
            .map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.core.outstanding.moved(&token);
        write::checkpoint(&self.core.database, &token, &checkpoint, NAME).await
    }

    async fn log(&self, token: AttemptToken, lines: Vec<NewLogLine>) -> Result<(), StoreError> {
        self.core.outstanding.moved(&token);
        write::log(&self.core.database, &token, &lines, "store log lines").await
    }

    async fn enqueue_under(
        &self,
        token: AttemptToken,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        const NAME: &str = "enqueue jobs under a lease";
        check_batch(&jobs, &self.core.limits).map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let enqueued = enqueue::enqueue(&self.core, &token, &jobs, NAME).await?;
        // One of them may be due before those that were claimed last.
        self.core.floors.forget();
        self.core.hint_work();
        Ok(enqueued)
    }
}

/// What there is to say of a token's attempt.
async fn look(session: &Session, token: &AttemptToken, name: &'static str) -> Result<Holder, StoreError> {
    let facts = Facts::look(session, token.job, name).await?;
    let standing = fenced(token, facts.as_ref()).map_err(|kind| StoreError::new(name, kind))?;
    let facts = facts.ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))?;
    let cancel_requested = standing == Standing::Cancelled;
    Ok(Holder { job: facts.id, lease_until: facts.lease_until(), cancel_requested })
}
