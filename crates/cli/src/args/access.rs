//! Who may do what, and who did what.

use std::time::Duration;

use clap::{Args, Subcommand};
use windlass_core::Due;
use windlass_store::{Role, TokenId};

use super::By;
use super::values::{due, duration};

#[derive(Debug, Subcommand)]
pub(crate) enum TokensCommand {
    /// List tokens, newest first; their secrets are kept nowhere
    #[command(visible_alias = "ls")]
    List,
    /// Make a token, and print it: this once
    Create(TokenCreateArgs),
    /// Let a token let nobody in any more
    Revoke {
        /// The token's id: what stands between `wl_` and the next `_`.
        id: TokenId,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TokenCreateArgs {
    /// Whose it is; stands with everything that is changed with it. No two that are not revoked have the same.
    pub(crate) name: String,
    /// What may be done with it: viewer, producer, worker, operator, reviewer or admin. Repeatable.
    #[arg(long = "role", value_name = "ROLE", required = true)]
    pub(crate) roles: Vec<Role>,
    /// Only to this queue, or to those whose names begin so, as in `billing.*`. Repeatable; all of them unless said.
    #[arg(long = "queue", value_name = "QUEUE")]
    pub(crate) queues: Vec<String>,
    /// Valid this long, such as 12h; 90 days unless said.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) expires: Option<Duration>,
    /// Valid until it is revoked.
    #[arg(long, conflicts_with = "expires")]
    pub(crate) never_expires: bool,
    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Only what was done by this one.
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Only what was done so, such as cancel, pause or revoke.
    #[arg(long, value_name = "VERB")]
    pub(crate) verb: Option<String>,
    /// Only what was done to this one: the id of a job or a token, the name of a queue or a schedule.
    #[arg(long, value_name = "ID|NAME")]
    pub(crate) subject: Option<String>,
    /// Only since then: a time, or how long ago, such as 2h.
    #[arg(long, value_name = "TIME", value_parser = due)]
    pub(crate) since: Option<Due>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u32,
}
