//! Queues and kinds: how full they are, whether they are paused, how they are bounded, and how long their jobs are kept.

use axum::extract::State;
use serde::Serialize;
use windlass_core::{Bounds, Invalid, KindName, QueueName, Whole};
use windlass_store::{QueueRetention, QueueSummary};
use windlass_wire::answers::{AllBounds, AllKept, Done, QueueKept, Queues};
use windlass_wire::{BoundShape, BoundsRequest, QueueShape, RetentionShape, VerbRequest};

use crate::answer::{Answer, Failure, Reply};
use crate::app::{App, Shared};
use crate::input::{At, By, Sent};

pub(crate) async fn list(State(app): State<Shared>, By(caller): By) -> Reply<Queues> {
    let queues = app.store.queues().await?.into_iter().filter(|queue| caller.reaches(&queue.name));
    Ok(Answer::ok(Queues { queues: queues.map(QueueShape::from).collect() }))
}

/// A queue, and what is said of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct QueueWithBounds {
    #[serde(flatten)]
    queue: QueueShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<windlass_core::Pace>,
    #[serde(skip_serializing_if = "RetentionShape::is_default")]
    retention: RetentionShape,
}

pub(crate) async fn show(State(app): State<Shared>, At(queue): At<QueueName>) -> Reply<QueueWithBounds> {
    shown(&app, &queue).await
}

async fn shown(app: &App, queue: &QueueName) -> Reply<QueueWithBounds> {
    let summary = summary(app, queue).await?;
    let bounds = bounds_of(app, &Whole::Queue(queue.clone())).await?;
    let retention = retention_of(app, queue).await?.into();
    let queue = summary.into();
    Ok(Answer::ok(QueueWithBounds { queue, limit: bounds.limit, rate: bounds.rate, retention }))
}

async fn summary(app: &App, queue: &QueueName) -> Result<QueueSummary, Failure> {
    let queues = app.store.queues().await?;
    let found = queues.into_iter().find(|summary| summary.name == *queue);
    found.ok_or_else(|| Failure::not_found(format!("there is no queue \"{queue}\"")))
}

async fn bounds_of(app: &App, whole: &Whole) -> Result<Bounds, Failure> {
    let bounds = app.store.bounds().await?;
    Ok(bounds.into_iter().find(|(one, _)| one == whole).map(|(_, bounds)| bounds).unwrap_or_default())
}

async fn retention_of(app: &App, queue: &QueueName) -> Result<QueueRetention, Failure> {
    let retentions = app.store.retentions().await?;
    Ok(retentions.into_iter().find(|(one, _)| one == queue).map(|(_, own)| own).unwrap_or_default())
}

/// Changes what is said, and leaves what is not.
pub(crate) async fn change(
    State(app): State<Shared>,
    By(caller): By,
    At(queue): At<QueueName>,
    Sent(request): Sent<BoundsRequest>,
) -> Reply<Done> {
    let by = caller.actor(request.verb.by.clone(), request.verb.reason.clone());
    if request.says_bounds() {
        let whole = Whole::Queue(queue.clone());
        let bounds = request.over(bounds_of(&app, &whole).await?);
        bounds.validate()?;
        app.store.bound(&whole, bounds, by.clone()).await?;
    }
    if let Some(retention) = &request.retention {
        let own = retention.over(retention_of(&app, &queue).await?);
        app.store.keep(&queue, own, by).await?;
    }
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn change_kind(
    State(app): State<Shared>,
    By(caller): By,
    At(kind): At<KindName>,
    Sent(request): Sent<BoundsRequest>,
) -> Reply<Done> {
    if request.retention.is_some() {
        return Err(Invalid::new("retention", "is said of queues alone").into());
    }
    let whole = Whole::Kind(kind);
    let bounds = request.over(bounds_of(&app, &whole).await?);
    app.store.bound(&whole, bounds, caller.actor(request.verb.by, request.verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn pause(
    State(app): State<Shared>,
    By(caller): By,
    At(queue): At<QueueName>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Done> {
    app.store.pause(&queue, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn resume(
    State(app): State<Shared>,
    By(caller): By,
    At(queue): At<QueueName>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Done> {
    app.store.resume(&queue, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}

/// Pauses a queue, and says how many of its jobs still run: asked again, it tells how far it has come.
pub(crate) async fn drain(
    State(app): State<Shared>,
    By(caller): By,
    At(queue): At<QueueName>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Drained> {
    let reason = verb.reason.or_else(|| Some("drain".to_owned()));
    app.store.pause(&queue, caller.actor(verb.by, reason)).await?;
    let running = summary(&app, &queue).await?.counts.of(windlass_core::JobState::Running);
    Ok(Answer::ok(Drained { drained: running == 0, running }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Drained {
    drained: bool,
    running: u64,
}

pub(crate) async fn bounds(State(app): State<Shared>) -> Reply<AllBounds> {
    let bounds = app.store.bounds().await?;
    let bounds = bounds.into_iter().map(|(whole, bounds)| BoundShape::of(&whole, bounds)).collect();
    Ok(Answer::ok(AllBounds { bounds }))
}

pub(crate) async fn retentions(State(app): State<Shared>) -> Reply<AllKept> {
    let kept = |(queue, own): (QueueName, QueueRetention)| QueueKept { queue, retention: own.into() };
    Ok(Answer::ok(AllKept { retentions: app.store.retentions().await?.into_iter().map(kept).collect() }))
}
