//! `windlass ops`: what the servers of a store do to many jobs.

use std::time::Duration;

use windlass_core::{OperationId, OperationState};
use windlass_store::{Actor, ErrorKind, NewOperation, Operation, SharedStore, StoreError, ids};
use windlass_wire::OperationShape;

use crate::args::{FilterArgs, OpVerbArgs, OpsCommand, OpsListArgs, ProgressWhen};
use crate::commands::bulk::Verb;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::output::cell::counted;
use crate::output::{Cell, Column, List, Output, Record, Row, fields};
use crate::pages;
use crate::progress::{Counts, ProgressShow};

/// How often to look how far one has come.
const LOOK: Duration = Duration::from_millis(200);

const COLUMNS: &[Column] = &[
    Column::whole("ID"),
    Column::new("STATE"),
    Column::new("VERB"),
    Column::new("JOBS"),
    Column::new("DONE"),
    Column::new("REFUSED"),
    Column::new("BY"),
    Column::new("BEGAN"),
    Column::spare("FILTER"),
];

const REFUSALS: &[Column] = &[Column::whole("JOB"), Column::new("WHY")];

pub(crate) async fn run(command: OpsCommand, context: &Context) -> Result<Output, CliError> {
    match command {
        OpsCommand::List(args) => list(&args, context).await,
        OpsCommand::Show { id } => Ok(shown(find(&context.store().await?, id).await?)),
        OpsCommand::Watch { id } => watch(id, context).await,
        OpsCommand::Pause(args) => {
            let (store, by) = (context.store().await?, actor(&args));
            told(args.id, store.pause_operation(args.id, by).await)
        }
        OpsCommand::Resume(args) => {
            let (store, by) = (context.store().await?, actor(&args));
            told(args.id, store.resume_operation(args.id, by).await)
        }
        OpsCommand::Abort(args) => {
            let (store, by) = (context.store().await?, actor(&args));
            told(args.id, store.abort_operation(args.id, by).await)
        }
    }
}

fn actor(args: &OpVerbArgs) -> Actor {
    args.reason.iter().fold(Actor::new(&args.by.by), Actor::because)
}

async fn list(args: &OpsListArgs, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let found = pages::first(args.limit as usize, async |page| store.operations(page).await).await?;
    Ok(Output::list(COLUMNS, found.into_iter().map(row).collect()))
}

async fn find(store: &SharedStore, id: OperationId) -> Result<Operation, CliError> {
    store.operation(id).await.map_err(|error| about(id, error))
}

fn about(id: OperationId, error: StoreError) -> CliError {
    match error.kind() {
        ErrorKind::NotFound => CliError::new(ErrorCode::NotFound, format!("there is no operation {id}"))
            .with_help("`windlass ops` lists which there are"),
        ErrorKind::Finished => CliError::new(ErrorCode::WrongState, format!("operation {id} has ended"))
            .with_help(format!("`windlass ops show {id}` says how")),
        _ => error.into(),
    }
}

fn told(id: OperationId, answer: Result<Operation, StoreError>) -> Result<Output, CliError> {
    let operation = answer.map_err(|error| about(id, error))?;
    Ok(Output::list(COLUMNS, vec![row(operation)]))
}

/// Shows how far it comes until it has ended. It goes on also where nobody watches any more.
async fn watch(id: OperationId, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let mut show = ProgressShow::new(ProgressWhen::Auto, context.stderr_terminal(), "operation");
    let mut looks = tokio::time::interval(LOOK);
    let ended = loop {
        looks.tick().await;
        let operation = find(&store, id).await?;
        show.update(counts(&operation));
        if operation.state.is_final() {
            break operation;
        }
    };
    drop(show);
    let exit = exit(&ended);
    Ok(shown(ended).with_exit(exit))
}

fn counts(operation: &Operation) -> Counts {
    let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
    Counts {
        total: count(operation.selected),
        done: count(operation.place()),
        failed: count(operation.refused),
        ..Counts::default()
    }
}

/// How a command ends that waited for this one.
fn exit(operation: &Operation) -> ExitCode {
    match operation.state {
        OperationState::Done if operation.refused == 0 => ExitCode::Done,
        OperationState::Failed => ExitCode::Failed,
        _ => ErrorCode::Partial.exit_code(),
    }
}

/// What a verb on all that match is, left to the servers of the store.
///
/// # Errors
///
/// When servers do no such thing, or not so slowly.
pub(super) fn left(
    verb: &Verb,
    meant: &FilterArgs,
    rate: Option<Duration>,
) -> Result<NewOperation, CliError> {
    let Some(bulk) = verb.bulk else {
        let what = format!("--detach: servers do not {} jobs", verb.name);
        return Err(
            CliError::new(ErrorCode::Invalid, what).with_help("leave it out to have it done from here")
        );
    };
    let operation = NewOperation::new(ids::operation_id(), bulk, meant.as_text(verb.states)?);
    Ok(NewOperation { rate: rate.map(in_a_second).transpose()?, ..operation })
}

/// How many in a second that is.
fn in_a_second(between: Duration) -> Result<u32, CliError> {
    let each = between.max(Duration::from_nanos(1)).as_nanos();
    match u32::try_from(Duration::from_secs(1).as_nanos() / each) {
        Ok(0) => {
            let what = "--rate: servers do one job in a second at the least, where one is said";
            let help = "leave out --detach to have it done from here, as slowly as you like";
            Err(CliError::new(ErrorCode::Invalid, what).with_help(help))
        }
        rate => Ok(rate.unwrap_or(u32::MAX)),
    }
}

/// What is said of one that was begun just now.
pub(super) fn begun(operation: Operation, is_served: bool) -> Output {
    let id = operation.made.id;
    let output = Output::list(COLUMNS, vec![row(operation)]);
    let output = output.with_note(format!("`windlass ops watch {id}` shows how far it comes"));
    if is_served {
        output
    } else {
        output.with_note("it waits until a server runs on this store: `windlass serve`")
    }
}

fn row(operation: Operation) -> Row {
    let shape = OperationShape::from(operation);
    Row {
        id: shape.id.to_string(),
        cells: vec![
            Cell::text(shape.id),
            Cell::text(state(&shape)),
            Cell::text(shape.verb),
            Cell::Number(shape.selected),
            Cell::Number(shape.done),
            Cell::Number(shape.refused),
            Cell::text(&shape.by),
            Cell::Time(shape.began_at),
            Cell::text(&shape.filter),
        ],
        fields: fields(&shape),
    }
}

fn state(shape: &OperationShape) -> String {
    let dry = if shape.dry_run { ", dry run" } else { "" };
    format!("{}{dry}", shape.state)
}

fn shown(operation: Operation) -> Output {
    let shape = OperationShape::from(operation);
    let limit = if shape.cut { ", and more match than one operation takes" } else { "" };
    let mut lines = vec![
        ("id", Cell::text(shape.id)),
        ("state", Cell::text(state(&shape))),
        ("verb", Cell::text(shape.verb)),
        ("filter", Cell::text(&shape.filter)),
        ("rate", Cell::maybe(shape.rate, |rate| Cell::text(format!("{rate}/s")))),
        ("by", Cell::text(&shape.by)),
        ("reason", Cell::maybe(shape.reason.as_ref(), Cell::text)),
        ("began", Cell::Time(shape.began_at)),
        ("jobs", Cell::text(format!("{}{limit}", counted(shape.selected, "job")))),
        ("done", Cell::Number(shape.done)),
        ("refused", Cell::Number(shape.refused)),
        ("ended", Cell::maybe(shape.ended_at, Cell::Time)),
    ];
    lines.extend(shape.problem.as_ref().map(|problem| ("problem", Cell::text(&problem.detail))));
    let refusals = shape.refusals.iter().map(|refusal| Row {
        id: refusal.job.to_string(),
        cells: vec![Cell::text(refusal.job), Cell::text(&refusal.problem.detail)],
        fields: fields(refusal),
    });
    let sections = vec![("refusals", List { columns: REFUSALS, rows: refusals.collect() })];
    let sections = if shape.refusals.is_empty() { Vec::new() } else { sections };
    Output::record(Record { id: shape.id.to_string(), lines, sections, fields: fields(&shape) })
}
