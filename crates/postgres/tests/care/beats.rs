//! Workers' signs of life.

use std::sync::{Arc, Barrier};

use futures_util::future::join_all;
use tokio::runtime::Builder;
use tokio::task::JoinHandle;
use tokio_postgres::NoTls;
use windlass_postgres::PostgresOptions;
use windlass_postgres_testing::Database;
use windlass_store::{ErrorKind, JobStore, WorkerStore, ids};

use crate::scene::{PATIENCE, job, join, open, until};

fn database() -> Database {
    let url = windlass_postgres_testing::shared().expect("a server can be started");
    Database::create(url).expect("a database can be made")
}

#[test]
fn a_beat_comes_through_while_every_thread_of_the_stores_runtime_is_blocked() {
    const THREADS: usize = 3;
    let database = database();
    let runtime =
        Builder::new_multi_thread().worker_threads(THREADS).enable_all().build().expect("it starts");
    let store = Arc::new(runtime.block_on(open(database.url())));
    let worker = runtime.block_on(join(&store));
    let (blocked, over) = (Arc::new(Barrier::new(THREADS + 1)), Arc::new(Barrier::new(THREADS + 1)));
    let handlers: Vec<_> = (0..THREADS)
        .map(|_| {
            let (blocked, over) = (Arc::clone(&blocked), Arc::clone(&over));
            runtime.spawn(async move {
                blocked.wait();
                over.wait();
            })
        })
        .collect();
    blocked.wait();

    // As the heart of a worker does: on a thread and a runtime of its own. The first beat also has to connect.
    let own = Builder::new_current_thread().enable_all().build().expect("it starts");
    for _ in 0..3 {
        let beat = own.block_on(async { tokio::time::timeout(PATIENCE, store.beat(worker)).await });
        beat.expect("it is answered in time").expect("it is accepted");
    }

    over.wait();
    runtime.block_on(join_all(handlers)).into_iter().for_each(|handler| handler.expect("it does not panic"));
}

#[tokio::test]
async fn a_beat_comes_through_while_others_have_every_connection() {
    let database = database();
    let store =
        Arc::new(PostgresOptions::new(database.url()).connections(4).open().await.expect("the store opens"));
    let worker = join(&store).await;
    let (mut client, connection) =
        tokio_postgres::connect(database.url(), NoTls).await.expect("the server answers");
    let driver = tokio::runtime::Handle::current().spawn(async move { drop(connection.await) });
    let lock = client.transaction().await.expect("a transaction begins");
    lock.batch_execute("LOCK TABLE windlass.attempt, windlass.log").await.expect("the tables are locked");
    let waiting: Vec<_> = (0..30)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::runtime::Handle::current().spawn(async move { store.attempts(job().id).await })
        })
        .collect();
    let stuck = "SELECT count(*) = 4 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    until(database.url(), stuck).await;

    let beat = tokio::time::timeout(PATIENCE, store.beat(worker)).await;

    beat.expect("it waits for nobody").expect("it is accepted");
    assert!(!waiting.iter().any(JoinHandle::is_finished), "nobody made room for it");
    lock.rollback().await.expect("the tables are let go");
    for attempts in join_all(waiting).await {
        let error = attempts.expect("it does not panic").expect_err("there is no such job");
        assert_eq!(*error.kind(), ErrorKind::NotFound);
    }
    driver.abort();
}

#[tokio::test]
async fn beats_of_many_workers_share_a_connection_that_ends_with_the_store() {
    let database = database();
    let url = format!("{}?application_name=beating", database.url());
    let store = open(&url).await;
    let others = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'beating%'";
    let workers = join_all((0..8).map(|_| join(&store))).await;
    let (client, connection) =
        tokio_postgres::connect(database.url(), NoTls).await.expect("the server answers");
    let driver = tokio::runtime::Handle::current().spawn(async move { drop(connection.await) });
    let before: i64 = client.query_one(others, &[]).await.expect("the server tells").get(0);

    let beats = join_all(workers.iter().map(|worker| store.beat(*worker))).await;

    assert!(beats.iter().all(Result::is_ok), "{beats:?}");
    let unknown = store.beat(ids::worker_id()).await.expect_err("nobody knows it");
    assert_eq!(*unknown.kind(), ErrorKind::NotFound);
    let after: i64 = client.query_one(others, &[]).await.expect("the server tells").get(0);
    assert_eq!(after, before + 1);
    drop(store);
    until(database.url(), &others.replace("count(*)", "count(*) = 0")).await;
    driver.abort();
}

#[test]
fn a_store_that_nobody_beats_on_needs_no_thread_and_a_dropped_one_leaves_none() {
    let database = database();
    let runtime = Builder::new_current_thread().enable_all().build().expect("it starts");
    let store = runtime.block_on(open(database.url()));
    let worker = runtime.block_on(join(&store));
    runtime.block_on(store.beat(worker)).expect("the beat is answered");

    // Would wait for ever if the thread did.
    drop(store);
    drop(runtime);
}
