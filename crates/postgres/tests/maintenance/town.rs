//! A store on a server, and ways to look behind its scenes.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};
use windlass_core::{Args, Due, JobId, LogLevel, NewJob, Timestamp, Verdict, WorkerId};
use windlass_postgres::{PostgresOptions, PostgresStore};
use windlass_postgres_testing::Database;
use windlass_store::{
    Actor, ClaimRequest, JobFilter, JobStore as _, Kinds, LeaseStore as _, Maintenance as _, ManualClock,
    NewLogLine, NewWorker, PageRequest, Queues, Retention, Scope, Settlement, WorkerStore as _, ids,
};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);

/// 2026-03-28T22:00:00Z: two hours before the end of a day. In much of Europe the next one has 23 hours.
const START: Timestamp = Timestamp::from_micros(1_774_735_200_000_000);

/// A store with a database of its own, a clock that stands still, and a connection to look behind the scenes.
pub(crate) struct Town {
    pub(crate) store: PostgresStore,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) worker: WorkerId,
    pub(crate) client: Client,
    _tasks: JoinSet<Result<(), tokio_postgres::Error>>,
    // Dropped last.
    pub(crate) database: Database,
}

impl Town {
    pub(crate) async fn new() -> Self {
        Self::on(windlass_postgres_testing::shared().expect("a server can be started")).await
    }

    /// One on a server of its own.
    pub(crate) async fn on(server: &str) -> Self {
        let database = Database::create(server).expect("a database can be made");
        let clock = Arc::new(ManualClock::at(START));
        let store = PostgresOptions::new(database.url()).clock(clock.clone()).open().await.unwrap();
        let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        let worker = ids::worker_id();
        Self { store, clock, worker, client, _tasks: tasks, database }
    }

    /// The same store, as another process has it.
    pub(crate) async fn open(&self) -> PostgresStore {
        PostgresOptions::new(self.database.url()).clock(self.clock.clone()).open().await.unwrap()
    }

    pub(crate) async fn open_as(&self, role: &str) -> PostgresStore {
        let url = self.database.url().replacen("postgres@", &format!("{role}@"), 1);
        PostgresOptions::new(url).clock(self.clock.clone()).migrate(false).open().await.unwrap()
    }

    pub(crate) async fn enqueue(&self, change: impl FnOnce(&mut NewJob)) -> JobId {
        let mut job = NewJob::new(ids::job_id(), "mail".parse().unwrap(), Args::default());
        change(&mut job);
        self.store.enqueue(vec![job]).await.unwrap()[0].id
    }

    pub(crate) async fn start(&self, id: JobId) -> windlass_core::AttemptToken {
        let worker = NewWorker {
            id: self.worker,
            name: "worker".to_owned(),
            host: "host".to_owned(),
            version: "1".to_owned(),
            queues: Queues::Any,
            kinds: Vec::new(),
            slots: 1,
            lease: HOUR,
            owner: None,
        };
        self.store.register(worker).await.unwrap();
        let scope = Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any });
        let claimed = self.store.claim(ClaimRequest::new(self.worker, scope, 1)).await.unwrap();
        assert_eq!(claimed.jobs[0].id(), id);
        claimed.jobs[0].token
    }

    pub(crate) async fn settle(&self, id: JobId, verdict: Verdict) {
        let token = self.start(id).await;
        self.store.settle(vec![Settlement { token, verdict }]).await.unwrap().remove(0).unwrap();
    }

    pub(crate) async fn complete(&self) -> JobId {
        self.complete_with(&[]).await
    }

    /// Completes a job that says `lines` on its way.
    pub(crate) async fn complete_with(&self, lines: &[&str]) -> JobId {
        let id = self.enqueue(|_| {}).await;
        let token = self.start(id).await;
        for message in lines {
            let line = NewLogLine { level: LogLevel::Info, message: (*message).to_owned() };
            self.store.log(token, vec![line]).await.unwrap();
        }
        let verdict = Verdict::Succeeded { result: None };
        self.store.settle(vec![Settlement { token, verdict }]).await.unwrap().remove(0).unwrap();
        id
    }

    /// Completes a job in its second attempt.
    pub(crate) async fn fail_once(&self) -> JobId {
        let id = self.enqueue(|_| {}).await;
        let error = windlass_core::AttemptError::new("x");
        self.settle(id, Verdict::Failed { error, retry_after: Some(Duration::ZERO) }).await;
        self.settle(id, Verdict::Succeeded { result: None }).await;
        id
    }

    /// Completes a job that was made due by hand.
    pub(crate) async fn touch(&self) -> JobId {
        let id = self.enqueue(|job| job.due = Due::In(HOUR)).await;
        self.store.run_now(id, Actor::new("ada")).await.unwrap();
        self.settle(id, Verdict::Succeeded { result: None }).await;
        id
    }

    /// Prunes until there is nothing left to do. How many jobs went.
    pub(crate) async fn prune(&self, retention: Retention) -> u64 {
        let mut removed = 0;
        loop {
            let pruned = self.store.prune(retention).await.unwrap();
            removed += pruned.removed;
            if !pruned.more {
                return removed;
            }
        }
    }

    pub(crate) async fn ids(&self) -> Vec<JobId> {
        let page = self.store.jobs(JobFilter::default(), PageRequest::first(500)).await.unwrap();
        page.items.iter().map(|job| job.id).collect()
    }

    pub(crate) async fn sql(&self, text: &str) {
        self.client.batch_execute(text).await.unwrap();
    }

    /// The same on a connection that ends with it, whereupon the server counts what it did.
    pub(crate) async fn sql_apart(&self, text: &str) {
        let (client, connection) = tokio_postgres::connect(self.database.url(), NoTls).await.unwrap();
        let work = async move {
            client.batch_execute(text).await.unwrap();
        };
        let ((), ended) = tokio::join!(work, connection);
        ended.unwrap();
    }

    /// Waits until the server's counters are as `condition` says: they come behind what is done.
    pub(crate) async fn until_counted(&self, condition: &str) {
        let query = format!("SELECT {condition} FROM pg_stat_user_tables WHERE relname = 'job'");
        let counted = async {
            while !self.client.query_one(&query, &[]).await.unwrap().get::<_, bool>(0) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), counted).await.expect("the server counts it");
    }

    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        self.client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// The days that have a partition.
    pub(crate) async fn days(&self) -> Vec<String> {
        self.texts("SELECT substr(relname, 11) FROM pg_class WHERE relkind = 'r' AND relname ~ '^completed_2' ORDER BY 1").await
    }

    pub(crate) async fn bounds(&self, table: &str) -> String {
        let query = format!(
            "SELECT array_to_string(regexp_matches(pg_get_expr(relpartbound, oid), '''(.*)''.*''(.*)'''), ' ')
             FROM pg_class WHERE relname = '{table}'"
        );
        self.sql("SET timezone = 'UTC'").await;
        self.texts(&query).await.remove(0)
    }

    pub(crate) async fn place_of(&self, id: JobId) -> String {
        let query = format!("SELECT tableoid::regclass::text FROM windlass.history WHERE id = '{id}'");
        self.texts(&query).await.remove(0).replace("windlass.", "")
    }

    /// How many attempts, log lines and events are kept.
    pub(crate) async fn beside(&self) -> (i64, i64, i64) {
        let query = "SELECT (SELECT count(*) FROM windlass.attempt), (SELECT count(*) FROM windlass.log), (SELECT count(*) FROM windlass.event)";
        let row = self.client.query_one(query, &[]).await.unwrap();
        (row.get(0), row.get(1), row.get(2))
    }

    pub(crate) async fn vacuums(&self) -> i64 {
        let query = "SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'job'";
        self.client.query_one(query, &[]).await.unwrap().get(0)
    }

    /// As many rows as `count`, all of which ended now if they have ended.
    pub(crate) async fn fill(&self, table: &str, count: u32, also: &str) {
        let now = windlass_store::Clock::now(&*self.clock).as_micros();
        let at = format!("to_timestamp({now} / 1e6)");
        let ended = table != "job";
        let number = if also == "number = 2" { 2 } else { 1 };
        let stage = if table == "failed" { 6 } else { 5 };
        let (columns, values) = if ended {
            (
                ", finished_at, seq, number, nonce, attempt, revision, stage, traits",
                format!(", {at}, n, {number}, 1, 1, 3, {stage}, 0"),
            )
        } else {
            ("", String::new())
        };
        self.sql(&format!(
            "INSERT INTO windlass.{table} (id, created_at, run_at, lane, budget, priority, args{columns})
             SELECT gen_random_uuid(), {at}, {at}, 1, 0, 3, '\\x7b7d'{values} FROM generate_series(1, {count}) AS n"
        ))
        .await;
    }
}
