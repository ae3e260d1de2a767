//! `windlass flows`

mod tree;

use serde::Serialize;
use windlass_core::{JobId, JobState};
use windlass_store::{Actor, ErrorTree, Flow, StoreError};
use windlass_wire::{ErrorTreeShape, FlowShape};

use crate::args::{FlowArgs, FlowsCommand};
use crate::commands::verb::{self, Answers};
use crate::context::Context;
use crate::error::CliError;
use crate::output::cell::counted;
use crate::output::{Cell, Column, List, Output, Record, Row, fields};

const JOBS: &[Column] = &[
    Column::whole("JOB"),
    Column::new("STATE"),
    Column::new("KIND"),
    Column::new("TAGS"),
    Column::new("ALSO AFTER"),
];

const ERRORS: &[Column] =
    &[Column::whole("JOB"), Column::new("STATE"), Column::new("KIND"), Column::new("ERROR")];

const ERROR_FIELDS: &[&str] = &["job", "kind", "state", "reason", "error", "causes"];

pub(crate) async fn run(command: FlowsCommand, context: &Context) -> Result<Output, CliError> {
    match command {
        FlowsCommand::Show { id } => show(id, context).await,
        FlowsCommand::Errors { id } => errors(id, context).await,
        FlowsCommand::Cancel(args) => {
            let store = context.store().await?;
            dealt(
                &args,
                store.cancel_flow(args.id, actor(&args)).await,
                ("cancelled", "nothing of it was unfinished"),
            )
        }
        FlowsCommand::Retry(args) => {
            let store = context.store().await?;
            dealt(
                &args,
                store.retry_flow(args.id, actor(&args)).await,
                ("retried", "nothing of it was dead or cancelled"),
            )
        }
        FlowsCommand::Delete { id, by } => {
            let (store, by) = (context.store().await?, Actor::new(by.by));
            let removed = store.delete_flow(id, by).await.map_err(|error| CliError::about(id, error))?;
            answers(removed, "deleted").into_output()
        }
    }
}

/// The fields of the JSON that a verb prints.
pub(crate) const fn json_fields(command: &FlowsCommand) -> &'static [&'static str] {
    match command {
        FlowsCommand::Show { .. } => FlowShape::FIELDS,
        FlowsCommand::Errors { .. } => ERROR_FIELDS,
        FlowsCommand::Cancel(_) | FlowsCommand::Retry(_) | FlowsCommand::Delete { .. } => verb::FIELDS,
    }
}

fn actor(args: &FlowArgs) -> Actor {
    let actor = Actor::new(&args.by.by);
    match &args.reason {
        Some(reason) => actor.because(reason),
        None => actor,
    }
}

fn answers(ids: Vec<JobId>, outcome: &'static str) -> Answers {
    let mut answers = Answers::default();
    for id in ids {
        answers.add(id, Ok(outcome));
    }
    answers
}

fn dealt(
    args: &FlowArgs,
    answer: Result<Vec<JobId>, StoreError>,
    (outcome, nothing): (&'static str, &str),
) -> Result<Output, CliError> {
    let ids = answer.map_err(|error| CliError::about(args.id, error))?;
    let is_empty = ids.is_empty();
    let output = answers(ids, outcome).into_output()?;
    Ok(if is_empty { output.with_note(nothing) } else { output })
}

async fn show(id: JobId, context: &Context) -> Result<Output, CliError> {
    let flow = context.store().await?.flow(id).await.map_err(|error| CliError::about(id, error))?;
    let rows = tree::rows(&flow).into_iter().map(|line| Row {
        id: line.job.id.to_string(),
        cells: vec![
            Cell::text(format!("{}{}", line.branch, line.job.id)),
            Cell::State(line.job.state),
            Cell::text(&line.job.kind),
            listed(&line.job.tags),
            listed(&line.also_after),
        ],
        fields: windlass_wire::Fields::default(),
    });
    let lines = vec![("flow", Cell::text(summary(&flow)))];
    let sections = vec![("jobs", List { columns: JOBS, rows: rows.collect() })];
    let record = Record { id: id.to_string(), lines, sections, fields: fields(&FlowShape::from(&flow)) };
    let output = Output::record(record);
    Ok(if flow.cut { output.with_note("there is more of it than is shown") } else { output })
}

fn listed(words: &[impl ToString]) -> Cell {
    match words {
        [] => Cell::Empty,
        words => Cell::text(words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// As in "5 jobs: 2 completed, 3 blocked".
fn summary(flow: &Flow) -> String {
    let count = |state: JobState| flow.jobs.iter().filter(|job| job.state == state).count();
    let counts = JobState::ALL.iter().map(|state| (state, count(*state))).filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(state, count)| format!("{count} {state}")).collect();
    format!("{}: {}", counted(flow.jobs.len() as u64, "job"), counts.join(", "))
}

async fn errors(id: JobId, context: &Context) -> Result<Output, CliError> {
    let tree = context.store().await?.error_tree(id).await.map_err(|error| CliError::about(id, error))?;
    let mut rows = Vec::new();
    add_errors(&tree, (String::new(), String::new()), &mut rows);
    let fields = fields(&Shown(ErrorTreeShape::from(tree)));
    let sections = vec![("errors", List { columns: ERRORS, rows })];
    Ok(Output::record(Record { id: id.to_string(), lines: Vec::new(), sections, fields }))
}

#[derive(Serialize)]
#[serde(transparent)]
struct Shown(ErrorTreeShape);

/// A row for the job and for each of its causes; `branch` is what stands before the job, and before those below it.
fn add_errors(tree: &ErrorTree, (branch, below): (String, String), rows: &mut Vec<Row>) {
    rows.push(Row {
        id: tree.id.to_string(),
        cells: vec![
            Cell::text(format!("{branch}{}", tree.id)),
            Cell::State(tree.state),
            Cell::text(&tree.kind),
            Cell::maybe(tree.error.as_ref(), Cell::error),
        ],
        fields: windlass_wire::Fields::default(),
    });
    for (index, cause) in tree.causes.iter().enumerate() {
        add_errors(cause, tree::branches(&below, index + 1 == tree.causes.len()), rows);
    }
}
