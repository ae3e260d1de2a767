//! How to open a store.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_postgres::Client;
use windlass_core::{Invalid, Limits};
use windlass_store::clock::SteadyClock;
use windlass_store::{Clock, StoreError};

use crate::address::{Address, Place, elsewhere, other_servers};
use crate::beats::Beats;
use crate::connect::Route;
use crate::database::Database;
use crate::gates::Met;
use crate::lanes::Lanes;
use crate::leases::{Outstanding, Turns};
use crate::maintenance::{Progress, Rest, days};
use crate::migrate::Renewal;
use crate::sql::{SCHEMA, Statements};
use crate::wake::{Wake, Ways};
use crate::{Core, PostgresStore, connect, migrate, server};

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
    /// What was asked for here wins over what the URL says.
    schema: Option<String>,
    connections: Option<usize>,
    clock: Option<Arc<dyn Clock>>,
    limits: Limits,
    pooled: Option<bool>,
    listen: Option<String>,
    notify: bool,
    renewal: Renewal,
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
    ///
    /// Options stand behind a question mark, as in `?sslmode=verify-full&schema=jobs`. Besides those of the driver:
    ///
    /// | option | means |
    /// | --- | --- |
    /// | `schema`, `connections`, `pooled=true` | what the methods of these names say, unless they are called |
    /// | `listen=host:port` | what [`Self::listen_at`] says |
    /// | `sslmode=disable` | nothing is encrypted |
    /// | `sslmode=prefer` | it is, if the server can; the default |
    /// | `sslmode=require` | it is, and whoever answers is believed to be the server, as everywhere else |
    /// | `sslmode=verify-ca` | it is, and an authority that is trusted says that it is a server |
    /// | `sslmode=verify-full` | it is, and says that it is this server: what to use beyond a network of one's own |
    /// | `sslrootcert` | a file with the authorities to trust; `system`, the default, for those the system trusts |
    /// | `sslcert`, `sslkey` | files with a certificate of our own and its key, in PEM |
    ///
    /// A server that does not answer is given up after ten seconds, or `connect_timeout`. A connection whose other end is
    /// gone without a word is given up after 20 seconds while something is on its way, or `tcp_user_timeout`, and after 30
    /// while nothing is.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: None,
            connections: None,
            clock: None,
            limits: Limits::default(),
            pooled: None,
            listen: None,
            notify: true,
            renewal: Renewal::Allowed,
        }
    }

    /// Keeps everything in this schema instead, so that several stores may share a database.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Opens at most this many connections for callers; those that keep workers alive come on top. Default 8, at least 1.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = Some(most.max(1));
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
    ///
    /// Then they are the role's: `ALTER ROLE app SET statement_timeout = '60s'`, and the same of `lock_timeout` (20 s),
    /// `idle_in_transaction_session_timeout` (15 s), `jit` (off) and `max_parallel_workers_per_gather` (0).
    #[must_use]
    pub const fn pooled(mut self) -> Self {
        self.pooled = Some(true);
        self
    }

    /// Hears of other processes' work at `host:port`, where the server itself is, on one connection that no pooler hands out:
    /// with the same user, the same name of the database, which has to be the server's own, and the TLS that was asked for.
    /// Without it a process behind a pooler tells others of its work, and finds theirs by polling.
    #[must_use]
    pub fn listen_at(mut self, server: impl Into<String>) -> Self {
        self.listen = Some(server.into());
        self
    }

    /// Whether to make or renew the schema when the store is opened; yes by default. If not, a store whose schema is missing
    /// or older than this program is refused as `Incompatible`, and [`migrate::up`], `windlass migrate up` or a person with
    /// [`migrate::sql`] has to see to it.
    #[must_use]
    pub const fn migrate(mut self, allowed: bool) -> Self {
        self.renewal = if allowed { Renewal::Allowed } else { Renewal::Refused };
        self
    }

    /// Whether other processes are told of new work, and heard when they tell of theirs. Without it they find it by polling.
    /// Default yes.
    #[must_use]
    pub const fn notify(mut self, notify: bool) -> Self {
        self.notify = notify;
        self
    }

    /// Opens the store, and makes or renews its schema.
    ///
    /// # Errors
    ///
    /// `Invalid(url)` and `Invalid(listen)`; `Unavailable` for a server that cannot be reached or refuses us; `Incompatible` for one that is too
    /// old or does not keep text as UTF-8, and for a schema that a newer version made, which is then left as it is. Each
    /// says what to do.
    pub async fn open(self) -> Result<PostgresStore, StoreError> {
        let Opening { route, pooled, listen, connections } = self.opening(NAME)?;
        let (runtime, schema) = (Handle::current(), route.place.schema.clone());
        let statements = Arc::new(Statements::for_schema(&schema));
        let database = Arc::new(Database {
            turns: connect::pool(&route, TURNS, &runtime),
            calls: connect::pool(&route, connections, &runtime),
            waiters: Semaphore::new(connections.div_ceil(2)),
            beats: Beats::new(route.clone(), Arc::clone(&statements)),
            place: Arc::clone(&route.place),
            statements,
            clock: self.clock,
            named: !pooled,
            listeners: Arc::default(),
            runtime,
        });
        prepare(&database, self.renewal).await?;
        make_days(&database, &schema).await;
        let listen = listen.filter(|_| self.notify);
        let wake = Wake::new(&database, &schema, Ways { notify: self.notify, listen });
        Ok(PostgresStore::new(Core {
            database,
            lanes: Lanes::default(),
            outstanding: Outstanding::default(),
            turns: Turns::default(),
            floors: wake.floors(),
            gates_met: Met::default(),
            limits: self.limits,
            schema,
            location: route.place.to_string(),
            wake,
            sweeping: Progress::default(),
            resting: Rest::default(),
        }))
    }

    /// A connection of its own to a server that will do, for what a person asks for.
    pub(crate) async fn connect(&self, name: &'static str) -> Result<(Client, Arc<Place>), StoreError> {
        let Opening { route, pooled, .. } = self.opening(name)?;
        let client = route.alone(name).await?;
        server::check(&client, !pooled, name).await?;
        Ok((client, route.place))
    }

    fn opening(&self, name: &'static str) -> Result<Opening, StoreError> {
        self.resolved().map_err(|invalid| StoreError::invalid(name, invalid))
    }

    /// What the URL and the methods say together.
    fn resolved(&self) -> Result<Opening, Invalid> {
        let Address { mut config, trust, schema, connections, pooled, listen, ssl_mode } =
            Address::parse(&self.url)?;
        let schema = self.schema.clone().or(schema).unwrap_or_else(|| SCHEMA.to_owned());
        migrate::check_name(&schema)?;
        let pooled = self.pooled.or(pooled).unwrap_or(false);
        if config.get_application_name().is_none() {
            config.application_name("windlass");
        }
        if !pooled {
            connect::with_settings(&mut config);
        }
        connect::with_bounds(&mut config);
        let route = Route::to(config, trust.connector()?, &schema);
        let listen = match self.listen.as_deref().map(other_servers).transpose()?.or(listen) {
            Some(servers) => {
                let config = elsewhere(&route.config, ssl_mode, &servers);
                Some(Route::to(config, route.tls.clone(), &schema))
            }
            // Behind a pooler the connection that listens would be another one each time.
            None => (!pooled).then(|| route.clone()),
        };
        let connections = self.connections.or(connections).unwrap_or(CONNECTIONS);
        Ok(Opening { route, pooled, listen, connections })
    }
}

/// What is needed to reach a database.
struct Opening {
    route: Route,
    pooled: bool,
    /// Where other processes can be heard, if anywhere.
    listen: Option<Route>,
    connections: usize,
}

/// Sees to it that the server and the schema are as the store needs them.
async fn prepare(database: &Database, renewal: Renewal) -> Result<(), StoreError> {
    let place = &database.place;
    let client = database.calls.get().await.map_err(|error| place.no_connection(NAME, error))?;
    server::check(&client, database.named, NAME).await?;
    migrate::ensure(&client, (place, renewal), NAME).await?;
    server::check_rights(&client, place, NAME).await
}

/// Without a partition of their own, today's jobs lie in the default one: that is no reason not to open.
async fn make_days(database: &Database, schema: &str) {
    let made = match database.call(NAME).await {
        Ok(session) => days::make(&session, schema, NAME).await,
        Err(error) => Err(error),
    };
    if let Err(error) = made {
        tracing::debug!(%error, "could not make the partitions of the next days");
    }
}

/// Connections for callers, unless they say how many.
const CONNECTIONS: usize = 8;

/// Connections that only turns use.
const TURNS: usize = 4;
