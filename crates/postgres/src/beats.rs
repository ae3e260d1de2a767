//! Workers' signs of life, on a connection and a thread of their own.
//!
//! A beat that comes late costs the worker everything it holds. So it waits for nobody: not for a connection that callers
//! have taken, and not for the caller's runtime, whose threads handlers may have blocked. Both begin with the first beat,
//! since most who open a store are no workers, and end with the store.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use windlass_core::WorkerId;
use windlass_store::{ErrorKind, StoreError};

use crate::connect::Route;
use crate::error::{During, is_broken};
use crate::sql::{self, Ready, Statements};
use crate::value::Instant;

/// How long a beat may take once there is a connection. A server that is well answers within milliseconds; one that does
/// not is asked again on another connection, while there is time.
const BEAT_MAX: Duration = Duration::from_secs(5);

/// As many beats as there may be workers in one process. Further ones wait, as for a lock.
const WAITING_MAX: usize = 64;

type Answer = Result<Option<Row>, StoreError>;

/// Who gives a sign of life, and at what time if it is not the server that tells it.
type Sign = (WorkerId, Option<Instant>);

/// Sends signs of life.
#[derive(Debug)]
pub(crate) struct Beats {
    route: Route,
    statements: Arc<Statements>,
    thread: Mutex<Option<Thread>>,
}

struct Request {
    sign: Sign,
    operation: &'static str,
    reply: oneshot::Sender<Answer>,
}

/// The thread, as its owner holds it.
#[derive(Debug)]
struct Thread {
    requests: mpsc::Sender<Request>,
    /// Dropped to end it, whatever it is doing.
    stop: oneshot::Sender<()>,
    handle: JoinHandle<()>,
}

impl Beats {
    pub(crate) fn new(route: Route, statements: Arc<Statements>) -> Self {
        Self { route, statements, thread: Mutex::default() }
    }

    /// Extends the lease of a worker: the row of `worker/beat.sql`.
    pub(crate) async fn beat(&self, sign: Sign, operation: &'static str) -> Answer {
        let gone = || {
            let detail = "the thread that sends signs of life has ended";
            StoreError::new(operation, ErrorKind::Unknown).with_detail(detail)
        };
        let (reply, answer) = oneshot::channel();
        let requests = self.requests().map_err(|error| {
            StoreError::new(operation, ErrorKind::Unavailable)
                .with_detail("no thread can be started")
                .with_source(error)
        })?;
        requests.send(Request { sign, operation, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Where to send them: to the thread, which is started if it does not run.
    fn requests(&self) -> io::Result<mpsc::Sender<Request>> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.as_ref().filter(|thread| !thread.requests.is_closed()) {
            return Ok(thread.requests.clone());
        }
        let started = self.start()?;
        let requests = started.requests.clone();
        *thread = Some(started);
        Ok(requests)
    }

    fn start(&self) -> io::Result<Thread> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (requests, waiting) = mpsc::channel(WAITING_MAX);
        let (stop, stopped) = oneshot::channel();
        let (route, statements) = (self.route.clone(), Arc::clone(&self.statements));
        let beating = Beating { route, statements, client: None };
        let builder = std::thread::Builder::new().name("windlass-beats".to_owned());
        let handle = builder.spawn(move || run(runtime, beating, waiting, stopped))?;
        Ok(Thread { requests, stop, handle })
    }
}

impl Drop for Beats {
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Thread { requests, stop, handle }) = thread {
            drop((requests, stop));
            // It waits for nothing any more, so this does not either.
            if handle.join().is_err() {
                tracing::error!("the thread that sends signs of life panicked");
            }
        }
    }
}

fn run(
    runtime: Runtime,
    mut beating: Beating,
    mut waiting: mpsc::Receiver<Request>,
    stopped: oneshot::Receiver<()>,
) {
    let serve = async {
        while let Some(Request { sign, operation, reply }) = waiting.recv().await {
            // Who gave up waiting has no use for the answer.
            let _ = reply.send(beating.beat(sign, operation).await);
        }
    };
    runtime.block_on(async {
        tokio::select! {
            _ = stopped => {}
            () = serve => {}
        }
    });
    // A name may be looked up on a thread that does not return for long.
    runtime.shutdown_background();
}

/// What the thread has.
struct Beating {
    route: Route,
    statements: Arc<Statements>,
    client: Option<Client>,
}

impl Beating {
    /// A beat may be repeated, so one that was lost with its connection is sent once more on another.
    async fn beat(&mut self, sign: Sign, operation: &'static str) -> Answer {
        if let Some(client) = self.client.take().filter(|client| !client.is_closed()) {
            match self.ask(client, sign, operation).await {
                Err(error) if self.client.is_none() => {
                    tracing::debug!(%error, "a sign of life was lost with its connection, sending it again");
                }
                answer => return answer,
            }
        }
        let client = self.route.alone(operation).await?;
        self.ask(client, sign, operation).await
    }

    /// Keeps the client unless it broke.
    async fn ask(&mut self, client: Client, (worker, now): Sign, operation: &'static str) -> Answer {
        let Ready { text, types } = self.statements.get(sql::worker::BEAT);
        let worker = worker.as_uuid();
        let values: [&(dyn ToSql + Sync); 2] = [&now, &worker];
        let values: Vec<(&(dyn ToSql + Sync), Type)> =
            values.into_iter().zip(types.iter().cloned()).collect();
        // Not prepared: it is one round trip either way, and a pooler minds nothing of it.
        let answer = timeout(BEAT_MAX, client.query_typed(text, &values)).await;
        let answer = answer.map_err(|_| {
            let detail = format!("{} did not answer within {BEAT_MAX:?}", self.route.place.servers);
            StoreError::new(operation, ErrorKind::Unknown).with_detail(detail)
        })?;
        if !answer.as_ref().is_err_and(is_broken) {
            self.client = Some(client);
        }
        Ok(answer.committing(operation)?.into_iter().next())
    }
}
