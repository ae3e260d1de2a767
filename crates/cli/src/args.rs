//! The command line, as clap reads it.

mod access;
mod config;
mod dev;
mod errors;
mod filter;
mod flows;
mod gates;
mod jobs;
mod notices;
mod ops;
mod promote;
mod retention;
mod reviews;
mod running;
mod schedules;
mod serve;
mod unique;
mod values;
mod workers;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use windlass_core::{JobId, QueueName};

pub(crate) use access::{AuditArgs, TokenCreateArgs, TokensCommand};
pub(crate) use config::{ConfigCommand, ContextAddArgs, ContextsCommand, ManArgs, OpenArgs};
pub(crate) use dev::DevArgs;
pub(crate) use errors::{ErrorsCommand, ErrorsListArgs, ErrorsRetryArgs};
pub(crate) use filter::FilterArgs;
pub(crate) use flows::{FlowArgs, FlowsCommand};
pub(crate) use gates::{LimitArgs, RateArgs};
pub(crate) use jobs::{
    By, DeleteArgs, EditArgs, EditOptions, EnqueueArgs, EnqueueOptions, JobsListArgs, JobsListWords,
    JobsLogsArgs, JobsWaitArgs, MoveArgs, RerunArgs, SnoozeArgs, VerbArgs, WhichJobs,
};
pub(crate) use notices::NoticeArgs;
pub(crate) use ops::{OpVerbArgs, OpsCommand, OpsListArgs};
pub(crate) use promote::{Finished, PromoteArgs};
pub(crate) use retention::RetentionArgs;
pub(crate) use reviews::{DecisionArgs, ReviewsCommand, ReviewsListArgs};
pub(crate) use running::{HandlerArgs, ProgressWhen, PushArgs, RunArgs, WorkArgs};
pub(crate) use schedules::{
    RhythmOptions, ScheduleAddArgs, ScheduleBackfillArgs, ScheduleNextArgs, ScheduleRunArgs,
    ScheduleVerbArgs, SchedulesCommand, SchedulesListArgs,
};
pub(crate) use serve::ServeArgs;
pub(crate) use workers::{SilentArgs, WorkersCommand};

/// Runs background jobs that survive crashes, in a file or in a PostgreSQL database.
#[derive(Debug, Parser)]
#[command(
    name = "windlass",
    version,
    disable_help_subcommand = true,
    after_help = "Begin with: windlass dev. Topics: windlass help stores, environment, filter, formatting, exit-codes. An error's \
                  code explained: windlass help WL0003."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// What keeps the jobs: the path of a file, `postgres://user@host/database`, or the URL of a server. `WINDLASS_STORE`
    /// says the same. `run`, `work` and `enqueue` make it if it is missing [default: ./windlass.db].
    // Its value may hold a password.
    #[arg(long, global = true, value_name = "STORE", help_heading = "Where")]
    pub(crate) store: Option<PathBuf>,
    /// The server to ask, instead of a store. `WINDLASS_URL` says the same, and `WINDLASS_TOKEN` holds the token
    /// [default: one that runs here, if there is no ./windlass.db].
    #[arg(long, global = true, visible_alias = "server", value_name = "URL", help_heading = "Where")]
    pub(crate) url: Option<String>,
    /// Trust servers whose certificates the authorities in this PEM file gave, and no others; those that the system trusts unless
    /// said. `WINDLASS_CA_CERTIFICATE` says the same.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Where")]
    pub(crate) ca_certificate: Option<PathBuf>,
    /// A place that has a name; `windlass config contexts` lists them. `WINDLASS_CONTEXT` says the same.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Where")]
    pub(crate) context: Option<String>,
    /// Do it without asking.
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// Print JSON: every field, or `--json=id,state` for these.
    #[arg(
        long, global = true, value_name = "FIELDS", num_args = 0..=1, require_equals = true,
        default_missing_value = "", help_heading = "Output"
    )]
    pub(crate) json: Option<String>,
    /// Print JSON, one object a line.
    #[arg(
        long, global = true, value_name = "FIELDS", num_args = 0..=1, require_equals = true,
        default_missing_value = "", conflicts_with = "json", help_heading = "Output"
    )]
    pub(crate) jsonl: Option<String>,
    /// Print ids only, one a line.
    #[arg(short, long, global = true, conflicts_with_all = ["json", "jsonl"], help_heading = "Output")]
    pub(crate) quiet: bool,
    /// How to print lists: `wide` cuts and leaves out nothing, `tsv` and `csv` are for other programs.
    #[arg(
        short, long, global = true, value_enum, value_name = "FORM", help_heading = "Output",
        conflicts_with_all = ["json", "jsonl", "quiet"]
    )]
    pub(crate) output: Option<OutputForm>,
    /// Do it again and again, every 2s or as often as said, for commands that only look.
    #[arg(
        long, global = true, value_name = "TIME", num_args = 0..=1, require_equals = true,
        default_missing_value = "2s", value_parser = values::duration, help_heading = "Output"
    )]
    pub(crate) watch: Option<Duration>,
    /// When to use colour [default: auto]. `NO_COLOR` and `CLICOLOR_FORCE` are honoured too.
    #[arg(long, global = true, value_enum, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: Option<Color>,
    /// How to write times for people [default: relative]. What is piped has ISO times always.
    #[arg(long, global = true, value_enum, value_name = "FORM", help_heading = "Output")]
    pub(crate) time: Option<TimeForm>,
    /// Send traces to the collector at this address, by OTLP over HTTP: `http://localhost:4318`.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        hide_env_values = true,
        help_heading = "Output"
    )]
    pub(crate) otlp_endpoint: Option<String>,
    /// Say more of what goes on, on stderr; twice for more still.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How lists are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputForm {
    /// As on a terminal, with nothing cut or left out.
    Wide,
    /// Tab-separated, without titles.
    Tsv,
    /// Comma-separated, the titles first.
    Csv,
    /// As --json.
    Json,
    /// As --jsonl.
    Jsonl,
}

impl Color {
    /// The word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl TimeForm {
    /// The word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Relative => "relative",
            Self::Iso => "iso",
        }
    }
}

/// How times are written for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimeForm {
    /// As in `5m ago`.
    #[default]
    Relative,
    /// RFC 3339, in UTC.
    Iso,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Enqueue the jobs of a file and work them off; run it again to go on where it stopped
    Run(RunArgs),
    /// Enqueue a job
    Enqueue(Box<EnqueueArgs>),
    /// Work jobs off until stopped
    Work(WorkArgs),
    /// Try it out: a server, a throw-away store and a worker for demo jobs, in one process
    Dev(DevArgs),
    /// Let programs in any language use the store by HTTP, and look after it
    Serve(Box<ServeArgs>),
    /// Look at jobs, and change what becomes of them [`list` unless said]
    #[command(args_conflicts_with_subcommands = true)]
    Jobs {
        #[command(subcommand)]
        command: Option<JobsCommand>,
        #[command(flatten)]
        list: JobsListArgs,
    },
    /// Look at jobs that wait for one another, and change what becomes of them together
    Flows {
        #[command(subcommand)]
        command: FlowsCommand,
    },
    /// Look at queues, pause and resume them [`list` unless said]
    Queues {
        #[command(subcommand)]
        command: Option<QueuesCommand>,
    },
    /// See which jobs wait for a person, and decide about them [`list` unless said]
    Reviews {
        #[command(subcommand)]
        command: Option<ReviewsCommand>,
    },
    /// Make jobs again and again: by cron expressions, or each time a span has passed [`list` unless said]
    Schedules {
        #[command(subcommand)]
        command: Option<SchedulesCommand>,
    },
    /// See what goes wrong, in groups of errors that are the same but for what changes each time [`list` unless said]
    #[command(args_conflicts_with_subcommands = true)]
    Errors {
        #[command(subcommand)]
        command: Option<ErrorsCommand>,
        #[command(flatten)]
        list: ErrorsListArgs,
    },
    /// See which worker processes there are [`list` unless said]
    Workers {
        #[command(subcommand)]
        command: Option<WorkersCommand>,
    },
    /// See what the servers of a store do to many jobs, and stop it [`list` unless said]
    #[command(visible_alias = "operations")]
    Ops {
        #[command(subcommand)]
        command: Option<OpsCommand>,
    },
    /// Say who may do what through a server: make tokens, and revoke them [`list` unless said]
    Tokens {
        #[command(subcommand)]
        command: Option<TokensCommand>,
    },
    /// See who did what by hand, newest first
    Audit(AuditArgs),
    /// Check the store and the workers, and say what to do
    Doctor,
    /// See which version the store's schema has, and bring it up to date [`status` unless said]
    Migrate {
        #[command(subcommand)]
        command: Option<MigrateCommand>,
    },
    /// Move the jobs of a file to a PostgreSQL database
    Promote(PromoteArgs),
    /// See and change where commands find their store, and what else holds
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Watch what goes on, live, in a terminal
    #[cfg(feature = "top")]
    Top,
    /// Open a page of the server, or print its address where there is no display
    Open(OpenArgs),
    /// Print the version
    Version,
    /// Print a completion script for a shell
    Completions {
        /// Which shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man(ManArgs),
    /// Explain a command, a topic, or the code of an error
    Help {
        /// A command such as `jobs list`; `stores`, `environment`, `filter`, `formatting`, `exit-codes`; a code such as WL0003.
        topic: Vec<String>,
    },
    /// Ends the process groups it is told of once its parent is gone
    #[command(hide = true)]
    Guard {
        /// What the commands carry in their environment.
        mark: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// List jobs, newest first
    #[command(visible_alias = "ls")]
    List(JobsListWords),
    /// Show a job with its attempts
    Show {
        /// The job's id.
        id: JobId,
    },
    /// Say why a job does not run, and when it will
    Why {
        /// The job's id.
        id: JobId,
    },
    /// Print a job's log
    Logs(JobsLogsArgs),
    /// Give dead, cancelled or retryable jobs a new budget of attempts, due now
    Retry(VerbArgs),
    /// Stop jobs on purpose
    Cancel(VerbArgs),
    /// Make waiting jobs due now
    RunNow(VerbArgs),
    /// Put waiting jobs off
    Snooze(SnoozeArgs),
    /// Change waiting jobs: their queue, priority, time, args, tags or meta
    Edit(EditArgs),
    /// Let waiting jobs wait in another queue
    Move(MoveArgs),
    /// Remove jobs with their attempts and logs
    Delete(DeleteArgs),
    /// Give dead jobs a new budget of attempts, due now: all that match
    Redrive(VerbArgs),
    /// Enqueue further copies of final jobs, with a fresh budget; the jobs themselves stay
    Rerun(RerunArgs),
    /// Wait until jobs are final
    Wait(JobsWaitArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueuesCommand {
    /// List queues and how full they are
    #[command(visible_alias = "ls")]
    List,
    /// Stop claims from a queue until it is resumed; what runs goes on
    Pause {
        /// The queue.
        queue: QueueName,
        /// Why; shown wherever the pause is.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        by: By,
    },
    /// Let no more of a queue's jobs run at a time, over all workers
    Limit(LimitArgs),
    /// Let a queue's jobs start no more often, over all workers
    Rate(RateArgs),
    /// Let a queue be claimed from again
    Resume {
        /// The queue.
        queue: QueueName,
        #[command(flatten)]
        by: By,
    },
    /// See and say how long finished jobs of a queue are kept, instead of as long as those of all
    Retention(RetentionArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum MigrateCommand {
    /// Show the version of the schema, and which steps led to it; changes nothing
    Status,
    /// Make the schema, or bring it to the version of this program
    Up,
    /// Print the script that does it, for a PostgreSQL database that programs may not change
    Sql,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
