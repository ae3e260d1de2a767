//! The server that is measured on, a database of its own for each measurement, and connections to it.

use std::ops::Deref;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};
use windlass_postgres_testing::{Cluster, Config};

/// Two threads, as many as the cores of the machine that the figures are told of.
pub(super) fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// A durable server, gone with this.
pub(super) struct Server {
    /// Where the bare work is done.
    pub(super) runtime: Runtime,
    /// To the database that belongs to nobody. What it does is not counted.
    aside: Session,
    cluster: Cluster,
}

impl Server {
    pub(super) fn start() -> Self {
        let config = Config::durable()
            .set("shared_buffers", "1GB")
            // Checkpoints come by time, not in the midst of a figure because the one before wrote so much.
            .set("max_wal_size", "8GB")
            // A segment of the log takes the disk 40 ms to make. On a server that has run for a while they are there.
            .set("min_wal_size", "8GB")
            .set("shared_preload_libraries", "pg_stat_statements")
            // BEGIN and COMMIT are round trips like any other.
            .set("pg_stat_statements.track_utility", "on");
        let cluster = Cluster::start(config).expect("a cluster");
        let runtime = runtime();
        let aside = runtime.block_on(Session::open(cluster.url()));
        let server = Self { runtime, aside, cluster };
        server.execute("CREATE EXTENSION pg_stat_statements");
        server
    }

    /// An empty database, for one measurement. What was written before it is on the disk, and costs it nothing.
    pub(super) fn fresh(&self) -> Database<'_> {
        self.execute("CHECKPOINT");
        let database = windlass_postgres_testing::Database::create(self.cluster.url()).expect("a database");
        Database { server: self, database }
    }

    fn execute(&self, statement: &str) {
        self.runtime.block_on(self.aside.batch_execute(statement)).expect("a statement that succeeds");
    }
}

/// A database for one measurement, gone with this.
pub(super) struct Database<'a> {
    server: &'a Server,
    database: windlass_postgres_testing::Database,
}

/// What a database has done so far.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    wal: i64,
    commits: i64,
    statements: i64,
}

/// What was done between two readings, per job.
#[derive(Clone, Copy)]
pub(super) struct Spent {
    /// Bytes of write-ahead log.
    pub(super) wal: f64,
    pub(super) commits: f64,
    pub(super) statements: f64,
}

impl Database<'_> {
    pub(super) fn url(&self) -> &str {
        self.database.url()
    }

    /// Leaves the tables as they are some time after they were filled: known to the planner, and on the disk, so that the
    /// first change of each page is logged with all of the page.
    pub(super) fn rest(&self) {
        self.server.runtime.block_on(async {
            let session = Session::open(self.url()).await;
            session.batch_execute("VACUUM (ANALYZE)").await.expect("a vacuum");
            session.batch_execute("CHECKPOINT").await.expect("a checkpoint");
        });
    }

    /// What was done until now. Waits until nobody is connected: a connection tells what it did when it ends.
    pub(super) fn reading(&self) -> Reading {
        self.server.runtime.block_on(async {
            let aside = &self.server.aside;
            let connected = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
            while aside.query_one(connected, &[&self.database.name()]).await.expect("a count").get::<_, i64>(0) > 0 {
                tokio::task::yield_now().await;
            }
            let done = "SELECT (pg_current_wal_lsn() - '0/0')::bigint, database.xact_commit,
                    (SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE dbid = database.datid)
                FROM pg_stat_database AS database WHERE database.datname = $1";
            let row = aside.query_one(done, &[&self.database.name()]).await.expect("a reading");
            Reading { wal: row.get(0), commits: row.get(1), statements: row.get(2) }
        })
    }
}

impl Reading {
    /// What `jobs` cost that came between this reading and a later one.
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    pub(super) fn until(self, later: Self, jobs: usize) -> Spent {
        let each = |before: i64, after: i64| (after - before) as f64 / jobs as f64;
        Spent {
            wal: each(self.wal, later.wal),
            commits: each(self.commits, later.commits),
            statements: each(self.statements, later.statements),
        }
    }
}

/// A connection, and the task that drives it.
pub(super) struct Session {
    client: Client,
    _driver: JoinSet<()>,
}

impl Session {
    pub(super) async fn open(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
        let mut driver = JoinSet::new();
        driver.spawn(async move { connection.await.expect("a connection that lasts") });
        Self { client, _driver: driver }
    }
}

impl Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
