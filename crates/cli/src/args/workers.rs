//! What `windlass workers` takes.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::duration;

#[derive(Debug, Subcommand)]
pub(crate) enum WorkersCommand {
    /// List worker processes, the longest-silent first
    #[command(visible_alias = "ls")]
    List(SilentArgs),
    /// List attempts that run, the longest-silent first
    Leases(SilentArgs),
}

/// Which of them.
#[derive(Debug, Args, Default)]
pub(crate) struct SilentArgs {
    /// Only those that have given no sign of life for this long.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s", hide_default_value = true)]
    pub(crate) silent: Duration,
}
