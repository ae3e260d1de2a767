//! A database with a store, a table for what handlers write, and a program of its own beside it.

#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::{Client, NoTls};
use windlass_core::{Args, AttemptToken, JobId, KindName, NewJob};
use windlass_postgres::{PostgresOptions, PostgresStore};
use windlass_postgres_testing::Database;
use windlass_store::{
    ClaimRequest, ErrorKind, JobStore, Kinds, LeaseStore, LeasedJob, NewWorker, Queues, Scope, StoreError,
    WorkerStore, ids,
};

/// Nothing here takes as long; what does is not coming.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The table that handlers write to.
const EFFECTS: &str = "CREATE TABLE public.effect (what text NOT NULL)";

pub(crate) struct Scene {
    pub(crate) database: Database,
    pub(crate) store: Arc<PostgresStore>,
    /// A connection of the program's own, with a table `effect`.
    pub(crate) client: Client,
    driver: JoinHandle<()>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Scene {
    /// By the server's clock.
    pub(crate) async fn new() -> Self {
        Self::with(|options| options).await
    }

    pub(crate) async fn with(change: impl FnOnce(PostgresOptions) -> PostgresOptions) -> Self {
        let url = windlass_postgres_testing::shared().expect("a server can be started");
        let database = Database::create(url).expect("a database can be made");
        let options = change(PostgresOptions::new(database.url()));
        let store = Arc::new(options.open().await.expect("the store opens"));
        let (client, driver) = connect(database.url()).await;
        client.batch_execute(EFFECTS).await.expect("a table can be made");
        Self { database, store, client, driver }
    }

    /// Another connection to the same database.
    pub(crate) async fn another_client(&self) -> Client {
        connect(self.database.url()).await.0
    }

    /// Registers a worker and claims a job that it has enqueued.
    pub(crate) async fn running_job(&self) -> LeasedJob {
        self.running_job_for(Duration::from_secs(300)).await
    }

    /// The same, under a lease of this length.
    pub(crate) async fn running_job_for(&self, lease: Duration) -> LeasedJob {
        let _ = self.store.enqueue(vec![job()]).await.expect("the job is enqueued");
        self.claim(lease).await.expect("there is a job")
    }

    /// Claims one job of any kind, as a worker of its own.
    pub(crate) async fn claim(&self, lease: Duration) -> Option<LeasedJob> {
        self.try_claim(lease).await.expect("the claim is answered")
    }

    /// The same, where the lease may have ended by then.
    pub(crate) async fn try_claim(&self, lease: Duration) -> Result<Option<LeasedJob>, StoreError> {
        let worker = ids::worker_id();
        let registered = NewWorker {
            id: worker,
            name: "worker".into(),
            host: "host".into(),
            version: "1".into(),
            queues: Queues::Any,
            kinds: Vec::new(),
            slots: 8,
            lease,
            owner: None,
        };
        self.store.register(registered).await.expect("the worker is registered");
        let scope = Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any });
        let claimed = self.store.claim(ClaimRequest::new(worker, scope, 1)).await?;
        Ok(claimed.jobs.into_iter().next())
    }

    /// How many rows there are in `effect`, as others see it.
    pub(crate) async fn effects(&self) -> i64 {
        let other = self.another_client().await;
        other.query_one("SELECT count(*) FROM public.effect", &[]).await.expect("rows can be counted").get(0)
    }

    pub(crate) async fn exists(&self, id: JobId) -> bool {
        match self.store.job(id).await {
            Ok(_) => true,
            Err(error) if *error.kind() == ErrorKind::NotFound => false,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Waits until somebody in the database at `url` waits for a lock.
pub(crate) async fn somebody_waits(url: &str) {
    let (client, driver) = connect(url).await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let until = Instant::now() + PATIENCE;
    loop {
        let found = timeout_at(until, client.query_one(waits, &[])).await.expect("somebody comes to wait");
        if found.expect("the server tells").get::<_, i64>(0) > 0 {
            break;
        }
    }
    driver.abort();
}

pub(crate) async fn connect(url: &str) -> (Client, JoinHandle<()>) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server answers");
    #[expect(clippy::disallowed_methods, reason = "it ends with its client, or when it is aborted")]
    let driver = tokio::spawn(async move {
        // A test that kills connections meets this.
        let _ = connection.await;
    });
    (client, driver)
}

pub(crate) fn job() -> NewJob {
    let args = Args::json("{\"to\":\"ada\"}").expect("this is JSON");
    NewJob::new(ids::job_id(), KindName::new("send_email").expect("this is a name"), args)
}

/// The kind of error that `answer` is, if it is one.
pub(crate) fn refused<T>(answer: Result<T, StoreError>) -> Option<ErrorKind> {
    answer.err().map(|error| error.kind().clone())
}

/// The field that was refused.
pub(crate) fn field<T>(answer: Result<T, StoreError>) -> String {
    match refused(answer) {
        Some(ErrorKind::Invalid(invalid)) => invalid.field,
        other => panic!("{other:?}"),
    }
}

pub(crate) const WRITE: &str = "INSERT INTO public.effect VALUES ('sent')";

/// A token that was never given.
pub(crate) fn forged(token: AttemptToken) -> AttemptToken {
    AttemptToken { nonce: token.nonce ^ 2, ..token }
}
