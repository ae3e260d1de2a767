//! `windlass schedules show`

use serde::Serialize;
use windlass_core::ScheduleName;
use windlass_store::PageRequest;
use windlass_wire::schedule::ScheduleEventShape;
use windlass_wire::{FiringShape, ScheduleShape};

use super::rhythm_of;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, List, Output, Record, Row, fields};

/// Those of a schedule, and what is told below it.
pub(super) const FIELDS: &[&str] = &{
    let mut names = [""; ScheduleShape::FIELDS.len() + 2];
    let mut index = 0;
    while index < ScheduleShape::FIELDS.len() {
        names[index] = ScheduleShape::FIELDS[index];
        index += 1;
    }
    names[index] = "firings";
    names[index + 1] = "events";
    names
};

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    schedule: ScheduleShape,
    firings: Vec<FiringShape>,
    events: Vec<ScheduleEventShape>,
}

const FIRINGS: &[Column] = &[
    Column::new("TICK"),
    Column::new("DECIDED"),
    Column::whole("JOB"),
    Column::new("SKIPPED"),
    Column::new("TICKS"),
];

const EVENTS: &[Column] =
    &[Column::new("AT"), Column::new("VERB"), Column::new("BY"), Column::new("REASON"), Column::whole("JOB")];

pub(super) async fn run(name: &ScheduleName, firings: u32, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let schedule = ScheduleShape::from(store.schedule(name).await?);
    let told = store.firings(name, PageRequest::first(firings)).await?.items;
    let firings: Vec<FiringShape> = told.into_iter().map(FiringShape::from).collect();
    let told = store.schedule_events(name).await?;
    let events: Vec<ScheduleEventShape> = told.into_iter().map(ScheduleEventShape::from).collect();
    let lines = lines(&schedule);
    let sections = vec![
        ("firings", List { columns: FIRINGS, rows: firings.iter().map(firing).collect() }),
        ("events", List { columns: EVENTS, rows: events.iter().map(event).collect() }),
    ];
    let fields = fields(&Shown { schedule, firings, events });
    Ok(Output::record(Record { id: name.to_string(), lines, sections, fields }))
}

fn lines(schedule: &ScheduleShape) -> Vec<(&'static str, Cell)> {
    let job = &schedule.job;
    let pause = schedule.pause.as_ref().map(|pause| match &pause.reason {
        Some(reason) => format!("by {}: {reason}", pause.by),
        None => format!("by {}", pause.by),
    });
    vec![
        ("name", Cell::text(&schedule.name)),
        ("state", Cell::text(&schedule.state)),
        ("rhythm", Cell::text(rhythm_of(schedule))),
        ("next", Cell::maybe(schedule.next_at, Cell::Time)),
        ("held", Cell::maybe(schedule.held, Cell::Time)),
        ("last", Cell::maybe(schedule.last.as_ref(), |last| Cell::Time(last.tick))),
        ("last job", Cell::maybe(schedule.last.as_ref(), |last| Cell::text(last.job))),
        ("fired", Cell::Number(schedule.fired)),
        ("skipped", Cell::Number(schedule.skipped)),
        ("overlap", word(&schedule.overlap)),
        ("missed", word(&schedule.missed)),
        ("jitter", if schedule.jitter.is_zero() { Cell::Empty } else { Cell::Span(schedule.jitter) }),
        ("starts", Cell::maybe(schedule.starts_at, Cell::Time)),
        ("ends", Cell::maybe(schedule.ends_at, Cell::Time)),
        ("kind", Cell::text(&job.kind)),
        ("queue", Cell::text(&job.queue)),
        ("priority", Cell::text(job.priority)),
        ("args", Cell::maybe(job.args.as_ref(), |args| Cell::text(args.as_str()))),
        ("program", Cell::maybe(schedule.program.as_ref(), Cell::text)),
        ("paused", Cell::maybe(pause, Cell::Text)),
        ("removed", Cell::maybe(schedule.removed_at, Cell::Time)),
        ("report", Cell::maybe(schedule.report.as_ref(), Cell::text)),
        ("error", Cell::maybe(schedule.error.as_ref(), Cell::text)),
        ("created", Cell::Time(schedule.created_at)),
        ("changed", Cell::Time(schedule.changed_at)),
    ]
}

/// A word of the model that has no text of its own, as JSON writes it.
fn word(value: &impl Serialize) -> Cell {
    let text = serde_json::to_string(value).unwrap_or_default();
    Cell::text(text.trim_matches('"'))
}

fn firing(firing: &FiringShape) -> Row {
    Row {
        id: firing.tick.to_string(),
        cells: vec![
            Cell::Time(firing.tick),
            Cell::Time(firing.at),
            Cell::maybe(firing.job, Cell::text),
            Cell::maybe(firing.skipped.as_ref(), Cell::text),
            Cell::maybe(firing.count, |count| Cell::Number(count.into())),
        ],
        fields: fields(firing),
    }
}

fn event(event: &ScheduleEventShape) -> Row {
    Row {
        id: event.at.to_string(),
        cells: vec![
            Cell::Time(event.at),
            Cell::text(&event.verb),
            Cell::text(&event.by),
            Cell::maybe(event.reason.as_ref(), Cell::text),
            Cell::maybe(event.job, Cell::text),
        ],
        fields: fields(event),
    }
}
