//! Two stores on one file, as two processes have it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use windlass_core::{Args, JobState, KindName, NewJob, Verdict};
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::{
    ClaimRequest, JobStore, Kinds, LeaseStore, NewWorker, Queues, Scope, Settlement, Store, WorkerStore, ids,
};

async fn open(path: &Path) -> SqliteStore {
    SqliteOptions::new(path).open().await.unwrap()
}

fn job(kind: &str) -> NewJob {
    NewJob::new(ids::job_id(), KindName::new(kind).unwrap(), Args::default())
}

async fn claim(store: &SqliteStore, limit: u32) -> ClaimRequest {
    let worker = NewWorker {
        id: ids::worker_id(),
        name: "test".into(),
        host: "here".into(),
        version: "1".into(),
        queues: Queues::Any,
        kinds: Vec::new(),
        slots: 1,
        lease: Duration::from_secs(60),
    };
    let id = worker.id;
    store.register(worker).await.unwrap();
    ClaimRequest::new(id, Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any }), limit)
}

#[tokio::test]
async fn one_hears_of_what_the_other_enqueued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (here, there) = (open(&path).await, open(&path).await);
    let request = claim(&here, 10).await;
    let mut work = here.signals().work();

    let _ = there.enqueue(vec![job("fresh")]).await.unwrap();

    // Bounded by the look that the writer takes at the file, and by patience with a busy machine.
    tokio::time::timeout(Duration::from_secs(10), work.next()).await.expect("a hint from the other store");
    assert_eq!(here.claim(request).await.unwrap().jobs.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_write_at_once_share_the_jobs_and_lose_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let stores = [Arc::new(open(&path).await), Arc::new(open(&path).await)];
    let tasks = stores.iter().map(|store| {
        let store = Arc::clone(store);
        async move {
            for round in 0..50 {
                let _ =
                    store.enqueue((0..10).map(|_| job(&format!("kind-{round}"))).collect()).await.unwrap();
            }
        }
    });
    futures_util::future::join_all(tasks).await;

    let mut ran = 0;
    let requests = [claim(&stores[0], 7).await, claim(&stores[1], 7).await];
    loop {
        let both = futures_util::future::join_all(
            stores.iter().zip(&requests).map(|(store, request)| store.claim(request.clone())),
        );
        let claimed: Vec<_> = both.await.into_iter().flat_map(|claimed| claimed.unwrap().jobs).collect();
        if claimed.is_empty() {
            break;
        }
        ran += claimed.len();
        let settlements = claimed
            .iter()
            .map(|job| Settlement { token: job.token, verdict: Verdict::Succeeded { result: None } })
            .collect();
        // Either store may settle what the other leased: the token decides, not the connection.
        assert!(stores[ran % 2].settle(settlements).await.unwrap().iter().all(Result::is_ok));
    }

    assert_eq!(ran, 1_000);
    let left =
        windlass_store::JobFilter { states: vec![JobState::Ready, JobState::Running], ..Default::default() };
    let page = windlass_store::PageRequest::first(1);
    assert!(stores[0].jobs(left, page).await.unwrap().items.is_empty());
}
