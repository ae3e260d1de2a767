//! `windlass jobs show`

use serde::Serialize;
use windlass_core::{Job, JobId};
use windlass_wire::{AttemptShape, EventShape, JobShape};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, List, Output, Record, Row, fields};

/// Those of a job, and what is told below it.
pub(crate) const FIELDS: &[&str] = &{
    let mut names = [""; JobShape::FIELDS.len() + 2];
    let mut index = 0;
    while index < JobShape::FIELDS.len() {
        names[index] = JobShape::FIELDS[index];
        index += 1;
    }
    names[index] = "attempts";
    names[index + 1] = "events";
    names
};

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    job: JobShape,
    attempts: Vec<AttemptShape>,
    events: Vec<EventShape>,
}

const ATTEMPTS: &[Column] = &[
    Column::new("ATTEMPT"),
    Column::new("OUTCOME"),
    Column::new("STARTED"),
    Column::new("TOOK"),
    Column::new("WORKER"),
    Column::new("ERROR"),
];

const EVENTS: &[Column] = &[Column::new("AT"), Column::new("VERB"), Column::new("BY"), Column::new("REASON")];

pub(crate) async fn run(id: JobId, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let about = |error| CliError::about(id, error);
    let job = store.job(id).await.map_err(about)?;
    let attempts =
        store.attempts(id).await.map_err(about)?.into_iter().map(AttemptShape::from).collect::<Vec<_>>();
    let events = store.events(id).await.map_err(about)?.into_iter().map(EventShape::from).collect::<Vec<_>>();
    let lines = lines(&job);
    let sections = vec![
        ("attempts", List { columns: ATTEMPTS, rows: attempts.iter().map(attempt).collect() }),
        ("events", List { columns: EVENTS, rows: events.iter().map(event).collect() }),
    ];
    let fields = fields(&Shown { job: JobShape::from(job), attempts, events });
    Ok(Output::record(Record { id: id.to_string(), lines, sections, fields }))
}

fn lines(job: &Job) -> Vec<(&'static str, Cell)> {
    let text = |bytes: &[u8]| Cell::text(String::from_utf8_lossy(bytes));
    let tags: Vec<&str> = job.options.tags.iter().map(windlass_core::Tag::as_str).collect();
    let progress = job.progress.as_ref().map(|progress| {
        let message = progress.message.as_deref().map_or(String::new(), |message| format!(" {message}"));
        format!("{} %{message}", progress.percent)
    });
    vec![
        ("id", Cell::text(job.id)),
        ("state", Cell::State(job.state)),
        ("reason", Cell::maybe(job.reason, Cell::text)),
        ("kind", Cell::text(&job.kind)),
        ("version", Cell::Number(job.version.into())),
        ("queue", Cell::text(&job.queue)),
        ("priority", Cell::text(job.priority)),
        ("args", text(job.args.as_bytes())),
        ("attempt", Cell::text(attempts(job))),
        ("losses", Cell::text(format!("{} of {}", job.losses, job.losses_max))),
        ("run at", Cell::Time(job.run_at)),
        ("deadline", Cell::maybe(job.deadline, Cell::Time)),
        ("timeout", Cell::maybe(job.options.timeout, Cell::Span)),
        ("tags", if tags.is_empty() { Cell::Empty } else { Cell::text(tags.join(", ")) }),
        ("progress", Cell::maybe(progress, Cell::Text)),
        ("checkpoint", Cell::maybe(job.checkpoint.as_ref(), |json| text(json.as_bytes()))),
        ("result", Cell::maybe(job.result.as_ref(), |json| text(json.as_bytes()))),
        ("error", Cell::maybe(job.error.as_ref(), Cell::error)),
        ("submitted by", Cell::maybe(job.options.submitted_by.as_ref(), Cell::text)),
        ("worker", Cell::maybe(job.worker.as_ref(), Cell::text)),
        ("created", Cell::Time(job.created_at)),
        ("started", Cell::maybe(job.started_at, Cell::Time)),
        ("finished", Cell::maybe(job.finished_at, Cell::Time)),
    ]
}

fn attempts(job: &Job) -> String {
    match job.attempts_max {
        windlass_core::limits::ATTEMPTS_UNLIMITED => format!("{} of any number", job.attempt),
        most => format!("{} of {most}", job.attempt),
    }
}

fn attempt(attempt: &AttemptShape) -> Row {
    let took = attempt.ended_at.map(|ended| ended.since(attempt.started_at));
    Row {
        id: attempt.number.to_string(),
        cells: vec![
            Cell::Number(attempt.number),
            Cell::maybe(attempt.outcome, Cell::text),
            Cell::Time(attempt.started_at),
            Cell::maybe(took, Cell::Span),
            Cell::text(&attempt.worker),
            Cell::maybe(attempt.error.as_ref(), |error| Cell::text(&error.message)),
        ],
        fields: fields(attempt),
    }
}

fn event(event: &EventShape) -> Row {
    Row {
        id: event.revision.to_string(),
        cells: vec![
            Cell::Time(event.at),
            Cell::text(&event.verb),
            Cell::text(&event.by),
            Cell::maybe(event.reason.as_ref(), Cell::text),
        ],
        fields: fields(event),
    }
}
