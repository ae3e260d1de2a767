//! What `promote` takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::ProgressWhen;
use super::values::duration;

#[derive(Debug, Args)]
#[command(after_help = "\
Jobs keep their ids, their order, their attempts, logs and events, and what is left of their budgets. While they are \
copied, nothing is enqueued or run in either place; afterwards the file refuses, naming the new store. Killed midway, \
the same command goes on where it was.

No worker may run on the file: stop them first, or let --wait hold them back. None may run on the database yet either.")]
pub(crate) struct PromoteArgs {
    /// The file that keeps the jobs now.
    pub(crate) file: PathBuf,
    /// Where they go: `postgres://user@host/database` [default: what `WINDLASS_STORE` or `--store` names].
    #[arg(value_name = "STORE", conflicts_with = "undo")]
    pub(crate) to: Option<PathBuf>,
    /// Which finished jobs go too: all, none, or those that ended in the last such time, as 7d.
    #[arg(long, value_name = "WHICH", default_value = "all", value_parser = finished)]
    pub(crate) finished: Finished,
    /// Pause every queue of the file and wait until nothing runs, instead of refusing while there are workers.
    #[arg(long)]
    pub(crate) wait: bool,
    /// Make the file a queue again. What was copied stays where it is. With --yes, although its jobs may have been run there.
    #[arg(long, conflicts_with_all = ["wait", "finished"])]
    pub(crate) undo: bool,
    /// Whether to show how far it has come.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) progress: ProgressWhen,
}

/// Which finished jobs are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finished {
    /// Each of them.
    All,
    /// None of them.
    None,
    /// Those that ended within this long.
    Within(Duration),
}

fn finished(text: &str) -> Result<Finished, String> {
    match text {
        "all" => Ok(Finished::All),
        "none" => Ok(Finished::None),
        text => span(text).map(Finished::Within).map_err(|problem| format!("{problem}; or say all or none")),
    }
}

/// Jobs are kept for days, which no timeout is given in.
fn span(text: &str) -> Result<Duration, String> {
    match text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()) {
        Some(days) => Ok(Duration::from_secs(u64::from(days) * 24 * 60 * 60)),
        None => duration(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_jobs_go_all_or_none_or_by_their_age() {
        assert_eq!(finished("all"), Ok(Finished::All));
        assert_eq!(finished("none"), Ok(Finished::None));
        assert_eq!(finished("7d"), Ok(Finished::Within(Duration::from_secs(7 * 24 * 60 * 60))));
        assert_eq!(finished("90m"), Ok(Finished::Within(Duration::from_secs(90 * 60))));
        assert!(finished("some").unwrap_err().ends_with("or say all or none"));
    }
}
