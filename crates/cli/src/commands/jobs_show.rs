//! `windlass jobs show`

use serde::Serialize;
use windlass_core::limits::PAGE_MAX;
use windlass_core::notice;
use windlass_core::{Job, JobId};
use windlass_store::{ErrorKind, Page, PageRequest, Relative, SharedStore, StoreError};
use windlass_wire::{AttemptShape, EventShape, JobShape, NoticeShape, RelativeShape, ReviewShape};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, List, Output, Record, Row, fields};

pub(super) mod lines;

/// Those of a job, and what is told below it.
pub(crate) const FIELDS: &[&str] = &{
    let mut names = [""; JobShape::FIELDS.len() + 6];
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
    names[index + 5] = "reviewed";
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
    /// What a person is or was asked to decide, if they ever were.
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewed: Option<ReviewShape>,
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
    let review = store.review(id).await.map_err(about)?;
    let lines = lines::of(&job, review.as_ref());
    let sections = vec![
        ("attempts", List { columns: ATTEMPTS, rows: attempts.iter().map(attempt).collect() }),
        ("events", List { columns: EVENTS, rows: events.iter().map(event).collect() }),
        ("notices", List { columns: NOTICES, rows: notices.iter().map(notice_row).collect() }),
        ("waits for", List { columns: RELATIVES, rows: after.iter().map(relative).collect() }),
        ("awaited by", List { columns: RELATIVES, rows: children.iter().map(relative).collect() }),
    ];
    let (job, reviewed) = (JobShape::from(job), review.map(ReviewShape::from));
    let fields = fields(&Shown { job, attempts, events, notices, after, children, reviewed });
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
            Cell::text(lines::address(&notice.to)),
            Cell::State(notice.state),
            Cell::Number(notice.attempt.into()),
            Cell::maybe(notice.error.as_ref(), Cell::text),
        ],
        fields: fields(notice),
    }
}
