//! A verb on jobs: on those that are named, or on all that match.

use windlass_core::{JobId, JobState};
use windlass_store::{PageRequest, SharedStore, StoreError};
use windlass_wire::filter::Filter;

use crate::args::{ProgressWhen, WhichJobs};
use crate::commands::jobs_list;
use crate::commands::verb::Answers;
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
    pub(super) states: &'static [JobState],
}

/// Does something to each job. One that is refused does not touch the others.
pub(super) async fn run<F>(
    verb: &Verb,
    which: WhichJobs,
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
    let ids = if named { which.ids } else { matching(&store, &filter).await? };
    if !named && !ids.is_empty() {
        confirm::many(&format!("{} {}", verb.name, counted(ids.len() as u64, "job")), context)?;
    }
    let mut answers = Answers::default();
    let mut progress =
        (!named).then(|| ProgressShow::new(ProgressWhen::Auto, context.stderr_terminal(), verb.name));
    for (done, id) in ids.iter().enumerate() {
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
