//! Connections, and statements on them.

mod transaction;

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;
use windlass_core::Timestamp;
use windlass_store::{Clock, StoreError, SystemClock};

use crate::address::Place;
use crate::beats::Beats;
use crate::connect::{ANSWER_MAX, CALL_MAX, TURN_MAX};
use crate::sql::{Ready, Statement, Statements};
use crate::value::Instant;

pub(crate) use transaction::{BEGIN, BEGIN_AT_GATES, Transaction};

/// The values of a statement's parameters.
pub(crate) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// What reaches the database.
#[derive(Debug)]
pub(crate) struct Database {
    /// For settling and claiming, so that a crowd of other callers cannot keep a worker from its work.
    pub(crate) turns: Pool,
    /// For everything else.
    pub(crate) calls: Pool,
    /// How many of those may wait for a lock at a time.
    pub(crate) waiters: Semaphore,
    /// For workers' signs of life, which have to come through whatever else goes on.
    pub(crate) beats: Beats,
    /// Where it is.
    pub(crate) place: Arc<Place>,
    pub(crate) statements: Arc<Statements>,
    /// Tells the time instead of the server, in tests.
    pub(crate) clock: Option<Arc<dyn Clock>>,
    /// Whether statements may be prepared by name. A pooler between may hand each transaction another connection.
    pub(crate) named: bool,
    /// Who is told of work that a transaction has made.
    pub(crate) listeners: Arc<Listeners>,
    /// Where connections live, whoever asks for them.
    pub(crate) runtime: Handle,
}

/// What a store is told by what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// There is work that came of something else, such as the end of a job.
    Work,
    /// There may be lanes that were not there.
    Lanes,
}

/// Who is told: set once the store is there.
#[derive(Default)]
pub(crate) struct Listeners(OnceLock<Box<dyn Fn(News) + Send + Sync>>);

impl Listeners {
    /// Tells `listener` from now on.
    pub(crate) fn set(&self, listener: impl Fn(News) + Send + Sync + 'static) {
        let set = self.0.set(Box::new(listener));
        assert!(set.is_ok(), "a store is made once");
    }

    pub(crate) fn tell(&self, news: News) {
        if let Some(listener) = self.0.get() {
            listener(news);
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listeners")
    }
}

impl Database {
    /// The time, if it is not the server that tells it.
    pub(crate) fn now(&self) -> Option<Instant> {
        self.clock.as_ref().map(|clock| Instant(clock.now()))
    }

    /// The time as far as this process knows, without asking anybody.
    pub(crate) fn now_here(&self) -> Timestamp {
        self.now().map_or_else(|| SystemClock.now(), |now| now.0)
    }

    /// A connection for a single statement, which takes effect by itself.
    pub(crate) async fn call(&self, operation: &'static str) -> Result<Session, StoreError> {
        self.session(&self.calls, CALL_MAX, operation).await
    }

    /// A connection for a turn.
    pub(crate) async fn turn(&self, operation: &'static str) -> Result<Session, StoreError> {
        self.session(&self.turns, TURN_MAX, operation).await
    }

    /// A transaction, which is rolled back unless it is committed.
    pub(crate) async fn begin(&self, operation: &'static str) -> Result<Transaction, StoreError> {
        Transaction::begin(self.call(operation).await?, operation).await
    }

    async fn session(
        &self,
        pool: &Pool,
        answer_max: Duration,
        operation: &'static str,
    ) -> Result<Session, StoreError> {
        let client = pool.get().await.map_err(|error| self.place.no_connection(operation, error))?;
        Ok(Session {
            client: Some(client),
            unanswered: AtomicUsize::new(0),
            answer_max,
            statements: Arc::clone(&self.statements),
            named: self.named,
            now: self.now(),
            made_work: AtomicBool::new(false),
            met: OnceLock::new(),
            listeners: Arc::clone(&self.listeners),
            runtime: self.runtime.clone(),
        })
    }
}

/// What answers statements in order: a connection of ours, or a transaction that the caller lends.
pub(crate) trait Ask: Sync {
    /// The time, if it is not the server that tells it.
    fn now(&self) -> Option<Instant>;

    /// Notes that there is new work once this is committed. Of what is done in a transaction that the caller lends, the caller
    /// tells when it has committed it.
    fn made_work(&self) {}

    /// Makes sure that a statement is sent as soon as it is asked, and so before those that are asked together with it.
    fn prepare(
        &self,
        _statement: Statement,
    ) -> impl Future<Output = Result<(), tokio_postgres::Error>> + Send {
        std::future::ready(Ok(()))
    }

    fn query(
        &self,
        statement: Statement,
        values: Values<'_>,
    ) -> impl Future<Output = Result<Vec<Row>, tokio_postgres::Error>> + Send;
}

impl Ask for Session {
    fn now(&self) -> Option<Instant> {
        self.now
    }

    fn made_work(&self) {
        self.made_work.store(true, Ordering::Relaxed);
    }

    async fn prepare(&self, statement: Statement) -> Result<(), tokio_postgres::Error> {
        Self::prepare(self, statement).await
    }

    async fn query(
        &self,
        statement: Statement,
        values: Values<'_>,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        Self::query(self, statement, values).await
    }
}

/// A connection that is ours for a while.
///
/// Dropped while a statement is not answered, because its caller went away or because no answer came in time, it goes back
/// to its pool only once there is one: others would wait behind it.
#[derive(Debug)]
pub(crate) struct Session {
    /// There until it is dropped.
    client: Option<Object>,
    /// How many statements were sent, or are to be, and have no answer.
    unanswered: AtomicUsize,
    /// How long an answer is waited for.
    answer_max: Duration,
    statements: Arc<Statements>,
    named: bool,
    /// The time, if it is not the server that tells it.
    pub(crate) now: Option<Instant>,
    /// Whether what it does makes new work.
    made_work: AtomicBool,
    /// A job that somebody else has locked.
    met: OnceLock<Uuid>,
    listeners: Arc<Listeners>,
    runtime: Handle,
}

impl Session {
    pub(crate) async fn query(
        &self,
        statement: Statement,
        values: Values<'_>,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let Ready { text, types } = self.statements.get(statement);
        let asked = pin!(async {
            let client = self.client();
            if self.named {
                let prepared = client.prepare_typed_cached(text, types).await?;
                return client.query(&prepared, values).await;
            }
            client.query_typed(text, &typed(values, types)).await
        });
        self.answer(asked).await
    }

    /// Whether what it has done so far makes new work.
    pub(crate) fn has_made_work(&self) -> bool {
        self.made_work.load(Ordering::Relaxed)
    }

    /// Takes note that what it has done is committed.
    pub(crate) fn committed(&self) {
        if self.made_work.swap(false, Ordering::Relaxed) {
            self.listeners.tell(News::Work);
        }
    }

    /// Notes a job that somebody else has locked: what is done here is done again behind them.
    pub(crate) fn meet(&self, job: Uuid) {
        let _ = self.met.set(job);
    }

    /// The job that was met, if there was one.
    pub(crate) fn met(&self) -> Option<Uuid> {
        self.met.get().copied()
    }

    /// As [`Ask::prepare`].
    pub(crate) async fn prepare(&self, statement: Statement) -> Result<(), tokio_postgres::Error> {
        if self.named {
            let Ready { text, types } = self.statements.get(statement);
            self.answer(pin!(self.client().prepare_typed_cached(text, types))).await?;
        }
        Ok(())
    }

    pub(crate) async fn query_opt(
        &self,
        statement: Statement,
        values: Values<'_>,
    ) -> Result<Option<Row>, tokio_postgres::Error> {
        Ok(self.query(statement, values).await?.into_iter().next())
    }

    pub(crate) async fn execute(
        &self,
        statement: Statement,
        values: Values<'_>,
    ) -> Result<u64, tokio_postgres::Error> {
        let Ready { text, types } = self.statements.get(statement);
        let asked = pin!(async {
            let client = self.client();
            if self.named {
                let prepared = client.prepare_typed_cached(text, types).await?;
                return client.execute(&prepared, values).await;
            }
            client.execute_typed(text, &typed(values, types)).await
        });
        self.answer(asked).await
    }

    /// Text that is not a statement of ours, such as `BEGIN`.
    pub(crate) async fn run(&self, text: &str) -> Result<(), tokio_postgres::Error> {
        self.answer(pin!(self.client().batch_execute(text))).await
    }

    /// Waits for an answer, and not for ever: a connection may fall silent without a word. What is asked stays where it is,
    /// as a turn holds many of these.
    async fn answer<T>(
        &self,
        asked: Pin<&mut impl Future<Output = Result<T, tokio_postgres::Error>>>,
    ) -> Result<T, tokio_postgres::Error> {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        // Whoever drops this before there is an answer leaves it counted.
        let answer = timeout(self.answer_max, asked).await;
        // The driver's own for its blocking twin, and the only one of its errors that others can make.
        let answer = answer.map_err(|_| tokio_postgres::Error::__private_api_timeout())?;
        self.unanswered.fetch_sub(1, Ordering::Relaxed);
        answer
    }

    fn client(&self) -> &Object {
        self.client.as_ref().expect("a session has its connection until it is dropped")
    }
}

fn typed<'a>(values: Values<'a>, types: &[Type]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    values.iter().copied().zip(types.iter().cloned()).collect()
}

impl Drop for Session {
    fn drop(&mut self) {
        if *self.unanswered.get_mut() == 0 {
            return;
        }
        let Some(client) = self.client.take().filter(|client| !client.is_closed()) else { return };
        // It keeps its place in the pool meanwhile, so that callers who give up cannot make connections without end. What
        // was sent, such as a commit, is with the server long before it is closed.
        self.runtime.spawn(async move {
            if !matches!(timeout(ANSWER_MAX, client.check_connection()).await, Ok(Ok(()))) {
                tracing::debug!("a connection to the database does not answer, and is given up");
                drop(Object::take(client));
            }
        });
    }
}
