//! What the benchmarks do in a process of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use windlass::Windlass;

use crate::noop;
use crate::process::enqueue_when_told;

/// The parts, named on the command line of this very program.
#[derive(Subcommand)]
pub(crate) enum Part {
    /// Enqueues a job for each line it reads.
    #[command(name = "sqlite-enqueue", hide = true)]
    Enqueue {
        /// The file.
        path: PathBuf,
    },
    /// Works off this many jobs, and says how much memory that took at most, in KiB.
    #[command(name = "sqlite-work", hide = true)]
    Work {
        /// The file.
        path: PathBuf,
        /// How many.
        count: u64,
    },
    /// Idles for this many seconds, and says how many milliseconds of processor time that took.
    #[command(name = "sqlite-idle", hide = true)]
    Idle {
        /// The file.
        path: PathBuf,
        /// How long.
        seconds: u64,
    },
}

/// Does a part.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn run(part: &Part) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        match part {
            Part::Enqueue { path } => enqueue_when_told(&open(path).await).await,
            Part::Work { path, count } => println!("{}", work(path, *count).await),
            Part::Idle { path, seconds } => println!("{}", idle(path, *seconds).await),
        }
    });
}

async fn open(path: &Path) -> Windlass {
    Windlass::open(path).await.expect("the file opens")
}

async fn work(path: &Path, count: u64) -> u64 {
    let windlass = open(path).await;
    let worker = noop::start(&windlass, 100);
    noop::count_of(&windlass, &worker, count).await;
    worker.stop().await;
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    peak.trim().trim_end_matches(" kB").parse().expect("a number")
}

async fn idle(path: &Path, seconds: u64) -> u64 {
    let windlass = open(path).await;
    let worker = noop::start(&windlass, 100);
    let until = tokio::time::Instant::now() + Duration::from_secs(seconds);
    tokio::time::sleep_until(until).await;
    worker.stop().await;
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<u64>().expect("ticks");
    (ticks(11) + ticks(12)) * 10
}
