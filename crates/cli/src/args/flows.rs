//! What the verbs on flows take.

use clap::{Args, Subcommand};
use windlass_core::JobId;

use super::By;

#[derive(Debug, Subcommand)]
pub(crate) enum FlowsCommand {
    /// Show what waits for what, and how far it is
    Show {
        /// The id of any job of the flow.
        id: JobId,
    },
    /// Show which jobs are to blame for the error of one, down to the roots
    Errors {
        /// The id of the job that went wrong.
        id: JobId,
    },
    /// Stop every unfinished job of a flow
    Cancel(FlowArgs),
    /// Give every dead or cancelled job of a flow a new budget of attempts
    Retry(FlowArgs),
    /// Remove a job that nobody waits for, with those that were there for it alone
    Delete {
        /// The id of the job.
        id: JobId,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Debug, Args)]
pub(crate) struct FlowArgs {
    /// The id of any job of the flow.
    pub(crate) id: JobId,
    /// Why; kept with the change.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) by: By,
}
