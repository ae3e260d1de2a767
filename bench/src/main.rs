//! What Windlass costs, beside raw SQL and beside its peers, in the same run.
//!
//! Every figure is a ratio of two things measured alternately in one process, so that a slow machine slows both.

mod features;
mod figures;
mod http;
mod large_flow;
mod noop;
mod pickup;
mod postgres;
mod process;
mod sqlite;
mod turns;

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
    /// The store in a PostgreSQL database, beside raw SQL.
    Postgres(postgres::Options),
    /// A store by HTTP, beside the same store in the process that asks.
    Http(http::Options),
    #[command(flatten)]
    HttpPart(http::child::Part),
    #[command(flatten)]
    SqlitePart(sqlite::child::Part),
    #[command(flatten)]
    PostgresPart(postgres::child::Part),
}

fn main() {
    match Args::parse().suite {
        Suite::Sqlite(options) => sqlite::run(&options),
        Suite::Postgres(options) => postgres::run(&options),
        Suite::Http(options) => http::run(&options),
        Suite::HttpPart(part) => http::child::run(&part),
        Suite::SqlitePart(part) => sqlite::child::run(&part),
        Suite::PostgresPart(part) => postgres::child::run(&part),
    }
}
