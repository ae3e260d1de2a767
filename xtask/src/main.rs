//! What the repository does to itself: the gate, the benchmarks, the long runs and the tidy checks.
//!
//! `cargo xtask ci` is what CI runs, and nothing else. A green run at home is a green run there.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program talks to the person who started it"
)]

mod clients;
mod commands;
mod fuzz;
mod python;
mod repo;
mod server;
mod steps;
mod system;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Work on the Windlass repository", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gate: everything a change has to pass, in order, until something fails
    Ci,
    /// Run the tests and the doctests; arguments select tests by name
    Test {
        /// Passed on to the test runner
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Run a benchmark, or list them when none is named
    Bench {
        /// Passed on to the benchmarks
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Run the black-box tests at full size: thousands of jobs, hundreds of kills
    Long,
    /// Run the tidy checks alone and list what they find
    Tidy {
        /// Lower the recorded sizes of files that became shorter
        #[arg(long)]
        fix: bool,
    },
    /// Ask a server for everything that the document of the API allows, and for what it does not
    Fuzz {
        /// Passed on to schemathesis
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Format the code
    Fmt,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Ci => commands::ci(),
        Command::Test { rest } => commands::test(&rest),
        Command::Bench { rest } => commands::bench(&rest),
        Command::Long => commands::long(),
        Command::Tidy { fix } => tidy::command(fix),
        Command::Fuzz { rest } => fuzz::run(&rest),
        Command::Fmt => commands::fmt(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
