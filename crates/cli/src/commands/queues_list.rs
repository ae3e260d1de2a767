//! `windlass queues list`

use windlass_core::JobState;
use windlass_store::QueueSummary;
use windlass_wire::QueueShape;

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, Output, Row, fields};

pub(crate) const COLUMNS: &[Column] = &[
    Column::whole("QUEUE"),
    Column::new("READY"),
    Column::new("RUNNING"),
    Column::spare("SCHEDULED"),
    Column::new("RETRYABLE"),
    Column::new("COMPLETED"),
    Column::spare("CANCELLED"),
    Column::new("DEAD"),
    Column::spare("OLDEST READY"),
    Column::new("PAUSED"),
];

pub(crate) async fn run(context: &Context) -> Result<Output, CliError> {
    let queues = context.store().await?.queues().await?;
    let note =
        if queues.is_empty() { "no queues yet: a queue is there once a job was enqueued to it" } else { "" };
    let output = Output::list(COLUMNS, queues.into_iter().map(row).collect());
    Ok(if note.is_empty() { output } else { output.with_note(note) })
}

/// One queue as a row.
pub(crate) fn row(queue: QueueSummary) -> Row {
    let count = |state| Cell::Number(queue.counts.of(state));
    let pause = queue.pause.as_ref().map(|pause| match &pause.by.why {
        Some(why) => format!("by {}: {why}", pause.by.name),
        None => format!("by {}", pause.by.name),
    });
    Row {
        id: queue.name.to_string(),
        cells: vec![
            Cell::text(&queue.name),
            count(JobState::Ready),
            count(JobState::Running),
            count(JobState::Scheduled),
            count(JobState::Retryable),
            count(JobState::Completed),
            count(JobState::Cancelled),
            count(JobState::Dead),
            Cell::maybe(queue.oldest_ready_at, Cell::Time),
            Cell::maybe(pause, Cell::Text),
        ],
        fields: fields(&QueueShape::from(queue)),
    }
}
