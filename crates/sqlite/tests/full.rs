//! A store without room: it says so, keeps what it has, and goes on once there is room.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

use std::time::Duration;

use windlass_core::{Args, KindName, NewJob};
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::{Actor, ErrorKind, JobFilter, JobStore, Maintenance, PageRequest, Retention, ids};

fn job() -> NewJob {
    let args = Args::of(&"x".repeat(4_000)).unwrap();
    NewJob::new(ids::job_id(), KindName::new("big").unwrap(), args)
}

async fn small() -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("store.db")).size_max(1024 * 1024);
    let store = options.open().await.unwrap();
    (folder, store)
}

/// Enqueues until there is no room; how many there was room for.
async fn fill(store: &SqliteStore) -> usize {
    for stored in 0..10_000 {
        if let Err(error) = store.enqueue(vec![job()]).await {
            assert_eq!(*error.kind(), ErrorKind::Full, "{error:?}");
            return stored;
        }
    }
    panic!("a store of one MiB took forty");
}

async fn count(store: &SqliteStore) -> usize {
    store.jobs(JobFilter::default(), PageRequest::first(500)).await.unwrap().items.len()
}

#[tokio::test]
async fn g01_a_full_store_keeps_what_it_acknowledged_and_nothing_else() {
    let (_folder, store) = small().await;

    let stored = fill(&store).await;

    assert!(stored > 100, "{stored}");
    assert_eq!(count(&store).await, stored);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn those_who_fit_are_served_beside_one_who_does_not() {
    let (_folder, store) = small().await;
    let fits = store.enqueue(vec![job()]);
    let does_not_fit = store.enqueue((0..1_000).map(|_| job()).collect());

    // Both are waiting when the writer gets to them, so they share a transaction, which fails.
    let (fits, does_not_fit) = tokio::join!(fits, does_not_fit);

    assert_eq!(*does_not_fit.unwrap_err().kind(), ErrorKind::Full);
    let _ = fits.unwrap();
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn a_full_store_takes_jobs_again_once_it_was_pruned() {
    let (_folder, store) = small().await;
    fill(&store).await;
    let jobs = store.jobs(JobFilter::default(), PageRequest::first(50)).await.unwrap().items;
    for job in &jobs {
        // A job grows by little when it is cancelled; where even that finds no room, deleting it makes some.
        if store.cancel(job.id, Actor::new("test")).await.is_err() {
            store.delete(job.id, Actor::new("test")).await.unwrap();
        }
    }

    let all = Retention { completed: None, cancelled: Some(Duration::ZERO), dead: None };
    store.prune(all).await.unwrap();

    let _ = store.enqueue(vec![job()]).await.unwrap();
}
