//! `--watch`: a command that only looks, again and again.

use std::time::Duration;

use clap::Parser;
use tokio::time::MissedTickBehavior;

use crate::args::{Cli, Command};
use crate::commands::{self, unheard};
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;
use crate::interrupt::Interrupt;
use crate::once;
use crate::output::Output;

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(100);

/// To the upper left, and away with what was there.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J\u{1b}[3J";

/// Does `command` until somebody has seen enough.
pub(crate) async fn run(every: Duration, command: Command, context: &Context) -> Result<ExitCode, CliError> {
    if !commands::only_looks(&command) {
        return Err(CliError::new(ErrorCode::Invalid, "--watch: this command does more than look")
            .with_help("watch what comes of it: `windlass jobs --watch`, or `windlass top`"));
    }
    let interrupt = Interrupt::listen().map_err(unheard)?;
    let (mut command, every) = (command, every.max(SHORTEST));
    let mut looks = tokio::time::interval(every);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first is now.
    looks.tick().await;
    loop {
        if context.clears() {
            let words: Vec<String> = std::env::args().skip(1).collect();
            let every = windlass_core::span::format(every);
            context
                .print(&Output::text(format!("{CLEAR}every {every}: windlass {}\n\n", words.join(" "))))?;
        }
        once(command, context).await?;
        tokio::select! {
            () = interrupt.asked() => return Ok(ExitCode::Done),
            _ = looks.tick() => {}
        }
        // Commands are used up by being done; the words are still there.
        command = Cli::parse().command;
    }
}
