//! A worker that runs on tasks of its own.

use std::future::Future;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use crate::engine::Engine;
use crate::shutdown::{Shutdown, Snapshot, StopReport};
use crate::worker::WorkerError;

/// A worker that was started. Dropped, it stops gently, and nobody waits for it.
#[derive(Debug)]
pub struct RunningWorker {
    engine: Arc<Engine>,
    shutdown: Shutdown,
    ended: JoinHandle<Result<StopReport, WorkerError>>,
}

impl RunningWorker {
    pub(crate) fn new(
        engine: Arc<Engine>,
        shutdown: Shutdown,
        run: impl Future<Output = Result<StopReport, WorkerError>> + Send + 'static,
    ) -> Self {
        // Not the tracker of the engine, which the run itself waits for.
        let ended = TaskTracker::new().spawn(run);
        Self { engine, shutdown, ended }
    }

    /// Stops the worker gently: it claims nothing more, and lets what runs end within its drain time.
    ///
    /// A worker that had ended by itself has logged why; [`ended`](Self::ended) returns it.
    pub async fn stop(mut self) -> StopReport {
        self.shutdown.stop();
        match (&mut self.ended).await {
            Ok(Ok(report)) => report,
            Ok(Err(_)) | Err(_) => self.engine.report(false),
        }
    }

    /// Makes the worker leave everything as it is and end. Leases run out by themselves.
    pub fn stop_now(&self) {
        self.shutdown.stop_now();
    }

    /// What stops the worker, for others to hold: while [`stop`](Self::stop) waits, it can be hurried.
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// What the worker is doing.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.engine.snapshot()
    }

    /// Waits until the worker has ended, however that came about.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] when it ended by itself.
    ///
    /// # Panics
    ///
    /// When the worker did, or its runtime went away.
    pub async fn ended(mut self) -> Result<StopReport, WorkerError> {
        match (&mut self.ended).await {
            Ok(ended) => ended,
            Err(error) => std::panic::resume_unwind(Box::new(error.to_string())),
        }
    }
}

impl Drop for RunningWorker {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}
