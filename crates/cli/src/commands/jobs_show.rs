//! `windlass jobs show`

use serde::Serialize;
use windlass_core::limits::PAGE_MAX;
use windlass_core::notice::{self, Target};
use windlass_core::{Job, JobId, Phase, Unique, UniqueScope, Within};
use windlass_store::{ErrorKind, Page, PageRequest, Relative, SharedStore, StoreError};
use windlass_wire::{AttemptShape, EventShape, JobShape, NoticeShape, RelativeShape};

use crate::commands::queues_bound::told;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, List, Output, Record, Row, fields};

/// Those of a job, and what is told below it.
pub(crate) const FIELDS: &[&str] = &{
    let mut names = [""; JobShape::FIELDS.len() + 5];
    let mut index = 0;
    while index < JobShape::FIELDS.len() {
        names[index] = JobShape::FIELDS[index];
        index += 1;
    }
    names[index] = "attempts";
    names[index + 1] = "events";
    names[index + 2] = "notices";
    names[index + 3] = "after";
    names[index + 4] = "children";
    names
};

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    job: JobShape,
    attempts: Vec<AttemptShape>,
    events: Vec<EventShape>,
    notices: Vec<NoticeShape>,
    after: Vec<RelativeShape>,
    children: Vec<RelativeShape>,
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

const NOTICES: &[Column] = &[
    Column::whole("NOTICE"),
    Column::new("TO"),
    Column::new("STATE"),
    Column::new("ATTEMPT"),
    Column::new("ERROR"),
];

const RELATIVES: &[Column] = &[
    Column::whole("JOB"),
    Column::new("ON"),
    Column::new("STATE"),
    Column::new("REASON"),
    Column::new("KIND"),
];

pub(crate) async fn run(id: JobId, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let about = |error| CliError::about(id, error);
    let job = store.job(id).await.map_err(about)?;
    let attempts =
        store.attempts(id).await.map_err(about)?.into_iter().map(AttemptShape::from).collect::<Vec<_>>();
    let events = store.events(id).await.map_err(about)?.into_iter().map(EventShape::from).collect::<Vec<_>>();
    let notices = notices(&store, &job).await.map_err(about)?;
    let relatives = PageRequest::first(PAGE_MAX);
    let after = shapes(store.parents(id, relatives).await.map_err(about)?);
    let children = shapes(store.children(id, relatives).await.map_err(about)?);
    let lines = lines(&job);
    let sections = vec![
        ("attempts", List { columns: ATTEMPTS, rows: attempts.iter().map(attempt).collect() }),
        ("events", List { columns: EVENTS, rows: events.iter().map(event).collect() }),
        ("notices", List { columns: NOTICES, rows: notices.iter().map(notice_row).collect() }),
        ("waits for", List { columns: RELATIVES, rows: after.iter().map(relative).collect() }),
        ("awaited by", List { columns: RELATIVES, rows: children.iter().map(relative).collect() }),
    ];
    let fields = fields(&Shown { job: JobShape::from(job), attempts, events, notices, after, children });
    Ok(Output::record(Record { id: id.to_string(), lines, sections, fields }))
}

/// The first of them; `windlass flows show` has them all.
fn shapes(page: Page<Relative>) -> Vec<RelativeShape> {
    page.items.into_iter().map(RelativeShape::from).collect()
}

fn relative(relative: &RelativeShape) -> Row {
    Row {
        id: relative.job.to_string(),
        cells: vec![
            Cell::text(relative.job),
            Cell::text(relative.on),
            Cell::State(relative.state),
            Cell::maybe(relative.reason, Cell::text),
            Cell::text(&relative.kind),
        ],
        fields: fields(relative),
    }
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
        ("phase", if job.phase == Phase::Settle { Cell::text(job.phase.as_str()) } else { Cell::Empty }),
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
        ("unique", Cell::maybe(job.options.unique.as_ref(), unique)),
        ("notify", Cell::maybe(notify(job), Cell::Text)),
        ("locks", listed(job.options.locks.iter().map(lock))),
        (
            "limits",
            listed(job.options.limits.iter().map(|limit| format!("{} at most {}", limit.key, limit.max))),
        ),
        ("rates", listed(job.options.rates.iter().map(|rate| format!("{} {}", rate.key, told(rate.pace))))),
        ("order key", Cell::maybe(job.options.order_key.as_ref(), Cell::text)),
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

/// What there is to be only one of, as it was asked for.
fn unique(unique: &Unique) -> Cell {
    let key = unique.key.as_deref().map_or_else(|| "its args".to_owned(), |key| format!("{key:?}"));
    let within = match unique.within {
        Within::Queue => " in its queue",
        Within::Global => " anywhere",
        _ => "",
    };
    let scope = match unique.scope {
        UniqueScope::Waiting => " until it is started".to_owned(),
        UniqueScope::For(span) => format!(" for {}", windlass_core::span::format(span)),
        _ => String::new(),
    };
    Cell::text(format!("by {key}{within}{scope}"))
}

/// Who is told, and when if not always.
fn notify(job: &Job) -> Option<String> {
    let told = job.options.notify.iter().map(|notify| {
        let states: Vec<&str> = notify.on.iter().map(|state| state.as_str()).collect();
        let when = if states.is_empty() { String::new() } else { format!(" if {}", states.join(" or ")) };
        format!("{}{when}", address(&notify.target))
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join(", "))
}

fn address(target: &Target) -> &str {
    match target {
        Target::Mail(address) => address,
        Target::Webhook(url) => url,
        _ => "?",
    }
}

/// What its last end made of notices. Some may have been sent and pruned since.
async fn notices(store: &SharedStore, job: &Job) -> Result<Vec<NoticeShape>, StoreError> {
    let mut found = Vec::new();
    if !job.state.is_final() {
        return Ok(found);
    }
    for (index, notify) in job.options.notify.iter().enumerate() {
        match store.job(notice::id(job, index)).await {
            Ok(notice) => found.push(NoticeShape::new(notice, notify.target.clone())),
            Err(error) if *error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn lock(lock: &windlass_core::Lock) -> String {
    format!("{} {}", lock.resource, lock.mode.as_str())
}

/// What most jobs have none of.
fn listed(items: impl Iterator<Item = String>) -> Cell {
    let items: Vec<String> = items.collect();
    if items.is_empty() { Cell::Empty } else { Cell::text(items.join(", ")) }
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

fn notice_row(notice: &NoticeShape) -> Row {
    Row {
        id: notice.id.to_string(),
        cells: vec![
            Cell::text(notice.id),
            Cell::text(address(&notice.to)),
            Cell::State(notice.state),
            Cell::Number(notice.attempt.into()),
            Cell::maybe(notice.error.as_ref(), Cell::text),
        ],
        fields: fields(notice),
    }
}
