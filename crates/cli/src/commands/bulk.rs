//! A verb on jobs: on those that are named, or on all that match.

use std::time::Duration;

use windlass_core::{BulkVerb, JobId, JobState};
use windlass_store::{Actor, NewOperation, PageRequest, SharedStore, StoreError, ids};
use windlass_wire::filter::Filter;

use crate::args::{ProgressWhen, WhichJobs};
use crate::commands::verb::Answers;
use crate::commands::{jobs_list, ops};
use crate::config::Place;
use crate::confirm;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::output::Output;
use crate::output::cell::counted;
use crate::progress::{Counts, ProgressShow};

/// How many jobs are shown of those that would be changed.
const SHOWN: usize = 20;

/// What a verb is called, and which jobs it is for where nothing is said of their states.
pub(super) struct Verb {
    pub(super) name: &'static str,
    /// What servers call it; none for what only clients do.
    pub(super) bulk: Option<BulkVerb>,
    pub(super) states: &'static [JobState],
}

/// Does something to each job. One that is refused does not touch the others.
pub(super) async fn run<F>(
    verb: &Verb,
    (which, by): (WhichJobs, &Actor),
    context: &Context,
    act: impl Fn(SharedStore, JobId) -> F,
) -> Result<Output, CliError>
where
    F: Future<Output = Result<&'static str, StoreError>>,
{
    let store = context.store().await?;
    let named = !which.ids.is_empty();
    let filter = filter(verb, &which)?;
    if which.dry_run {
        return preview(&store, which.ids, &filter, verb).await;
    }
    let (detach, rate) = (which.detach.then(|| operation(verb, &which)).transpose()?, which.rate);
    let ids = if named { which.ids } else { matching(&store, &filter).await? };
    if !named && !ids.is_empty() {
        confirm::many(&format!("{} {}", verb.name, counted(ids.len() as u64, "job")), context)?;
    }
    if let Some(operation) = detach {
        let begun = store.begin_operation(operation, by.clone()).await?;
        return Ok(ops::begun(begun, matches!(context.place(), Place::Server(_))));
    }
    let mut answers = Answers::default();
    let mut pace = rate.map(tokio::time::interval);
    let mut progress =
        (!named).then(|| ProgressShow::new(ProgressWhen::Auto, context.stderr_terminal(), verb.name));
    for (done, id) in ids.iter().enumerate() {
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        answers.add(*id, act(store.clone(), *id).await);
        if let Some(progress) = &mut progress {
            let counts =
                Counts { total: ids.len(), done: done + 1, failed: answers.refusals(), ..Counts::default() };
            progress.update(counts);
        }
    }
    drop(progress);
    if named { answers.into_output() } else { Ok(answers.into_summary(verb.name, context.form())) }
}

/// The same, for the servers of the store.
fn operation(verb: &Verb, which: &WhichJobs) -> Result<NewOperation, CliError> {
    let Some(bulk) = verb.bulk else {
        let what = format!("--detach: servers do not {} jobs", verb.name);
        return Err(
            CliError::new(ErrorCode::Invalid, what).with_help("leave it out to have it done from here")
        );
    };
    let mut operation = NewOperation::new(ids::operation_id(), bulk, which.filter.as_text(verb.states)?);
    operation.rate = which.rate.map(in_a_second).transpose()?;
    Ok(operation)
}

/// How many in a second that is.
fn in_a_second(between: Duration) -> Result<u32, CliError> {
    let each = between.max(Duration::from_nanos(1)).as_nanos();
    match u32::try_from(Duration::from_secs(1).as_nanos() / each) {
        Ok(0) => Err(CliError::new(
            ErrorCode::Invalid,
            "--rate: servers do one job in a second at the least, where one is said",
        )
        .with_help("leave out --detach to have it done from here, as slowly as you like")),
        Ok(rate) => Ok(rate),
        Err(_) => Ok(u32::MAX),
    }
}

fn filter(verb: &Verb, which: &WhichJobs) -> Result<Filter, CliError> {
    let mut filter = which.filter.filter()?;
    if filter.indexed.states.is_empty() {
        filter.indexed.states = verb.states.to_vec();
    }
    Ok(filter)
}

/// Every job that matches now. What comes to match later is not meant.
pub(super) async fn matching(store: &SharedStore, filter: &Filter) -> Result<Vec<JobId>, CliError> {
    let (mut ids, mut page) = (Vec::new(), PageRequest::first(windlass_core::limits::PAGE_MAX));
    loop {
        let found = store.jobs(filter.indexed.clone(), page).await?;
        ids.extend(found.items.iter().filter(|job| filter.admits(job)).map(|job| job.id));
        let Some(next) = found.next else { return Ok(ids) };
        page = page.after(Some(next));
    }
}

/// What would be changed: how many, and the first of them.
pub(super) async fn preview(
    store: &SharedStore,
    mut ids: Vec<JobId>,
    filter: &Filter,
    verb: &Verb,
) -> Result<Output, CliError> {
    if ids.is_empty() {
        ids = matching(store, filter).await?;
    }
    let mut rows = Vec::new();
    for id in ids.iter().take(SHOWN) {
        let job = store.job(*id).await.map_err(|error| CliError::about(*id, error))?;
        rows.push(jobs_list::row(job));
    }
    let more = if ids.len() > SHOWN { format!(", the first {SHOWN} are shown") } else { String::new() };
    let note = format!("{} to {}{more}; nothing was changed", counted(ids.len() as u64, "job"), verb.name);
    Ok(Output::list(jobs_list::COLUMNS, rows).with_note(note))
}
