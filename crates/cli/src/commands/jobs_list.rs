//! `windlass jobs list`

use windlass_core::Job;
use windlass_store::{Cursor, JobFilter, PageRequest};
use windlass_wire::JobShape;

use crate::args::JobsListArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::output::cell::counted;
use crate::output::{Cell, Column, Output, Row, fields};

pub(crate) const COLUMNS: &[Column] = &[
    Column::whole("ID"),
    Column::whole("STATE"),
    Column::new("KIND"),
    Column::new("QUEUE"),
    Column::spare("ATTEMPT"),
    Column::spare("RUN AT"),
    Column::new("CREATED"),
    Column::new("ERROR"),
];

pub(crate) async fn run(args: JobsListArgs, context: &Context) -> Result<Output, CliError> {
    let filter = JobFilter { roots: args.roots, ..args.filter.filter() };
    let page = PageRequest::first(args.limit).after(args.after.map(Cursor::at));
    let page = context.store().await?.jobs(filter, page).await?;
    let jobs = counted(page.items.len() as u64, "job");
    let note = match page.next {
        _ if page.items.is_empty() => "no such jobs".to_owned(),
        Some(next) => format!("{jobs}, and there may be more: --after {}", next.position()),
        None => jobs,
    };
    Ok(Output::list(COLUMNS, page.items.into_iter().map(row).collect()).with_note(note))
}

/// One job as a row.
pub(crate) fn row(job: Job) -> Row {
    Row {
        id: job.id.to_string(),
        cells: vec![
            Cell::text(job.id),
            Cell::State(job.state),
            Cell::text(&job.kind),
            Cell::text(&job.queue),
            Cell::Number(job.attempt.into()),
            Cell::Time(job.run_at),
            Cell::Time(job.created_at),
            Cell::maybe(job.error.as_ref(), Cell::error),
        ],
        fields: fields(&JobShape::from(job)),
    }
}
