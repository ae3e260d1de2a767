//! What `enqueue` and the verbs on jobs take.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use windlass_core::{Due, JobId, KindName, Priority, QueueName, Tag, Timestamp};

use super::filter::FilterArgs;
use super::gates::GateOptions;
use super::notices::NotifyOptions;
use super::reviews::ReviewOptions;
use super::unique::UniqueOptions;
use super::values::{cursor, due, duration, instant, problem, rate};
use crate::error::{CliError, ErrorCode};

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
    /// Enqueue it so many times.
    #[arg(
        long, value_name = "N", conflicts_with_all = ["bulk", "id"], default_value_t = 1,
        hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) count: u32,
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
    /// Not before this job has completed; if that ends otherwise, neither does this one start. Repeatable.
    #[arg(long, value_name = "ID")]
    pub(crate) after: Vec<JobId>,
    /// Not before this job has ended, in whichever way. Repeatable.
    #[arg(long, value_name = "ID")]
    pub(crate) after_finish: Vec<JobId>,
    /// A word to find it by. Repeatable.
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<Tag>,
    #[command(flatten)]
    pub(crate) unique: UniqueOptions,
    #[command(flatten)]
    pub(crate) gates: GateOptions,
    #[command(flatten)]
    pub(crate) review: ReviewOptions,
    #[command(flatten)]
    pub(crate) notify: NotifyOptions,
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

/// `jobs list`, where a filter needs no name.
#[derive(Debug, Args)]
pub(crate) struct JobsListWords {
    /// Which, as one text: the same as --filter.
    #[arg(value_name = "FILTER", conflicts_with = "job_filter")]
    word: Option<String>,
    #[command(flatten)]
    list: JobsListArgs,
}

impl From<JobsListWords> for JobsListArgs {
    fn from(words: JobsListWords) -> Self {
        let mut list = words.list;
        list.filter.text = words.word.or(list.filter.text);
        list
    }
}

#[derive(Debug, Args)]
pub(crate) struct JobsListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Only those that no other job waits for.
    #[arg(long)]
    pub(crate) roots: bool,
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
    #[command(flatten)]
    pub(crate) which: WhichJobs,
    /// Why; kept with the change.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) by: By,
}

/// Jobs by their ids, or all that match.
#[derive(Debug, Args)]
pub(crate) struct WhichJobs {
    /// The jobs' ids, or a filter as one text, as in 'queue:mail age:>1h'; or say below which.
    #[arg(
        value_name = "ID|FILTER", conflicts_with = "job_filter",
        required_unless_present_any = ["job_filter", "all"]
    )]
    words: Vec<IdOrFilter>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// All jobs that the verb is for.
    #[arg(long, conflicts_with_all = ["words", "job_filter"])]
    pub(crate) all: bool,
    /// Say how many there are and show some, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// No more than so many in a time, such as 20/s or 100/1m.
    #[arg(long, value_name = "N/TIME", value_parser = rate)]
    pub(crate) rate: Option<Duration>,
    /// Leave it to the servers of the store, and come back at once; `windlass ops` says how far it has come.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) detach: bool,
}

/// A job, or those that match.
#[derive(Debug, Clone)]
enum IdOrFilter {
    Id(JobId),
    Filter(String),
}

impl FromStr for IdOrFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) if text.contains(':') => Ok(Self::Filter(text.to_owned())),
            Err(invalid) => Err(problem(invalid)),
        }
    }
}

impl WhichJobs {
    /// The jobs that are named; none where those are meant that match.
    pub(crate) fn ids(&self) -> Vec<JobId> {
        let id = |word: &IdOrFilter| if let IdOrFilter::Id(id) = word { Some(*id) } else { None };
        self.words.iter().filter_map(id).collect()
    }

    /// Which jobs are to match, where none are named.
    ///
    /// # Errors
    ///
    /// When jobs are named beside a filter, or beside what is for many.
    pub(crate) fn matching(&self) -> Result<FilterArgs, CliError> {
        let named = !self.ids().is_empty();
        let invalid = |what: &str| Err(CliError::new(ErrorCode::Invalid, what));
        match self.words.as_slice() {
            [IdOrFilter::Filter(text)] => {
                Ok(FilterArgs { text: Some(text.clone()), ..FilterArgs::default() })
            }
            words if words.len() > self.ids().len() => {
                invalid("name jobs by their ids, or say which in one filter, and not both")
            }
            _ if named && (self.detach || self.rate.is_some()) => {
                invalid("--detach and --rate are for jobs that match, and not for those that are named")
            }
            _ => Ok(self.filter.clone()),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    pub(crate) which: WhichJobs,
    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
pub(crate) struct RerunArgs {
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
pub(crate) struct SnoozeArgs {
    /// Until this instant, or for this long from now.
    #[arg(long = "until", visible_alias = "for", value_name = "TIME", value_parser = due)]
    pub(crate) until: Due,
    #[command(flatten)]
    pub(crate) verb: VerbArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MoveArgs {
    /// The queue they are to wait in.
    #[arg(long, value_name = "QUEUE")]
    pub(crate) to: QueueName,
    #[command(flatten)]
    pub(crate) verb: VerbArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// The jobs' ids.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<JobId>,
    #[command(flatten)]
    pub(crate) edit: EditOptions,
    /// Why; kept with the change.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) by: By,
}

/// What of them is to be changed; the rest stays as it is.
#[derive(Debug, Args)]
#[group(id = "edits", multiple = true, required = true)]
pub(crate) struct EditOptions {
    /// Where they are to wait.
    #[arg(long)]
    pub(crate) queue: Option<QueueName>,
    /// How urgent they are to be: critical, high, normal, low or idle.
    #[arg(long)]
    pub(crate) priority: Option<Priority>,
    /// When they are to be due: an instant, or how long from now.
    #[arg(long = "at", visible_alias = "in", value_name = "TIME", value_parser = due)]
    pub(crate) due: Option<Due>,
    /// What they are to work on: JSON, `@FILE` to read it from there, `-` to read it from stdin.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub(crate) args: Option<String>,
    /// The words to find them by, instead of those they have. Repeatable.
    #[arg(long = "tag", value_name = "TAG", conflicts_with = "no_tags")]
    pub(crate) tags: Vec<Tag>,
    /// No words to find them by.
    #[arg(long)]
    pub(crate) no_tags: bool,
    /// What travels with them, instead of what does: a JSON object.
    #[arg(long, value_name = "JSON")]
    pub(crate) meta: Option<String>,
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
