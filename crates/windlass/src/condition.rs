//! How the queue itself is: who works on it, and what its store says of itself.

use std::time::Duration;

use windlass_store::{LeaseSummary, Retention, StoreStatus, Worker};

use crate::{Error, Windlass};

impl Windlass {
    /// Worker processes that have been silent for at least `silent_for` (zero for all), the longest-silent first.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn workers(&self, silent_for: Duration) -> Result<Vec<Worker>, Error> {
        self.store().workers(silent_for).await
    }

    /// Attempts that run and have been silent for at least `silent_for` (zero for all), the longest-silent first; at most 500.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn leases(&self, silent_for: Duration) -> Result<Vec<LeaseSummary>, Error> {
        self.store().leases(silent_for).await
    }

    /// What the store says of itself: its engine, its size, its time, and what a person should look at.
    ///
    /// ```
    /// # use windlass::Windlass;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// for warning in windlass.status().await?.warnings {
    ///     eprintln!("{warning}");
    /// }
    /// assert!(windlass.check().await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn status(&self) -> Result<StoreStatus, Error> {
        self.store().status().await
    }

    /// Reads everything, and says what does not fit together, a line each; empty when all is well. Takes as long as it takes to
    /// read the whole store.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn check(&self) -> Result<Vec<String>, Error> {
        self.store().check().await
    }

    /// Removes every job that has been final for as long as `retention` says, or what is said for its queue
    /// ([`keep`](Self::keep)), and tells how many those were. Workers do so by themselves every now and then
    /// ([`retention`](crate::worker::WorkerBuilder::retention)): this is for programs that have none.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Unknown`: some may have been removed, and asking again goes on.
    ///
    /// # Cancel safety
    ///
    /// A dropped future has removed some of them.
    pub async fn prune(&self, retention: Retention) -> Result<u64, Error> {
        let mut removed = 0;
        loop {
            let pruned = self.store().prune(retention).await?;
            removed += pruned.removed;
            if !pruned.more {
                return Ok(removed);
            }
        }
    }
}
