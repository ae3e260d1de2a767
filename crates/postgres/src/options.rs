//! How to open a store.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_postgres::Config;
use windlass_core::Limits;
use windlass_store::clock::SteadyClock;
use windlass_store::{Clock, ErrorKind, Signals, StoreError};

use crate::database::Database;
use crate::error::from_pool;
use crate::floors::FloorMap;
use crate::lanes::Lanes;
use crate::leases::Outstanding;
use crate::sql::{SCHEMA, Statements};
use crate::{PostgresStore, connect, migrate};

const NAME: &str = "open the store";

/// Where the database is and how it is to be used.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), windlass_store::StoreError> {
/// let store = windlass_postgres::PostgresOptions::new("postgres://app@localhost/app").open().await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresOptions {
    url: String,
    schema: String,
    connections: usize,
    clock: Option<Arc<dyn Clock>>,
    limits: Limits,
    pooled: bool,
}

impl std::fmt::Debug for PostgresOptions {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresOptions").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl PostgresOptions {
    /// The database at `url`, `postgres://user:password@host:port/database` or `host=… user=…`: in the schema `windlass`,
    /// by the server's clock, with the default limits.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: SCHEMA.to_owned(),
            connections: 8,
            clock: None,
            limits: Limits::default(),
            pooled: false,
        }
    }

    /// Keeps everything in this schema instead, so that several stores may share a database.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Opens at most this many connections for callers; those that keep workers alive come on top. Default 8, at least 1.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most.max(1);
        self
    }

    /// Asks `clock` what time it is instead of the server: for tests that hold time still.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(Arc::new(SteadyClock::new(clock)));
        self
    }

    /// Uses these limits instead of the default ones.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Reaches the server through a pooler that gives each transaction another connection, such as `PgBouncer` in
    /// transaction mode: nothing is prepared by name, and no settings are sent when a connection is made.
    #[must_use]
    pub const fn pooled(mut self) -> Self {
        self.pooled = true;
        self
    }

    /// Opens the store, and makes or renews its schema.
    ///
    /// # Errors
    ///
    /// `Invalid(url)`; `Unavailable` for a server that cannot be reached or refuses us; `Incompatible` for a schema that a
    /// newer version made, which is then left as it is.
    pub async fn open(self) -> Result<PostgresStore, StoreError> {
        let config = self.config()?;
        let runtime = Handle::current();
        let database = Arc::new(Database {
            turns: connect::pool(&config, TURNS, &runtime),
            calls: connect::pool(&config, self.connections, &runtime),
            statements: Arc::new(Statements::for_schema(&self.schema)),
            clock: self.clock,
            named: !self.pooled,
            runtime,
        });
        let client = database.calls.get().await.map_err(|error| from_pool(NAME, error))?;
        migrate::up(&client, &self.schema).await?;
        drop(client);
        Ok(PostgresStore {
            database,
            lanes: Lanes::default(),
            outstanding: Outstanding::default(),
            floors: FloorMap::default(),
            limits: self.limits,
            schema: self.schema,
            location: location(&config),
            signals: Signals::default(),
        })
    }

    fn config(&self) -> Result<Config, StoreError> {
        let mut config: Config = self.url.parse().map_err(|error: tokio_postgres::Error| {
            let invalid = windlass_core::Invalid::new("url", format!("is no address of a database: {error}"));
            StoreError::new(NAME, ErrorKind::Invalid(invalid))
        })?;
        if config.get_application_name().is_none() {
            config.application_name("windlass");
        }
        if !self.pooled {
            connect::with_settings(&mut config);
        }
        Ok(config)
    }
}

/// Connections that only turns and beats use.
const TURNS: usize = 4;

/// Where the database is, without secrets.
fn location(config: &Config) -> String {
    use tokio_postgres::config::Host;
    let host = config.get_hosts().first().map_or_else(String::new, |host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let port = config.get_ports().first().map_or_else(String::new, |port| format!(":{port}"));
    format!("postgres://{host}{port}/{}", config.get_dbname().or(config.get_user()).unwrap_or_default())
}
