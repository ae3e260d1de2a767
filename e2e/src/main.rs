//! The black-box tests as a program, at any size; and the worker process that they start.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program talks to the person who started it"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use windlass_e2e::process::this_program;
use windlass_e2e::{Failure, kill, pair, recovery, worker, zombie};
use windlass_store::ids;

#[derive(Parser)]
#[command(
    name = "windlass-e2e",
    about = "Kill, stop and pair real worker processes, and judge what came of it"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Choose the same random moments again
    #[arg(long, global = true)]
    seed: Option<u64>,
}

#[derive(Subcommand)]
enum Command {
    /// Kill workers at random moments
    Kill(kill::Plan),
    /// Stop workers past their lease, and let them go on
    Zombie(zombie::Plan),
    /// Let two processes share one file
    Pair(pair::Plan),
    /// Kill a worker at work, and take the time until another has its job
    Recovery(recovery::Plan),
    /// Be a worker; started by the others
    #[command(hide = true)]
    Worker(worker::Arguments),
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let program = this_program()?;
    let seed = arguments.seed.unwrap_or_else(ids::nonce);
    match arguments.command {
        Command::Kill(plan) => println!("{}\nseed {seed}", kill::scenario(&program, plan, seed).await?),
        Command::Zombie(plan) => println!("{}", zombie::scenario(&program, plan).await?),
        Command::Pair(plan) => println!("{}", pair::scenario(&program, plan).await?),
        Command::Recovery(plan) => println!("{}", recovery::scenario(&program, plan).await?),
        Command::Worker(arguments) => worker::run(arguments).await?,
    }
    Ok(())
}
