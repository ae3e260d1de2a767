//! `windlass work`

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use windlass_core::notice::QUEUE;
use windlass_core::{JobState, KindName, QueueName};
use windlass_runtime::StopReport;
use windlass_store::{ErrorKind, JobFilter, PageRequest, SharedStore, StoreError};

use crate::args::WorkArgs;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::handler::EXEC;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::output::cell::counted;
use crate::worker::{Plan, PlannedKinds, Ready, prepare};

/// How often to look whether there is still work.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) async fn run(args: WorkArgs, context: &Context) -> Result<Output, CliError> {
    let interrupt = Interrupt::listen().map_err(unheard)?;
    let store = context.store_or_make().await?;
    let queues: Vec<_> = args.queues.into_iter().map(|queue| (queue.queue, queue.slots)).collect();
    let scope = JobFilter {
        states: vec![JobState::Ready],
        queues: queues.iter().map(|(queue, _)| queue.clone()).collect(),
        kinds: kinds(&args.kinds, args.handler.does_any())?,
        ..JobFilter::default()
    };
    if args.until_empty {
        may_look(&store, &scope).await?;
    }
    let kinds = match (args.handler.does_any(), args.kinds.is_empty()) {
        (false, _) => PlannedKinds::Exec,
        (true, true) => PlannedKinds::ShellAny,
        (true, false) => PlannedKinds::Shell(args.kinds),
    };
    let notices = args.handler.notices.config(context)?;
    let plan = Plan { queues, kinds };
    let Ready { worker, name, ended, sends_notices } = prepare(&store, &args.handler, plan, notices)?;
    let scopes = [Some(scope), sends_notices.then(notices_ready)];
    // Nobody follows single jobs here.
    drop(ended);
    if context.stderr_terminal() {
        context.tell(&format!("working on {} as {name}; Ctrl-C to stop", context.place()));
    }
    let stop = async {
        tokio::select! {
            () = interrupt.asked() => context.tell(&stopping(args.handler.drain)),
            () = until_empty(&store, &name, &scopes), if args.until_empty => {}
        }
    };
    let report = worker.run_until(stop).await.map_err(stopped)?;
    context.tell(&told(&report));
    // To be told to stop is how a worker ends: a service manager must not take it for a failure.
    Ok(Output::default())
}

/// The kinds that are worked on; none for all.
fn kinds(kinds: &[KindName], shell: bool) -> Result<Vec<KindName>, CliError> {
    if shell {
        Ok(kinds.to_vec())
    } else {
        KindName::new(EXEC).map(|exec| vec![exec]).map_err(|invalid| CliError::invalid(&invalid))
    }
}

/// The notices that could be sent now.
pub(super) fn notices_ready() -> JobFilter {
    JobFilter { states: vec![JobState::Ready], queues: vec![QUEUE.clone()], ..JobFilter::default() }
}

/// Refuses to wait for what a token does not let it see.
async fn may_look(store: &SharedStore, scope: &JobFilter) -> Result<(), CliError> {
    let looked = async {
        is_idle(store, "").await?;
        is_work_left(store, scope).await
    };
    let Err(error) = looked.await else { return Ok(()) };
    let refused = matches!(error.kind(), ErrorKind::Invalid(_));
    let error = CliError::from(error);
    let help = "--until-empty looks at jobs, as a token for work alone may not: make one with `--role worker --role viewer`";
    Err(if refused { error.with_help(help) } else { error })
}

/// Waits until no job is left that this worker could run now, and none runs here.
pub(super) async fn until_empty(store: &SharedStore, name: &str, scopes: &[Option<JobFilter>]) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        // A store that does not answer is the worker's business, which tells of it; here one looks again.
        if is_empty(store, name, scopes).await.unwrap_or(false) {
            return;
        }
    }
}

async fn is_empty(store: &SharedStore, name: &str, scopes: &[Option<JobFilter>]) -> Result<bool, StoreError> {
    if !is_idle(store, name).await? {
        return Ok(false);
    }
    for scope in scopes.iter().flatten() {
        if is_work_left(store, scope).await? {
            return Ok(false);
        }
    }
    // Asked once more, after the ready ones: a job that was claimed in between is seen in one of the two.
    is_idle(store, name).await
}

/// Whether this worker is known and holds nothing.
async fn is_idle(store: &SharedStore, name: &str) -> Result<bool, StoreError> {
    let workers = store.workers(Duration::ZERO).await?;
    Ok(workers.iter().any(|worker| worker.registered.name == name && worker.running == 0))
}

/// Whether there is a ready job in a queue that is not paused. Queues are only counted if there is a ready job at all.
async fn is_work_left(store: &SharedStore, scope: &JobFilter) -> Result<bool, StoreError> {
    if !any(store, scope.clone()).await? {
        return Ok(false);
    }
    let queues = open_queues(store, scope).await?;
    Ok(!queues.is_empty() && any(store, JobFilter { queues, ..scope.clone() }).await?)
}

async fn any(store: &SharedStore, filter: JobFilter) -> Result<bool, StoreError> {
    Ok(!store.jobs(filter, PageRequest::first(1)).await?.items.is_empty())
}

async fn open_queues(store: &SharedStore, scope: &JobFilter) -> Result<Vec<QueueName>, StoreError> {
    // As the worker claims: every queue is every one but those that have to be named.
    let wanted = |name: &QueueName| {
        if scope.queues.is_empty() { !name.is_own() } else { scope.queues.contains(name) }
    };
    let open = store.queues().await?.into_iter().filter(|queue| queue.pause.is_none());
    Ok(open.map(|queue| queue.name).filter(wanted).collect())
}

/// What a first Ctrl-C does, and what a second one would.
pub(super) fn stopping(drain: Duration) -> String {
    let drain = windlass_core::span::format(drain);
    format!("stopping: running jobs have {drain} to finish; once more to stop at once")
}

fn told(report: &StopReport) -> String {
    let StopReport { settled, released, interrupted, lost, .. } = report;
    let mut text = format!("stopped after {}", counted(*settled, "attempt"));
    for (count, what) in [(released, "given back unstarted"), (interrupted, "interrupted"), (lost, "lost")] {
        if *count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text
}

/// A worker that ended by itself.
pub(super) fn stopped(error: windlass_runtime::WorkerError) -> CliError {
    match error {
        windlass_runtime::WorkerError::Store(error) => error.into(),
        error => CliError::new(ErrorCode::Local, "the worker could not go on").with_source(error),
    }
}

/// Signals that cannot be listened for.
pub(crate) fn unheard(error: std::io::Error) -> CliError {
    CliError::new(ErrorCode::Local, "could not listen for signals").with_source(error)
}
