//! Databases to open stores in, and people who look at them beside the store.

use std::error::Error as _;
use std::fmt::Write as _;

use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls, Row};
use windlass_core::{Args, KindName, NewJob};
use windlass_postgres::PostgresOptions;
use windlass_postgres_testing::Database;
use windlass_store::{StoreError, ids};

/// A database of one's own on the server that all tests share.
pub(crate) fn database() -> Database {
    let url = windlass_postgres_testing::shared().expect("a server can be started");
    Database::create(url).expect("a database can be made")
}

/// Somebody else's connection.
pub(crate) struct Person {
    client: Client,
    driver: JoinHandle<()>,
}

impl Drop for Person {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Person {
    pub(crate) async fn at(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server answers");
        let driver = tokio::runtime::Handle::current().spawn(async move { drop(connection.await) });
        Self { client, driver }
    }

    pub(crate) async fn run(&self, text: &str) {
        self.client.batch_execute(text).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
    }

    pub(crate) async fn row(&self, text: &str) -> Row {
        self.client.query_one(text, &[]).await.unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    /// Makes a role that may log in and nothing else. Its name, and the URL it connects by.
    pub(crate) async fn make_role(&self, url: &str) -> (String, String) {
        let role = unique("role");
        self.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'sesame'")).await;
        let (_, rest) = url.rsplit_once('@').expect("the URL names a user");
        let url = format!("postgres://{role}:sesame@{rest}");
        (role, url)
    }

    pub(crate) async fn schema_exists(&self, schema: &str) -> bool {
        let text = format!("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{schema}')");
        self.row(&text).await.get(0)
    }
}

/// A name that nobody else uses.
pub(crate) fn unique(prefix: &str) -> String {
    format!("{prefix}_{}", ids::job_id().as_uuid().simple())
}

/// Why a store does not open, with its causes and whatever else might be printed of it.
pub(crate) async fn refusal(options: PostgresOptions) -> (StoreError, String) {
    let error = options.open().await.map(drop).expect_err("the store does not open");
    let mut text = format!("{error}\n{error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, "\n{error}\n{error:?}").expect("it is only memory");
        cause = error.source();
    }
    (error, text)
}

pub(crate) fn job() -> NewJob {
    let args = Args::json("{}").expect("this is JSON");
    NewJob::new(ids::job_id(), KindName::new("test").expect("this is a name"), args)
}
