//! A store by HTTP, beside the same store in the process that asks: what a door costs.

pub(crate) mod child;
mod connection;

use std::time::Instant;

use clap::Args;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use windlass_core::limits::LEASE_DEFAULT;
use windlass_core::{Args as JobArgs, NewJob};
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::{JobStore, LeaseTerm, ids};

use crate::figures::{Figure, Wanted, alternate, median, per_second, quantile, report, timed};
use crate::{sqlite, turns};
use child::Served;
use connection::Connection;

/// How much to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Runs of each figure; medians are reported.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Jobs that are claimed and settled.
    #[arg(long, default_value_t = 50_000)]
    jobs: usize,
    /// Jobs that are enqueued one after the other.
    #[arg(long, default_value_t = 2_000)]
    singly: usize,
}

/// Jobs of one claim.
const BATCH: usize = 1_000;

/// Measures, and prints the report.
pub(crate) fn run(options: &Options) {
    let by_worker = "claim and settle by HTTP, jobs/s";
    let by_name = "the same by a name alone, each job with a lease of its own";
    report(&[
        turned(options, by_worker, LeaseTerm::Process),
        turned(options, by_name, LeaseTerm::Own(LEASE_DEFAULT)),
        enqueued(options),
    ]);
}

fn turned(options: &Options, name: &'static str, lease: LeaseTerm) -> Figure {
    let count = options.jobs;
    let batch = u32::try_from(BATCH).expect("a small number");
    let (ours, against) =
        alternate(options.runs, || turns_by_http(lease, count), || sqlite::turns(lease, count, batch));
    Figure { name, ours, against, beside: "turns in the process", wanted: Wanted::AtLeast(0.5) }
}

/// How much longer one enqueue takes, in milliseconds, at the median.
fn enqueued(options: &Options) -> Figure {
    let count = options.singly;
    let differences = (0..options.runs).map(|_| enqueue_by_http(count) - enqueue_in_process(count)).collect();
    Figure {
        name: "enqueue by HTTP, ms more at the median",
        ours: median(differences),
        against: 0.0,
        beside: "",
        wanted: Wanted::AtMost(1.0),
    }
}

/// Claims and settles as one caller of a server that is a process of its own; jobs a second.
fn turns_by_http(lease: LeaseTerm, count: usize) -> f64 {
    let served = Served::start();
    let mut caller = served.connect();
    let jobs = vec![format!("{{\"kind\":\"{}\"}}", turns::kind()); BATCH].join(",");
    for _ in 0..count.div_ceil(BATCH) {
        caller.ask("POST /api/v1/jobs/batch", &format!("{{\"jobs\":[{jobs}]}}"));
    }
    let claim = claim(lease, &mut caller);
    let (mut settled, mut settlements) = (0, String::new());
    let ((), elapsed) = timed(|| {
        while settled < count {
            let answer = caller
                .ask("POST /api/v1/turns", &format!(r#"{{"settlements":[{settlements}],"claim":{claim}}}"#));
            settled += answer.matches(r#""state":"completed""#).count();
            settlements = succeeded(&answer);
        }
    });
    per_second(settled, elapsed)
}

/// What a caller claims with: as a worker that it registers, whose sign of life is for all it holds, or by a name.
fn claim(lease: LeaseTerm, caller: &mut Connection) -> String {
    let worker = match lease {
        LeaseTerm::Own(_) => r#""bench""#.to_owned(),
        LeaseTerm::Process => {
            let id = ids::worker_id();
            let worker =
                format!(r#"{{"id":"{id}","name":"bench","host":"here","version":"1","queues":["default"]}}"#);
            caller.ask("POST /api/v1/workers", &worker);
            format!(r#""{id}","lease":"process""#)
        }
    };
    format!(r#"{{"worker":{worker},"queues":["default"],"limit":{BATCH}}}"#)
}

/// The settlements of all leases of an answer: each stands behind `"token":"`.
fn succeeded(answer: &str) -> String {
    let tokens = answer.split("\"token\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let each = tokens.map(|token| format!(r#"{{"token":"{token}","outcome":"succeeded"}}"#));
    each.collect::<Vec<_>>().join(",")
}

fn enqueue_by_http(count: usize) -> f64 {
    let served = Served::start();
    let mut caller = served.connect();
    let body = format!(r#"{{"kind":"{}","args":{{"to":"ada@example.org","n":1}}}}"#, turns::kind());
    let mut waits = waits(count, || drop(caller.ask("POST /api/v1/jobs", &body)));
    quantile(&mut waits, 0.5)
}

fn enqueue_in_process(count: usize) -> f64 {
    let (runtime, store, _folder) = fresh();
    let mut waits = waits(count, || {
        let args = JobArgs::json(r#"{"to":"ada@example.org","n":1}"#).expect("good args");
        let mut job = NewJob::new(ids::job_id(), turns::kind(), args);
        job.drawn = true;
        let _ = runtime.block_on(store.enqueue(vec![job])).expect("enqueued");
    });
    quantile(&mut waits, 0.5)
}

/// How long each of so many calls took, in milliseconds.
fn waits(count: usize, mut call: impl FnMut()) -> Vec<f64> {
    let one = |_| {
        let begun = Instant::now();
        call();
        begun.elapsed().as_secs_f64() * 1e3
    };
    (0..count).map(one).collect()
}

fn fresh() -> (Runtime, SqliteStore, TempDir) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder for the file");
    let store = runtime.block_on(SqliteOptions::new(folder.path().join("ours.db")).open());
    (runtime, store.expect("a fresh store"), folder)
}
