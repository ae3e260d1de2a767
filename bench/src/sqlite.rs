//! The embedded store, beside raw rusqlite: WAL, `synchronous=FULL`, one file on the same disk.

mod ours;
mod raw;

use clap::Args;

use crate::figures::{Figure, Wanted, alternate, report};

/// How much to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Runs of each figure; medians are reported.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Jobs of the large figures.
    #[arg(long, default_value_t = 100_000)]
    jobs: usize,
    /// Only figures whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// Measures, and prints the report.
pub(crate) fn run(options: &Options) {
    let figures: Vec<Figure> =
        [single, bulk, cycle, drain].into_iter().flat_map(|measure| measure(options)).collect();
    report(&figures);
}

fn wanted(options: &Options, name: &str) -> bool {
    name.contains(&options.only)
}

fn single(options: &Options) -> Vec<Figure> {
    if !wanted(options, "enqueue one at a time") {
        return Vec::new();
    }
    let count = 3_000;
    let (one, raw) =
        alternate(options.runs, || ours::enqueue_concurrently(1, count), || raw::insert_singly(count));
    let (crowd_32, _) = alternate(options.runs, || ours::enqueue_concurrently(32, count * 8), || 1.0);
    let (crowd_256, _) = alternate(options.runs, || ours::enqueue_concurrently(256, count * 20), || 1.0);
    let figure = |name, ours, against, beside, least| Figure {
        name,
        ours,
        against,
        beside,
        wanted: Wanted::AtLeast(least),
    };
    vec![
        figure("enqueue one at a time, jobs/s", one, raw, "raw insert commits/s", 0.8),
        figure("enqueue by 32 callers, jobs/s", crowd_32, one, "one caller", 8.0),
        figure("enqueue by 256 callers, jobs/s", crowd_256, one, "one caller", 16.0),
    ]
}

fn bulk(options: &Options) -> Vec<Figure> {
    if !wanted(options, "enqueue in bulk") {
        return Vec::new();
    }
    let (ours, raw) = alternate(
        options.runs,
        || ours::enqueue_in_bulk(options.jobs),
        || raw::insert_in_batches(options.jobs),
    );
    vec![Figure {
        name: "enqueue in bulk, jobs/s",
        ours,
        against: raw,
        beside: "raw batched insert",
        wanted: Wanted::AtLeast(0.4),
    }]
}

fn cycle(options: &Options) -> Vec<Figure> {
    if !wanted(options, "turns") {
        return Vec::new();
    }
    let (ours, raw) = alternate(
        options.runs,
        || ours::turns(options.jobs, 1_000),
        || raw::claim_and_move(options.jobs, 1_000),
    );
    vec![Figure {
        name: "turns of the store, jobs/s",
        ours,
        against: raw,
        beside: "raw claim+move at 1,000",
        wanted: Wanted::AtLeast(0.4),
    }]
}

fn drain(options: &Options) -> Vec<Figure> {
    if !wanted(options, "drain") {
        return Vec::new();
    }
    let (ours, raw) =
        alternate(options.runs, || ours::drain(options.jobs, 100), || raw::claim_and_move(options.jobs, 1_000));
    vec![Figure {
        name: "drain at 100 slots, jobs/s",
        ours,
        against: raw,
        beside: "raw claim+move at 1,000",
        wanted: Wanted::AtLeast(0.4),
    }]
}
