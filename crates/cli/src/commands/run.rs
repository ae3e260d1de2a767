//! `windlass run`

mod summary;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use windlass_core::{JobId, KindName, QueueName};
use windlass_store::{ErrorKind, SharedStore, StoreError};

use crate::args::RunArgs;
use crate::commands::work::{notices_ready, stopped, stopping, unheard, until_empty};
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::handler::EXEC;
use crate::interrupt::Interrupt;
use crate::job_file::{Generation, JobFile};
use crate::output::Output;
use crate::output::cell::counted;
use crate::progress::{Counts, ProgressShow};
use crate::tracker::Tracker;
use crate::worker::{Plan, PlannedKinds, Ready, prepare};

pub(crate) use summary::FIELDS;
use summary::Ran;

/// One transaction each: large enough to be fast, small enough to be stopped in between.
const BATCH: usize = 1_000;

/// How often to look what has become of the jobs.
const LOOK: Duration = Duration::from_millis(100);

/// How long a run that is done goes on for the sake of notices. Those that are left then are sent by the next worker that may.
const NOTICES_MAX: Duration = Duration::from_secs(30);

/// What the file's jobs were enqueued as.
struct Enqueued {
    jobs: Vec<JobId>,
    /// How many were there already.
    resumed: usize,
}

pub(crate) async fn run(args: RunArgs, context: &Context) -> Result<Output, CliError> {
    let started = Instant::now();
    let file = JobFile::read(&args.file)?;
    let plan = plan(&file, args.handler.does_any())?;
    let notices = args.handler.notices.config(context)?;
    let interrupt = Interrupt::listen().map_err(unheard)?;
    let store = context.store_or_make().await?;
    warn_of_pauses(&store, &plan, context).await?;
    let generation = generation(&store, &file, &args).await?;
    let enqueued = enqueue(&store, &file, generation, &interrupt).await?;
    let mut tracker = Tracker::new(enqueued.jobs);
    if enqueued.resumed > 0 {
        tracker.look_at_all(&store).await?;
        context.tell(&resumed(&file.name, &tracker));
    }
    let show = ProgressShow::new(args.progress, context.stderr_terminal(), &file.name);
    let asked = async {
        interrupt.asked().await;
        context.tell(&stopping(args.handler.drain));
    };
    let ready = prepare(&store, &args.handler, plan, notices)?;
    work_off(&store, ready, &mut tracker, (asked, show)).await?;
    let ran = Ran {
        file: &file,
        generation,
        resumed: enqueued.resumed,
        tracker: &tracker,
        took: started.elapsed(),
    };
    if tracker.is_done() {
        return Ok(ran.output().with_exit(ran.exit()));
    }
    let (done, total) = (tracker.counts().done, tracker.counts().total);
    context
        .tell(&format!("stopped with {done} of {total} jobs done; the same command goes on with the rest"));
    Ok(ran.output().with_exit(ExitCode::Interrupted))
}

/// Where the run goes on that was begun before.
fn resumed(name: &str, tracker: &Tracker) -> String {
    let Counts { total, done, running, .. } = tracker.counts();
    if done == total {
        return format!("{name} was done before, all {total} jobs of it; --fresh does it all once more");
    }
    let held = match running {
        0 => String::new(),
        held => {
            let held = counted(held as u64, "job");
            format!("; {held} held by another worker: if that one is gone, its lease has to run out first")
        }
    };
    format!("going on with {name}: {done} of {total} jobs are done; --fresh does it all once more{held}")
}

/// What the worker has to do for the file, if it can.
fn plan(file: &JobFile, shell: bool) -> Result<Plan, CliError> {
    let (mut kinds, mut queues) = (BTreeSet::<KindName>::new(), BTreeSet::<QueueName>::new());
    for entry in file.entries() {
        let kind = &entry.request.kind;
        if !shell && kind.as_str() != EXEC {
            let line = file.line_of_number(entry.number).unwrap_or_default();
            let problem = format!("{}:{line}: kind: nothing here runs jobs of kind \"{kind}\"", file.name);
            return Err(CliError::new(ErrorCode::NoHandler, problem)
                .with_help("say what does: --exec CMD or --http URL; or use the built-in kind exec"));
        }
        kinds.insert(kind.clone());
        queues.insert(entry.request.queue.unwrap_or_default());
    }
    let queues = queues.into_iter().map(|queue| (queue, None)).collect();
    Ok(Plan { queues, kinds: PlannedKinds::Mixed(kinds.into_iter().collect()) })
}

/// A paused queue would hold the run up without a word.
async fn warn_of_pauses(store: &SharedStore, plan: &Plan, context: &Context) -> Result<(), CliError> {
    for queue in store.queues().await? {
        if queue.pause.is_some() && plan.queues.iter().any(|(name, _)| *name == queue.name) {
            let name = &queue.name;
            context.tell(&format!(
                "queue \"{name}\" is paused: its jobs wait until `windlass queues resume {name}`"
            ));
        }
    }
    Ok(())
}

/// The round that is going on, or the next one if a fresh start is wanted. Each round is told by its first job.
async fn generation(store: &SharedStore, file: &JobFile, args: &RunArgs) -> Result<Generation, CliError> {
    // A job with an id of its own is the same in every round.
    let first = file.entries().find(|entry| entry.request.id.is_none()).map(|entry| entry.number);
    let Some(first) = first else { return Ok(Generation(0)) };
    let mut next = Generation(0);
    while exists(store, file.id(next, first)).await? {
        next.0 += 1;
    }
    Ok(if args.fresh { next } else { Generation(next.0.saturating_sub(1)) })
}

async fn exists(store: &SharedStore, id: JobId) -> Result<bool, StoreError> {
    match store.job(id).await {
        Ok(_) => Ok(true),
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the file's jobs known. Those that are known already stay as they are, whatever has become of them.
async fn enqueue(
    store: &SharedStore,
    file: &JobFile,
    generation: Generation,
    interrupt: &Interrupt,
) -> Result<Enqueued, CliError> {
    let mut enqueued = Enqueued { jobs: Vec::new(), resumed: 0 };
    let mut entries = file.entries().peekable();
    while entries.peek().is_some() {
        if interrupt.is_asked() {
            let done = enqueued.jobs.len();
            return Err(CliError::new(
                ErrorCode::Interrupted,
                format!("stopped with {done} jobs enqueued and none run"),
            )
            .with_help("the same command goes on with the rest"));
        }
        let batch = entries.by_ref().take(BATCH).map(|entry| file.new_job(generation, entry));
        for one in store.enqueue(batch.collect()).await? {
            enqueued.jobs.push(one.id);
            enqueued.resumed += usize::from(one.repeated);
        }
    }
    Ok(enqueued)
}

/// Runs the worker until every job is final, or somebody wants it to stop.
async fn work_off(
    store: &SharedStore,
    ready: Ready,
    tracker: &mut Tracker,
    (asked, mut show): (impl Future<Output = ()>, ProgressShow),
) -> Result<(), CliError> {
    let Ready { worker, name, ended, sends_notices } = ready;
    // Of a file whose jobs are all final there is nothing to run.
    tracker.look_at_all(store).await?;
    if tracker.is_done() {
        return Ok(());
    }
    let over = CancellationToken::new();
    let stop = async {
        tokio::select! {
            () = over.cancelled() => {}
            () = asked => {}
        }
    };
    let work = async {
        let report = worker.run_until(stop).await;
        over.cancel();
        report
    };
    let follow = async {
        let followed = follow(store, tracker, ended, (&over, &mut show)).await;
        if sends_notices && followed.is_ok() {
            let scopes = [Some(notices_ready())];
            tokio::select! {
                () = over.cancelled() => {}
                _ = timeout(NOTICES_MAX, until_empty(store, &name, &scopes)) => {}
            }
        }
        over.cancel();
        followed
    };
    let (report, followed) = tokio::join!(work, follow);
    report.map_err(stopped)?;
    followed?;
    // What ended while the worker was stopping.
    if !tracker.is_done() {
        tracker.look_at_all(store).await?;
    }
    Ok(())
}

async fn follow(
    store: &SharedStore,
    tracker: &mut Tracker,
    mut ended: mpsc::Receiver<JobId>,
    (over, show): (&CancellationToken, &mut ProgressShow),
) -> Result<(), StoreError> {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !tracker.is_done() {
        tokio::select! {
            () = over.cancelled() => return Ok(()),
            _ = looks.tick() => {}
        }
        while let Ok(id) = ended.try_recv() {
            tracker.hint(id);
        }
        match tracker.look(store).await {
            Err(error) if !error.is_transient() => return Err(error),
            // A store that is busy is asked again.
            _ => show.update(tracker.counts()),
        }
    }
    Ok(())
}
