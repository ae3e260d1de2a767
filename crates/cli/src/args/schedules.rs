//! What the verbs on schedules take.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use windlass_core::{KindName, Missed, Overlap, Priority, QueueName, ScheduleName, Tag, Timestamp};

use super::By;
use super::values::{cursor, duration, instant};

#[derive(Debug, Subcommand)]
pub(crate) enum SchedulesCommand {
    /// List schedules in the order they were made
    #[command(visible_alias = "ls")]
    List(SchedulesListArgs),
    /// Show a schedule with what became of its last ticks
    Show {
        /// Its name.
        name: ScheduleName,
        /// How many of its last firings to show.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
        firings: u32,
    },
    /// Make a schedule, or change the one of this name
    Add(Box<ScheduleAddArgs>),
    /// Print the next ticks of a schedule, or of a rhythm that is not stored
    Next(ScheduleNextArgs),
    /// Let schedules fire nothing until they are resumed
    Pause(ScheduleVerbArgs),
    /// Let schedules go on with their next ticks
    Resume(ScheduleVerbArgs),
    /// Make a job of a schedule now, and leave its ticks alone
    Run(ScheduleRunArgs),
    /// Make the jobs of past ticks that have made none
    Backfill(ScheduleBackfillArgs),
    /// Remove schedules with their histories
    #[command(visible_alias = "rm")]
    Remove(ScheduleVerbArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SchedulesListArgs {
    /// At most this many, 1 to 500.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: u32,
    /// Go on after the last page; the footer says with what.
    #[arg(long, value_name = "CURSOR", value_parser = cursor)]
    pub(crate) after: Option<i64>,
}

/// When it ticks.
#[derive(Debug, Args)]
pub(crate) struct RhythmOptions {
    /// At the local times of a cron expression of five fields, or six with seconds first, such as '0 3 * * *'.
    #[arg(long, value_name = "EXPRESSION", conflicts_with = "every")]
    pub(crate) cron: Option<String>,
    /// The zone of these times, such as Europe/Berlin [default: UTC].
    #[arg(long, value_name = "ZONE", requires = "cron")]
    pub(crate) zone: Option<String>,
    /// Each time this much time has passed, such as 30s or 1h30m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) every: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleAddArgs {
    /// Its name.
    pub(crate) name: ScheduleName,
    /// Which handler its jobs are for.
    pub(crate) kind: KindName,
    /// What they work on: JSON, `@FILE` to read it from there, `-` to read it from stdin.
    #[arg(value_name = "JSON", allow_negative_numbers = true)]
    pub(crate) args: Option<String>,
    #[command(flatten)]
    pub(crate) rhythm: RhythmOptions,
    /// What becomes of a tick that comes while the last job is not finished.
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub(crate) overlap: OverlapWord,
    /// What becomes of ticks that nobody fired in time: one, skip, or how many are made up for.
    #[arg(long, value_name = "WHAT", default_value = "one", value_parser = missed)]
    pub(crate) missed: Missed,
    /// How far jobs may be due after their ticks.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) jitter: Option<Duration>,
    /// No tick before this instant, such as 2026-11-21T08:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) starts_at: Option<Timestamp>,
    /// No tick at this instant or later.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) ends_at: Option<Timestamp>,
    /// Begin paused, if it is new.
    #[arg(long)]
    pub(crate) paused: bool,
    /// Where its jobs wait [default: default].
    #[arg(long, help_heading = "Jobs")]
    pub(crate) queue: Option<QueueName>,
    /// How urgent they are: critical, high, normal, low or idle [default: normal].
    #[arg(long, help_heading = "Jobs")]
    pub(crate) priority: Option<Priority>,
    /// Finish within this long after they are due.
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Jobs")]
    pub(crate) deadline: Option<Duration>,
    /// How long one attempt may take.
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Jobs")]
    pub(crate) timeout: Option<Duration>,
    /// How many attempts may fail before one is dead [default: 8].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..i64::from(u32::MAX)), help_heading = "Jobs")]
    pub(crate) attempts: Option<u32>,
    /// How many attempts may be lost to dead workers [default: 2].
    #[arg(long, value_name = "N", help_heading = "Jobs")]
    pub(crate) losses: Option<u32>,
    /// A word to find them by. Repeatable.
    #[arg(long = "tag", value_name = "TAG", help_heading = "Jobs")]
    pub(crate) tags: Vec<Tag>,
    #[command(flatten)]
    pub(crate) by: By,
}

/// What becomes of a tick that comes too early.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OverlapWord {
    /// It is skipped.
    #[default]
    Skip,
    /// Its job is enqueued all the same.
    Allow,
    /// One waits until that job is finished.
    QueueOne,
}

impl From<OverlapWord> for Overlap {
    fn from(word: OverlapWord) -> Self {
        match word {
            OverlapWord::Skip => Self::Skip,
            OverlapWord::Allow => Self::Allow,
            OverlapWord::QueueOne => Self::QueueOne,
        }
    }
}

fn missed(text: &str) -> Result<Missed, String> {
    match text {
        "one" => Ok(Missed::One),
        "skip" => Ok(Missed::Skip),
        number => {
            let number = number.parse().ok().filter(|number| *number > 0);
            number.map(Missed::All).ok_or_else(|| format!("{text:?} is not one, skip, or how many"))
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleNextArgs {
    /// The schedule; none for a rhythm that is given by --cron or --every.
    #[arg(required_unless_present_any = ["cron", "every"], conflicts_with_all = ["cron", "every"])]
    pub(crate) name: Option<ScheduleName>,
    #[command(flatten)]
    pub(crate) rhythm: RhythmOptions,
    /// How many, at most 1000.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) count: u32,
    /// After this instant [default: now].
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) after: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleVerbArgs {
    /// The schedules' names.
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<ScheduleName>,
    /// Why; kept with the change.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleRunArgs {
    /// The schedule.
    pub(crate) name: ScheduleName,
    /// Why; kept with the change.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleBackfillArgs {
    /// The schedule.
    pub(crate) name: ScheduleName,
    /// From this instant on.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) from: Timestamp,
    /// Before this instant [default: now].
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) until: Option<Timestamp>,
    /// Why; kept with the change.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) by: By,
}
