//! Jobs: ask for them, look at them, and change by hand what becomes of them.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use tokio::time::Instant;
use windlass_core::limits::PAGE_MAX;
use windlass_core::{AttemptToken, Invalid, Job, JobId, NewJob, QueueName};
use windlass_store::observe::Operation;
use windlass_store::{PageRequest, ids};
use windlass_wire::answers::{Attempts, CancelShape, Done, Events, Logs};
use windlass_wire::{
    AttemptShape, BatchRequest, BatchShape, CopyRequest, EditRequest, EnqueuedAs, EnqueuedShape, EventShape,
    ExplanationShape, JobRequest, JobShape, LogShape, RelativeShape, SnoozeRequest, VerbRequest,
};

use crate::access::Caller;
use crate::answer::{Answer, Failure, Reply};
use crate::app::{App, Shared};
use crate::guard::InLane;
use crate::input::{At, By, Sent};
use crate::query::{Query, write_cursor};
use crate::trace::InTrace;

pub(crate) async fn enqueue(
    State(app): State<Shared>,
    By(caller): By,
    trace: InTrace,
    Sent(request): Sent<JobRequest>,
) -> Reply<EnqueuedShape> {
    let mut job = asked(&caller, request)?;
    trace.travel(&mut job);
    let enqueued = app.measured(Operation::Enqueue, app.store.enqueue(vec![job])).await?;
    let shape = enqueued.into_iter().next().map(EnqueuedShape::from).ok_or_else(Failure::internal)?;
    Ok(Answer::with_status(status_of(&shape), shape))
}

pub(super) fn status_of(shape: &EnqueuedShape) -> StatusCode {
    if shape.outcome == EnqueuedAs::Created && !shape.repeated { StatusCode::CREATED } else { StatusCode::OK }
}

/// The job that a request asks for, in the name of the caller.
pub(super) fn asked(caller: &Caller, mut request: JobRequest) -> Result<NewJob, Failure> {
    // Those of a batch have been told apart already: a name that is left is that of nobody.
    request.resolve(|_| None)?;
    let drawn = request.id.is_none();
    let mut job = request.into_new_job(ids::job_id());
    job.drawn = drawn;
    check_reach(caller, &job.queue)?;
    if !caller.speaks_for_others {
        job.options.submitted_by = Some(caller.name.clone());
    }
    Ok(job)
}

fn check_reach(caller: &Caller, queue: &QueueName) -> Result<(), Failure> {
    if caller.reaches(queue) {
        return Ok(());
    }
    Err(Failure::forbidden(format!("{} may not enqueue to queue \"{queue}\"", caller.name)))
}

pub(crate) async fn enqueue_batch(
    State(app): State<Shared>,
    By(caller): By,
    trace: InTrace,
    Sent(batch): Sent<BatchRequest>,
) -> Reply<BatchShape> {
    let results = enqueue_all(&app, (&caller, &trace), batch, None).await?;
    Ok(Answer::with_status(StatusCode::CREATED, BatchShape::new(results)))
}

/// All of them or none; only as long as the lease holds that they are enqueued under, if there is one.
pub(super) async fn enqueue_all(
    app: &App,
    (caller, trace): (&Caller, &InTrace),
    mut batch: BatchRequest,
    under: Option<AttemptToken>,
) -> Result<Vec<EnqueuedShape>, Failure> {
    let (count, most) = (batch.jobs.len(), app.limits().batch_jobs_max);
    if count > most {
        return Err(Invalid::new("jobs", format!("are {count}; at most {most} are taken at once")).into());
    }
    let drawn: Vec<bool> = batch.jobs.iter().map(|job| job.id.is_none()).collect();
    batch.resolve(ids::job_id)?;
    let names: Vec<Option<String>> = batch.jobs.iter().map(|job| job.name.clone()).collect();
    let mut jobs = Vec::with_capacity(count);
    for (request, drawn) in batch.jobs.into_iter().zip(drawn) {
        let mut job = asked(caller, request)?;
        job.drawn = drawn;
        trace.travel(&mut job);
        jobs.push(job);
    }
    let enqueued = match under {
        Some(token) => app.measured(Operation::Enqueue, app.store.enqueue_under(token, jobs)).await?,
        None => app.measured(Operation::Enqueue, app.store.enqueue(jobs)).await?,
    };
    Ok(enqueued.into_iter().zip(names).map(|(one, name)| EnqueuedShape::from(one).named(name)).collect())
}

/// A job with the jobs it waits for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct JobWithEdges {
    #[serde(flatten)]
    job: JobShape,
    /// The jobs it waits for or waited for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    after: Vec<RelativeShape>,
}

pub(crate) async fn show(
    State(app): State<Shared>,
    At(id): At<JobId>,
    query: Query,
    lane: InLane,
) -> Reply<JobWithEdges> {
    let job = match query.span("wait")? {
        Some(wait) => {
            lane.leave();
            ended(&app, id, wait).await?
        }
        None => app.store.job(id).await?,
    };
    let after = app.store.parents(id, PageRequest::first(PAGE_MAX)).await?;
    let after = after.items.into_iter().map(RelativeShape::from).collect();
    Ok(Answer::ok(JobWithEdges { job: job.into(), after }))
}

/// The job once it is final, or as it is when it was waited for long enough.
async fn ended(app: &App, id: JobId, wait: Duration) -> Result<Job, Failure> {
    let until = Instant::now() + wait.min(app.limits().wait_max);
    tokio::select! {
        ended = app.ends.wait(id, until) => Ok(ended?),
        () = app.stopping.cancelled() => Ok(app.store.job(id).await?),
    }
}

pub(crate) async fn attempts(State(app): State<Shared>, At(id): At<JobId>) -> Reply<Attempts> {
    let attempts = app.store.attempts(id).await?;
    Ok(Answer::ok(Attempts { attempts: attempts.into_iter().map(AttemptShape::from).collect() }))
}

pub(crate) async fn logs(State(app): State<Shared>, At(id): At<JobId>, query: Query) -> Reply<Logs> {
    let page = app.store.logs(id, query.page()?).await?;
    let lines = page.items.into_iter().map(LogShape::from).collect();
    Ok(Answer::ok(Logs { lines, next: write_cursor(page.next) }))
}

pub(crate) async fn explain(State(app): State<Shared>, At(id): At<JobId>) -> Reply<ExplanationShape> {
    Ok(Answer::ok(app.store.explain(id).await?.into()))
}

pub(crate) async fn events(State(app): State<Shared>, At(id): At<JobId>) -> Reply<Events> {
    let events = app.store.events(id).await?;
    Ok(Answer::ok(Events { events: events.into_iter().map(EventShape::from).collect() }))
}

pub(crate) async fn cancel(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<JobId>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<CancelShape> {
    Ok(Answer::ok(app.store.cancel(id, caller.actor(verb.by, verb.reason)).await?.into()))
}

pub(crate) async fn retry(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<JobId>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Done> {
    app.store.retry(id, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn run_now(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<JobId>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Done> {
    app.store.run_now(id, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn snooze(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<JobId>,
    Sent(snooze): Sent<SnoozeRequest>,
) -> Reply<Done> {
    let until = snooze.due();
    app.store.snooze(id, until, caller.actor(snooze.verb.by, snooze.verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}

/// Changes a waiting job. Who moves one needs rights where it goes to, too.
pub(crate) async fn edit(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<JobId>,
    Sent(edit): Sent<EditRequest>,
) -> Reply<Done> {
    let (edit, verb) = edit.into_edit();
    if let Some(queue) = edit.queue.as_ref().filter(|queue| !caller.reaches(queue)) {
        return Err(Failure::forbidden(format!("{} may not move jobs to queue \"{queue}\"", caller.name)));
    }
    app.store.edit(id, edit, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn rerun(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<JobId>,
    Sent(copy): Sent<CopyRequest>,
) -> Reply<EnqueuedShape> {
    let by = caller.actor(copy.verb.by, copy.verb.reason);
    let copy = copy.id.unwrap_or_else(ids::job_id);
    let shape = EnqueuedShape::from(app.store.rerun(id, copy, by).await?);
    Ok(Answer::with_status(status_of(&shape), shape))
}

pub(crate) async fn remove(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<JobId>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Done> {
    app.store.delete(id, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}
