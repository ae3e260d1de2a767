//! The worker: registers, runs its pools, and stops.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select_all;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout};
use windlass_core::WorkerId;
use windlass_store::{ErrorKind, SharedStore, StoreError};

use crate::builder::WorkerBuilder;
use crate::config::{Config, ConfigError};
use crate::declare::declare;
use crate::engine::Engine;
use crate::heart::{Heart, try_register};
use crate::pace::Backoff;
use crate::pool::{PoolHandle, dispatch};
use crate::registry::Registry;
use crate::running_worker::RunningWorker;
use crate::shutdown::{Shutdown, StopReport};
use crate::{maintenance, panics};

/// How long a worker that stops tries to tell the store of what ended. Leases take care of what it cannot tell.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why a worker ended by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The store refused the worker, or says what no waiting can mend: it is damaged, or too new.
    #[error("the worker could not go on")]
    Store(#[from] StoreError),
    /// The operating system gave no thread for the worker's beats.
    #[error("could not start the thread for the worker's beats")]
    Thread(#[source] io::Error),
}

/// Claims jobs and runs their handlers.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// use windlass_runtime::{Job, JobError, Worker};
/// # #[derive(Serialize, Deserialize)]
/// # struct SendEmail { to: String }
/// # impl Job for SendEmail {
/// #     const KIND: &'static str = "send_email";
/// #     type Output = ();
/// # }
/// async fn send_email(job: SendEmail) -> Result<(), JobError> {
///     println!("to {}", job.to);
///     Ok(())
/// }
///
/// # async fn run(store: windlass_store::SharedStore) -> Result<(), Box<dyn std::error::Error>> {
/// let worker = Worker::builder(store).queue("mail", 8).handle(send_email).build()?;
/// let running = worker.start();
/// // ...
/// let report = running.stop().await;
/// println!("{} attempts", report.settled);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a worker does nothing until it is run"]
pub struct Worker {
    engine: Arc<Engine>,
}

impl Worker {
    /// Begins to put a worker together that works on the jobs of `store`.
    pub fn builder(store: SharedStore) -> WorkerBuilder<()> {
        WorkerBuilder::new(store)
    }

    pub(crate) fn new(store: SharedStore, config: Config, registry: Registry) -> Result<Self, ConfigError> {
        Ok(Self { engine: Engine::new(store, config, registry)? })
    }

    /// The kinds it has handlers for, by name; beside those for which it does something when a person has decided about a
    /// result, the name of that: `["import", "import#review", "mail"]`.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        self.engine.registry.names()
    }

    /// Runs the worker on tasks of its own.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use = "dropped, the worker stops"]
    pub fn start(self) -> RunningWorker {
        let (engine, shutdown) = (Arc::clone(&self.engine), Shutdown::new());
        RunningWorker::new(engine, shutdown.clone(), self.run(shutdown))
    }

    /// Runs the worker until `stop` is ready, then stops it gently.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] when it ended by itself.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it leaves everything as it is: handlers are dropped, and leases run out.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<StopReport, WorkerError> {
        let shutdown = Shutdown::new();
        let run = self.run(shutdown.clone());
        let stop = async {
            stop.await;
            shutdown.stop();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = run => ended,
            () = stop => unreachable!("it waits for ever"),
        }
    }

    /// Runs the worker until it is told to stop.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] when it ended by itself.
    ///
    /// # Cancel safety
    ///
    /// As [`run_until`](Self::run_until).
    pub async fn run(self, shutdown: Shutdown) -> Result<StopReport, WorkerError> {
        let engine = self.engine;
        // Whichever way this ends, nothing of the worker goes on.
        let _end = engine.working.clone().drop_guard();
        if engine.config.panic_locations {
            panics::note_places();
        }
        tokio::select! {
            declared = declare(&engine) => declared?,
            () = shutdown.stopping() => return Ok(engine.report(false)),
        }
        let registered = tokio::select! {
            registered = register(&engine) => registered?,
            () = shutdown.stopping() => return Ok(engine.report(false)),
        };
        let run = Run::start(Arc::clone(&engine), registered)?;
        tokio::select! {
            ended = run.live(&shutdown) => ended,
            () = shutdown.stopping_now() => Ok(engine.report(true)),
        }
    }
}

/// Makes the worker known. While the store is away, that takes as long as it takes.
async fn register(engine: &Engine) -> Result<(WorkerId, Instant), StoreError> {
    let mut backoff = Backoff::default();
    loop {
        let error = match try_register(engine).await {
            Ok(registered) => return Ok(registered),
            Err(error) if error.is_transient() => error,
            Err(error) => return Err(error),
        };
        let wait = backoff.after_failure(Duration::MAX);
        if backoff.is_first() {
            tracing::warn!(%error, "could not register the worker, will try again");
        }
        tokio::time::sleep_until(Instant::now() + wait).await;
    }
}

/// How a dispatcher ended: none if it was cut off.
type Dispatched = Option<Result<(), StoreError>>;

/// A worker at work.
struct Run {
    engine: Arc<Engine>,
    heart: Heart,
    dispatchers: Vec<JoinHandle<Dispatched>>,
}

impl Run {
    fn start(engine: Arc<Engine>, (member, sent): (WorkerId, Instant)) -> Result<Self, WorkerError> {
        let heart = Heart::start(Arc::clone(&engine), member, sent).map_err(WorkerError::Thread)?;
        engine.join(member);
        let dispatcher = |pool| {
            let working = engine.working.clone();
            engine.tracker.spawn(working.run_until_cancelled_owned(dispatch(pool)))
        };
        let dispatchers = PoolHandle::all(&engine).map(dispatcher).collect();
        Ok(Self { engine, heart, dispatchers })
    }

    /// Works until told to stop, then ends in order: claim nothing, let run, ask to stop, give back, leave.
    async fn live(mut self, shutdown: &Shutdown) -> Result<StopReport, WorkerError> {
        let fault = tokio::select! {
            fault = first_fault(&mut self.dispatchers) => Some(fault),
            () = maintain(&self.engine) => None,
            // Without it the leases run out unnoticed, and handlers would go on beside their successors.
            () = self.heart.panicked() => panic!("the heart of the worker panicked"),
            () = shutdown.stopping() => None,
        };
        self.drain(fault.is_some()).await;
        let report = self.leave().await;
        match fault {
            Some(error) => Err(error.into()),
            None => Ok(report),
        }
    }

    /// Lets what runs end, asks it to, and takes it back in the end.
    async fn drain(&mut self, faulty: bool) {
        let Config { drain_time, grace, .. } = self.engine.config;
        self.engine.stop();
        // A store that takes nothing more gives no reason to wait.
        let drain_time = if faulty { Duration::ZERO } else { drain_time };
        if timeout(drain_time, all_ended(&mut self.dispatchers)).await.is_ok() {
            return;
        }
        tracing::info!(
            running = self.engine.snapshot().running,
            "the drain time is over: handlers are asked to stop"
        );
        self.engine.ask_all();
        if timeout(grace, all_ended(&mut self.dispatchers)).await.is_err() {
            let running = self.engine.snapshot().running;
            tracing::warn!(running, "handlers did not stop when asked to: their attempts are given back");
            self.engine.interrupt();
        }
    }

    /// Tells the store what is still to be told, and takes leave of it.
    async fn leave(mut self) -> StopReport {
        let told = timeout(FAREWELL, all_ended(&mut self.dispatchers)).await;
        if told.is_err() {
            tracing::warn!("the store did not take the ends of all attempts: their leases have to run out");
        }
        self.engine.handlers.cancel();
        if let Some(member) = self.heart.stop().await {
            if self.engine.config.maintenance {
                resign(&self.engine, member).await;
            }
            deregister(&self.engine, member).await;
        }
        let report = self.engine.report(false);
        self.engine.tracker.close();
        self.engine.working.cancel();
        if timeout(FAREWELL, self.engine.tracker.wait()).await.is_err() {
            tracing::warn!("a handler blocks its thread and does not end; it is left behind");
        }
        report
    }
}

/// Waits until a dispatcher ends before it was told to, and says why.
async fn first_fault(dispatchers: &mut Vec<JoinHandle<Dispatched>>) -> StoreError {
    loop {
        if dispatchers.is_empty() {
            std::future::pending::<()>().await;
        }
        let (ended, index, _) = select_all(dispatchers.iter_mut()).await;
        drop(dispatchers.swap_remove(index));
        match ended {
            Ok(Some(Err(error))) => {
                tracing::error!(%error, "the worker stops: its store can take nothing more");
                return error;
            }
            Ok(_) => {}
            Err(error) => propagate(error),
        }
    }
}

/// Waits until all dispatchers have ended. May be dropped and called again.
async fn all_ended(dispatchers: &mut Vec<JoinHandle<Dispatched>>) {
    while let Some(dispatcher) = dispatchers.last_mut() {
        match dispatcher.await {
            Ok(Some(Err(error))) => tracing::error!(%error, "the ends of attempts could not be stored"),
            Ok(_) => {}
            Err(error) => propagate(error),
        }
        dispatchers.pop();
    }
}

/// A dispatcher runs no handlers, so a panic in one is a fault of this library, and is not kept quiet.
fn propagate(error: JoinError) {
    if let Ok(panic) = error.try_into_panic() {
        std::panic::resume_unwind(panic);
    }
}

/// Does the periodic duties of the store, if the worker is to do them.
async fn maintain(engine: &Arc<Engine>) {
    if engine.config.maintenance {
        maintenance::keep(Arc::clone(engine)).await;
    }
    std::future::pending::<()>().await;
}

/// Gives up the lead, should this worker have it. Nothing depends on it either: it ends by itself in seconds.
async fn resign(engine: &Engine, member: WorkerId) {
    if !matches!(timeout(FAREWELL, engine.store.resign(member)).await, Ok(Ok(()))) {
        tracing::debug!("could not give up the lead; its lease has to run out");
    }
}

/// Takes leave of the store. Nothing depends on it: a worker that does not is forgotten when its lease ends.
async fn deregister(engine: &Engine, member: WorkerId) {
    match timeout(FAREWELL, engine.store.deregister(member)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) if matches!(error.kind(), ErrorKind::NotFound) => {}
        Ok(Err(error)) => tracing::warn!(%error, "could not deregister the worker; its lease has to run out"),
        Err(_) => tracing::warn!("could not deregister the worker in time; its lease has to run out"),
    }
}
