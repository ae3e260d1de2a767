//! `windlass schedules list`

use windlass_store::{Cursor, PageRequest};
use windlass_wire::ScheduleShape;

use super::{COLUMNS, row};
use crate::args::SchedulesListArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

pub(super) async fn run(args: &SchedulesListArgs, context: &Context) -> Result<Output, CliError> {
    let page = PageRequest::first(args.limit).after(args.after.map(Cursor::at));
    let read = context.store().await?.schedules(page).await?;
    let is_empty = read.items.is_empty();
    let rows = read.items.into_iter().map(|schedule| row(ScheduleShape::from(schedule))).collect();
    let output = Output::list(COLUMNS, rows);
    Ok(match read.next {
        Some(next) => output.with_note(format!("more with --after {}", next.position())),
        None if is_empty => {
            output.with_note("no schedules yet: windlass schedules add NAME KIND --cron '0 3 * * *'")
        }
        None => output,
    })
}
