//! What `enqueue` and the verbs on jobs take.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use windlass_core::{Due, JobId, JobState, KindName, Priority, QueueName, Tag, Timestamp};

use super::values::{cursor, due, duration, instant};

#[derive(Debug, Args)]
pub(crate) struct EnqueueArgs {
    /// Which handler it is for.
    #[arg(required_unless_present = "bulk", conflicts_with = "bulk")]
    pub(crate) kind: Option<KindName>,
    /// What it works on: JSON, `@FILE` to read it from there, `-` to read it from stdin.
    #[arg(value_name = "JSON", conflicts_with = "bulk", allow_negative_numbers = true)]
    pub(crate) args: Option<String>,
    /// Enqueue every job of this .jsonl or .toml file instead; `-` for JSON lines on stdin.
    #[arg(long, value_name = "FILE")]
    pub(crate) bulk: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) options: EnqueueOptions,
    /// Wait until it is final, and print what it made.
    #[arg(long)]
    pub(crate) wait: bool,
}

/// What can be asked for of a single job.
#[derive(Debug, Args, Default)]
#[group(id = "job_options", multiple = true, conflicts_with = "bulk")]
pub(crate) struct EnqueueOptions {
    /// Where it waits [default: default].
    #[arg(long)]
    pub(crate) queue: Option<QueueName>,
    /// How urgent it is: critical, high, normal, low or idle [default: normal].
    #[arg(long)]
    pub(crate) priority: Option<Priority>,
    /// Not before this instant, such as 2026-11-21T08:00:00Z.
    #[arg(long, value_name = "TIME", conflicts_with = "delay", value_parser = instant)]
    pub(crate) at: Option<Timestamp>,
    /// Not before this long from now, such as 30s or 1h30m.
    #[arg(long = "in", value_name = "TIME", value_parser = duration)]
    pub(crate) delay: Option<Duration>,
    /// Finish by this instant, or within this long of now.
    #[arg(long, value_name = "TIME", value_parser = due)]
    pub(crate) deadline: Option<Due>,
    /// How long one attempt may take.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// How many attempts may fail before it is dead [default: 8].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..i64::from(u32::MAX)))]
    pub(crate) attempts: Option<u32>,
    /// How many attempts may be lost to dead workers [default: 2].
    #[arg(long, value_name = "N")]
    pub(crate) losses: Option<u32>,
    /// A word to find it by. Repeatable.
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<Tag>,
    /// Its id: asking again with the same one is safe [default: a fresh one].
    #[arg(long)]
    pub(crate) id: Option<JobId>,
}

/// Who does it.
#[derive(Debug, Args)]
pub(crate) struct By {
    /// Who does it; kept with the change.
    #[arg(long, env = "USER", value_name = "NAME", default_value = "cli", hide_env_values = true)]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
pub(crate) struct JobsListArgs {
    /// In this state. Repeatable, or comma-separated.
    #[arg(long = "state", value_delimiter = ',')]
    pub(crate) states: Vec<JobState>,
    /// In this queue. Repeatable, or comma-separated.
    #[arg(long = "queue", value_delimiter = ',')]
    pub(crate) queues: Vec<QueueName>,
    /// Of this kind. Repeatable, or comma-separated.
    #[arg(long = "kind", value_delimiter = ',')]
    pub(crate) kinds: Vec<KindName>,
    /// With this tag.
    #[arg(long)]
    pub(crate) tag: Option<Tag>,
    /// Enqueued since this instant, or in the last such time, as 2h.
    #[arg(long, value_name = "TIME", value_parser = due)]
    pub(crate) since: Option<Due>,
    /// At most this many, 1 to 500.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: u32,
    /// Go on after the last page; the footer says with what.
    #[arg(long, value_name = "CURSOR", value_parser = cursor)]
    pub(crate) after: Option<i64>,
}

#[derive(Debug, Args)]
pub(crate) struct JobsLogsArgs {
    /// The job's id.
    pub(crate) id: JobId,
    /// Go on printing until the job is final.
    #[arg(short, long)]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerbArgs {
    /// The jobs' ids.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<JobId>,
    /// Why; kept with the change.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
pub(crate) struct JobsWaitArgs {
    /// The jobs' ids.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<JobId>,
    /// Give up after this long.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}
