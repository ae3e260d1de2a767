//! What Windlass costs, beside raw SQL and beside its peers, in the same run.
//!
//! Every figure is a ratio of two things measured alternately in one process, so that a slow machine slows both.

mod figures;
mod sqlite;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "What Windlass costs, beside raw SQL and beside its peers, in the same run")]
struct Args {
    #[command(subcommand)]
    suite: Suite,
}

#[derive(Subcommand)]
enum Suite {
    /// The embedded store, beside raw rusqlite.
    Sqlite(sqlite::Options),
    #[command(flatten)]
    Part(sqlite::child::Part),
}

fn main() {
    match Args::parse().suite {
        Suite::Sqlite(options) => sqlite::run(&options),
        Suite::Part(part) => sqlite::child::run(&part),
    }
}
