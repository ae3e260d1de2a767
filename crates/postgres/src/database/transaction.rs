//! Transactions of ours.

use std::ops::Deref;

use futures_util::future;
use tokio::time::timeout;
use windlass_store::StoreError;

use super::Session;
use crate::connect::ANSWER_MAX;
use crate::error::During;

/// What begins a transaction.
pub(crate) const BEGIN: &str = "BEGIN";

/// What begins one that looks at many gates. Each is found by an index, with few rows; where the server expects some more it would
/// draw up a map of them first, which takes twice as long and never marks the entries that are dead.
pub(crate) const BEGIN_AT_GATES: &str = "BEGIN; SET LOCAL enable_bitmapscan = off";

/// A transaction of ours.
///
/// Dropped before it is committed, it is rolled back on the store's own runtime, so no caller that goes away leaves a
/// lock behind.
#[derive(Debug)]
pub(crate) struct Transaction(Option<Session>);

impl Transaction {
    pub(crate) async fn begin(session: Session, operation: &'static str) -> Result<Self, StoreError> {
        let transaction = Self::unbegun(session);
        transaction.run(BEGIN).await.during(operation)?;
        Ok(transaction)
    }

    /// One whose first statements are sent together with [`BEGIN`], and behind it.
    pub(crate) const fn unbegun(session: Session) -> Self {
        // Ours from before the first byte is sent: a caller that goes away while it is on its way leaves one to roll back.
        Self(Some(session))
    }

    /// Commits what succeeded, and rolls back what was refused: no lock of ours is left when the caller hears of it.
    pub(crate) async fn end<T>(
        mut self,
        outcome: Result<T, StoreError>,
        operation: &'static str,
    ) -> Result<T, StoreError> {
        match outcome {
            Ok(value) => self.commit(operation).await.map(|()| value),
            Err(error) => {
                // Broken connections have been rolled back by the server.
                if self.run("ROLLBACK").await.is_ok() {
                    self.0 = None;
                }
                Err(error)
            }
        }
    }

    /// Commits behind what `last` sends, without waiting for its answer: if that is refused, so is the commit.
    ///
    /// All that `last` sends must be [prepared](Session::prepare), and be sent when it is first polled.
    pub(crate) async fn end_behind<T>(
        mut self,
        last: impl AsyncFnOnce(&Session) -> Result<T, StoreError>,
        operation: &'static str,
    ) -> Result<T, StoreError> {
        let (outcome, committed) = future::join(last(&self), self.run("COMMIT")).await;
        // If the connection broke, it broke here too.
        committed.committing(operation)?;
        if outcome.is_ok() {
            self.committed();
        }
        self.0 = None;
        outcome
    }

    async fn commit(mut self, operation: &'static str) -> Result<(), StoreError> {
        self.run("COMMIT").await.committing(operation)?;
        self.committed();
        self.0 = None;
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.0.as_ref().expect("a transaction has its connection until it ends")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(session) = self.0.take().filter(|session| !session.client().is_closed()) else { return };
        let runtime = session.runtime.clone();
        runtime.spawn(async move {
            // A connection that cannot do even this is broken, and the pool will find it so; one that does not answer is
            // given up with the session.
            let _ = timeout(ANSWER_MAX, session.run("ROLLBACK")).await;
        });
    }
}
