//! The periodic duties of the store, for workers that look after it from afar; and what it says of itself.

use axum::extract::State;
use windlass_core::WorkerId;
use windlass_store::Retention;
use windlass_store::observe::{Observer as _, Operation};
use windlass_wire::answers::{Done, Findings};
use windlass_wire::{
    FiredShape, LeadRequest, LeadershipShape, PrunedShape, RescuedShape, RetentionRequest, StatusShape,
};

use crate::answer::{Answer, Reply};
use crate::app::Shared;
use crate::input::{At, Sent};

pub(crate) async fn rescue(State(app): State<Shared>) -> Reply<RescuedShape> {
    let rescued = app.measured(Operation::Rescue, app.store.rescue()).await?;
    app.config.metrics.rescued(&rescued);
    Ok(Answer::ok(rescued.into()))
}

pub(crate) async fn prune(
    State(app): State<Shared>,
    Sent(request): Sent<RetentionRequest>,
) -> Reply<PrunedShape> {
    let retention = request.over_all(Retention::default());
    Ok(Answer::ok(app.store.prune(retention).await?.into()))
}

pub(crate) async fn fire(State(app): State<Shared>) -> Reply<FiredShape> {
    Ok(Answer::ok(app.store.fire().await?.into()))
}

pub(crate) async fn tidy(State(app): State<Shared>) -> Reply<Done> {
    app.store.tidy().await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn lead(
    State(app): State<Shared>,
    Sent(request): Sent<LeadRequest>,
) -> Reply<LeadershipShape> {
    let leadership = app.store.lead(request.candidate).await?;
    // Whoever asks from afar is another process.
    app.config.metrics.led(&leadership, false);
    Ok(Answer::ok(leadership.into()))
}

pub(crate) async fn resign(State(app): State<Shared>, At(worker): At<WorkerId>) -> Reply<Done> {
    app.store.resign(worker).await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn status(State(app): State<Shared>) -> Reply<StatusShape> {
    Ok(Answer::ok(app.store.status().await?.into()))
}

/// Reads everything, and takes as long as that takes.
pub(crate) async fn check(State(app): State<Shared>) -> Reply<Findings> {
    Ok(Answer::ok(Findings { findings: app.store.check().await? }))
}
