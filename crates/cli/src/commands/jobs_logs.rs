//! `windlass jobs logs`

use std::time::Duration;

use windlass_core::LogLine;
use windlass_core::limits::PAGE_MAX;
use windlass_store::PageRequest;
use windlass_wire::LogShape;

use crate::args::JobsLogsArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, Form, Output, Row, fields};

const COLUMNS: &[Column] =
    &[Column::whole("AT"), Column::new("ATTEMPT"), Column::new("LEVEL"), Column::new("MESSAGE")];

/// How often to look for new lines.
const LOOK: Duration = Duration::from_millis(300);

pub(crate) async fn run(args: JobsLogsArgs, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let about = |error| CliError::about(args.id, error);
    let mut ended = store.signals().ended();
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        // Asked before the lines: what was logged before the end is then among them.
        let over = !args.follow || store.job(args.id).await.map_err(about)?.state.is_final();
        loop {
            let page = store.logs(args.id, PageRequest::first(PAGE_MAX).after(after)).await.map_err(about)?;
            after = page.next.or(after);
            let full = page.items.len() >= PAGE_MAX as usize;
            rows.extend(page.items.into_iter().map(row));
            if !full {
                break;
            }
        }
        // A JSON array is printed whole, and so is a table: its columns are as wide as all of its lines need.
        if over {
            return Ok(Output::list(COLUMNS, rows));
        }
        if !matches!(context.form(), Form::Json(_)) && !rows.is_empty() {
            context.print(&Output::list(COLUMNS, std::mem::take(&mut rows)))?;
        }
        let _ = tokio::time::timeout(LOOK, ended.next()).await;
    }
}

fn row(line: LogLine) -> Row {
    Row {
        id: line.at.to_string(),
        cells: vec![
            Cell::Time(line.at),
            Cell::Number(line.attempt),
            Cell::text(line.level.as_str()),
            Cell::text(&line.message),
        ],
        fields: fields(&LogShape::from(line)),
    }
}
