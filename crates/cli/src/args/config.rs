//! What `config` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show what holds, put together from all that says something
    Show {
        /// Say where each value is from.
        #[arg(long)]
        origin: bool,
    },
    /// Print the paths of the files that are read, and whether they are there
    Path,
    /// Name places, and choose the one that holds unless another is named [`list` unless said]
    Contexts {
        #[command(subcommand)]
        command: Option<ContextsCommand>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContextsCommand {
    /// List contexts
    #[command(visible_alias = "ls")]
    List,
    /// Let a context hold unless another is named
    Use {
        /// Its name.
        name: String,
    },
    /// Add a context to your configuration file: with --url or --store, where it leads
    Add(ContextAddArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
  windlass config contexts add prod --url https://jobs.example.com --token-command 'pass show jobs' --production
  windlass config contexts use prod

A token itself is never kept in a file: a command prints it, or WINDLASS_TOKEN holds it.")]
pub(crate) struct ContextAddArgs {
    /// Its name.
    pub(crate) name: String,
    /// A shell command that prints the token for the server.
    #[arg(long, value_name = "CMD")]
    pub(crate) token_command: Option<String>,
    /// Whether what changes or removes jobs there has to be confirmed.
    #[arg(long)]
    pub(crate) production: bool,
}

/// What `open` takes.
#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// What to open: the id of a job, `queue NAME`, `errors`, `reviews`, `schedules`, `workers`; the overview unless said.
    #[arg(value_name = "WHAT", num_args = 0..=2)]
    pub(crate) what: Vec<String>,
    /// Print the address and open nothing.
    #[arg(long)]
    pub(crate) print: bool,
}

/// What `man` takes.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder, instead of one page to stdout.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// Print the reference that docs/cli.md is.
    #[arg(long, hide = true, conflicts_with = "folder")]
    pub(crate) markdown: bool,
}
