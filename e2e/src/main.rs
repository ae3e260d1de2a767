//! The black-box tests as a program, at any size; and the worker process that they start.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program talks to the person who started it"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use windlass_e2e::address::Engine;
use windlass_e2e::process::this_program;
use windlass_e2e::{
    Failure, block, crash, cut, evict, fire, gates, kill, orphan, overload, pair, partition, pause, producer,
    recovery, review, stall, worker, zombie,
};
use windlass_store::ids;

#[derive(Parser)]
#[command(
    name = "windlass-e2e",
    about = "Kill, stop, cut off and pair real worker processes, and judge what came of it"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Choose the same random moments again
    #[arg(long, global = true)]
    seed: Option<u64>,
    /// The store of those that run on either
    #[arg(long, global = true, default_value = "sqlite")]
    engine: Engine,
}

#[derive(Subcommand)]
enum Command {
    /// Kill workers at random moments
    Kill(kill::Plan),
    /// Stop workers past their lease, and let them go on
    Zombie(zombie::Plan),
    /// Kill leaders while a schedule of every second fires
    Fire(fire::Plan),
    /// Kill workers and producers while jobs share locks, limits, rates, order keys and unique keys
    Gates(gates::Plan),
    /// Kill workers while they carry out what a person decided
    Review(review::Plan),
    /// Let two processes share one store
    Pair(pair::Plan),
    /// Kill a worker at work, and take the time until another has its job
    Recovery(recovery::Plan),
    /// Let workers stand still past their lease under load
    Pause(pause::Plan),
    /// Keep every thread of a worker busy for longer than its lease
    Block,
    /// Kill the server under load
    Crash(crash::Plan),
    /// See to it that a server that does not flush is found to lose jobs
    Control,
    /// Cut connections around the message that commits
    Cut(cut::Plan),
    /// Let the server end connections, and a crowd share one
    Evict(evict::Plan),
    /// Cut the link of one of two hosts, and mend it
    Partition(partition::Plan),
    /// Let all connections of a worker fall silent
    Stall,
    /// Let claims reach the server after their worker has asked what it holds
    Orphan,
    /// Ask more of `windlass serve` than it can do, and let many wait for work
    Overload(overload::Plan),
    /// Be a worker; started by the others
    #[command(hide = true)]
    Worker(worker::Arguments),
    /// Be a producer; started by the others
    #[command(hide = true)]
    Producer(producer::Arguments),
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
    let engine = arguments.engine;
    match arguments.command {
        Command::Kill(plan) => {
            println!("{}\nseed {seed}", kill::scenario(&program, engine, plan, seed).await?);
        }
        Command::Zombie(plan) => println!("{}", zombie::scenario(&program, engine, plan).await?),
        Command::Fire(plan) => {
            println!("{}\nseed {seed}", fire::scenario(&program, engine, plan, seed).await?);
        }
        Command::Gates(plan) => {
            println!("{}\nseed {seed}", gates::scenario(&program, engine, plan, seed).await?);
        }
        Command::Review(plan) => {
            println!("{}\nseed {seed}", review::scenario(&program, engine, plan, seed).await?);
        }
        Command::Pair(plan) => println!("{}", pair::scenario(&program, engine, plan).await?),
        Command::Recovery(plan) => println!("{}", recovery::scenario(&program, engine, plan).await?),
        Command::Pause(plan) => println!("{}", pause::scenario(&program, engine, plan).await?),
        Command::Block => println!("{}", block::scenario(&program, engine).await?),
        Command::Crash(plan) => println!("{}", crash::scenario(&program, plan).await?),
        Command::Control => {
            let (lost, acknowledged) = crash::control_scenario(&program).await?;
            println!(
                "a server that does not flush lost {lost} of {acknowledged} acknowledged jobs, and it was seen"
            );
        }
        Command::Cut(plan) => println!("{}", cut::scenario(&program, plan).await?),
        Command::Evict(plan) => println!("{}", evict::scenario(&program, plan).await?),
        Command::Partition(plan) => println!("{}", partition::scenario(&program, plan).await?),
        Command::Stall => println!("{}", stall::scenario(&program).await?),
        Command::Orphan => println!("{}", orphan::scenario(&program).await?),
        Command::Overload(plan) => println!("{}", overload::scenario(&program, plan).await?),
        Command::Worker(arguments) => worker::run(arguments).await?,
        Command::Producer(arguments) => producer::run(arguments).await?,
    }
    Ok(())
}
