//! Schedules: make them, look at them, and let them fire now or not at all.

mod table;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use windlass_core::limits::TICKS_MAX;
use windlass_core::{Invalid, ProgramName, ScheduleName, Timestamp};
use windlass_store::{ScheduleOutcome, ids};
use windlass_wire::answers::{
    BackfilledShape, DeclaredShape, Done, Firings, Made, Put, ScheduleEvents, Schedules,
};
use windlass_wire::{
    BackfillRequest, CopyRequest, DeclareRequest, FiringShape, ScheduleEventShape, ScheduleRequest,
    ScheduleShape, VerbRequest,
};

use crate::answer::{Answer, Reply};
use crate::app::Shared;
use crate::input::{At, By, Sent};
use crate::query::{Query, write_cursor};

pub(super) use table::table;

/// How many ticks are told ahead unless more are asked for.
const NEXT_DEFAULT: u32 = 10;

pub(crate) async fn list(State(app): State<Shared>, query: Query) -> Reply<Schedules> {
    let page = app.store.schedules(query.page()?).await?;
    let schedules = page.items.into_iter().map(ScheduleShape::from).collect();
    Ok(Answer::ok(Schedules { schedules, next: write_cursor(page.next) }))
}

pub(crate) async fn show(State(app): State<Shared>, At(name): At<ScheduleName>) -> Reply<ScheduleShape> {
    Ok(Answer::ok(app.store.schedule(&name).await?.into()))
}

pub(crate) async fn put(
    State(app): State<Shared>,
    By(caller): By,
    At(name): At<ScheduleName>,
    Sent(request): Sent<ScheduleRequest>,
) -> Reply<Put> {
    let by = caller.actor(request.verb.by.clone(), request.verb.reason.clone());
    let outcome = app.store.put_schedule(request.into_new_schedule(name)?, by).await?;
    let is_new = outcome == ScheduleOutcome::Created;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Answer::with_status(status, outcome.into()))
}

/// Says which schedules a program has: all that it has.
pub(crate) async fn declare(
    State(app): State<Shared>,
    At(program): At<ProgramName>,
    Sent(request): Sent<DeclareRequest>,
) -> Reply<DeclaredShape> {
    let declared = app.store.declare_schedules(&program, request.into_new_schedules()?).await?;
    Ok(Answer::ok(declared.into()))
}

pub(crate) async fn remove(
    State(app): State<Shared>,
    By(caller): By,
    At(name): At<ScheduleName>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Done> {
    app.store.delete_schedule(&name, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn pause(
    State(app): State<Shared>,
    By(caller): By,
    At(name): At<ScheduleName>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Done> {
    app.store.pause_schedule(&name, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn resume(
    State(app): State<Shared>,
    By(caller): By,
    At(name): At<ScheduleName>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Done> {
    app.store.resume_schedule(&name, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}

pub(crate) async fn run_now(
    State(app): State<Shared>,
    By(caller): By,
    At(name): At<ScheduleName>,
    Sent(copy): Sent<CopyRequest>,
) -> Reply<Made> {
    let id = copy.id.unwrap_or_else(ids::job_id);
    app.store.run_schedule(&name, id, caller.actor(copy.verb.by, copy.verb.reason)).await?;
    Ok(Answer::with_status(StatusCode::CREATED, Made { id }))
}

pub(crate) async fn backfill(
    State(app): State<Shared>,
    By(caller): By,
    At(name): At<ScheduleName>,
    Sent(request): Sent<BackfillRequest>,
) -> Reply<BackfilledShape> {
    let by = caller.actor(request.verb.by, request.verb.reason);
    let made = app.store.backfill(&name, (request.from, request.until), by).await?;
    Ok(Answer::ok(made.into()))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Next {
    next: Vec<Timestamp>,
}

pub(crate) async fn next(State(app): State<Shared>, At(name): At<ScheduleName>, query: Query) -> Reply<Next> {
    let count = query.number("n")?.unwrap_or(NEXT_DEFAULT);
    if count == 0 || count > TICKS_MAX {
        return Err(Invalid::new("n", format!("is {count}; it runs from 1 to {TICKS_MAX}")).into());
    }
    let schedule = app.store.schedule(&name).await?;
    Ok(Answer::ok(Next { next: schedule.preview(app.now(), count) }))
}

pub(crate) async fn firings(
    State(app): State<Shared>,
    At(name): At<ScheduleName>,
    query: Query,
) -> Reply<Firings> {
    let page = app.store.firings(&name, query.page()?).await?;
    let firings = page.items.into_iter().map(FiringShape::from).collect();
    Ok(Answer::ok(Firings { firings, next: write_cursor(page.next) }))
}

pub(crate) async fn events(State(app): State<Shared>, At(name): At<ScheduleName>) -> Reply<ScheduleEvents> {
    let events = app.store.schedule_events(&name).await?;
    Ok(Answer::ok(ScheduleEvents { events: events.into_iter().map(ScheduleEventShape::from).collect() }))
}
