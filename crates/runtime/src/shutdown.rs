//! How a worker is asked to stop, and what it says when it has.

use tokio_util::sync::CancellationToken;

/// Asks a worker to stop: first gently, then at once. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    claiming: CancellationToken,
    working: CancellationToken,
}

impl Shutdown {
    /// A handle that has not been used.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the worker to claim nothing more, and to end what runs within its drain time.
    pub fn stop(&self) {
        self.claiming.cancel();
    }

    /// Asks the worker to leave everything as it is and end. Its leases run out by themselves, and each job it was
    /// running counts that as a loss.
    pub fn stop_now(&self) {
        self.claiming.cancel();
        self.working.cancel();
    }

    /// Whether the worker was asked to stop in either way.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.claiming.is_cancelled()
    }

    /// Waits until the worker is asked to stop in either way.
    pub async fn stopping(&self) {
        self.claiming.cancelled().await;
    }

    /// Waits until the worker is asked to stop at once.
    pub async fn stopping_now(&self) {
        self.working.cancelled().await;
    }
}

/// What a worker did in its life, told when it has stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StopReport {
    /// Attempts whose end was stored.
    pub settled: u64,
    /// Jobs that were claimed and given back without being started.
    pub released: u64,
    /// Attempts that did not end within the drain time, and were given back.
    pub interrupted: u64,
    /// Attempts that were lost with their lease: others do them again.
    pub lost: u64,
    /// Attempts that were still held when the worker left: their leases have to run out.
    pub abandoned: u64,
    /// Whether the worker was told to leave at once.
    pub forced: bool,
}

/// What a worker is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// How many attempts it runs at the most.
    pub slots: u64,
    /// Attempts that run.
    pub running: u64,
    /// Of these, those that were told to stop longer than the grace ago and have not.
    pub stuck: u64,
    /// Jobs that are claimed and wait for a slot.
    pub waiting: u64,
    /// Attempts that have ended, and whose end is not stored yet.
    pub unsettled: u64,
    /// Jobs that were claimed so far.
    pub claimed: u64,
    /// Attempts whose end was stored so far.
    pub settled: u64,
    /// Jobs that were given back unstarted so far.
    pub released: u64,
    /// Attempts that were given back because the worker shut down.
    pub interrupted: u64,
    /// Attempts whose end could not be stored because their lease was lost.
    pub lost: u64,
    /// Attempts whose end was not stored because their job had been cancelled.
    pub cancelled: u64,
    /// Answers of the store to this worker's claims and settlements so far.
    pub turns: u64,
}
