//! What the benchmarks do in a process of its own.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Subcommand;
use windlass::Windlass;

use super::ours::{Noop, count_of, noop};

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
            Part::Enqueue { path } => enqueue(path).await,
            Part::Work { path, count } => println!("{}", work(path, *count).await),
            Part::Idle { path, seconds } => println!("{}", idle(path, *seconds).await),
        }
    });
}

async fn open(path: &Path) -> Windlass {
    Windlass::open(path).await.expect("the file opens")
}

async fn enqueue(path: &Path) {
    let windlass = open(path).await;
    for _ in std::io::stdin().lock().lines() {
        windlass.enqueue(Noop { to: nanos().to_string(), n: 1 }).await.expect("enqueued");
    }
}

async fn work(path: &Path, count: u64) -> u64 {
    let windlass = open(path).await;
    let worker = windlass.worker().queue("default", 100).handle(noop).build().expect("a worker").start();
    count_of(&windlass, &worker, count).await;
    worker.stop().await;
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    peak.trim().trim_end_matches(" kB").parse().expect("a number")
}

async fn idle(path: &Path, seconds: u64) -> u64 {
    let windlass = open(path).await;
    let worker = windlass.worker().queue("default", 100).handle(noop).build().expect("a worker").start();
    let until = tokio::time::Instant::now() + Duration::from_secs(seconds);
    tokio::time::sleep_until(until).await;
    worker.stop().await;
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<u64>().expect("ticks");
    (ticks(11) + ticks(12)) * 10
}

/// Nanoseconds since 1970, by the machine's clock: the same in every process.
#[expect(clippy::disallowed_methods, reason = "two processes are compared, and nothing is decided by it")]
pub(super) fn nanos() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos()
}

/// Runs a part to its end and reads the one number it prints.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
pub(super) fn number(arguments: &[&str]) -> f64 {
    let output = command(arguments).output().expect("this program can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse::<u64>().expect("a number") as f64
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(arguments);
    command
}

/// A process that enqueues when it is told to.
pub(super) struct Enqueuer {
    child: Child,
    stdin: ChildStdin,
    _stdout: ChildStdout,
}

impl Enqueuer {
    pub(super) fn start(path: &Path) -> Self {
        let mut command = command(&["sqlite-enqueue", &path.display().to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Self { child, stdin, _stdout: stdout }
    }

    pub(super) fn enqueue(&mut self) {
        self.stdin.write_all(b"\n").expect("it listens");
    }
}

impl Drop for Enqueuer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
