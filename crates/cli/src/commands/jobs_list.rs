//! `windlass jobs list`

use windlass_core::Job;
use windlass_store::{Cursor, Page, PageRequest, SharedStore};
use windlass_wire::JobShape;
use windlass_wire::filter::Filter;

use crate::args::JobsListArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::output::cell::counted;
use crate::output::{Cell, Column, Output, Row, fields};

/// How many jobs one list looks at that a store does not find by itself.
const LOOKED_AT_MAX: usize = 10_000;

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
    let mut filter = args.filter.filter()?;
    filter.indexed.roots |= args.roots;
    let request = PageRequest::first(args.limit).after(args.after.map(Cursor::at));
    let page = page(&context.store().await?, &filter, request).await?;
    let jobs = counted(page.items.len() as u64, "job");
    let note = match page.next {
        _ if page.items.is_empty() => "no such jobs".to_owned(),
        Some(next) => format!("{jobs}, and there may be more: --after {}", next.position()),
        None => jobs,
    };
    Ok(Output::list(COLUMNS, page.items.into_iter().map(row).collect()).with_note(note))
}

/// Jobs that match. Where a store does not find them by itself, so many are looked at as can be waited for.
async fn page(store: &SharedStore, filter: &Filter, request: PageRequest) -> Result<Page<Job>, CliError> {
    if filter.is_indexed() {
        return Ok(store.jobs(filter.indexed.clone(), request).await?);
    }
    let most = request.limit();
    let (mut found, mut looked_at, mut at) = (Vec::new(), 0, request.cursor());
    loop {
        // Never more than are still wanted: so the place where it ends is the place where a page of the store ends.
        let wanted = most - u32::try_from(found.len()).unwrap_or(most);
        let step = store.jobs(filter.indexed.clone(), PageRequest::first(wanted).after(at)).await?;
        (at, looked_at) = (step.next, looked_at + step.items.len());
        found.extend(step.items.into_iter().filter(|job| filter.admits(job)));
        if at.is_none() || found.len() >= most as usize || looked_at >= LOOKED_AT_MAX {
            return Ok(Page { items: found, next: at });
        }
    }
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
