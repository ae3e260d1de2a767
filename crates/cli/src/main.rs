//! The `windlass` command.
//!
//! Reads the command line and the environment, which nothing else does, opens the store that they name, and prints
//! what a command has to say. Each command is a file under `commands/` and returns an [`output::Output`].

mod args;
mod child;
mod commands;
mod config;
mod confirm;
mod context;
mod demo;
mod error;
mod exit_code;
mod guard;
mod handler;
mod http;
mod interrupt;
mod job_file;
mod notices;
mod output;
mod pages;
mod progress;
mod push;
mod store;
mod telemetry;
#[cfg(feature = "top")]
mod top;
mod trace;
mod tracker;
mod watch;
mod worker;

use clap::Parser;

use args::Cli;
use config::{Folders, Sources};
use context::Context;
use error::{CliError, ErrorCode};
use exit_code::ExitCode;
use telemetry::Telemetry;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    if let args::Command::Guard { mark } = &cli.command {
        // No runtime, no log, no store: it must outlive all of that.
        return guard::live(mark).map_or(ExitCode::Failed, |()| ExitCode::Done).into();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = match runtime {
        Ok(runtime) => watched(cli, &runtime),
        Err(error) => Err(CliError::new(ErrorCode::Local, "could not start").with_source(error)),
    };
    ended.unwrap_or_else(|error| report(&error)).into()
}

/// Does what is asked, while what happens is told to whoever is to be told.
fn watched(cli: Cli, runtime: &tokio::runtime::Runtime) -> Result<ExitCode, CliError> {
    let collector = cli.global.otlp_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty());
    let telemetry = Telemetry::start(cli.global.verbose, collector, runtime.handle())?;
    let ended = runtime.block_on(perform(cli));
    telemetry.end();
    ended
}

async fn perform(cli: Cli) -> Result<ExitCode, CliError> {
    let folders = Folders::of(config::variable);
    let sources = if commands::heeds_settings(&cli.command) {
        Sources::read(&cli.global, &folders)?
    } else {
        Sources::default()
    };
    let settings = sources.settle()?;
    context::set_colour(settings.color.value);
    let context = Context::new(&cli.global, (folders, settings), commands::json_fields(&cli.command))?;
    if let Some(deed) = commands::deed(&cli.command) {
        confirm::one(&deed, &context)?;
    }
    match cli.global.watch {
        Some(every) => watch::run(every, cli.command, &context).await,
        None => once(cli.command, &context).await,
    }
}

/// Does it and prints what it has to say.
async fn once(command: args::Command, context: &Context) -> Result<ExitCode, CliError> {
    let output = commands::run(command, context).await?;
    context.print(&output)?;
    Ok(output.exit())
}

/// Says on stderr what went wrong. A reader of stdout that went away is nothing to speak of: `windlass … | head`.
fn report(error: &CliError) -> ExitCode {
    if error.is_broken_pipe() {
        return ExitCode::Done;
    }
    error.print();
    error.code.exit_code()
}
