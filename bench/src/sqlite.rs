//! The embedded store, beside raw rusqlite: WAL, `synchronous=FULL`, one file on the same disk.

pub(crate) mod child;
mod ours;
mod pickup;
mod raw;

use std::process::{Command, Stdio};

use clap::Args;
use windlass_store::LeaseTerm;

use crate::figures::{Figure, Wanted, alternate, median, report};
use crate::process;
use crate::{features, large_flow};

/// How much to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Runs of each figure; medians are reported.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Jobs of the large figures.
    #[arg(long, default_value_t = 100_000)]
    jobs: usize,
    /// Measures other queues too. They are compiled for it, which takes minutes.
    #[arg(long)]
    peers: bool,
    /// Only figures whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// Claims and settles without running anything, in this process; jobs a second.
pub(crate) fn turns(lease: LeaseTerm, count: usize, batch: u32) -> f64 {
    ours::turns(lease, count, batch)
}

/// Measures, and prints the report.
pub(crate) fn run(options: &Options) {
    let figures: Vec<Figure> =
        [single, bulk, cycle, drain, featured, large_flows, peers, pickup, millions, thrift]
            .into_iter()
            .flat_map(|measure| measure(options))
            .collect();
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
    let threaded = median((0..options.runs).map(|_| raw::insert_on_a_thread(count)).collect());
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
        figure("the same, jobs/s", one, threaded, "raw insert on a thread", 0.9),
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
        || turns(LeaseTerm::Process, options.jobs, 1_000),
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
    let (ours, raw) = alternate(
        options.runs,
        || ours::drain(options.jobs, 100),
        || raw::claim_and_move(options.jobs, 1_000),
    );
    vec![Figure {
        name: "drain at 100 slots, jobs/s",
        ours,
        against: raw,
        beside: "raw claim+move at 1,000",
        wanted: Wanted::AtLeast(0.4),
    }]
}

fn featured(options: &Options) -> Vec<Figure> {
    let wants = |name: &str| wanted(options, name);
    let passed = features::figures(options.runs, wants, |feature| ours::pass(options.jobs, feature));
    let beside = |block| ours::turn_over_beside(options.jobs, block);
    passed.into_iter().chain(features::blocked(options.runs, wants, beside)).collect()
}

fn large_flows(options: &Options) -> Vec<Figure> {
    large_flow::figures(options.runs, |name| wanted(options, name), ours::large_flow)
}

/// Jobs that a peer is given: it is slow enough that more would not tell more.
const PEER_JOBS: usize = 5_000;

fn peers(options: &Options) -> Vec<Figure> {
    if !options.peers || !wanted(options, "drain beside apalis-sqlite") {
        return Vec::new();
    }
    let (ours, theirs) =
        alternate(options.runs, || ours::drain(options.jobs, 100), || peer("apalis-sqlite", PEER_JOBS));
    vec![Figure {
        name: "drain beside apalis-sqlite, jobs/s",
        ours,
        against: theirs,
        beside: "apalis-sqlite, FULL",
        wanted: Wanted::AtLeast(3.0),
    }]
}

/// What a peer makes of `count` jobs, in a process of its own.
fn peer(name: &str, count: usize) -> f64 {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
    let output = Command::new("cargo")
        .current_dir(folder)
        .args([
            "run",
            "--release",
            "--quiet",
            "--target-dir",
            "../../target/peers",
            "--",
            name,
            &count.to_string(),
        ])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "the peer {name} failed");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

fn pickup(options: &Options) -> Vec<Figure> {
    if !wanted(options, "pickup at idle") {
        return Vec::new();
    }
    let (here, there) = (pickup::within_one_process(500), pickup::across_processes(200));
    let figure =
        |name, ours, most| Figure { name, ours, against: 0.0, beside: "", wanted: Wanted::AtMost(most) };
    vec![
        figure("pickup at idle, one process, p50 ms", here.median, 1.5),
        figure("pickup at idle, one process, p99 ms", here.p99, 6.0),
        figure("pickup at idle, across processes, p50 ms", there.median, 60.0),
        figure("pickup at idle, across processes, p99 ms", there.p99, 60.0),
    ]
}

fn millions(options: &Options) -> Vec<Figure> {
    const MILLION: usize = 1_000_000;
    if !wanted(options, "turns beside 1 M ready and 1 M finished") {
        return Vec::new();
    }
    let runs = options.runs.min(3);
    let (beside, alone) = alternate(
        runs,
        || ours::turns_beside_millions(options.jobs, MILLION),
        || turns(LeaseTerm::Process, options.jobs, 1_000),
    );
    vec![Figure {
        name: "turns beside 1 M ready and 1 M finished",
        ours: beside,
        against: alone,
        beside: "the same alone",
        wanted: Wanted::AtLeast(0.9),
    }]
}

fn thrift(options: &Options) -> Vec<Figure> {
    const MILLION: usize = 1_000_000;
    if !wanted(options, "thrift: peak memory, idle") {
        return Vec::new();
    }
    let fixture = ours::Fixture::new();
    let path = fixture.path().display().to_string();
    let idle = process::number(&["sqlite-idle", &path, "20"]);
    fixture.fill(MILLION);
    let peak = process::number(&["sqlite-work", &path, &(MILLION / 4).to_string()]) / 1024.0;
    let figure =
        |name, ours, most| Figure { name, ours, against: 0.0, beside: "", wanted: Wanted::AtMost(most) };
    vec![
        figure("processor time of 20 s idle, ms", idle, 200.0),
        figure("peak memory over 1 M waiting jobs, MiB", peak, 64.0),
    ]
}
