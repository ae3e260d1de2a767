//! The same work through the public API of the library, with default settings.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use windlass::Windlass;
use windlass::worker::RunningWorker;
use windlass_postgres::PostgresOptions;
use windlass_store::SharedStore;

use super::raw::cycle::Drained;
use super::server::{Database, Server, runtime};
use crate::features::{self, Block, Feature, Passed};
use crate::figures::{per_second, timed};
use crate::large_flow::{self, Flowed};
use crate::noop::{self, Noop};
use crate::turns::turn_over;

/// Jobs of one batch that is enqueued.
const BATCH: usize = 1_000;

/// Jobs of one turn where nothing is run.
const TURN: u32 = 500;

/// The store in the database at `url`, as a program would open it.
pub(super) async fn open(url: &str) -> SharedStore {
    Arc::new(PostgresOptions::new(url).open().await.expect("a store"))
}

/// A store in an empty database, with the runtime it is used from.
pub(super) struct Fixture<'a> {
    pub(super) windlass: Windlass,
    /// Dropped after what runs on it; with it go the connections.
    pub(super) runtime: Runtime,
    pub(super) database: Database<'a>,
}

impl<'a> Fixture<'a> {
    pub(super) fn new(server: &'a Server) -> Self {
        Self::on(server.fresh())
    }

    pub(super) fn on(database: Database<'a>) -> Self {
        let runtime = runtime();
        let store = runtime.block_on(open(database.url()));
        Self { windlass: Windlass::with_store(store), runtime, database }
    }

    /// The same database, after all connections to it have ended and nothing remembers anything.
    pub(super) fn closed(self) -> Database<'a> {
        let Self { windlass, runtime, database } = self;
        drop((windlass, runtime));
        database
    }

    pub(super) fn fill(&self, count: usize) {
        self.runtime.block_on(produce(self.windlass.clone(), count));
    }

    pub(super) fn start(&self, slots: u32) -> RunningWorker {
        self.runtime.block_on(async { noop::start(&self.windlass, slots) })
    }

    /// Works off `count` jobs that are there; jobs a second, from the worker's start to the last settle.
    pub(super) fn work_off(&self, count: usize, slots: u32) -> f64 {
        let begun = Instant::now();
        let worker = self.start(slots);
        self.runtime.block_on(noop::count_of(&self.windlass, &worker, count as u64));
        let rate = per_second(count, begun.elapsed());
        self.runtime.block_on(worker.stop());
        rate
    }

    /// `callers` tasks that enqueue `count` jobs in all; jobs a second.
    fn call<F>(&self, callers: usize, count: usize, enqueue: impl Fn(Windlass, usize) -> F) -> f64
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let each = count / callers;
        let ((), elapsed) = timed(|| {
            self.runtime.block_on(async {
                let calls = (0..callers).map(|_| enqueue(self.windlass.clone(), each));
                calls.collect::<JoinSet<()>>().join_all().await;
            });
        });
        per_second(each * callers, elapsed)
    }
}

/// Enqueues `count` jobs, a batch after the other.
async fn produce(windlass: Windlass, count: usize) {
    for start in (0..count).step_by(BATCH) {
        let jobs = (start..(start + BATCH).min(count)).map(|_| job());
        let _ = windlass.enqueue_many(jobs).await.expect("enqueued");
    }
}

/// What a program would enqueue.
pub(super) fn job() -> Noop {
    Noop { to: "ada@example.org".into(), n: 1 }
}

/// Enqueues `count` jobs, and then works them off.
pub(super) fn drain(server: &Server, count: usize, slots: u32) -> Drained {
    let database = Fixture::new(server).closed();
    let empty = database.reading();
    let fixture = Fixture::on(database);
    fixture.fill(count);
    let database = fixture.closed();
    let filled = database.reading();
    database.rest();
    let rested = database.reading();
    let fixture = Fixture::on(database);
    let rate = fixture.work_off(count, slots);
    let drained = fixture.closed().reading();
    Drained { rate, enqueue: empty.until(filled, count), drain: rested.until(drained, count) }
}

/// Enqueues `count` jobs by one producer, and works them off while they come; jobs a second, to the last settle.
pub(super) fn mixed(server: &Server, count: usize) -> f64 {
    let fixture = Fixture::new(server);
    let begun = Instant::now();
    let worker = fixture.start(100);
    let rate = fixture.runtime.block_on(async {
        let mut producer = JoinSet::new();
        producer.spawn(produce(fixture.windlass.clone(), count));
        noop::count_of(&fixture.windlass, &worker, count as u64).await;
        producer.join_all().await;
        per_second(count, begun.elapsed())
    });
    fixture.runtime.block_on(worker.stop());
    rate
}

/// Two producers, each with batches of a thousand; jobs a second.
pub(super) fn enqueue_in_bulk(server: &Server, count: usize) -> f64 {
    let fixture = Fixture::new(server);
    fixture.call(2, count, produce)
}

/// `callers` tasks that each enqueue one job after the other; jobs a second.
pub(super) fn enqueue_concurrently(server: &Server, callers: usize, count: usize) -> f64 {
    let fixture = Fixture::new(server);
    // The first makes the connection and the lane, and the bare ones have their session beforehand, too.
    fixture.fill(1);
    fixture.call(callers, count, |windlass, count| async move {
        for _ in 0..count {
            windlass.enqueue(job()).await.expect("enqueued");
        }
    })
}

/// Enqueues jobs that all use a feature, and then works them off.
pub(super) fn pass(server: &Server, count: usize, feature: Feature) -> Passed {
    let fixture = Fixture::new(server);
    let jobs = feature.jobs(count);
    let ((), elapsed) = timed(|| fixture.runtime.block_on(features::enqueue(fixture.windlass.store(), jobs)));
    fixture.database.rest();
    Passed { enqueued: per_second(count, elapsed), drained: fixture.work_off(count, 100) }
}

/// Turns over `count` jobs, beside those that cannot run if there are any; jobs a second.
pub(super) fn turn_over_beside(server: &Server, count: usize, block: Option<Block>) -> f64 {
    let fixture = Fixture::new(server);
    let store = fixture.windlass.store();
    if let Some(block) = block {
        fixture.runtime.block_on(block.fill(store));
    }
    fixture.fill(count);
    fixture.database.rest();
    let (done, elapsed) = timed(|| fixture.runtime.block_on(turn_over(store.clone(), count, TURN)));
    per_second(done.settled, elapsed)
}

/// Works off `count` jobs beside `others` that wait, and as many that have ended; jobs a second.
pub(super) fn drain_beside(server: &Server, count: usize, others: usize) -> f64 {
    let fixture = Fixture::new(server);
    fixture.fill(others);
    fixture.work_off(others, 100);
    fixture.fill(others + count);
    fixture.database.rest();
    fixture.work_off(count, 100)
}

/// Passes a flow of so many levels through an empty database.
pub(super) fn large_flow(server: &Server, levels: usize) -> Flowed {
    let fixture = Fixture::new(server);
    let store = fixture.windlass.store().clone();
    fixture.runtime.block_on(large_flow::pass(store, levels))
}
