//! `windlass queues retention`

use serde::Serialize;
use windlass_core::{QueueName, span};
use windlass_store::{Actor, Keep, QueueRetention};

use crate::args::RetentionArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, Output, Row, fields};

pub(crate) const FIELDS: &[&str] = &["queue", "completed", "cancelled", "dead"];

const COLUMNS: &[Column] =
    &[Column::whole("QUEUE"), Column::new("COMPLETED"), Column::new("CANCELLED"), Column::new("DEAD")];

#[derive(Serialize)]
struct Shown {
    queue: QueueName,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead: Option<String>,
}

pub(crate) async fn run(args: RetentionArgs, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    if let Some(queue) = &args.queue {
        let all = store.retentions().await?;
        let before = all.into_iter().find(|(name, _)| name == queue).map(|(_, own)| own);
        if let Some(retention) = args.said(before.unwrap_or_default()) {
            store.keep(queue, retention, Actor::new(&args.by.by)).await?;
        }
    }
    let mut rows = store.retentions().await?;
    rows.retain(|(queue, _)| args.queue.as_ref().is_none_or(|asked| asked == queue));
    let note = match (&args.queue, rows.is_empty()) {
        (_, false) => "what is not said here is as for all queues".to_owned(),
        (Some(queue), true) => format!("jobs of \"{queue}\" are kept as long as those of all queues"),
        (None, true) => "jobs of every queue are kept alike".to_owned(),
    };
    let rows = rows.into_iter().map(|(queue, retention)| row(queue, retention)).collect();
    Ok(Output::list(COLUMNS, rows).with_note(note))
}

fn row(queue: QueueName, retention: QueueRetention) -> Row {
    let said =
        |keep: Option<Keep>| keep.map(|keep| keep.span().map_or_else(|| "forever".to_owned(), span::format));
    let QueueRetention { completed, cancelled, dead, .. } = retention;
    let shown = Shown { queue, completed: said(completed), cancelled: said(cancelled), dead: said(dead) };
    Row {
        id: shown.queue.to_string(),
        cells: vec![
            Cell::text(&shown.queue),
            Cell::maybe(shown.completed.as_ref(), Cell::text),
            Cell::maybe(shown.cancelled.as_ref(), Cell::text),
            Cell::maybe(shown.dead.as_ref(), Cell::text),
        ],
        fields: fields(&shown),
    }
}
