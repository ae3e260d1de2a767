//! What `errors` takes.

use std::time::Duration;

use clap::{Args, Subcommand};
use windlass_core::{Due, Fingerprint, KindName};

use super::By;
use super::values::{cursor, due, duration, rate};

#[derive(Debug, Subcommand)]
pub(crate) enum ErrorsCommand {
    /// List groups of errors, the one seen last first
    #[command(visible_alias = "ls")]
    List(ErrorsListArgs),
    /// Show a group, and jobs that ended with such an error
    Show {
        /// Its fingerprint.
        fingerprint: Fingerprint,
    },
    /// Give the jobs of a group that are dead or wait for another attempt a new budget, due now
    Retry(ErrorsRetryArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
  windlass errors retry 7f31c0a2b4d6e8f0 --canary 5 --rate 20/s --wait

First five, to see whether what was wrong is mended; only if each of them ends well, the rest, twenty in a second.")]
pub(crate) struct ErrorsRetryArgs {
    /// Its fingerprint.
    pub(crate) fingerprint: Fingerprint,
    /// Retry so many first, wait for them, and go on only if all went well.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) canary: Option<u32>,
    /// Retry no more than so many in a time, such as 20/s or 100/1m.
    #[arg(long, value_name = "N/TIME", value_parser = rate)]
    pub(crate) rate: Option<Duration>,
    /// Wait until all of them are final, and say how they ended.
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long to wait for the first ones, and for all of them.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Say how many there are and show some, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Why; kept with the change.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
pub(crate) struct ErrorsListArgs {
    /// Of jobs of this kind. Repeatable, or comma-separated.
    #[arg(long = "kind", value_delimiter = ',')]
    pub(crate) kinds: Vec<KindName>,
    /// Seen since this instant, or in the last such time, as 2h.
    #[arg(long, value_name = "TIME", value_parser = due)]
    pub(crate) since: Option<Due>,
    /// At most this many, 1 to 500.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: u32,
    /// Go on after the last page; the footer says with what.
    #[arg(long, value_name = "CURSOR", value_parser = cursor)]
    pub(crate) after: Option<i64>,
}
