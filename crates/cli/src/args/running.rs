//! What `run` and `work` take.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use windlass_core::{KindName, QueueName};

use super::notices::NoticeArgs;
use super::values::{duration, problem};

/// More commands at a time than any machine can run.
const SLOTS_MAX: u32 = 10_000;

/// How attempts are run here.
#[derive(Debug, Args)]
pub(crate) struct HandlerArgs {
    /// Run this shell command for each job: its JSON on stdin, its result from stdout, its log from stderr.
    #[arg(long, value_name = "CMD", group = "doing")]
    pub(crate) exec: Option<String>,
    #[command(flatten)]
    pub(crate) push: PushArgs,
    /// Give the command or the service what the jobs made that each job waited for, as `parents` in its JSON.
    #[arg(long, requires = "doing")]
    pub(crate) parents: bool,
    /// How many jobs to run at a time [default: one per CPU].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(SLOTS_MAX)))]
    pub(crate) slots: Option<u32>,
    /// How long a job waits whose command ended with exit code 75, or whose service is busy and does not say for how long.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) snooze: Duration,
    /// How long a command that has to stop may take after SIGTERM, before it is killed.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub(crate) grace: Duration,
    /// On Ctrl-C, how long running jobs may take to finish before they are stopped and given back.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) drain: Duration,
    /// How long jobs stay with this process after it died without a word.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) lease: Duration,
    #[command(flatten)]
    pub(crate) notices: NoticeArgs,
}

/// A web service that does jobs.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// Send each job to this web service: its JSON by POST, its result from the answer.
    #[arg(long, value_name = "URL", group = "doing")]
    pub(crate) http: Option<String>,
    /// Send this header along, as 'Name: value', or those that stand in a file, as @FILE. Repeatable.
    #[arg(long = "header", value_name = "HEADER", requires = "http")]
    pub(crate) headers: Vec<String>,
    /// How long the service may take to answer.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) http_timeout: Duration,
}

impl HandlerArgs {
    /// Whether jobs of any kind can be done here, and not only those of the kind `exec`.
    pub(crate) const fn does_any(&self) -> bool {
        self.exec.is_some() || self.push.http.is_some()
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
FILE has one job a line (JSON, .jsonl) or a [[job]] each (TOML, .toml), \
with the fields of POST /api/v1/jobs:

  {\"kind\": \"exec\", \"args\": {\"command\": [\"convert\", \"a.png\", \"a.webp\"]}, \"timeout\": \"5m\"}

A job that others wait for has a `ref`, and they name it: {\"kind\": \"exec\", \"after\": [\"fetch\"], …}. With \
{\"ref\": \"fetch\", \"on\": \"on_finish\"} in place of the name, any end of it will do. Its command reads what they wrote \
if its args say \"stdin_from\": \"parents\"; see `windlass work --help`.

Its jobs are known by the content of the file: the same file, run again, goes on with what is unfinished, \
and `--fresh` does it all once more. A changed file is another run. Finished jobs are known for a week.")]
pub(crate) struct RunArgs {
    /// A .jsonl or .toml file; `-` for JSON lines on stdin.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Do it all once more, with new jobs.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Whether to show how far it has come.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) progress: ProgressWhen,
    #[command(flatten)]
    pub(crate) handler: HandlerArgs,
}

/// Whether progress is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressWhen {
    /// A bar on a terminal, a line now and then elsewhere.
    #[default]
    Auto,
    /// Never.
    Never,
}

#[derive(Debug, Args)]
#[command(after_help = "\
With --exec, CMD gets the job as JSON on stdin, and WINDLASS_JOB_ID, WINDLASS_KIND, WINDLASS_ATTEMPT and \
WINDLASS_QUEUE. What it writes to stdout is the result: JSON, or else text. Each line on stderr is a line of the \
job's log, but `::progress 40 resizing` says how far it has come. It ends with exit code 0 when it is done, 75 to \
be asked again later, 65 or 66 when no further attempt can help, and anything else when it failed.

With --http, URL gets the same JSON by POST, and the headers Windlass-Job-Id, Windlass-Kind, Windlass-Queue and \
Windlass-Attempt. An answer of 2xx is done, and its body the result; 429, and 503 with Retry-After, is to be asked again later; \
other 4xx is that no further attempt can help; anything else is a failure. No redirect is followed.

Without either, jobs of the built-in kind `exec` are run: {\"command\": [\"program\", \"arg\"], \"cwd\", \"env\", \"stdin\"}. \
With \"stdin_from\": \"parents\" in place of stdin, the command reads what the jobs wrote to stdout that its job waited for, in \
the order of its `after`; with \"parents_json\", an array of {\"id\", \"kind\", \"state\", \"result\" or \"error\"}. What it \
writes is kept up to 64 KiB. It has the same variables, and the same exit codes.")]
pub(crate) struct WorkArgs {
    /// A queue to work on, and how many of its jobs at a time. Repeatable [default: every queue].
    #[arg(long = "queue", value_name = "QUEUE[:SLOTS]", value_parser = queue_slots)]
    pub(crate) queues: Vec<QueueSlots>,
    /// A kind to run with --exec or --http. Repeatable [default: every kind].
    #[arg(long = "kind", value_name = "KIND", requires = "doing")]
    pub(crate) kinds: Vec<KindName>,
    /// Stop once no job is left that could run now. What is due later is left for later.
    #[arg(long)]
    pub(crate) until_empty: bool,
    #[command(flatten)]
    pub(crate) handler: HandlerArgs,
}

/// A queue, and how many of its jobs may run at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueSlots {
    pub(crate) queue: QueueName,
    pub(crate) slots: Option<u32>,
}

fn queue_slots(text: &str) -> Result<QueueSlots, String> {
    // A queue's name may have colons of its own, so only a number after the last one is a number of slots.
    let slots = text.rsplit_once(':').and_then(|(queue, slots)| Some((queue, slots.parse::<u32>().ok()?)));
    let (queue, slots) = slots.map_or((text, None), |(queue, slots)| (queue, Some(slots)));
    if slots.is_some_and(|slots| !(1..=SLOTS_MAX).contains(&slots)) {
        return Err(format!("the number of slots must be 1 to {SLOTS_MAX}"));
    }
    Ok(QueueSlots { queue: queue.parse().map_err(problem)?, slots })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_may_have_colons_and_a_number_of_slots() {
        let read = |text| queue_slots(text).map(|QueueSlots { queue, slots }| (queue.to_string(), slots));

        assert_eq!(read("mail"), Ok(("mail".to_owned(), None)));
        assert_eq!(read("mail:4"), Ok(("mail".to_owned(), Some(4))));
        assert_eq!(read("tenant:7:mail"), Ok(("tenant:7:mail".to_owned(), None)));
        assert!(read("mail:0").is_err());
        assert!(read("mail:10000").is_ok() && read("mail:10001").is_err());
        assert!(read(":4").is_err());
    }
}
