//! A verb on jobs: on those that are named, or on all that match.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use windlass_core::{BulkVerb, JobId, JobState};
use windlass_store::{Actor, PageRequest, SharedStore, StoreError};
use windlass_wire::filter::Filter;

use crate::args::{FilterArgs, ProgressWhen, WhichJobs};
use crate::commands::verb::Answers;
use crate::commands::{jobs_list, ops};
use crate::config::Place;
use crate::confirm;
use crate::context::Context;
use crate::error::CliError;
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
    let (ids, matching_args) = (which.ids(), which.matching()?);
    let named = !ids.is_empty();
    let filter = filter(verb, &matching_args)?;
    let left = which.detach.then(|| ops::left(verb, &matching_args, which.rate)).transpose()?;
    let store = context.store().await?;
    if which.dry_run {
        return preview(&store, ids, &filter, verb).await;
    }
    let ids = if named { ids } else { matching(&store, &filter).await? };
    if !named && !ids.is_empty() {
        confirm::many(&format!("{} {}", verb.name, counted(ids.len() as u64, "job")), context)?;
    }
    if let Some(operation) = left {
        let begun = store.begin_operation(operation, by.clone()).await?;
        return Ok(ops::begun(begun, matches!(context.place(), Place::Server(_))));
    }
    let progress =
        (!named).then(|| ProgressShow::new(ProgressWhen::Auto, context.stderr_terminal(), verb.name));
    let answers = each(&ids, (which.rate, progress), |id| act(store.clone(), id)).await;
    if named { answers.into_output() } else { Ok(answers.into_summary(verb.name, context.form())) }
}

/// One after the other, no faster than was said.
pub(super) async fn each<F>(
    ids: &[JobId],
    (rate, mut progress): (Option<Duration>, Option<ProgressShow>),
    act: impl Fn(JobId) -> F,
) -> Answers
where
    F: Future<Output = Result<&'static str, StoreError>>,
{
    let mut answers = Answers::default();
    let mut pace = rate.map(tokio::time::interval);
    if let Some(pace) = &mut pace {
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    for (done, id) in ids.iter().enumerate() {
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        answers.add(*id, act(*id).await);
        if let Some(progress) = &mut progress {
            let counts =
                Counts { total: ids.len(), done: done + 1, failed: answers.refusals(), ..Counts::default() };
            progress.update(counts);
        }
    }
    answers
}

fn filter(verb: &Verb, meant: &FilterArgs) -> Result<Filter, CliError> {
    let mut filter = meant.filter()?;
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
