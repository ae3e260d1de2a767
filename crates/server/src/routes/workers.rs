//! The registry of workers, and what they hold.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use windlass_core::{AttemptToken, WorkerId};
use windlass_store::ids;
use windlass_wire::{BeatShape, LeaseSummaryShape, WorkerRequest, WorkerShape};

use crate::answer::{Answer, Done, Reply};
use crate::app::Shared;
use crate::input::{At, Sent};
use crate::query::Query;

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Workers {
    workers: Vec<WorkerShape>,
}

pub(crate) async fn list(State(app): State<Shared>, query: Query) -> Reply<Workers> {
    let workers = app.store.workers(query.span("silent_for")?.unwrap_or_default()).await?;
    Ok(Answer::ok(Workers { workers: workers.into_iter().map(WorkerShape::from).collect() }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Registered {
    id: WorkerId,
}

pub(crate) async fn register(
    State(app): State<Shared>,
    Sent(worker): Sent<WorkerRequest>,
) -> Reply<Registered> {
    let worker = worker.into_new_worker(ids::worker_id())?;
    let id = worker.id;
    app.store.register(worker).await?;
    Ok(Answer::with_status(StatusCode::CREATED, Registered { id }))
}

pub(crate) async fn beat(State(app): State<Shared>, At(worker): At<WorkerId>) -> Reply<BeatShape> {
    Ok(Answer::ok(app.store.beat(worker).await?.into()))
}

pub(crate) async fn leave(State(app): State<Shared>, At(worker): At<WorkerId>) -> Reply<Done> {
    app.store.deregister(worker).await?;
    Ok(Answer::ok(Done {}))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Held {
    tokens: Vec<AttemptToken>,
}

/// Every open attempt of a worker: what it asks that may have been given jobs by a claim whose answer it never got.
pub(crate) async fn held(State(app): State<Shared>, At(worker): At<WorkerId>) -> Reply<Held> {
    Ok(Answer::ok(Held { tokens: app.store.held(worker).await? }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Leases {
    leases: Vec<LeaseSummaryShape>,
}

pub(crate) async fn leases(State(app): State<Shared>, query: Query) -> Reply<Leases> {
    let leases = app.store.leases(query.span("silent_for")?.unwrap_or_default()).await?;
    Ok(Answer::ok(Leases { leases: leases.into_iter().map(LeaseSummaryShape::from).collect() }))
}
