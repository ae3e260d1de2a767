//! What the runtime costs per job: drains jobs that do nothing, with default settings, from a store that is nothing
//! but its own cost.
//!
//! `cargo run --release -p windlass-runtime --example noop_drain -- [jobs] [slots] [ns per job] [us per commit]`
//!
//! Wall time per job is what matters beside a store that is busy on another core; processor time per job, less what the
//! stub was told to spend, is what the runtime costs.

mod stub;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use stub::{Cost, StubStore};
use windlass_runtime::{Job, Worker};

#[derive(Serialize, Deserialize)]
struct Noop {
    number: u64,
    yields: u32,
}

impl Job for Noop {
    const KIND: &'static str = "noop";
    type Output = ();
}

async fn noop(job: Noop) {
    for _ in 0..job.yields {
        tokio::task::yield_now().await;
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "this is what it is for")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u32>());
    let mut number = |default| numbers.next().transpose().map(|given| given.unwrap_or(default));
    let (jobs, slots) = (number(1_000_000)?, number(100)?);
    let cost = Cost {
        job: Duration::from_nanos(number(0)?.into()),
        commit: Duration::from_micros(number(0)?.into()),
    };
    let store = Arc::new(StubStore::start(jobs.into(), cost));

    let (begun, spent_before) = (Instant::now(), processor_time());
    let worker = Worker::builder(store).queue("default", slots).handle(noop).build()?.start();
    while worker.snapshot().settled < u64::from(jobs) {
        tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(1)).await;
    }
    let (each, spent) = (begun.elapsed() / jobs, processor_time().saturating_sub(spent_before) / jobs);
    let turns = worker.snapshot().turns;
    println!("{jobs} jobs, {slots} slots: {each:?} and {spent:?} of processor per job, {turns} turns");
    worker.stop().await;
    Ok(())
}

/// What the process has spent so far; to the hundredth of a second.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(") ").next().into_iter().flat_map(|rest| rest.split(' ').skip(11).take(2));
    Duration::from_millis(10) * ticks.filter_map(|tick| tick.parse::<u32>().ok()).sum()
}
