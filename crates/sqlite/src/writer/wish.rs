//! One caller's wish to the writer: what is to be done, and the way back for the answer.

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use windlass_store::{ErrorKind, StoreError};

use super::Tx;
use crate::error::{During, is_fault};
use crate::flows::tell_children;

/// One caller's wish, from its arrival to its answer.
pub(super) trait Operation: Send {
    /// Does it. May be called again, after everything it did was rolled back.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError>;

    /// Tells the caller what it said, or that the group it ran in failed.
    fn answer(self: Box<Self>, committed: Result<(), &StoreError>);
}

pub(super) struct Wish<F, T> {
    pub(super) name: &'static str,
    pub(super) body: F,
    pub(super) outcome: Option<Result<T, StoreError>>,
    pub(super) reply: oneshot::Sender<Result<T, StoreError>>,
    /// Its place among the waiting, given back with the answer.
    pub(super) place: OwnedSemaphorePermit,
}

impl<F, T> Operation for Wish<F, T>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let outcome = (self.body)(tx);
        let outcome = outcome.and_then(|done| tell_children(tx).during(self.name).map(|()| done));
        let fault =
            outcome.as_ref().err().filter(|error| is_fault(error)).map(|error| error.share(self.name));
        self.outcome = Some(outcome);
        fault.map_or(Ok(()), Err)
    }

    fn answer(self: Box<Self>, committed: Result<(), &StoreError>) {
        let outcome = match (committed, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Err(error), _) => Err(error.share(self.name)),
            (Ok(()), None) => Err(stopped(self.name)),
        };
        // Before the answer: who asks again at once is to find itself alone.
        drop(self.place);
        // A caller that went away does not want the answer; what it asked for is done all the same.
        let _ = self.reply.send(outcome);
    }
}

impl std::fmt::Debug for dyn Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Operation")
    }
}

pub(super) fn stopped(operation: &'static str) -> StoreError {
    StoreError::new(operation, ErrorKind::Unavailable).with_detail("the store is closed")
}

/// What comes back to the caller.
pub(super) type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

pub(super) async fn received<T>(name: &'static str, answer: Answer<T>) -> Result<T, StoreError> {
    // The thread is gone, and took with it whether it had come to the commit.
    answer.await.map_err(|_| StoreError::new(name, ErrorKind::Unknown))?
}
