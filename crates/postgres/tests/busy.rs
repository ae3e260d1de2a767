//! What waits for a job that somebody else has locked at the moment.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};
use windlass_core::{Args, AttemptToken, Edge, JobId, JobState, KindName, Lock, NewJob, Unique, Verdict};
use windlass_postgres::PostgresOptions;
use windlass_store::{
    Actor, ClaimRequest, EnqueueOutcome, Kinds, NewWorker, Queues, Scope, Settlement, SharedStore,
    StoreError, ids,
};

/// Somebody else, in a transaction of their own.
struct Other {
    client: Client,
    /// Its connection.
    _driver: JoinSet<()>,
    schema: String,
    pid: i32,
}

impl Other {
    async fn beside(schema: &str) -> Self {
        let url = windlass_postgres_testing::shared().unwrap();
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let mut driver = JoinSet::new();
        driver.spawn(async { connection.await.unwrap() });
        let pid = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
        Self { client, _driver: driver, schema: schema.to_owned(), pid }
    }

    async fn lock(&self, job: JobId) {
        let schema = &self.schema;
        self.begin(&format!("SELECT id FROM {schema}.job WHERE id = '{job}' FOR NO KEY UPDATE")).await;
    }

    async fn begin(&self, statement: &str) {
        self.client.batch_execute(&format!("BEGIN; {statement}")).await.unwrap();
    }

    /// How many wait for the job that it has.
    async fn waiting(&self) -> i64 {
        let job = format!("'{}.job'::regclass", self.schema);
        let waiting = format!("SELECT count(*) FROM pg_locks WHERE locktype = 'tuple' AND relation = {job}");
        self.client.query_one(&waiting, &[]).await.unwrap().get(0)
    }

    /// Whether somebody waits for what it has.
    async fn is_waited_for(&self) -> bool {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
        self.client.query_one(waiting, &[&self.pid]).await.unwrap().get::<_, i64>(0) > 0
    }

    /// Lets go once `call` waits for it, and answers what it said.
    async fn let_go_of<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
    {
        let mut calls = JoinSet::new();
        let call = calls.spawn(call);
        while !call.is_finished() && !self.is_waited_for().await {
            tokio::task::yield_now().await;
        }
        self.client.batch_execute("COMMIT").await.unwrap();
        calls.join_next().await.unwrap().unwrap()
    }
}

struct Scene {
    store: SharedStore,
    other: Other,
}

impl Scene {
    async fn new() -> Self {
        let (url, schema) = (
            windlass_postgres_testing::shared().unwrap(),
            format!("test_{}", ids::job_id().as_uuid().simple()),
        );
        let store = PostgresOptions::new(url).schema(&schema).open().await.unwrap();
        Self { store: Arc::new(store), other: Other::beside(&schema).await }
    }

    async fn enqueue(&self, job: NewJob) -> JobId {
        self.store.enqueue(vec![job]).await.unwrap()[0].id
    }

    /// What `call` answers where another has locked `job` until it waits for them.
    async fn behind<T, F>(&self, job: JobId, call: impl FnOnce(SharedStore) -> F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        self.other.lock(job).await;
        self.other.let_go_of(call(Arc::clone(&self.store))).await
    }

    /// Claims the only job that is due.
    async fn claim(&self) -> AttemptToken {
        let worker = NewWorker {
            id: ids::worker_id(),
            name: "worker".to_owned(),
            host: "host".to_owned(),
            version: "1".to_owned(),
            queues: Queues::Any,
            kinds: Vec::new(),
            slots: 1,
            lease: Duration::from_secs(60),
            owner: None,
        };
        let (id, scope) = (worker.id, Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any }));
        self.store.register(worker).await.unwrap();
        self.store.claim(ClaimRequest::new(id, scope, 1)).await.unwrap().jobs[0].token
    }

    async fn is_blocked(&self, job: JobId) -> bool {
        self.store.job(job).await.unwrap().state == JobState::Blocked
    }
}

fn job_of(kind: &str, parents: &[JobId]) -> NewJob {
    let mut job = NewJob::new(ids::job_id(), KindName::new(kind).unwrap(), Args::default());
    job.after = parents.iter().copied().map(Edge::on_success).collect();
    job
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g13_children_wait_for_a_parent_that_others_have_locked() {
    let scene = Scene::new().await;
    let parents = [scene.enqueue(job_of("one", &[])).await, scene.enqueue(job_of("two", &[])).await];
    let child = job_of("child", &parents);
    let id = child.id;

    let made = scene.behind(parents[1], |store| async move { store.enqueue(vec![child]).await }).await;

    assert!(!made.unwrap()[0].repeated);
    assert!(scene.is_blocked(id).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g13_children_with_a_key_wait_for_a_parent_that_others_have_locked() {
    let scene = Scene::new().await;
    let parent = scene.enqueue(job_of("parent", &[])).await;
    let mut child = job_of("child", &[parent]);
    child.options.unique = Some(Unique::by_args());
    let id = child.id;

    let made = scene.behind(parent, |store| async move { store.enqueue(vec![child]).await }).await;

    assert!(!made.unwrap()[0].repeated);
    assert!(scene.is_blocked(id).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g13_children_of_an_attempt_wait_for_a_parent_that_others_have_locked() {
    let scene = Scene::new().await;
    scene.enqueue(job_of("handler", &[])).await;
    let token = scene.claim().await;
    let parent = scene.enqueue(job_of("parent", &[])).await;
    let child = job_of("child", &[parent]);
    let id = child.id;

    let made =
        scene.behind(parent, move |store| async move { store.enqueue_under(token, vec![child]).await });

    assert!(!made.await.unwrap()[0].repeated);
    assert!(scene.is_blocked(id).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g13_a_retry_waits_for_a_parent_that_others_have_locked() {
    let scene = Scene::new().await;
    let parent = scene.enqueue(job_of("parent", &[])).await;
    let child = scene.enqueue(job_of("child", &[parent])).await;
    scene.store.cancel(child, Actor::new("ada")).await.unwrap();

    let retried =
        scene.behind(parent, move |store| async move { store.retry(child, Actor::new("ada")).await });

    retried.await.unwrap();
    assert!(scene.is_blocked(child).await);
}

/// Ends a job with a key, and with locks if there are any, while somebody prolongs the key.
async fn end_while_the_key_is_prolonged(locks: &[Lock]) {
    let scene = Scene::new().await;
    let unique = || {
        let mut job = job_of("unique", &[]);
        job.options.unique = Some(Unique::by_args());
        job.options.locks = locks.to_vec();
        job
    };
    let id = scene.enqueue(unique()).await;
    let token = scene.claim().await;
    let schema = &scene.other.schema;
    scene.other.begin(&format!("UPDATE {schema}.unique_key SET until = now() + interval '1 hour'")).await;

    let store = Arc::clone(&scene.store);
    let settlement = Settlement { token, verdict: Verdict::Succeeded { result: None } };
    let settled = scene.other.let_go_of(async move { store.settle(vec![settlement]).await }).await;

    assert_eq!(settled.unwrap()[0].as_ref().unwrap().state, JobState::Completed);
    assert_eq!(scene.store.job(id).await.unwrap().state, JobState::Completed);
    let again = scene.store.enqueue(vec![unique()]).await.unwrap().remove(0);
    assert_eq!((again.id, again.outcome), (id, EnqueueOutcome::Existing));
    assert_eq!(scene.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_others_prolong_while_its_job_ends_is_kept() {
    end_while_the_key_is_prolonged(&[]).await;
    end_while_the_key_is_prolonged(&[Lock::exclusive("r")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waits_for_a_job_takes_no_more_than_half_of_the_connections() {
    const HALF: i64 = 4;
    let scene = Scene::new().await;
    let parent = scene.enqueue(job_of("parent", &[])).await;
    scene.other.lock(parent).await;
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (store, child) = (Arc::clone(&scene.store), job_of("child", &[parent]));
        calls.spawn(async move { store.enqueue(vec![child]).await });
    }

    while scene.other.waiting().await < HALF {
        tokio::task::yield_now().await;
    }
    // Nobody is kept from what the holder may need.
    for _ in 0..50 {
        scene.store.job(parent).await.unwrap();
        assert_eq!(scene.other.waiting().await, HALF);
    }
    scene.other.client.batch_execute("COMMIT").await.unwrap();

    for made in calls.join_all().await {
        assert!(!made.unwrap()[0].repeated);
    }
}
