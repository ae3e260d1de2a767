//! `windlass enqueue`

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use windlass_core::notice::Target;
use windlass_core::{EdgePolicy, JobId, JobState, Json, Notify};
use windlass_store::ids::job_id;
use windlass_store::{EnqueueOutcome, Enqueued, SharedStore, StoreError, Worker};
use windlass_wire::{AfterShape, JobRequest, JobShape};

use crate::args::{EnqueueArgs, EnqueueOptions};
use crate::commands::wait;
use crate::context::Context;
use crate::error::CliError;
use crate::handler::EXEC;
use crate::job_file::JobFile;
use crate::output::cell::roughly;
use crate::output::{Cell, Column, Form, Output, Row, fields, shown};
use crate::trace;

/// One transaction each: large enough to be fast, small enough to be no burden.
const BATCH: usize = 1_000;

const ID: &[Column] = &[Column::whole("ID")];
const WAITED: &[Column] =
    &[Column::whole("ID"), Column::new("STATE"), Column::new("RESULT"), Column::new("ERROR")];

pub(crate) async fn run(args: EnqueueArgs, context: &Context) -> Result<Output, CliError> {
    // Read and checked before there is a store: what is refused leaves no empty file behind.
    let mut requests = requests(&args)?;
    if let Some(trace) = trace::around() {
        for request in &mut requests {
            trace.travel(&mut request.meta);
        }
    }
    let store = context.store_or_make().await?;
    let enqueued = enqueue(&store, requests).await?;
    tell_of_others(&enqueued, context);
    let ids: Vec<JobId> = enqueued.iter().map(|enqueued| enqueued.id).collect();
    if context.stderr_terminal() {
        tell_of_no_worker(&store, &args, context).await?;
    }
    if args.wait {
        return match (ids.as_slice(), context.form().is_for_people()) {
            ([id], true) => followed(&store, *id, context).await,
            _ => waited(&store, &ids).await,
        };
    }
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        // JSON shows the whole job; that is one more question for each, so only where somebody asked for it.
        let fields = match context.form() {
            Form::Json(_) | Form::JsonLines(_) => fields(&JobShape::from(store.job(id).await?)),
            _ => windlass_wire::Fields::default(),
        };
        rows.push(Row { id: id.to_string(), cells: vec![Cell::text(id)], fields });
    }
    // An id is what the next command needs: it is printed as nothing but itself, also for people.
    match context.form() {
        form if form.is_for_people() => Ok(Output::text(lines(&rows))),
        _ => Ok(Output::list(ID, rows)),
    }
}

fn lines(rows: &[Row]) -> String {
    rows.iter().fold(String::new(), |text, row| text + &row.id + "\n")
}

fn requests(args: &EnqueueArgs) -> Result<Vec<JobRequest>, CliError> {
    if let Some(path) = &args.bulk {
        let file = JobFile::read(path)?;
        return Ok(linked(file.entries().map(|entry| entry.request)));
    }
    let Some(kind) = args.kind.clone() else { return Ok(Vec::new()) };
    let mut request = JobRequest::new(kind);
    request.args = args.args.as_deref().map(read).transpose()?;
    wish(&mut request, &args.options);
    let job = request.clone().into_new_job(job_id());
    job.validate(&windlass_core::Limits::default()).map_err(|invalid| CliError::invalid(&invalid))?;
    Ok(vec![request; args.count as usize])
}

/// The jobs of a file, each with an id for those that wait for it by name. Parents come before their children.
fn linked(requests: impl Iterator<Item = JobRequest>) -> Vec<JobRequest> {
    let mut names: HashMap<String, JobId> = HashMap::new();
    let linked = requests.map(|mut request| {
        let resolved = request.resolve(|name| names.get(name).copied());
        resolved.expect("every name was found when the file was read");
        if let Some(name) = &request.name {
            names.insert(name.clone(), *request.id.get_or_insert_with(job_id));
        }
        request
    });
    linked.collect()
}

/// What the options ask for.
fn wish(request: &mut JobRequest, options: &EnqueueOptions) {
    request.queue.clone_from(&options.queue);
    request.priority = options.priority;
    request.run_at = options.at;
    request.delay = options.delay;
    request.deadline = options.deadline;
    request.timeout = options.timeout;
    request.attempts_max = options.attempts;
    request.losses_max = options.losses;
    request.tags.clone_from(&options.tags);
    let on = &options.notify.notify_on;
    let notify = |target: &Target| Notify { target: target.clone(), on: on.iter().copied().collect() };
    request.notify = options.notify.notify.iter().map(notify).collect();
    request.unique = options.unique.asked();
    request.review = options.review.asked();
    request.submitted_by.clone_from(&options.review.submitted_by);
    request.locks = options.gates.all_locks();
    request.limits.clone_from(&options.gates.limits);
    request.rates.clone_from(&options.gates.rates);
    request.order_key.clone_from(&options.gates.order_key);
    let finish = |id: &JobId| AfterShape { on: EdgePolicy::OnFinish, ..AfterShape::job(*id) };
    request.after = options.after.iter().copied().map(AfterShape::job).collect();
    request.after.extend(options.after_finish.iter().map(finish));
    request.id = options.id;
}

/// The args: as they stand, from a file, or from stdin.
pub(super) fn read(text: &str) -> Result<Json, CliError> {
    let bytes = if text == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| CliError::unreadable(Path::new("-"), error))?;
        bytes
    } else if let Some(path) = text.strip_prefix('@') {
        std::fs::read(path).map_err(|error| CliError::unreadable(Path::new(path), error))?
    } else {
        text.as_bytes().to_vec()
    };
    // A line break at the end of a file is not part of what it says.
    Json::new("args", bytes.trim_ascii().to_vec()).map_err(|invalid| {
        let error = CliError::invalid(&invalid);
        if !invalid.problem.starts_with("is not JSON") {
            return error;
        }
        error.with_help(
            "args are JSON: a text needs quotes of its own, as '\"text\"'; @FILE and - read them from elsewhere",
        )
    })
}

async fn enqueue(store: &SharedStore, requests: Vec<JobRequest>) -> Result<Vec<Enqueued>, CliError> {
    let (mut all, mut requests) = (Vec::with_capacity(requests.len()), requests.into_iter().peekable());
    while requests.peek().is_some() {
        let batch = requests.by_ref().take(BATCH).map(|request| request.into_new_job(job_id())).collect();
        let enqueued = store.enqueue(batch).await.map_err(|error| halfway(error, all.len()))?;
        all.extend(enqueued);
    }
    Ok(all)
}

/// A failure after some of a file was enqueued: to be told, because doing it all again would do that part twice.
fn halfway(error: StoreError, enqueued: usize) -> CliError {
    let error = CliError::from(error);
    if enqueued == 0 {
        return error;
    }
    let help = error.help().map_or(String::new(), |help| format!("{help}\n"));
    error.with_help(format!(
        "{help}the first {enqueued} jobs of the file are enqueued: leave them out when you try again"
    ))
}

/// Tells what became of jobs that were not made, as others have their unique keys.
fn tell_of_others(enqueued: &[Enqueued], context: &Context) {
    let count = |outcome| enqueued.iter().filter(|enqueued| enqueued.outcome == outcome).count();
    for (count, what) in [
        (
            count(EnqueueOutcome::Existing),
            "had its unique key taken; the job that has it stands for it, unchanged",
        ),
        (count(EnqueueOutcome::Replaced), "replaced what the job asked for that has its unique key"),
    ] {
        match count {
            0 => {}
            1 => context.hint(&format!("one job {what}")),
            _ => context.hint(&format!("{count} jobs: each {what}")),
        }
    }
}

/// Tells of jobs that nobody would run: they are kept, but a person would wait for them in vain.
async fn tell_of_no_worker(
    store: &SharedStore,
    args: &EnqueueArgs,
    context: &Context,
) -> Result<(), CliError> {
    let Some(kind) = &args.kind else { return Ok(()) };
    let takes = |worker: &Worker| {
        let kinds = &worker.registered.kinds;
        kinds.is_empty() || kinds.iter().any(|support| support.kind == *kind)
    };
    if !store.workers(Duration::ZERO).await?.iter().any(takes) {
        let command =
            if kind.as_str() == EXEC { String::new() } else { format!(" --kind {kind} --exec CMD") };
        context
            .hint(&format!("no worker runs jobs of kind \"{kind}\" yet; start one: windlass work{command}"));
    }
    Ok(())
}

/// Tells a person the way of a job while it goes it, and what it made.
async fn followed(store: &SharedStore, id: JobId, context: &Context) -> Result<Output, CliError> {
    context.print(&Output::text(format!("{id} enqueued")))?;
    let mut seen = None;
    let job = wait::until_final_seeing(store, id, None, |job| {
        if seen.replace(job.state).is_some_and(|before| before == job.state) || job.state == JobState::Ready {
            return Ok(());
        }
        context.print(&Output::text(format!(" → {}", job.state)))
    })
    .await?;
    let took =
        job.finished_at.map_or(String::new(), |end| format!(" in {}", roughly(end.since(job.created_at))));
    let result = job.result.as_ref().map(|result| shown(result.as_str()));
    let error = job.error.as_ref().map(|error| shown(&error.message));
    let told = result.or(error).map_or(String::new(), |told| format!("{told}\n"));
    let output = Output::text(format!("{took}\n{told}")).with_exit(wait::exit(std::slice::from_ref(&job)));
    Ok(match job.state {
        JobState::Completed => output,
        _ => output.with_note(format!("windlass jobs show {id} says more; jobs retry {id} tries again")),
    })
}

async fn waited(store: &SharedStore, ids: &[JobId]) -> Result<Output, CliError> {
    let mut jobs = Vec::new();
    for id in ids {
        jobs.push(wait::until_final(store, *id, None).await?);
    }
    let exit = wait::exit(&jobs);
    let rows = jobs.into_iter().map(|job| Row {
        id: job.id.to_string(),
        cells: vec![
            Cell::text(job.id),
            Cell::State(job.state),
            Cell::maybe(job.result.as_ref(), |result| Cell::text(result.as_str())),
            Cell::maybe(job.error.as_ref(), Cell::error),
        ],
        fields: fields(&JobShape::from(job)),
    });
    Ok(Output::list(WAITED, rows.collect()).with_exit(exit))
}

#[cfg(test)]
mod tests {
    use windlass_store::ErrorKind;

    use super::*;

    #[test]
    fn a_failure_halfway_says_what_is_enqueued_already() {
        let failed = || StoreError::new("enqueue jobs", ErrorKind::Full);

        assert!(!halfway(failed(), 0).render().contains("of the file"));
        let told = halfway(failed(), 2_000).render();
        assert!(told.contains("the first 2000 jobs of the file are enqueued"), "{told}");
        assert!(told.contains("make room on the disk"), "{told}");
    }
}
