//! Leases: claim jobs, say how it goes, and give them back.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::future::try_join_all;
use tokio::time::Instant;
use windlass_core::limits::{LEASE_DEFAULT, PAGE_MAX};
use windlass_core::{AttemptToken, Invalid, Verdict};
use windlass_store::observe::Operation;
use windlass_store::{
    ClaimRequest, Claimed, ErrorKind, LeaseTerm, LeasedJob, PageRequest, Queues, Scope, Settlement, Signal,
    StoreError,
};
use windlass_wire::answers::Done;
use windlass_wire::{
    BatchShape, ChildrenRequest, EnqueuedShape, ExtendRequest, HeldShape, InputShape, JobShape, LeaseRequest,
    LeasedShape, LeasesShape, LogRequest, SettleRequest, SettledShape, TermShape, WorkerRef,
};

use super::jobs::enqueue_all;
use crate::access::Caller;
use crate::answer::{Answer, Failure, Reply};
use crate::app::{App, Shared};
use crate::attempts::ends;
use crate::guard::InLane;
use crate::input::{At, By, Sent};
use crate::owners;
use crate::trace::InTrace;
use crate::waiting::Unanswered;

pub(crate) async fn claim(
    State(app): State<Shared>,
    By(caller): By,
    lane: InLane,
    Sent(request): Sent<LeaseRequest>,
) -> Result<Response, Failure> {
    check_reach(&caller, &request)?;
    check_worker(&app, &caller, &request).await?;
    let with_parents = request.parents.unwrap_or(true);
    let claimed = match request.job {
        Some(_) => Claimed { jobs: vec![claim_one(&app, &request).await?], next_due: None },
        None => claim_any(&app, &request, &lane).await?,
    };
    if claimed.jobs.is_empty() && request.wait.is_some() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let leases = shapes(&app, claimed.jobs, with_parents).await?;
    Ok(Answer::ok(LeasesShape::new(leases, claimed.next_due)).into_response())
}

/// Whether the caller may claim where the request says. Who is given some queues names those they want.
pub(super) fn check_reach(caller: &Caller, request: &LeaseRequest) -> Result<(), Failure> {
    if caller.reaches_all() {
        return Ok(());
    }
    let Queues::Only(queues) = &request.queues else {
        return Err(Failure::forbidden("the caller is given some queues alone: name those to claim from"));
    };
    match queues.iter().find(|queue| !caller.reaches(queue)) {
        Some(queue) => {
            Err(Failure::forbidden(format!("{} may not claim from queue \"{queue}\"", caller.name)))
        }
        None if request.job.is_some() => {
            Err(Failure::forbidden("a job is claimed by its id by who is given every queue"))
        }
        None => Ok(()),
    }
}

/// Whether the worker is the caller's that the claim is for. A name is anybody's.
pub(super) async fn check_worker(app: &App, caller: &Caller, request: &LeaseRequest) -> Result<(), Failure> {
    match &request.worker {
        WorkerRef::Id(worker) => owners::check(app, caller, *worker).await,
        WorkerRef::Name(_) => Ok(()),
    }
}

async fn claim_one(app: &App, request: &LeaseRequest) -> Result<LeasedJob, Failure> {
    let job = request.job.ok_or_else(Failure::internal)?;
    let asked = claim_request(app, request).await?;
    Ok(app.measured(Operation::Turn, app.store.claim_job(asked.worker, job, asked.lease)).await?)
}

/// What the request asks of the store. A name is registered.
pub(super) async fn claim_request(app: &App, request: &LeaseRequest) -> Result<ClaimRequest, Failure> {
    let limit = request.limit.unwrap_or(1);
    let scope = Scope { queues: request.queues.clone(), kinds: request.kinds.clone() };
    let lease = match request.lease {
        None => LeaseTerm::Own(LEASE_DEFAULT),
        Some(TermShape::Own(lease)) => LeaseTerm::Own(lease),
        Some(TermShape::Process) => LeaseTerm::Process,
    };
    // Refused before anybody is registered for it.
    let probe = ClaimRequest::new(windlass_store::ids::worker_id(), Arc::new(scope.clone()), limit);
    probe.with_lease(lease).validate()?;
    let (worker, scope) = match &request.worker {
        WorkerRef::Id(id) => (*id, Arc::new(scope)),
        WorkerRef::Name(_) if lease == LeaseTerm::Process => {
            return Err(Invalid::new("lease", "is that of a process for registered workers alone").into());
        }
        WorkerRef::Name(name) => app.names.worker(&app.store, (name, scope), limit).await?,
    };
    Ok(ClaimRequest::new(worker, scope, limit).with_lease(lease))
}

async fn claim_any(app: &App, request: &LeaseRequest, lane: &InLane) -> Result<Claimed, Failure> {
    let wait = waits(app, request.wait);
    let until = Instant::now() + wait;
    // Listened to from before the first look, so that no hint is lost between it and the wait.
    let hints = (!wait.is_zero()).then(|| app.store.signals().work());
    let asked = claim_request(app, request).await?;
    let claimed = match app.measured(Operation::Turn, app.store.claim(asked.clone())).await {
        Err(error) if is_forgotten(&error, request) => {
            app.names.forget(asked.worker);
            let asked = claim_request(app, request).await?;
            app.measured(Operation::Turn, app.store.claim(asked)).await?
        }
        claimed => claimed?,
    };
    match hints {
        Some(hints) if claimed.jobs.is_empty() => {
            lane.leave();
            wait_for_work(app, (asked, hints), until).await
        }
        _ => Ok(claimed),
    }
}

/// Whether a name has to be registered once more: its worker was away for too long.
fn is_forgotten(error: &StoreError, request: &LeaseRequest) -> bool {
    *error.kind() == ErrorKind::NotFound && matches!(request.worker, WorkerRef::Name(_))
}

pub(super) async fn wait_for_work(
    app: &App,
    asked: (ClaimRequest, Signal),
    until: Instant,
) -> Result<Claimed, Failure> {
    let waited = tokio::select! {
        waited = app.claims.wait(asked, until) => waited,
        () = app.stopping.cancelled() => Err(Unanswered::InTime),
    };
    match waited {
        Ok(claimed) => Ok(claimed?),
        Err(Unanswered::InTime) => Ok(Claimed::default()),
        Err(Unanswered::TooMany) => {
            Err(Failure::new("rate_limited", "too many wait for work already").retry_after(5))
        }
    }
}

/// What was claimed, as it is told.
pub(super) async fn shapes(
    app: &App,
    jobs: Vec<LeasedJob>,
    with_parents: bool,
) -> Result<Vec<LeasedShape>, Failure> {
    app.attempts.claimed(&jobs);
    let about: Vec<_> = jobs.iter().map(LeasedJob::about).collect();
    let mut shapes: Vec<LeasedShape> = jobs.into_iter().map(LeasedShape::from).collect();
    if with_parents {
        let inputs = |id| app.store.inputs(id, PageRequest::first(PAGE_MAX));
        // A lease that could not be told of would be lost; what its parents made can be asked for later.
        if let Ok(pages) = try_join_all(about.into_iter().map(inputs)).await {
            for (shape, page) in shapes.iter_mut().zip(pages) {
                shape.parents = page.items.into_iter().map(InputShape::from).collect();
            }
        }
    }
    Ok(shapes)
}

pub(crate) async fn show(State(app): State<Shared>, At(token): At<AttemptToken>) -> Reply<HeldShape> {
    match app.store.holder(token).await {
        Ok(holder) => Ok(Answer::ok(holder.into())),
        Err(error) if matches!(error.kind(), ErrorKind::LeaseLost | ErrorKind::NotRunning) => {
            Err(Failure::from(error).with_status(StatusCode::GONE))
        }
        Err(error) => Err(error.into()),
    }
}

/// The job to who runs it, whoever enqueued it.
pub(crate) async fn job(State(app): State<Shared>, At(token): At<AttemptToken>) -> Reply<JobShape> {
    Ok(Answer::ok(app.store.job_under(token).await?.into()))
}

pub(crate) async fn extend(
    State(app): State<Shared>,
    At(token): At<AttemptToken>,
    Sent(request): Sent<ExtendRequest>,
) -> Reply<HeldShape> {
    if let Some(progress) = request.progress {
        unless_cancelled(app.store.progress(token, progress).await)?;
    }
    if let Some(checkpoint) = request.checkpoint {
        unless_cancelled(app.store.checkpoint(token, checkpoint).await)?;
    }
    let extended = app.measured(Operation::Extend, app.store.extend(token)).await;
    if let Err(error) = &extended {
        app.attempts.refused(token, error);
    }
    Ok(Answer::ok(extended?.into()))
}

/// That the job was cancelled is said by the beat's own answer.
fn unless_cancelled(stored: Result<(), StoreError>) -> Result<(), Failure> {
    match stored {
        Err(error) if *error.kind() == ErrorKind::Cancelled => Ok(()),
        stored => Ok(stored?),
    }
}

pub(crate) async fn progress(
    State(app): State<Shared>,
    At(token): At<AttemptToken>,
    Sent(request): Sent<ExtendRequest>,
) -> Reply<Done> {
    let progress = request.progress.ok_or_else(|| Invalid::new("progress", "is missing"))?;
    app.store.progress(token, progress).await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn checkpoint(
    State(app): State<Shared>,
    At(token): At<AttemptToken>,
    Sent(request): Sent<ExtendRequest>,
) -> Reply<Done> {
    let checkpoint = request.checkpoint.ok_or_else(|| Invalid::new("checkpoint", "is missing"))?;
    app.store.checkpoint(token, checkpoint).await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn log(
    State(app): State<Shared>,
    At(token): At<AttemptToken>,
    Sent(request): Sent<LogRequest>,
) -> Reply<Done> {
    app.store.log(token, request.into_lines()).await?;
    Ok(Answer::with_status(StatusCode::ACCEPTED, Done {}))
}

pub(crate) async fn settle(
    State(app): State<Shared>,
    At(token): At<AttemptToken>,
    Sent(request): Sent<SettleRequest>,
) -> Reply<SettledShape> {
    let settled = settle_one(&app, token, request.into_verdict()).await?;
    Ok(Answer::ok(settled))
}

async fn settle_one(app: &App, token: AttemptToken, verdict: Verdict) -> Result<SettledShape, Failure> {
    let settlements = vec![Settlement { token, verdict }];
    let ends = ends(&settlements);
    let mut settled = app.measured(Operation::Turn, app.store.settle(settlements)).await?;
    app.attempts.settled(&ends, &settled);
    let settled = settled.pop().ok_or_else(Failure::internal)??;
    Ok(settled.into())
}

/// Enqueues jobs as long as the lease holds. A stale worker must make no more of them.
#[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
pub(crate) async fn children(
    State(app): State<Shared>,
    By(caller): By,
    At(token): At<AttemptToken>,
    trace: InTrace,
    Sent(request): Sent<ChildrenRequest>,
) -> Result<Response, Failure> {
    // A worker that says nothing goes on in the trace of the job that it works on.
    let trace = trace.or(|| app.attempts.trace(token));
    let (batch, alone) = match request {
        ChildrenRequest::One(job) => (windlass_wire::BatchRequest::new(vec![*job]), true),
        ChildrenRequest::Batch(batch) => (batch, false),
    };
    let results = enqueue_all(&app, (&caller, &trace), batch, Some(token)).await?;
    if !alone {
        return Ok(Answer::with_status(StatusCode::CREATED, BatchShape::new(results)).into_response());
    }
    let one: EnqueuedShape = results.into_iter().next().ok_or_else(Failure::internal)?;
    Ok(Answer::with_status(super::jobs::status_of(&one), one).into_response())
}

/// How long to wait, at the most.
pub(super) fn waits(app: &App, wait: Option<Duration>) -> Duration {
    wait.unwrap_or_default().min(app.limits().wait_max)
}
