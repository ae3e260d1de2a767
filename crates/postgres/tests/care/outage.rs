//! Servers that go away and come back.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use tracing_subscriber::fmt::MakeWriter;
use windlass_postgres::PostgresOptions;
use windlass_store::{ErrorKind, JobStore, WorkerStore};

use crate::proxy::Proxy;
use crate::scene::{cluster, enqueue, job, join, open};

#[tokio::test]
async fn what_a_restart_closed_while_nobody_used_it_fails_nobody() {
    let mut cluster = cluster();
    let store = open(cluster.url()).await;
    let worker = join(&store).await;
    store.beat(worker).await.expect("the beat is answered");
    // As many as the pool has, so that all of them are dead afterwards.
    let ids = join_all((0..8).map(|_| enqueue(&store))).await;
    join_all(ids.iter().map(|id| store.job(*id))).await;

    for _ in 0..3 {
        // The runtime of the store is blocked meanwhile, so nothing of it can have noticed.
        cluster.restart().expect("the server starts again");

        store.job(ids[0]).await.expect("the next read succeeds");
        cluster.restart().expect("the server starts again");
        enqueue(&store).await;
        cluster.restart().expect("the server starts again");
        store.beat(worker).await.expect("the next beat succeeds");
        let others = join_all(ids.iter().map(|id| store.job(*id))).await;
        assert!(others.iter().all(Result::is_ok), "{others:?}");
    }
}

#[tokio::test]
async fn a_server_that_was_killed_is_found_again() {
    let mut cluster = cluster();
    let store = open(cluster.url()).await;
    let id = enqueue(&store).await;

    cluster.kill().expect("the server is killed");
    cluster.restart().expect("the server starts again");

    let read = store.job(id).await.map(drop);
    // What was not flushed may be lost; the connection must not be what is missing.
    assert!(read.as_ref().err().is_none_or(|error| *error.kind() == ErrorKind::NotFound), "{read:?}");
    enqueue(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_told_once_when_it_begins_and_once_when_it_is_over() {
    let log = Log::everything();
    let mut cluster = cluster();
    let server = format!("127.0.0.1:{}", cluster.port());
    // What an enqueue says to others is sent by itself, and may meet the server that is gone when nobody expects it any more.
    let options = PostgresOptions::new(cluster.url()).notify(false);
    let store = options.open().await.expect("the store opens");
    let id = enqueue(&store).await;

    for outage in 1..=2 {
        cluster.stop().expect("the server stops");
        for _ in 0..3 {
            for answer in join_all((0..20).map(|_| store.job(id))).await {
                let error = answer.expect_err("there is no server");
                assert_eq!(*error.kind(), ErrorKind::Unavailable);
                assert!(error.to_string().contains(&format!("nothing answers at {server}")), "{error}");
            }
            let error = store.enqueue(vec![job()]).await.expect_err("there is no server");
            assert_eq!(*error.kind(), ErrorKind::Unavailable, "nothing was sent");
        }
        cluster.restart().expect("the server starts again");
        store.job(id).await.expect("the server is back");

        let lines = log.lines_about(&server);
        assert_eq!(lines.iter().filter(|line| line.contains(" WARN ")).count(), outage, "{lines:#?}");
        assert_eq!(lines.iter().filter(|line| line.contains(" INFO ")).count(), outage, "{lines:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_a_network_forgot_are_replaced_within_seconds() {
    let cluster = cluster();
    let proxy = Proxy::to(cluster.port()).await;
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", proxy.port());
    // It is about those that nobody uses in that moment: no notification may be on its way late, on one that counts as used.
    let store = PostgresOptions::new(&url).notify(false).open().await.expect("the store opens");
    let worker = join(&store).await;
    store.beat(worker).await.expect("the beat is answered");
    let ids = join_all((0..8).map(|_| enqueue(&store))).await;
    // Those that were in use a moment ago are taken to live.
    let all_rest = "SELECT bool_and(clock_timestamp() - state_change > interval '2.6 s') FROM pg_stat_activity \
                    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    crate::scene::until(cluster.url(), all_rest).await;

    proxy.forget();
    let begun = std::time::Instant::now();
    let (read, beat) = tokio::join!(store.job(ids[0]), store.beat(worker));

    read.expect("the read succeeds");
    beat.expect("the beat is sent again and succeeds");
    join_all(ids.iter().map(|id| store.job(*id)))
        .await
        .into_iter()
        .for_each(|read| drop(read.expect("it succeeds")));
    // One question that is not answered takes five.
    assert!(begun.elapsed().as_secs() < 19, "{:?}", begun.elapsed());
}

/// What this process logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// From now on.
    fn everything() -> Self {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::INFO)
            .with_writer(log.clone());
        tracing::subscriber::set_global_default(subscriber.finish()).expect("nobody else listens");
        log
    }

    fn lines_about(&self, server: &str) -> Vec<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&bytes);
        text.lines()
            .filter(|line| line.contains(server) || line.contains("deadpool"))
            .map(str::to_owned)
            .collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
