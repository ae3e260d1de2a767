//! The `windlass` command.
//!
//! Reads the command line and the environment, which nothing else does, opens the store that they name, and prints
//! what a command has to say. Each command is a file under `commands/` and returns an [`output::Output`].

mod args;
mod child;
mod commands;
mod context;
mod error;
mod exit_code;
mod guard;
mod handler;
mod interrupt;
mod job_file;
mod notices;
mod output;
mod progress;
mod store;
mod tracker;
mod worker;

use clap::Parser;

use args::Cli;
use context::Context;
use error::{CliError, ErrorCode};
use exit_code::ExitCode;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    if let args::Command::Guard { mark } = &cli.command {
        // No runtime, no log, no store: it must outlive all of that.
        return guard::live(mark).map_or(ExitCode::Failed, |()| ExitCode::Done).into();
    }
    context::set_colour(cli.global.color);
    log_to_stderr(cli.global.verbose);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(perform(cli)),
        Err(error) => Err(CliError::new(ErrorCode::Local, "could not start").with_source(error)),
    };
    ended.unwrap_or_else(|error| report(&error)).into()
}

async fn perform(cli: Cli) -> Result<ExitCode, CliError> {
    let context = Context::new(&cli.global, commands::json_fields(&cli.command))?;
    let output = commands::run(cli.command, &context).await?;
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

/// Shows what the worker and the store have to report while a command runs.
fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => tracing_subscriber::filter::LevelFilter::WARN,
        1 => tracing_subscriber::filter::LevelFilter::INFO,
        _ => tracing_subscriber::filter::LevelFilter::DEBUG,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(false)
        .init();
}
