//! Jobs that wait for one another: what they are connected with, and what is done to them together.

mod table;

use axum::extract::State;
use windlass_core::{AttemptToken, JobId};
use windlass_store::{Input, Page};
use windlass_wire::answers::{Inputs, Relatives, Touched};
use windlass_wire::{ErrorTreeShape, FlowShape, InputShape, RelativeShape, VerbRequest};

use crate::answer::{Answer, Reply};
use crate::app::Shared;
use crate::input::{At, By, Sent};
use crate::query::{Query, write_cursor};

pub(super) use table::table;

pub(crate) async fn flow(State(app): State<Shared>, At(id): At<JobId>) -> Reply<FlowShape> {
    Ok(Answer::ok(FlowShape::from(&app.store.flow(id).await?)))
}

pub(crate) async fn errors(State(app): State<Shared>, At(id): At<JobId>) -> Reply<ErrorTreeShape> {
    Ok(Answer::ok(app.store.error_tree(id).await?.into()))
}

pub(crate) async fn parents(State(app): State<Shared>, At(id): At<JobId>, query: Query) -> Reply<Relatives> {
    let page = app.store.parents(id, query.page()?).await?;
    let jobs = page.items.into_iter().map(RelativeShape::from).collect();
    Ok(Answer::ok(Relatives { jobs, next: write_cursor(page.next) }))
}

pub(crate) async fn children(State(app): State<Shared>, At(id): At<JobId>, query: Query) -> Reply<Relatives> {
    let page = app.store.children(id, query.page()?).await?;
    let jobs = page.items.into_iter().map(RelativeShape::from).collect();
    Ok(Answer::ok(Relatives { jobs, next: write_cursor(page.next) }))
}

/// What the jobs that it waited for have made.
pub(crate) async fn inputs(State(app): State<Shared>, At(id): At<JobId>, query: Query) -> Reply<Inputs> {
    Ok(told(app.store.inputs(id, query.page()?).await?))
}

/// The same for a worker, of the job that it holds or cleans up behind.
pub(crate) async fn inputs_under(
    State(app): State<Shared>,
    At(token): At<AttemptToken>,
    query: Query,
) -> Reply<Inputs> {
    let page = query.page()?;
    let about = app.store.job_under(token).await?.options.cleans.unwrap_or(token.job);
    Ok(told(app.store.inputs(about, page).await?))
}

fn told(page: Page<Input>) -> Answer<Inputs> {
    let parents = page.items.into_iter().map(InputShape::from).collect();
    Answer::ok(Inputs { parents, next: write_cursor(page.next) })
}

pub(crate) async fn cancel(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<JobId>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Touched> {
    let jobs = app.store.cancel_flow(id, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Touched { jobs }))
}

pub(crate) async fn retry(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<JobId>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Touched> {
    let jobs = app.store.retry_flow(id, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Touched { jobs }))
}

pub(crate) async fn remove(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<JobId>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Touched> {
    let jobs = app.store.delete_flow(id, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Touched { jobs }))
}
