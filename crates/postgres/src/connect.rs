//! Making connections, and seeing to it that those of a pool are alive.
//!
//! What the network does not tell is bounded: a connection whose other end has gone away without a word is given up after
//! 20 seconds while something is on its way, and after 30 while nothing is.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::{
    ClientWrapper, Connect, Hook, HookError, Manager, ManagerConfig, Metrics, Pool, QueueMode,
    RecyclingMethod,
};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;
use windlass_store::StoreError;

use crate::address::Place;
use crate::care::{Care, PAUSE_MAX, chain};

/// How long a caller waits for a connection that others have.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an address may take to answer. The next one of several is tried then.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How long what was sent may stay without a sign that it has arrived.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(20);

/// How long a connection may be silent before it is asked, how often it is asked, and how many times.
const SILENCE_MAX: Duration = Duration::from_secs(15);
const ASK_EVERY: Duration = Duration::from_secs(5);
const ASK_TIMES: u32 = 3;

/// What the driver does about silence if nobody says otherwise.
const DRIVERS_SILENCE_MAX: Duration = Duration::from_secs(2 * 60 * 60);

/// How long one statement may take. What takes longer was stuck, and is asked again.
const STATEMENT_MAX: Duration = Duration::from_secs(60);

/// How long a statement waits for a lock. None of ours is held for longer than a statement takes.
const LOCK_MAX: Duration = Duration::from_secs(20);

/// How long a transaction may stand idle between two statements: longer than a pause of our process is taken for its
/// death, and what it locked is let go.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// No server is started anew so quickly, so a connection that was in use so shortly ago has not been closed by one. A small
/// one may be within 40 ms.
const FRESH: Duration = Duration::from_millis(5);

/// One that was in use so shortly ago is not asked whether it lives, which is a round trip: if a server has closed it, that has
/// arrived; and what else may befall it in so little time may as well befall it while a statement is on its way. One that was
/// idle for longer may have been forgotten by a firewall. Longer than an idle worker waits between two looks.
const LATELY: Duration = Duration::from_millis(2_500);

/// How long it may take to answer then. The others are not asked when one has not.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(5);

/// How long somebody who gave up before that has to have waited for it to be taken for silent.
const ANSWER_MIN: Duration = Duration::from_millis(500);

/// How long a statement is waited for: the server ends it sooner, so that no answer came means that none will.
pub(crate) const CALL_MAX: Duration = STATEMENT_MAX.saturating_add(ANSWER_MAX);

/// The same of a turn. It takes milliseconds, and others wait behind it.
pub(crate) const TURN_MAX: Duration = Duration::from_secs(10);

/// How to come to the database.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
    pub(crate) care: Arc<Care>,
    pub(crate) place: Arc<Place>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Route").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Route {
    /// Outages there are told apart from those anywhere else.
    pub(crate) fn to(config: Config, tls: MakeRustlsConnect, schema: &str) -> Self {
        let place = Place::of(&config, schema);
        let care = Care::of(place.to_string());
        Self { config, tls, care: Arc::new(care), place: Arc::new(place) }
    }

    /// A connection that belongs to no pool, on the runtime of the caller.
    pub(crate) async fn alone(&self, operation: &'static str) -> Result<Client, StoreError> {
        match self.connect(&Handle::current()).await {
            Some(Ok((client, _))) => Ok(client),
            Some(Err(error)) => Err(self.place.refused(operation, error)),
            None => Err(self.place.silent(operation)),
        }
    }

    /// A connection, and the task on `runtime` that it lives in; none if nobody answered in time. Has to be called there.
    async fn connect(&self, runtime: &Handle) -> Option<Made> {
        self.care.pause().await;
        let made = timeout(self.made_max(), self.config.connect(self.tls.clone())).await;
        let Ok(made) = made else {
            self.care.missed(&"no answer in time");
            return None;
        };
        let (client, connection) = match made {
            Ok(made) => made,
            Err(error) => {
                self.care.missed(&chain(&error));
                return Some(Err(error));
            }
        };
        self.care.reached();
        let task = runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the database has ended");
            }
        });
        Some(Ok((client, task)))
    }

    /// How long it may take to make a connection. The driver bounds only how long each address takes to answer at all; what
    /// is spoken after that has as much time.
    fn made_max(&self) -> Duration {
        let hosts = u32::try_from(self.config.get_hosts().len()).unwrap_or(1);
        self.config.get_connect_timeout().copied().unwrap_or(CONNECT_MAX) * (hosts + 1)
    }
}

type Made = Result<(Client, JoinHandle<()>), tokio_postgres::Error>;

/// Makes connections whose tasks live on the store's own runtime, whoever asks for one.
struct Connector {
    route: Route,
    runtime: Handle,
}

impl Connect for Connector {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Made> {
        let (route, runtime) = (self.route.clone(), self.runtime.clone());
        let connecting = self.runtime.spawn(async move { route.connect(&runtime).await });
        async move {
            match connecting.await {
                Ok(Some(made)) => made,
                Err(panicked) if panicked.is_panic() => resume_unwind(panicked.into_panic()),
                // The pool has the same patience, and says so. Where the runtime is shutting down, callers end with it.
                Ok(None) | Err(_) => pending().await,
            }
        }
        .boxed()
    }
}

/// Settings that our statements rely on, sent when a connection is made. Not through a pooler, which may refuse them; there
/// every statement is planned anew each time.
///
/// A plan is kept as long as its connection. One that was made while a table was empty would walk through it when it is full,
/// until the server gathers statistics: so no plan may walk where there is an index. Nor may one begin helpers, which it does
/// for what it takes to be a long walk, and for 15 ms where there turns out to be nothing: each is a process of its own.
///
/// The server is told to watch the connection as we do, so that it lets go of what we had locked when our machine is gone.
pub(crate) fn with_settings(config: &mut Config) {
    let settings = format!(
        "{} -c jit=off -c plan_cache_mode=force_generic_plan -c enable_seqscan=off \
         -c max_parallel_workers_per_gather=0 -c search_path=pg_catalog \
         -c default_transaction_isolation=read\\ committed -c statement_timeout={} -c lock_timeout={} \
         -c idle_in_transaction_session_timeout={} -c tcp_user_timeout={} -c tcp_keepalives_idle={} \
         -c tcp_keepalives_interval={} -c tcp_keepalives_count={ASK_TIMES}",
        config.get_options().unwrap_or_default(),
        STATEMENT_MAX.as_millis(),
        LOCK_MAX.as_millis(),
        IDLE_MAX.as_millis(),
        UNACKNOWLEDGED_MAX.as_millis(),
        SILENCE_MAX.as_secs(),
        ASK_EVERY.as_secs(),
    );
    config.options(settings.trim_start().to_owned());
}

/// Bounds how long we wait for a network that says nothing, where the URL does not.
pub(crate) fn with_bounds(config: &mut Config) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_MAX);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNACKNOWLEDGED_MAX);
    }
    if config.get_keepalives_idle() == DRIVERS_SILENCE_MAX {
        config.keepalives_idle(SILENCE_MAX);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(ASK_EVERY);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(ASK_TIMES);
    }
}

/// A pool of at most `size` connections, none of which is made before it is needed.
pub(crate) fn pool(route: &Route, size: usize, runtime: &Handle) -> Pool {
    let manager = Manager::from_connect(
        route.config.clone(),
        Connector { route: route.clone(), runtime: runtime.clone() },
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    Pool::builder(manager)
        .max_size(size)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(route.made_max() + PAUSE_MAX))
        .runtime(deadpool_postgres::Runtime::Tokio1)
        // Those in use stay in use, and need not be asked.
        .queue_mode(QueueMode::Lifo)
        .pre_recycle(alive())
        .build()
        .expect("a pool with timeouts is given its runtime")
}

/// Refuses connections that have ended, so that one which a server closed while nobody used it is not given to anybody: a
/// statement sent on it would fail, and nobody could say whether it had been carried out.
fn alive() -> Hook {
    let silent = Arc::new(Silent::default());
    Hook::async_fn(move |client: &mut ClientWrapper, metrics: &Metrics| {
        let silent = Arc::clone(&silent);
        async move {
            if client.is_closed() || silent.is_among(metrics) {
                return Err(ended());
            }
            match metrics.last_used() {
                idle if idle < FRESH => return Ok(()),
                idle if idle < LATELY => {
                    return if is_heard_to_live(client).await { Ok(()) } else { Err(ended()) };
                }
                _ => {}
            }
            let asked = Asked { at: Some(Instant::now()), silent: &silent };
            let answer = timeout(ANSWER_MAX, client.check_connection()).await;
            // If there was one, nothing is silent; else, and if nobody waits any more, it is taken note of.
            let answer = answer.map_err(|_| HookError::message("the connection does not answer"))?;
            asked.answered();
            answer.map_err(HookError::Backend)
        }
        .boxed()
    })
}

fn ended() -> HookError {
    HookError::message("the connection has ended")
}

/// Whether nothing has arrived that ends the connection. Where handlers block the runtime, its task may not have been polled
/// since: who yields goes on only after the runtime has looked at what arrived, and after a second time those have been polled
/// whom that concerns.
async fn is_heard_to_live(client: &ClientWrapper) -> bool {
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    !client.is_closed()
}

/// When a connection last did not answer. Those that are as old and have not been used since would not either, and to wait
/// for each of them would take the caller too long.
#[derive(Debug, Default)]
struct Silent(Mutex<Option<Instant>>);

impl Silent {
    fn found(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_among(&self, metrics: &Metrics) -> bool {
        let found = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.is_some_and(|found| metrics.recycled.unwrap_or(metrics.created) < found)
    }
}

/// A question without an answer yet. Dropped so, by whoever would not wait, it tells what is known: else each caller of a
/// little patience would meet the next silent connection.
struct Asked<'a> {
    /// None once there is an answer.
    at: Option<Instant>,
    silent: &'a Silent,
}

impl Asked<'_> {
    fn answered(mut self) {
        self.at = None;
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.at.is_some_and(|at| at.elapsed() >= ANSWER_MIN) {
            self.silent.found();
        }
    }
}
