//! `windlass promote`: the jobs of a file move to a database.
//!
//! The order is what makes it safe to be killed at any moment. The file is held still before the first job is read; the
//! queues of the new store are paused before the first job is written; the file is given up once all jobs are there and
//! were compared; and only then are the queues let go. So a job is never in two places where it could run.

mod access;
mod beside;
mod compare;
mod copy;
mod schedules;
mod source;

use serde::Serialize;
use windlass::Address;
use windlass_postgres::PostgresStore;
use windlass_store::{Actor, OperationStore, QueueStore, WorkerStore};

use crate::args::PromoteArgs;
use crate::commands::work::unheard;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::interrupt::Interrupt;
use crate::output::cell::counted;
use crate::output::{Cell, Output, Record, fields};
use crate::progress::ProgressShow;
use crate::{pages, store};

use copy::{Copied, Copying, Wanted};
use source::Source;

/// Who pauses queues for the move, on both sides.
const MOVER: &str = "windlass promote";

pub(crate) const FIELDS: &[&str] = &["from", "to", "jobs", "moved", "there", "left", "queues"];

/// What was done, as it is printed.
#[derive(Serialize)]
struct Report {
    from: String,
    to: String,
    /// How many jobs are in the new store now.
    jobs: u64,
    /// How many of them this run has moved.
    moved: u64,
    /// How many were there already, from a run before.
    there: u64,
    /// Finished jobs that were left behind, as asked.
    left: u64,
    queues: usize,
}

pub(crate) async fn run(args: PromoteArgs, context: &Context) -> Result<Output, CliError> {
    if args.undo {
        return undo(&Source::open(&args.file).await?, context.yes()).await;
    }
    let to = destination(&args, context)?;
    let source = Source::open(&args.file).await?;
    let interrupt = Interrupt::listen().map_err(unheard)?;
    source.refuse_elsewhere(&to).await?;
    let target = store::make_database(&to).await?;
    if source.is_done().await? {
        let_go(&source, &target).await?;
        let there = target.queues().await?.iter().map(|queue| queue.counts.total()).sum();
        return report(&source, &to, Copied { there, ..Copied::default() }).await;
    }
    refuse_workers(&target, &to).await?;
    refuse_operations(&source).await?;
    compare::refuse_others(&source, &target, &to).await?;
    source.hold_still(&to, (args.wait, &interrupt), context).await?;
    access::copy(&source.store, &target).await?;
    hold_back(&source, &target).await?;
    let copied = copy(&source, &target, (&args, &interrupt), context).await?;
    compare::verify(&source, &target, &copied).await?;
    source.store.finish_move().await?;
    let_go(&source, &target).await?;
    report(&source, &to, copied).await
}

/// Where the jobs are to go.
fn destination(args: &PromoteArgs, context: &Context) -> Result<Address, CliError> {
    let to = match &args.to {
        Some(to) => Address::new(to).map_err(|invalid| {
            CliError::new(ErrorCode::Invalid, invalid.to_string())
                .with_help("`windlass help stores` shows how stores are named")
        })?,
        None => context.address()?,
    };
    store::database(&to)?;
    Ok(to)
}

/// A worker in the new store would run jobs before all are there, and remove those that ended long ago.
async fn refuse_workers(target: &PostgresStore, to: &Address) -> Result<(), CliError> {
    let workers = target.workers(std::time::Duration::ZERO).await?;
    if workers.is_empty() {
        return Ok(());
    }
    let there = counted(workers.len() as u64, "worker");
    Err(CliError::new(ErrorCode::InUse, format!("{there} on {to} already"))
        .with_help("stop them, and start them again when the jobs are there; `windlass workers` lists them"))
}

/// An operation that is half done would stay behind with the file, and nobody would end it.
async fn refuse_operations(source: &Source) -> Result<(), CliError> {
    let all = pages::all(async |page| source.store.operations(page).await).await?;
    let open = all.iter().filter(|operation| !operation.state.is_final()).count();
    if open == 0 {
        return Ok(());
    }
    let there = counted(open as u64, "operation");
    let place = source.path.display();
    Err(CliError::new(ErrorCode::InUse, format!("{there} on {place} not ended"))
        .with_help("let a server end them, or abort them: `windlass ops` lists them"))
}

/// Pauses in the new store every queue of the old one: what is written there may not run yet.
async fn hold_back(source: &Source, target: &PostgresStore) -> Result<(), CliError> {
    let by = Actor::new(MOVER).because(format!("the jobs of {} are being moved here", source.path.display()));
    for queue in source.store.queues().await? {
        target.pause(&queue.name, by.clone()).await?;
    }
    Ok(())
}

/// Gives each queue of the new store the pause that it had in the old one, or none.
async fn let_go(source: &Source, target: &PostgresStore) -> Result<(), CliError> {
    let there = target.queues().await?;
    for queue in source.store.queues().await? {
        let pause = queue.pause.filter(|pause| pause.by.name != MOVER);
        let ours = |one: &&windlass_store::QueueSummary| {
            one.name == queue.name && one.pause.as_ref().is_some_and(|pause| pause.by.name == MOVER)
        };
        // One that somebody has paused or resumed since is theirs.
        if there.iter().any(|one| ours(&one)) {
            target.import_queue(&queue.name, pause.as_ref()).await?;
        }
    }
    Ok(())
}

async fn copy(
    source: &Source,
    target: &PostgresStore,
    (args, interrupt): (&PromoteArgs, &Interrupt),
    context: &Context,
) -> Result<Copied, CliError> {
    let name = source.path.display().to_string();
    let mut show = ProgressShow::new(args.progress, context.stderr_terminal(), &name);
    let wanted = Wanted::new(args.finished, &source.store).await?;
    let copying = Copying::new(source, target, wanted);
    let copied = copying.run(interrupt, &mut show).await?;
    drop(show);
    copied.ok_or_else(|| {
        CliError::new(ErrorCode::Interrupted, "stopped before all jobs were moved").with_help(format!(
            "the same command goes on with the rest; `windlass promote {name} --undo` gives it up"
        ))
    })
}

async fn undo(source: &Source, confirmed: bool) -> Result<Output, CliError> {
    let place = source.path.display();
    let Some(moved) = source.store.moved().await? else {
        return Err(CliError::new(ErrorCode::Invalid, format!("the jobs of {place} were not moved")));
    };
    if moved.done && !confirmed {
        return Err(CliError::new(
            ErrorCode::NotUndone,
            format!("the jobs of {place} may have been run in {} since they were moved there", moved.address),
        )
        .with_help("--undo --yes makes the file a queue again, with the jobs as they were then; what ran since would run again"));
    }
    source.store.undo_move().await?;
    source.resume_ours().await?;
    let note = format!(
        "{place} is a queue again; what was copied to {} is still there: delete it before you use it",
        moved.address
    );
    Ok(Output::text("").with_note(note))
}

async fn report(source: &Source, to: &Address, copied: Copied) -> Result<Output, CliError> {
    let Copied { moved, there, left, .. } = copied;
    let (from, queues) = (source.path.display().to_string(), source.store.queues().await?.len());
    let report = Report { from, to: to.to_string(), jobs: moved + there, moved, there, left, queues };
    let lines = vec![
        ("from", Cell::text(&report.from)),
        ("to", Cell::text(&report.to)),
        ("jobs", Cell::Number(report.jobs)),
        ("moved", Cell::Number(moved)),
        ("there", Cell::Number(there)),
        ("left", Cell::Number(left)),
        ("queues", Cell::Number(queues as u64)),
    ];
    let next = format!(
        "{} is kept as it is, and refuses from now on. Next: let your programs open {to} (WINDLASS_STORE, or \
         Windlass::open), then start the workers",
        report.from
    );
    let record = Record { id: report.to.clone(), lines, sections: Vec::new(), fields: fields(&report) };
    Ok(Output::record(record).with_note(next))
}
