//! The same work through the port of the store.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use windlass::Windlass;
use windlass_core::{Args, NewJob};
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::{JobStore, LeaseTerm, SharedStore, ids};

use crate::features::{self, Block, Feature, Passed};
use crate::figures::{per_second, timed};
use crate::large_flow::{self, Flowed};
use crate::noop;
use crate::turns;

/// A store on a fresh file, with the runtime it is used from.
pub(super) struct Fixture {
    pub(super) runtime: Runtime,
    pub(super) store: Arc<SqliteStore>,
    folder: TempDir,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder for the file");
        let options = SqliteOptions::new(folder.path().join("ours.db"));
        let store = runtime.block_on(options.open()).expect("a fresh store");
        Self { runtime, store: Arc::new(store), folder }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("ours.db")
    }

    pub(super) fn windlass(&self) -> Windlass {
        Windlass::with_store(self.store.clone())
    }

    pub(super) fn fill(&self, count: usize) {
        let mut left = count;
        while left > 0 {
            let batch = left.min(1_000);
            let jobs = (0..batch).map(|_| job()).collect();
            self.runtime.block_on(self.store.enqueue(jobs)).expect("enqueued");
            left -= batch;
        }
    }

    /// Leaves the file as it is some time after it was filled: with an empty log.
    fn rest(&self) {
        let connection = rusqlite::Connection::open(self.path()).expect("the file");
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        connection.query_row(checkpoint, [], |_| Ok(())).expect("a checkpoint");
    }

    fn shared(&self) -> SharedStore {
        self.store.clone()
    }

    /// Works off `count` jobs that are there; jobs a second, from the worker's start to the last settle.
    fn work_off(&self, count: usize, slots: u32) -> f64 {
        let ((), elapsed) = timed(|| {
            self.runtime.block_on(async {
                let windlass = self.windlass();
                let worker = noop::start(&windlass, slots);
                noop::count_of(&windlass, &worker, count as u64).await;
                worker.stop().await;
            });
        });
        per_second(count, elapsed)
    }

    /// Claims and settles `count` jobs or a few more; how many it were.
    fn turn_over(&self, count: usize, batch: u32) -> usize {
        self.turn_over_with(LeaseTerm::Process, count, batch)
    }

    fn turn_over_with(&self, lease: LeaseTerm, count: usize, batch: u32) -> usize {
        let store = self.store.clone();
        self.runtime.block_on(turns::turn_over_with(lease, store, count, batch)).settled
    }

    /// `producers` tasks that each enqueue one batch after the other, `count` jobs in all; jobs a second.
    fn produce(&self, producers: usize, count: usize, batch: usize) -> f64 {
        let rounds = count / producers / batch;
        let ((), elapsed) = timed(|| {
            self.runtime.block_on(async {
                let mut tasks = JoinSet::new();
                for _ in 0..producers {
                    let store = Arc::clone(&self.store);
                    tasks.spawn(async move {
                        for _ in 0..rounds {
                            let _ =
                                store.enqueue((0..batch).map(|_| job()).collect()).await.expect("enqueued");
                        }
                    });
                }
                while let Some(ended) = tasks.join_next().await {
                    ended.expect("a producer that ends well");
                }
            });
        });
        per_second(rounds * producers * batch, elapsed)
    }
}

fn job() -> NewJob {
    let args = Args::json(r#"{"to":"ada@example.org","n":1}"#).expect("good args");
    NewJob::new(ids::job_id(), turns::kind(), args)
}

/// `callers` tasks that each enqueue one job after the other; jobs a second.
pub(super) fn enqueue_concurrently(callers: usize, count: usize) -> f64 {
    let fixture = Fixture::new();
    fixture.produce(callers, count, 1)
}

/// Two producers, each with batches of a thousand; jobs a second.
pub(super) fn enqueue_in_bulk(count: usize) -> f64 {
    Fixture::new().produce(2, count, 1_000)
}

/// Turns that settle a batch and claim the next, without running anything; jobs a second.
pub(super) fn turns(lease: LeaseTerm, count: usize, batch: u32) -> f64 {
    let fixture = Fixture::new();
    fixture.fill(count);
    let (settled, elapsed) = timed(|| fixture.turn_over_with(lease, count, batch));
    assert_eq!(settled, count, "every job was settled");
    per_second(count, elapsed)
}

/// Works off `count` jobs through the public API with default settings; jobs a second, from the worker's start to the
/// last settle.
pub(super) fn drain(count: usize, slots: u32) -> f64 {
    let fixture = Fixture::new();
    fixture.fill(count);
    fixture.work_off(count, slots)
}

/// Enqueues jobs that all use a feature, and then works them off.
pub(super) fn pass(count: usize, feature: Feature) -> Passed {
    let fixture = Fixture::new();
    let (jobs, store) = (feature.jobs(count), fixture.shared());
    let ((), elapsed) = timed(|| fixture.runtime.block_on(features::enqueue(&store, jobs)));
    fixture.rest();
    Passed { enqueued: per_second(count, elapsed), drained: fixture.work_off(count, 100) }
}

/// Passes a flow of so many levels through a fresh file.
pub(super) fn large_flow(levels: usize) -> Flowed {
    let fixture = Fixture::new();
    fixture.runtime.block_on(large_flow::pass(fixture.shared(), levels))
}

/// Turns over `count` jobs, beside those that cannot run if there are any; jobs a second.
pub(super) fn turn_over_beside(count: usize, block: Option<Block>) -> f64 {
    let fixture = Fixture::new();
    if let Some(block) = block {
        fixture.runtime.block_on(block.fill(&fixture.shared()));
    }
    fixture.fill(count);
    let (settled, elapsed) = timed(|| fixture.turn_over(count, 1_000));
    per_second(settled, elapsed)
}

/// Turns over `count` jobs of a store that holds a million more, and a million finished ones; jobs a second.
pub(super) fn turns_beside_millions(count: usize, others: usize) -> f64 {
    let fixture = Fixture::new();
    fixture.fill(others);
    fixture.turn_over(others, 10_000);
    fixture.fill(others + count);
    let (settled, elapsed) = timed(|| fixture.turn_over(count, 1_000));
    per_second(settled, elapsed)
}
