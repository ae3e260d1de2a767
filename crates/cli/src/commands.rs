//! One file for each command: `<noun>_<verb>.rs`.

mod audit;
mod bulk;
mod caution;
mod completions;
mod config;
mod dev;
mod doctor;
mod enqueue;
mod errors_list;
mod errors_retry;
mod errors_show;
mod flows;
mod help;
mod jobs_cancel;
mod jobs_delete;
mod jobs_edit;
mod jobs_list;
mod jobs_logs;
mod jobs_rerun;
mod jobs_retry;
mod jobs_run_now;
mod jobs_show;
mod jobs_wait;
mod jobs_why;
mod man;
mod migrate;
mod open;
mod ops;
mod promote;
mod queues_bound;
mod queues_list;
mod queues_pause;
mod queues_resume;
mod queues_retention;
mod reviews;
#[cfg(feature = "top")]
mod rows;
mod run;
mod schedules;
mod serve;
mod tokens;
mod verb;
mod version;
mod wait;
mod work;
mod workers_leases;
mod workers_list;

use windlass_core::{Due, Timestamp};
use windlass_store::{Clock, SystemClock};
use windlass_wire::{
    ErrorGroupShape, JobShape, LeaseShape, LogShape, OperationShape, QueueShape, WorkerShape,
};

use crate::args::{
    Command, ErrorsCommand, JobsCommand, MigrateCommand, OpsCommand, OpsListArgs, QueuesCommand, SilentArgs,
    TokensCommand, WorkersCommand,
};
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

pub(crate) use caution::{deed, heeds_settings, only_looks};
#[cfg(feature = "top")]
pub(crate) use rows::{error_rows, job_lines, job_rows, queue_rows, worker_rows};
pub(crate) use work::unheard;

/// Does what the command line says.
pub(crate) async fn run(command: Command, context: &Context) -> Result<Output, CliError> {
    match command {
        Command::Run(args) => run::run(args, context).await,
        Command::Enqueue(args) => enqueue::run(*args, context).await,
        Command::Work(args) => work::run(args, context).await,
        Command::Dev(args) => dev::run(args, context).await,
        Command::Serve(args) => serve::run(*args, context).await,
        Command::Jobs { command: None, list } => jobs_list::run(list, context).await,
        Command::Jobs { command: Some(command), .. } => jobs(command, context).await,
        Command::Flows { command } => flows::run(command, context).await,
        Command::Queues { command } => queues(command.unwrap_or(QueuesCommand::List), context).await,
        Command::Schedules { command } => {
            schedules::run(command.unwrap_or(schedules::unless_said()), context).await
        }
        Command::Reviews { command } => {
            reviews::run(command.unwrap_or(reviews::unless_said()), context).await
        }
        Command::Errors { command, list } => {
            errors(command.unwrap_or(ErrorsCommand::List(list)), context).await
        }
        Command::Workers { command } => workers(command, context).await,
        Command::Ops { command } => {
            ops::run(command.unwrap_or(OpsCommand::List(OpsListArgs::default())), context).await
        }
        Command::Tokens { command } => tokens::run(command.unwrap_or(TokensCommand::List), context).await,
        Command::Audit(args) => audit::run(args, context).await,
        Command::Doctor => doctor::run(context).await,
        Command::Migrate { command } => {
            migrate::run(command.unwrap_or(MigrateCommand::Status), context).await
        }
        Command::Promote(args) => promote::run(args, context).await,
        Command::Config { command } => config::run(command, context),
        Command::Open(args) => open::run(&args, context),
        #[cfg(feature = "top")]
        Command::Top => crate::top::run(context).await,
        Command::Man(args) => man::run(args),
        Command::Version => Ok(version::run()),
        Command::Completions { shell } => Ok(completions::run(shell)),
        Command::Help { topic } => help::run(&topic),
        Command::Guard { .. } => Ok(Output::default()),
    }
}

async fn jobs(command: JobsCommand, context: &Context) -> Result<Output, CliError> {
    match command {
        JobsCommand::List(words) => jobs_list::run(words.into(), context).await,
        JobsCommand::Show { id } => jobs_show::run(id, context).await,
        JobsCommand::Why { id } => jobs_why::run(id, context).await,
        JobsCommand::Logs(args) => jobs_logs::run(args, context).await,
        JobsCommand::Retry(args) => jobs_retry::run(args, context).await,
        JobsCommand::Cancel(args) => jobs_cancel::run(args, context).await,
        JobsCommand::RunNow(args) => jobs_run_now::run(args, context).await,
        JobsCommand::Snooze(args) => jobs_edit::snooze(args, context).await,
        JobsCommand::Edit(args) => jobs_edit::run(args, context).await,
        JobsCommand::Move(args) => jobs_edit::to_queue(args, context).await,
        JobsCommand::Delete(args) => jobs_delete::run(args, context).await,
        JobsCommand::Redrive(args) => jobs_retry::redrive(args, context).await,
        JobsCommand::Rerun(args) => jobs_rerun::run(args, context).await,
        JobsCommand::Wait(args) => jobs_wait::run(args, context).await,
    }
}

async fn queues(command: QueuesCommand, context: &Context) -> Result<Output, CliError> {
    match command {
        QueuesCommand::List => queues_list::run(context).await,
        QueuesCommand::Limit(args) => queues_bound::limit(args, context).await,
        QueuesCommand::Rate(args) => queues_bound::rate(args, context).await,
        QueuesCommand::Pause { queue, reason, by } => queues_pause::run(queue, reason, by, context).await,
        QueuesCommand::Resume { queue, by } => queues_resume::run(queue, by, context).await,
        QueuesCommand::Retention(args) => queues_retention::run(args, context).await,
    }
}

async fn errors(command: ErrorsCommand, context: &Context) -> Result<Output, CliError> {
    match command {
        ErrorsCommand::List(args) => errors_list::run(args, context).await,
        ErrorsCommand::Retry(args) => errors_retry::run(args, context).await,
        ErrorsCommand::Show { fingerprint } => errors_show::run(fingerprint, context).await,
    }
}

async fn workers(command: Option<WorkersCommand>, context: &Context) -> Result<Output, CliError> {
    match command {
        Some(WorkersCommand::List(args)) => workers_list::run(args, context).await,
        Some(WorkersCommand::Leases(args)) => workers_leases::run(args, context).await,
        None => workers_list::run(SilentArgs::default(), context).await,
    }
}

/// Whether a verb on many jobs is left to the servers of the store.
const fn is_left_to_servers(command: &JobsCommand) -> bool {
    match command {
        JobsCommand::Retry(args)
        | JobsCommand::Cancel(args)
        | JobsCommand::RunNow(args)
        | JobsCommand::Redrive(args) => args.which.detach,
        JobsCommand::Delete(args) => args.which.detach,
        _ => false,
    }
}

/// The instant from which on something is meant: one that was named, or one so long ago.
pub(crate) fn begin(since: Due) -> Timestamp {
    match since {
        Due::Now => SystemClock.now(),
        Due::At(instant) => instant,
        Due::In(span) => SystemClock.now().before(span),
    }
}

/// The fields of the JSON that a command prints; none if it has no JSON form.
pub(crate) const fn json_fields(command: &Command) -> &'static [&'static str] {
    match command {
        Command::Run(_) => run::FIELDS,
        Command::Enqueue(_) => JobShape::FIELDS,
        Command::Tokens { .. } => tokens::FIELDS,
        Command::Ops { .. } => OperationShape::FIELDS,
        Command::Audit(_) => windlass_wire::AuditShape::FIELDS,
        Command::Doctor => doctor::FIELDS,
        Command::Migrate { command: Some(MigrateCommand::Up | MigrateCommand::Status) | None } => {
            migrate::FIELDS
        }
        Command::Promote(_) => promote::FIELDS,
        Command::Version => version::FIELDS,
        Command::Workers { command: Some(WorkersCommand::Leases(_)) } => LeaseShape::FIELDS,
        Command::Workers { .. } => WorkerShape::FIELDS,
        Command::Queues { command: Some(QueuesCommand::Limit(_) | QueuesCommand::Rate(_)) } => {
            queues_bound::FIELDS
        }
        Command::Errors { command: Some(ErrorsCommand::Show { .. }), .. } => errors_show::FIELDS,
        Command::Errors { command: Some(ErrorsCommand::Retry(_)), .. } => errors_retry::FIELDS,
        Command::Errors { .. } => ErrorGroupShape::FIELDS,
        Command::Queues { command: Some(QueuesCommand::Retention(_)) } => queues_retention::FIELDS,
        Command::Queues { .. } => QueueShape::FIELDS,
        Command::Flows { command } => flows::json_fields(command),
        Command::Schedules { command } => schedules::json_fields(command.as_ref()),
        Command::Reviews { command } => reviews::json_fields(command.as_ref()),
        Command::Jobs { command, .. } => match command {
            Some(JobsCommand::List(_) | JobsCommand::Wait(_)) | None => JobShape::FIELDS,
            Some(JobsCommand::Show { .. }) => jobs_show::FIELDS,
            Some(JobsCommand::Why { .. }) => windlass_wire::ExplanationShape::FIELDS,
            Some(JobsCommand::Logs(_)) => LogShape::FIELDS,
            Some(command) if is_left_to_servers(command) => OperationShape::FIELDS,
            Some(
                JobsCommand::Retry(_)
                | JobsCommand::Cancel(_)
                | JobsCommand::RunNow(_)
                | JobsCommand::Snooze(_)
                | JobsCommand::Edit(_)
                | JobsCommand::Move(_)
                | JobsCommand::Delete(_)
                | JobsCommand::Redrive(_)
                | JobsCommand::Rerun(_),
            ) => verb::FIELDS,
        },
        Command::Config { command } => config::json_fields(command),
        Command::Open(_) => open::FIELDS,
        #[cfg(feature = "top")]
        Command::Top => &[],
        Command::Work(_)
        | Command::Dev(_)
        | Command::Serve(_)
        | Command::Man(_)
        | Command::Migrate { command: Some(MigrateCommand::Sql) }
        | Command::Completions { .. }
        | Command::Help { .. }
        | Command::Guard { .. } => &[],
    }
}
