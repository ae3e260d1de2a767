//! `windlass schedules backfill`

use serde::Serialize;
use windlass_core::JobId;

use super::actor;
use crate::args::ScheduleBackfillArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, Output, Row, fields};

pub(super) const FIELDS: &[&str] = &["id"];

const ID: &[Column] = &[Column::whole("ID")];

#[derive(Serialize)]
struct Made {
    id: JobId,
}

pub(super) async fn run(args: ScheduleBackfillArgs, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let until = match args.until {
        Some(until) => until,
        None => store.status().await?.now,
    };
    let told = store.backfill(&args.name, (args.from, until), actor(args.by, args.reason)).await?;
    let (made, known) = (told.jobs.len(), told.known);
    let row =
        |id: JobId| Row { id: id.to_string(), cells: vec![Cell::text(id)], fields: fields(&Made { id }) };
    let output = Output::list(ID, told.jobs.into_iter().map(row).collect());
    Ok(output.with_note(format!("{made} ticks made their jobs; {known} had made them before")))
}
