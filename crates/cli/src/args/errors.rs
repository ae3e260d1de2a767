//! What `errors` takes.

use clap::{Args, Subcommand};
use windlass_core::{Due, Fingerprint, KindName};

use super::values::{cursor, due};

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
