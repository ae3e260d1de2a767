//! The same work through the port of the store.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};
use windlass_core::limits::ENQUEUE_BATCH_MAX;
use windlass_core::{Args, KindName, NewJob, Verdict, WorkerId};
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::{
    ClaimRequest, JobStore, KindSupport, Kinds, LeaseStore, NewWorker, Queues, Scope, Settlement, Turn,
    WorkerStore, ids, SharedStore, Store,
};

use crate::figures::{per_second, timed};

/// A store on a fresh file, with the runtime it is used from.
pub(super) struct Fixture {
    pub(super) runtime: Runtime,
    pub(super) store: Arc<SqliteStore>,
    _folder: TempDir,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder for the file");
        let options = SqliteOptions::new(folder.path().join("ours.db"));
        let store = runtime.block_on(options.open()).expect("a fresh store");
        Self { runtime, store: Arc::new(store), _folder: folder }
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

    fn worker(&self) -> WorkerId {
        let id = ids::worker_id();
        let worker = NewWorker {
            id,
            name: "bench".into(),
            host: "here".into(),
            version: "1".into(),
            queues: Queues::Any,
            kinds: vec![KindSupport { kind: kind(), version_max: 1 }],
            slots: 100,
            lease: Duration::from_secs(60),
        };
        self.runtime.block_on(self.store.register(worker)).expect("registered");
        id
    }
}

fn kind() -> KindName {
    KindName::new("noop").expect("a good name")
}

fn job() -> NewJob {
    let args = Args::json(r#"{"to":"ada@example.org","n":1}"#).expect("good args");
    NewJob::new(ids::job_id(), kind(), args)
}

/// `callers` tasks that each enqueue one job after the other; jobs a second.
pub(super) fn enqueue_concurrently(callers: usize, count: usize) -> f64 {
    let fixture = Fixture::new();
    let each = count / callers;
    let ((), elapsed) = timed(|| {
        fixture.runtime.block_on(async {
            let tasks = tokio_util_tracker(callers, each, &fixture.store);
            for task in tasks {
                task.await.expect("a caller");
            }
        });
    });
    per_second(each * callers, elapsed)
}

#[expect(clippy::disallowed_methods, reason = "the caller awaits every task")]
fn tokio_util_tracker(
    callers: usize,
    each: usize,
    store: &Arc<SqliteStore>,
) -> Vec<tokio::task::JoinHandle<()>> {
    (0..callers)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for _ in 0..each {
                    let _ = store.enqueue(vec![job()]).await.expect("enqueued");
                }
            })
        })
        .collect()
}

/// Batches as large as they may be; jobs a second.
pub(super) fn enqueue_in_bulk(count: usize) -> f64 {
    let fixture = Fixture::new();
    let ((), elapsed) = timed(|| {
        let mut left = count;
        while left > 0 {
            let batch = left.min(ENQUEUE_BATCH_MAX);
            let jobs = (0..batch).map(|_| job()).collect();
            fixture.runtime.block_on(fixture.store.enqueue(jobs)).expect("enqueued");
            left -= batch;
        }
    });
    per_second(count, elapsed)
}

/// Turns that settle a batch and claim the next, without running anything; jobs a second.
pub(super) fn turns(count: usize, batch: u32) -> f64 {
    let fixture = Fixture::new();
    fixture.fill(count);
    let worker = fixture.worker();
    let support = KindSupport { kind: kind(), version_max: 1 };
    let scope = Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Only(vec![support]) });
    let (settled, elapsed) = timed(|| {
        let (mut settlements, mut settled) = (Vec::new(), 0);
        loop {
            let claim = Some(ClaimRequest::new(worker, Arc::clone(&scope), batch));
            let turn = Turn { settlements, claim };
            let turned = fixture.runtime.block_on(fixture.store.turn(turn)).expect("a turn");
            settled += turned.settled.iter().filter(|one| one.is_ok()).count();
            if turned.claimed.jobs.is_empty() {
                return settled;
            }
            settlements = turned
                .claimed
                .jobs
                .iter()
                .map(|job| Settlement { token: job.token, verdict: Verdict::Succeeded { result: None } })
                .collect();
        }
    });
    assert_eq!(settled, count, "every job was settled");
    per_second(count, elapsed)
}

/// A job that does nothing, as a program would write it.
#[derive(Serialize, Deserialize, windlass::Job)]
#[job(kind = "noop")]
struct Noop {
    to: String,
    n: u32,
}

async fn noop(job: Noop) -> Result<(), windlass::JobError> {
    std::hint::black_box(job);
    Ok(())
}

/// Works off `count` jobs through the public API with default settings; jobs a second, from the worker's start to the
/// last settle.
pub(super) fn drain(count: usize, slots: u32) -> f64 {
    let fixture = Fixture::new();
    fixture.fill(count);
    let store: SharedStore = fixture.store.clone();
    let (done, elapsed) = timed(|| {
        fixture.runtime.block_on(async {
            let windlass = windlass::Windlass::with_store(store);
            let worker = windlass.worker().queue("default", slots).handle(noop).build().expect("a worker").start();
            let mut ended = fixture.store.signals().ended();
            loop {
                // The hint comes with the commit, a moment before the worker has counted it.
                let _ = tokio::time::timeout(Duration::from_millis(2), ended.next()).await;
                let settled = worker.snapshot().settled;
                if settled >= count as u64 {
                    break;
                }
            }
            worker.stop().await
        })
    });
    std::hint::black_box(done);
    per_second(count, elapsed)
}
