//! Things that are done to many jobs.

use axum::extract::State;
use axum::http::StatusCode;
use windlass_core::{Invalid, OperationId};
use windlass_store::{Operation, StoreError, ids};
use windlass_wire::{
    AdvanceRequest, AllOperations, DrivenShape, Filter, OperationRequest, OperationShape, VerbRequest,
};

use super::listing::filter;
use crate::access::Caller;
use crate::answer::{Answer, Failure, Reply};
use crate::app::{App, Shared};
use crate::input::{At, By, Sent};
use crate::query::{Query, write_cursor};

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
    let operation = app.store.begin_operation(request.into_new_operation(ids::operation_id), by).await?;
    let operation = only_own(&caller, operation)?;
    app.operations.wake();
    Ok(accepted(operation))
}

pub(crate) async fn list(State(app): State<Shared>, By(caller): By, query: Query) -> Reply<AllOperations> {
    let page = app.store.operations(query.page()?).await?;
    let own = page.items.into_iter().filter(|operation| is_own(&caller, operation));
    let operations = own.map(OperationShape::from).collect();
    Ok(Answer::ok(AllOperations { operations, next: write_cursor(page.next) }))
}

pub(crate) async fn show(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<OperationId>,
) -> Reply<OperationShape> {
    Ok(Answer::ok(find(&app, &caller, id).await?.into()))
}

pub(crate) async fn pause(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<OperationId>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<OperationShape> {
    find(&app, &caller, id).await?;
    Ok(accepted(app.store.pause_operation(id, caller.actor(verb.by, verb.reason)).await?))
}

pub(crate) async fn resume(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<OperationId>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<OperationShape> {
    find(&app, &caller, id).await?;
    let operation = app.store.resume_operation(id, caller.actor(verb.by, verb.reason)).await?;
    app.operations.wake();
    Ok(accepted(operation))
}

pub(crate) async fn abort(
    State(app): State<Shared>,
    By(caller): By,
    At(id): At<OperationId>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<OperationShape> {
    find(&app, &caller, id).await?;
    Ok(accepted(app.store.abort_operation(id, caller.actor(verb.by, verb.reason)).await?))
}

/// For whoever carries out operations from afar.
pub(crate) async fn drive(State(app): State<Shared>) -> Reply<DrivenShape> {
    Ok(Answer::ok(DrivenShape::taken_up(app.store.drive_operation().await?)))
}

pub(crate) async fn advance(
    State(app): State<Shared>,
    At(id): At<OperationId>,
    Sent(request): Sent<AdvanceRequest>,
) -> Reply<DrivenShape> {
    let (token, advance, limit) = request.into_parts(id)?;
    Ok(Answer::ok(app.store.advance_operation(token, advance, limit).await?.into()))
}

/// What is under way when it is asked for is done first.
fn accepted(operation: Operation) -> Answer<OperationShape> {
    Answer::with_status(StatusCode::ACCEPTED, operation.into())
}

/// The operation, if it is about queues of the caller's alone.
async fn find(app: &App, caller: &Caller, id: OperationId) -> Result<Operation, Failure> {
    only_own(caller, app.store.operation(id).await?)
}

/// To others it is as if it were not there.
fn only_own(caller: &Caller, operation: Operation) -> Result<Operation, Failure> {
    let not_found = || StoreError::new("read the operation", windlass_store::ErrorKind::NotFound);
    if is_own(caller, &operation) { Ok(operation) } else { Err(not_found().into()) }
}

fn is_own(caller: &Caller, operation: &Operation) -> bool {
    let queues =
        || Filter::read(&operation.made.filter, operation.began_at).map(|filter| filter.indexed.queues);
    caller.reaches_all()
        || queues().is_ok_and(|queues| !queues.is_empty() && queues.iter().all(|queue| caller.reaches(queue)))
}
