//! Leases: claims, and what is said of them.

use async_trait::async_trait;
use windlass_core::{AttemptToken, Invalid, Job, JobId, Json, NewJob, Progress, WorkerId};
use windlass_store::leases::check_lease;
use windlass_store::{
    ClaimRequest, Claimed, Enqueued, ErrorKind, Holder, Input, JobStore, LeaseStore, LeaseTerm, LeasedJob,
    NewLogLine, Page, PageRequest, Settled, StoreError, Turn, Turned,
};
use windlass_wire::{
    ExtendRequest, HeldShape, JobShape, LeaseRequest, LeasesShape, LogRequest, TermShape, TurnRequest,
    TurnShape, WorkerRef,
};

use super::RemoteStore;
use crate::ask::Ask;
use crate::failure::unreadable;

/// A claim as it is asked for: at once, and without what its parents made, which a handler asks for that needs it.
fn asked(claim: &ClaimRequest) -> Result<LeaseRequest, Invalid> {
    claim.validate()?;
    let mut request = LeaseRequest::new(WorkerRef::Id(claim.worker));
    request.queues = claim.scope.queues.clone();
    request.kinds = claim.scope.kinds.clone();
    request.limit = Some(claim.limit);
    request.lease = Some(term(claim.lease));
    request.parents = Some(false);
    Ok(request)
}

const fn term(lease: LeaseTerm) -> TermShape {
    match lease {
        LeaseTerm::Process => TermShape::Process,
        LeaseTerm::Own(span) => TermShape::Own(span),
    }
}

fn turn_of(turn: &Turn) -> Result<Ask, Invalid> {
    let claim = turn.claim.as_ref().map(asked).transpose()?;
    let settlements = turn.settlements.iter().cloned().map(Into::into).collect();
    let ask = Ask::post(&[&"turns"]).with(&TurnRequest::new(settlements, claim))?;
    // A settle is known by its token; a claim would claim once more.
    Ok(if turn.claim.is_none() { ask.harmless() } else { ask })
}

impl RemoteStore {
    /// Where the job of a settlement is that had been stored before: by the request whose answer was lost.
    async fn known_before(
        &self,
        token: AttemptToken,
        answer: Result<Settled, StoreError>,
    ) -> Result<Settled, StoreError> {
        let Err(error) = answer else { return answer };
        if *error.kind() != ErrorKind::NotRunning {
            return Err(error);
        }
        // Who may not look is told what the server knows: that this token closed the attempt.
        let job = self.job(token.job).await.map_err(|_| error)?;
        Ok(Settled { state: job.state, reason: job.reason })
    }

    async fn say(&self, operation: &'static str, ask: Result<Ask, Invalid>) -> Result<Holder, StoreError> {
        self.get::<HeldShape, _>(operation, ask).await
    }
}

#[async_trait]
impl LeaseStore for RemoteStore {
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        const NAME: &str = "take a turn";
        let (ask, patience) = (turn_of(&turn), self.client().timeout());
        let answered = self.client().ask_for::<TurnShape>(NAME, ask, patience).await.map_err(of_claim)?;
        let mut turned = answered.shape.into_turned(NAME).map_err(|why| unreadable(NAME, why))?;
        if turned.settled.len() != turn.settlements.len() {
            return Err(unreadable(NAME, "it does not tell of each settlement"));
        }
        if answered.repeated {
            for (settlement, settled) in turn.settlements.iter().zip(&mut turned.settled) {
                let answer = std::mem::replace(settled, Err(StoreError::new(NAME, ErrorKind::Unknown)));
                *settled = self.known_before(settlement.token, answer).await;
            }
        }
        Ok(turned)
    }

    async fn claim_job(
        &self,
        worker: WorkerId,
        job: JobId,
        lease: LeaseTerm,
    ) -> Result<LeasedJob, StoreError> {
        const NAME: &str = "claim the job";
        let mut request = LeaseRequest::new(WorkerRef::Id(worker));
        request.job = Some(job);
        request.lease = Some(term(lease));
        request.parents = Some(false);
        let checked = match lease {
            LeaseTerm::Own(span) => check_lease(span),
            LeaseTerm::Process => Ok(()),
        };
        let ask = checked.and_then(|()| Ask::post(&[&"leases"]).with(&request));
        let claimed: Claimed = self.get::<LeasesShape, _>(NAME, ask).await?;
        claimed.jobs.into_iter().next().ok_or_else(|| unreadable(NAME, "it tells of no lease"))
    }

    async fn extend(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        self.say("extend a lease", Ok(Ask::post(&[&"leases", &token, &"extend"]).harmless())).await
    }

    async fn holder(&self, token: AttemptToken) -> Result<Holder, StoreError> {
        self.say("look at a lease", Ok(Ask::get(&[&"leases", &token]))).await
    }

    async fn job_under(&self, token: AttemptToken) -> Result<Job, StoreError> {
        self.get::<JobShape, _>("read the job of a lease", Ok(Ask::get(&[&"leases", &token, &"job"]))).await
    }

    async fn inputs_under(
        &self,
        token: AttemptToken,
        _about: JobId,
        of: PageRequest,
    ) -> Result<Page<Input>, StoreError> {
        self.inputs_at(Ask::get(&[&"leases", &token, &"inputs"]).page(of)).await
    }

    async fn progress(&self, token: AttemptToken, progress: Progress) -> Result<(), StoreError> {
        let ask = Ask::post(&[&"leases", &token, &"progress"]).harmless();
        self.done("store progress", ask.with(&ExtendRequest::progress(progress))).await
    }

    async fn checkpoint(&self, token: AttemptToken, checkpoint: Json) -> Result<(), StoreError> {
        let ask = Ask::post(&[&"leases", &token, &"checkpoint"]).harmless();
        self.done("store a checkpoint", ask.with(&ExtendRequest::checkpoint(checkpoint))).await
    }

    async fn log(&self, token: AttemptToken, lines: Vec<NewLogLine>) -> Result<(), StoreError> {
        let ask = Ask::post(&[&"leases", &token, &"logs"]);
        self.done("store log lines", ask.with(&LogRequest::new(lines))).await
    }

    async fn enqueue_under(
        &self,
        token: AttemptToken,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        let place = Ask::post(&[&"leases", &token, &"jobs"]);
        self.enqueue_at("enqueue jobs under a lease", (place.clone(), place), jobs).await
    }
}

/// A fault of the claim of a turn is named as one of the claim.
fn of_claim(error: StoreError) -> StoreError {
    match error.kind() {
        ErrorKind::Invalid(invalid) => match invalid.field.strip_prefix("claim.") {
            Some(field) => {
                StoreError::invalid(error.operation(), Invalid::new(field, invalid.problem.clone()))
            }
            None => error,
        },
        _ => error,
    }
}
