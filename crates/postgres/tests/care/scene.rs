//! A store on a server of its own, which may be stopped and started.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_postgres::NoTls;
use windlass_core::{Args, JobId, KindName, NewJob, WorkerId};
use windlass_postgres::{PostgresOptions, PostgresStore};
use windlass_postgres_testing::{Cluster, Config};
use windlass_store::{JobStore, NewWorker, Queues, WorkerStore, ids};

/// Nothing here takes as long; what does is not coming.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn cluster() -> Cluster {
    Cluster::start(Config::quick()).expect("a server can be started")
}

pub(crate) async fn open(url: &str) -> PostgresStore {
    PostgresOptions::new(url).open().await.expect("the store opens")
}

pub(crate) fn job() -> NewJob {
    let args = Args::json("{}").expect("this is JSON");
    NewJob::new(ids::job_id(), KindName::new("test").expect("this is a name"), args)
}

pub(crate) async fn enqueue(store: &PostgresStore) -> JobId {
    let job = job();
    let id = job.id;
    let _ = store.enqueue(vec![job]).await.expect("the job is enqueued");
    id
}

/// Registers a worker.
pub(crate) async fn join(store: &PostgresStore) -> WorkerId {
    let worker = NewWorker {
        id: ids::worker_id(),
        name: "worker".into(),
        host: "host".into(),
        version: "1".into(),
        queues: Queues::Any,
        kinds: Vec::new(),
        slots: 8,
        lease: Duration::from_secs(300),
        owner: None,
    };
    let id = worker.id;
    store.register(worker).await.expect("the worker is registered");
    id
}

/// Waits until `question` is answered with true.
pub(crate) async fn until(url: &str, question: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server answers");
    let driver = tokio::runtime::Handle::current().spawn(async move { drop(connection.await) });
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = timeout_at(end, client.query_one(question, &[])).await;
        if answer.unwrap_or_else(|_| panic!("never: {question}")).expect("the server tells").get(0) {
            break;
        }
    }
    driver.abort();
}
