//! Carries out operations: takes up those of the store that wait for it, and does them at a bounded rate.
//!
//! Any number of servers over a store do so, one operation each at a time is one server's, and what a server leaves behind when it
//! ends is taken up by another, or by itself when it is back.

mod steps;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use windlass_store::operations::OPERATION_LEASE;
use windlass_store::{ErrorKind, Operation, SharedStore, StoreError};

/// Most operations that a server carries out at a time. The others wait.
const UNDER_WAY_MAX: usize = 8;

/// How long to wait at the end for the jobs that are being dealt with.
const FAREWELL: Duration = Duration::from_secs(5);

/// The operations that this server carries out.
pub(crate) struct Operations {
    store: SharedStore,
    wake: Arc<Notify>,
    stopping: CancellationToken,
    under_way: TaskTracker,
    task: OnceLock<AbortOnDropHandle<()>>,
}

impl Operations {
    /// Carries out what waits, from now on if a runtime is there, and else from the first operation on that is begun here.
    pub(crate) fn new(store: SharedStore, carries_out: bool) -> Self {
        let operations = Self {
            store,
            wake: Arc::default(),
            stopping: CancellationToken::new(),
            under_way: TaskTracker::new(),
            task: OnceLock::new(),
        };
        if !carries_out {
            operations.stopping.cancel();
        } else if Handle::try_current().is_ok() {
            operations.start();
        }
        operations
    }

    /// There is one that waits.
    pub(crate) fn wake(&self) {
        self.start();
        self.wake.notify_one();
    }

    fn start(&self) {
        if self.stopping.is_cancelled() {
            return;
        }
        self.task.get_or_init(|| {
            let (store, wake) = (SharedStore::clone(&self.store), Arc::clone(&self.wake));
            let (stopping, under_way) = (self.stopping.clone(), self.under_way.clone());
            AbortOnDropHandle::new(TaskTracker::new().spawn(look_after(store, wake, stopping, under_way)))
        });
    }

    /// Takes up no more, and waits for the jobs that are being dealt with.
    pub(crate) async fn stop(&self) {
        self.stopping.cancel();
        self.under_way.close();
        if tokio::time::timeout(FAREWELL, self.under_way.wait()).await.is_err() {
            tracing::warn!("jobs of an operation are still being dealt with; they will be dealt with again");
        }
    }
}

async fn look_after(
    store: SharedStore,
    wake: Arc<Notify>,
    stopping: CancellationToken,
    under_way: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(UNDER_WAY_MAX));
    // Ends what is under way together with this.
    let _ends = stopping.clone().drop_guard();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let taken_up = tokio::select! {
            taken_up = store.drive_operation() => taken_up,
            () = stopping.cancelled() => return,
        };
        match taken_up {
            Ok(Some((token, operation))) => {
                let (store, stopping) = (SharedStore::clone(&store), stopping.clone());
                under_way.spawn(async move {
                    let _place = place;
                    tell_end(&operation, steps::carry_out(&store, (token, &operation), &stopping).await);
                });
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "could not look for operations, will look again"),
        }
        tokio::select! {
            () = wake.notified() => {}
            () = sleep_until(Instant::now() + OPERATION_LEASE) => {}
            () = stopping.cancelled() => return,
        }
    }
}

/// Says what is worth a look. Whatever it was, somebody takes it up again unless it is over.
fn tell_end(operation: &Operation, ended: Result<(), StoreError>) {
    let id = operation.made.id;
    match ended {
        Ok(()) => {}
        Err(error) if *error.kind() == ErrorKind::LeaseLost => {
            tracing::info!(operation = %id, "another server has taken up the operation");
        }
        Err(error) => {
            tracing::warn!(operation = %id, %error, "the operation stands still, and will be taken up again");
        }
    }
}
