//! One attempt that this process holds, as its handler and its worker share it.

use std::sync::Arc;

use tokio::time::Instant;
use windlass_core::{AttemptToken, JobId};
use windlass_store::{ErrorKind, LeasedJob, SharedStore, StoreError};

use crate::halt::{CancelReason, Halt};
use crate::log_buffer::LogBuffer;

/// An attempt between its claim and its end.
pub(crate) struct OpenAttempt {
    /// What was claimed.
    pub(crate) leased: LeasedJob,
    /// When the claim was answered; `leased.started_at` by the clock of this process, and never before it.
    pub(crate) claimed_at: Instant,
    /// Whether it was asked to stop.
    pub(crate) halt: Halt,
    /// Lines that are not stored yet.
    pub(crate) log: LogBuffer,
    /// Where it says how far it has come; none in a test of a handler.
    pub(crate) store: Option<SharedStore>,
}

impl OpenAttempt {
    pub(crate) fn new(leased: LeasedJob, claimed_at: Instant, store: Option<SharedStore>) -> Arc<Self> {
        let (halt, log) = (Halt::default(), LogBuffer::default());
        Arc::new(Self { leased, claimed_at, halt, log, store })
    }

    pub(crate) fn token(&self) -> AttemptToken {
        self.leased.token
    }

    /// The job that it is about: where it does nothing but clean up behind another job, that one.
    pub(crate) fn about(&self) -> JobId {
        self.leased.about()
    }

    /// When the deadline of the job passes, by the clock of this process.
    pub(crate) fn deadline_at(&self) -> Option<Instant> {
        let deadline = self.leased.deadline?;
        self.claimed_at.checked_add(deadline.since(self.leased.started_at))
    }

    /// Stores something for the attempt, and asks it to stop when the answer is that nothing can be stored any more.
    pub(crate) fn heed<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &answer {
            match error.kind() {
                ErrorKind::LeaseLost | ErrorKind::NotFound => self.halt.ask(CancelReason::LeaseLost),
                ErrorKind::Cancelled => self.halt.ask(CancelReason::Cancelled),
                _ => false,
            };
        }
        answer
    }
}

impl std::fmt::Debug for OpenAttempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAttempt")
            .field("job", &self.leased.id())
            .field("kind", &self.leased.kind)
            .finish_non_exhaustive()
    }
}
