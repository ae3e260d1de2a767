//! Things that are done to many jobs.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use windlass_core::Invalid;
use windlass_store::SharedStore;
use windlass_wire::{OperationRequest, OperationShape, VerbRequest};

use super::listing::filter;
use crate::answer::{Answer, Reply};
use crate::app::Shared;
use crate::input::{At, By, OperationId, Sent};
use crate::operations::Plan;

pub(crate) async fn begin(
    State(app): State<Shared>,
    By(caller): By,
    Sent(request): Sent<OperationRequest>,
) -> Reply<OperationShape> {
    let filter = filter(&app, &caller, &request.filter)?;
    if filter.is_all() && !request.all && !request.dry_run {
        let problem = "is empty, which means every job there is: say so with \"all\": true, or look first with \"dry_run\": true";
        return Err(Invalid::new("filter", problem).into());
    }
    let by = caller.actor(request.by.by.clone(), request.by.reason.clone());
    by.validate()?;
    let (store, clock) = (SharedStore::clone(&app.store), app.config.clock.clone());
    let operation = app.operations.begin(Plan { store, clock, request, filter, by })?;
    Ok(Answer::with_status(StatusCode::ACCEPTED, operation.shape()))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Operations {
    operations: Vec<OperationShape>,
}

pub(crate) async fn list(State(app): State<Shared>) -> Answer<Operations> {
    Answer::ok(Operations { operations: app.operations.all() })
}

pub(crate) async fn show(State(app): State<Shared>, At(id): At<OperationId>) -> Reply<OperationShape> {
    Ok(Answer::ok(app.operations.get(&id.0)?.shape()))
}

pub(crate) async fn abort(
    State(app): State<Shared>,
    At(id): At<OperationId>,
    Sent(_): Sent<VerbRequest>,
) -> Reply<OperationShape> {
    let operation = app.operations.get(&id.0)?;
    operation.abort();
    Ok(Answer::with_status(StatusCode::ACCEPTED, operation.shape()))
}
