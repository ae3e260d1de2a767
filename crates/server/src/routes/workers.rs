//! The registry of workers, and what they hold.

use axum::extract::State;
use axum::http::StatusCode;
use windlass_core::WorkerId;
use windlass_store::ids;
use windlass_store::observe::Operation;
use windlass_wire::answers::{Done, Held, Leases, Registered, Workers};
use windlass_wire::{BeatShape, LeaseSummaryShape, WorkerRequest, WorkerShape};

use crate::answer::{Answer, Reply};
use crate::app::Shared;
use crate::input::{At, By, Sent};
use crate::owners;
use crate::query::Query;

pub(crate) async fn list(State(app): State<Shared>, query: Query) -> Reply<Workers> {
    let workers = app.store.workers(query.span("silent_for")?.unwrap_or_default()).await?;
    Ok(Answer::ok(Workers { workers: workers.into_iter().map(WorkerShape::from).collect() }))
}

pub(crate) async fn register(
    State(app): State<Shared>,
    By(caller): By,
    Sent(worker): Sent<WorkerRequest>,
) -> Reply<Registered> {
    let mut worker = worker.into_new_worker(ids::worker_id())?;
    owners::own(&app, &caller, &mut worker).await?;
    let (id, owner) = (worker.id, worker.owner.clone());
    app.store.register(worker).await?;
    owners::registered(&app, id, owner);
    Ok(Answer::with_status(StatusCode::CREATED, Registered { id }))
}

pub(crate) async fn beat(
    State(app): State<Shared>,
    By(caller): By,
    At(worker): At<WorkerId>,
) -> Reply<BeatShape> {
    owners::check(&app, &caller, worker).await?;
    Ok(Answer::ok(app.measured(Operation::Beat, app.store.beat(worker)).await?.into()))
}

pub(crate) async fn leave(
    State(app): State<Shared>,
    By(caller): By,
    At(worker): At<WorkerId>,
) -> Reply<Done> {
    owners::check(&app, &caller, worker).await?;
    app.store.deregister(worker).await?;
    app.owners.forget(worker);
    Ok(Answer::ok(Done {}))
}

/// Every open attempt of a worker: what it asks that may have been given jobs by a claim whose answer it never got.
/// With their tokens one may settle them, so they are for the worker's owner alone.
pub(crate) async fn held(State(app): State<Shared>, By(caller): By, At(worker): At<WorkerId>) -> Reply<Held> {
    owners::check(&app, &caller, worker).await?;
    Ok(Answer::ok(Held { tokens: app.store.held(worker).await? }))
}

pub(crate) async fn leases(State(app): State<Shared>, query: Query) -> Reply<Leases> {
    let leases = app.store.leases(query.span("silent_for")?.unwrap_or_default()).await?;
    Ok(Answer::ok(Leases { leases: leases.into_iter().map(LeaseSummaryShape::from).collect() }))
}
