//! `windlass reviews`: what waits for a person, and what they decide.

use std::time::Duration;

use tokio::time::Instant;
use windlass_core::{Args, Decision, Job, JobId, JobState, Json, Phase, Reason};
use windlass_store::{
    Actor, Cursor, ErrorKind, NewRuling, PageRequest, ReviewFilter, ReviewRecord, SharedStore, StoreError,
};
use windlass_wire::{JobShape, ReviewShape};

use crate::args::{DecisionArgs, ReviewsCommand, ReviewsListArgs};
use crate::commands::{enqueue, jobs_list};
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::output::{Cell, Column, Output, Record, Row, fields};

/// How often to look whether a decision is carried out. Hints come from this process only.
const LOOK: Duration = Duration::from_millis(200);

/// How long `--latest` waits for a job to come into review, if none is.
const COMING: Duration = Duration::from_secs(2);

const COLUMNS: &[Column] = &[
    Column::whole("JOB"),
    Column::new("KIND"),
    Column::new("OF"),
    Column::new("SINCE"),
    Column::new("DECIDE BY"),
    Column::spare("REMINDERS"),
    Column::new("SUBMITTED BY"),
];

pub(crate) async fn run(command: ReviewsCommand, context: &Context) -> Result<Output, CliError> {
    match command {
        ReviewsCommand::List(args) => list(args, context).await,
        ReviewsCommand::Show { id } => show(id, context).await,
        ReviewsCommand::Accept { decision, args } => {
            let args = args.as_deref().map(enqueue::read).transpose()?;
            decide(decision, (Decision::Accept, args), context).await
        }
        ReviewsCommand::Decline(decision) => decide(decision, (Decision::Decline, None), context).await,
    }
}

pub(crate) const fn json_fields(command: Option<&ReviewsCommand>) -> &'static [&'static str] {
    match command {
        Some(ReviewsCommand::Accept { .. } | ReviewsCommand::Decline(_)) => JobShape::FIELDS,
        _ => ReviewShape::FIELDS,
    }
}

/// What `windlass reviews` does when nothing else is said.
pub(crate) const fn unless_said() -> ReviewsCommand {
    ReviewsCommand::List(ReviewsListArgs { queues: Vec::new(), kinds: Vec::new(), limit: 20, after: None })
}

async fn list(args: ReviewsListArgs, context: &Context) -> Result<Output, CliError> {
    let filter = ReviewFilter { queues: args.queues, kinds: args.kinds };
    let request = PageRequest::first(args.limit).after(args.after.map(Cursor::at));
    let page = context.store().await?.reviews(filter, request).await?;
    let (is_empty, next) = (page.items.is_empty(), page.next);
    let output = Output::list(COLUMNS, page.items.into_iter().map(row).collect());
    Ok(match next {
        Some(next) => output.with_note(format!("more: --after {}", next.position())),
        None if is_empty => output.with_note("nothing waits for a person"),
        None => output,
    })
}

fn row(record: ReviewRecord) -> Row {
    Row {
        id: record.job.to_string(),
        cells: vec![
            Cell::text(record.job),
            Cell::text(&record.kind),
            Cell::text(record.terms.of.as_str()),
            Cell::Time(record.asked_at),
            Cell::maybe(record.decide_by, Cell::Time),
            Cell::Number(record.reminders.into()),
            Cell::maybe(record.submitted_by.as_ref(), Cell::text),
        ],
        fields: fields(&ReviewShape::from(record)),
    }
}

async fn show(id: JobId, context: &Context) -> Result<Output, CliError> {
    let record = asked(&context.store().await?, id).await?;
    let lines = lines(&record);
    let note = record.open.then(|| format!("decide: windlass reviews accept {id}, or decline {id}"));
    let fields = fields(&ReviewShape::from(record));
    let output = Output::record(Record { id: id.to_string(), lines, sections: Vec::new(), fields });
    Ok(match note {
        Some(note) => output.with_note(note),
        None => output,
    })
}

/// What there is or was to decide about a job.
async fn asked(store: &SharedStore, id: JobId) -> Result<ReviewRecord, CliError> {
    let about = |error| CliError::about(id, error);
    store.review(id).await.map_err(about)?.ok_or_else(|| {
        let error = StoreError::new("find the review", ErrorKind::NotReady);
        about(error.with_detail(format!("nobody is asked about job {id}")))
            .with_help("`windlass reviews` lists what waits for a person")
    })
}

fn lines(record: &ReviewRecord) -> Vec<(&'static str, Cell)> {
    let text = |bytes: &[u8]| Cell::text(String::from_utf8_lossy(bytes));
    let mut lines = vec![
        ("job", Cell::text(record.job)),
        ("kind", Cell::text(&record.kind)),
        ("queue", Cell::text(&record.queue)),
        ("args", text(record.args.as_bytes())),
        ("submitted by", Cell::maybe(record.submitted_by.as_ref(), Cell::text)),
    ];
    lines.extend(question(record));
    lines.extend(answer(record));
    lines
}

/// What `reviews show` and `jobs show` print of what a person is asked.
pub(super) fn question(record: &ReviewRecord) -> Vec<(&'static str, Cell)> {
    let staged = |json: &Json| Cell::text(String::from_utf8_lossy(json.as_bytes()));
    let otherwise = record.decide_by.map(|_| record.terms.otherwise.as_str());
    vec![
        ("review of", Cell::text(record.terms.of.as_str())),
        ("staged", Cell::maybe(record.staged.as_ref(), staged)),
        ("digest", Cell::text(record.digest)),
        ("in review", Cell::text(if record.open { "yes" } else { "no" })),
        ("since", Cell::Time(record.asked_at)),
        ("decide by", Cell::maybe(record.decide_by, Cell::Time)),
        ("otherwise", Cell::maybe(otherwise, Cell::text)),
        ("reminders", Cell::Number(record.reminders.into())),
    ]
}

/// What they print of what was decided.
pub(super) fn answer(record: &ReviewRecord) -> Vec<(&'static str, Cell)> {
    let Some(ruling) = &record.ruling else { return Vec::new() };
    vec![
        ("decision", Cell::text(ruling.decision.as_str())),
        ("decided by", Cell::text(ruling.by.as_deref().unwrap_or("nobody in time"))),
        ("decided", Cell::Time(ruling.at)),
        ("comment", Cell::maybe(ruling.comment.as_ref(), Cell::text)),
    ]
}

async fn decide(
    args: DecisionArgs,
    (decision, edited): (Decision, Option<Json>),
    context: &Context,
) -> Result<Output, CliError> {
    let store = context.store().await?;
    let id = match args.id {
        Some(id) => id,
        None => latest(&store, context).await?,
    };
    let digest = match args.digest {
        Some(digest) => digest,
        None => asked(&store, id).await?.digest,
    };
    let by = Actor { name: args.by.by, why: args.comment, via: None };
    let ruling = NewRuling { decision, by, digest, args: edited.map(Args::Json) };
    store.decide(id, ruling).await.map_err(|error| refused(id, error))?;
    let until = args.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let job = if args.wait {
        until_carried_out(&store, id, until).await?
    } else {
        store.job(id).await.map_err(|error| CliError::about(id, error))?
    };
    let (exit, note) = if args.wait { told(&job) } else { (ExitCode::Done, waiting(&job)) };
    let output = Output::list(jobs_list::COLUMNS, vec![jobs_list::row(job)]).with_exit(exit);
    Ok(match note {
        Some(note) => output.with_note(note),
        None => output,
    })
}

/// The job that came into review last. One whose handler is about to end may be on its way there.
async fn latest(store: &SharedStore, context: &Context) -> Result<JobId, CliError> {
    let (until, mut ended) = (Instant::now() + COMING, store.signals().ended());
    loop {
        let (mut last, mut request) = (None, PageRequest::first(windlass_core::limits::PAGE_MAX));
        loop {
            let page = store.reviews(ReviewFilter::default(), request).await?;
            last = page.items.last().map(|record| record.job).or(last);
            match page.next {
                Some(next) => request = request.after(Some(next)),
                None => break,
            }
        }
        match last {
            Some(id) => {
                context.hint(&format!("about job {id}"));
                return Ok(id);
            }
            None if Instant::now() >= until => {
                return Err(CliError::new(ErrorCode::NotFound, "nothing waits for a person")
                    .with_help("jobs that are enqueued with --review do, once they have come so far"));
            }
            None => {
                // Either way it is time to look again.
                let _ = tokio::time::timeout(LOOK, ended.next()).await;
            }
        }
    }
}

fn refused(id: JobId, error: StoreError) -> CliError {
    let is_stale = *error.kind() == ErrorKind::Conflict;
    let error = CliError::about(id, error);
    if is_stale {
        return error.with_help(format!("`windlass reviews show {id}` shows what is to be decided now"));
    }
    error
}

/// What is still to come of a decision that nobody waits for.
fn waiting(job: &Job) -> Option<String> {
    let carried_out_later = job.phase == Phase::Settle && !job.state.is_final();
    carried_out_later.then(|| format!("a worker carries it out: windlass jobs wait {}", job.id))
}

/// How the command ends that has waited, and what it says.
fn told(job: &Job) -> (ExitCode, Option<String>) {
    let as_decided = matches!(job.reason, Some(Reason::Accepted | Reason::Declined));
    match (job.state, &job.error) {
        (JobState::Completed | JobState::Cancelled, _) if as_decided => (ExitCode::Done, None),
        (state, Some(error)) if !state.is_final() => {
            let note = format!("it could not be carried out and is tried again: {}", error.message);
            (ErrorCode::JobsFailed.exit_code(), Some(note))
        }
        (state, _) if state.is_final() => {
            let note = format!("it was not carried out; the decision stands: windlass jobs retry {}", job.id);
            (ErrorCode::JobsFailed.exit_code(), Some(note))
        }
        _ => (ExitCode::Done, None),
    }
}

/// Waits until there is nothing to carry out any more, or it has failed for the first time.
async fn until_carried_out(store: &SharedStore, id: JobId, until: Option<Instant>) -> Result<Job, CliError> {
    let mut ended = store.signals().ended();
    loop {
        let job = store.job(id).await.map_err(|error| CliError::about(id, error))?;
        let failed = job.error.is_some() && job.state != JobState::Running;
        if job.phase == Phase::Run || job.state.is_final() || failed {
            return Ok(job);
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            let problem = format!("the decision about job {id} is still to be carried out");
            return Err(CliError::new(ErrorCode::TimedOut, problem)
                .with_help(format!("it stands: `windlass jobs wait {id}` waits again")));
        }
        // Either way it is time to look again.
        let _ = tokio::time::timeout(left.map_or(LOOK, |left| left.min(LOOK)), ended.next()).await;
    }
}
