//! The worker that `run` and `work` have inside.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use windlass::notices::{NoticeConfig, WorkerNotices};
use windlass_core::{JobId, KindName, QueueName};
use windlass_runtime::Worker;
use windlass_store::SharedStore;

use crate::args::HandlerArgs;
use crate::child::Runner;
use crate::error::{CliError, ErrorCode};
use crate::guard::Guard;
use crate::handler::{EXEC, Handler};
use crate::push::Push;

/// What the worker is to do.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The queues and how many jobs of each at a time; none for all queues.
    pub(crate) queues: Vec<(QueueName, Option<u32>)>,
    /// Which kinds it runs.
    pub(crate) kinds: PlannedKinds,
}

/// Which kinds the worker runs, and how.
#[derive(Debug)]
pub(crate) enum PlannedKinds {
    /// `exec`, by what its args say.
    Exec,
    /// These, all of them with the command that was given.
    Shell(Vec<KindName>),
    /// Whatever there is, with the command that was given.
    ShellAny,
    /// `exec` by what its args say if it is among them, and the others with the command that was given.
    Mixed(Vec<KindName>),
}

/// A worker, ready to be run.
pub(crate) struct Ready {
    pub(crate) worker: Worker,
    /// What it is called in the store.
    pub(crate) name: String,
    /// Jobs whose attempt has just ended here.
    pub(crate) ended: mpsc::Receiver<JobId>,
    /// Whether it sends notices too.
    pub(crate) sends_notices: bool,
}

/// How much longer than a command the worker waits for its end, so that the command's own end is what is stored.
const GRACE_MARGIN: Duration = Duration::from_secs(2);

/// How many ends wait to be heard of. They are hints: what finds no room is found by looking.
const HINTS: usize = 4096;

/// Puts the worker together.
pub(crate) fn prepare(
    store: &SharedStore,
    args: &HandlerArgs,
    plan: Plan,
    notices: Option<NoticeConfig>,
) -> Result<Ready, CliError> {
    let guard = Guard::start().map_err(|error| {
        CliError::new(ErrorCode::Local, "could not start the process that ends commands if this one dies")
            .with_source(error)
    })?;
    let (ends, ended) = mpsc::channel(HINTS);
    let name = format!("windlass-{}", std::process::id());
    let handler = Handler {
        store: Arc::clone(store),
        runner: Runner { guard, grace: args.grace },
        snooze: args.snooze,
        shell: args.exec.as_deref().map(Arc::from),
        push: Push::of(&args.push, args.snooze)?.map(Arc::new),
        parents: args.parents,
        ended: ends,
    };
    let slots = args.slots.unwrap_or_else(slots_default);
    let mut builder = Worker::builder(Arc::clone(store))
        .name(&name)
        .version(env!("CARGO_PKG_VERSION"))
        .lease(args.lease)
        .drain_time(args.drain)
        .timeout_grace(args.grace.saturating_add(GRACE_MARGIN))
        // A command is never so short that claiming ahead would pay.
        .prefetch_max(0);
    if plan.queues.is_empty() {
        builder = builder.queues_any(slots);
    }
    for (queue, own) in &plan.queues {
        builder = builder.queue(queue.as_str(), own.unwrap_or(slots));
    }
    let exec = handler.clone();
    let exec = move |job| exec.clone().exec(job);
    let shell = move |job| handler.clone().any(job);
    builder = match plan.kinds {
        PlannedKinds::Exec => builder.handle_kind(EXEC, exec),
        PlannedKinds::ShellAny => builder.handle_any(shell),
        PlannedKinds::Shell(kinds) => {
            kinds.iter().fold(builder, |builder, kind| builder.handle_kind(kind.as_str(), shell.clone()))
        }
        PlannedKinds::Mixed(kinds) => kinds.iter().fold(builder, |builder, kind| match kind.as_str() {
            EXEC => builder.handle_kind(EXEC, exec.clone()),
            kind => builder.handle_kind(kind, shell.clone()),
        }),
    };
    let sends_notices = notices.is_some();
    if let Some(config) = notices {
        builder = builder.notices(config);
    }
    let worker = builder.build().map_err(|error| CliError::new(ErrorCode::Invalid, error.to_string()))?;
    Ok(Ready { worker, name, ended, sends_notices })
}

/// One per CPU: commands mostly compute.
fn slots_default() -> u32 {
    std::thread::available_parallelism()
        .ok()
        .and_then(|cpus| u32::try_from(NonZero::get(cpus)).ok())
        .unwrap_or(1)
}
