//! What is done to many jobs by the servers of a store.

use clap::{Args, Subcommand};
use windlass_core::OperationId;

use super::By;

#[derive(Debug, Subcommand)]
pub(crate) enum OpsCommand {
    /// List operations, the last first
    #[command(visible_alias = "ls")]
    List(OpsListArgs),
    /// Show one: how far it has come, and which jobs refused it
    Show {
        /// Its id.
        id: OperationId,
    },
    /// Follow one until it has ended
    Watch {
        /// Its id.
        id: OperationId,
    },
    /// Let it stand still
    Pause(OpVerbArgs),
    /// Let it go on
    Resume(OpVerbArgs),
    /// End it: what it has done stays done
    Abort(OpVerbArgs),
}

#[derive(Debug, Args)]
pub(crate) struct OpsListArgs {
    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: u32,
}

impl Default for OpsListArgs {
    fn default() -> Self {
        Self { limit: 20 }
    }
}

#[derive(Debug, Args)]
pub(crate) struct OpVerbArgs {
    /// Its id.
    pub(crate) id: OperationId,
    /// Why; kept with the change.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) by: By,
}
