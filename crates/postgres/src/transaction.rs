//! Enqueueing and settling in a transaction of the caller.
//!
//! A job that is enqueued in a transaction exists if and only if that transaction commits; an attempt that is settled in
//! the transaction in which its handler writes is completed if and only if what it wrote is there. The library never
//! begins, commits or rolls back what is the caller's.
//!
//! What is sent is the store's own SQL with the store's own values, put together once; what knows a driver is a few lines
//! for each.
//!
//! # What a caller should know
//!
//! - **After an error, roll back.** Whatever the driver reported, PostgreSQL may have given the transaction up.
//! - **Locks last until the end.** A job that was enqueued in a transaction that is still open, and is enqueued again
//!   elsewhere by the same id, makes the second caller wait: only the end of the first says whether there is such a job. An
//!   attempt that was settled makes a rescue, a cancel and its own worker wait. So do both last, and commit at once; and set
//!   `lock_timeout` where waiting is worse than an error (`Unavailable`).
//! - **New kinds are shared.** A queue, kind and version that no job had before is made known in a transaction of its own.
//!   The function for triggers cannot do that: in a transaction that has called it for the first job of a kind, do not
//!   enqueue a job of that kind by these methods too. They would wait for the end of the transaction that waits for them.
//! - **Nobody is told.** A notification in a transaction takes a lock of the whole server at its commit, so that busy
//!   producers would wait for one another. Workers find the job when they look by themselves, within their poll interval;
//!   to be faster, call [`PostgresStore::committed`] once the transaction has committed, which notifies at a measured pace,
//!   or ask for a notification in the transaction by [`PostgresStore::notify_in_tx`].
//! - **Isolation.** All of this is meant for `READ COMMITTED`, the default. Above it, what changed at the same time is
//!   refused as `Conflict`, a lease is judged as it was when the transaction began (so it may seem lost, never kept), and a
//!   job that ended since then is not seen: enqueue fresh ids only.

mod enqueue;
mod request;
mod role;
mod settle;
mod tokio;

#[cfg(feature = "diesel")]
mod diesel;
#[cfg(feature = "sqlx")]
mod sqlx;

use windlass_core::{AttemptToken, Json, NewJob, Verdict};
use windlass_store::{Enqueued, Settled, Settlement, StoreError};

use crate::PostgresStore;
pub(crate) use enqueue::make_linked;
pub(crate) use request::Request;

pub use role::{begin_as, resume_own_role};

/// A transaction that somebody else began and will end.
///
/// Implemented for the transactions of `tokio-postgres` and `deadpool-postgres`; with the feature `sqlx` for `PgConnection`
/// and `Transaction` of `sqlx`, with the feature `diesel` for the `AsyncPgConnection` of `diesel-async`. A connection of the
/// latter two that is in no transaction works too: then each call is a transaction of its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no transaction that Windlass can enqueue or settle in",
    note = "give `&mut` of a transaction of tokio-postgres or deadpool-postgres; of sqlx with the feature `sqlx`, of \
            diesel-async with the feature `diesel`"
)]
pub trait Tx: driver::Driver {}

impl<T: driver::Driver + ?Sized> Tx for T {}

mod driver {
    use std::future::Future;

    use uuid::Uuid;
    use windlass_store::{Settled, Settlement, StoreError};

    use super::{Request, settle};
    use crate::PostgresStore;

    /// What a driver has to do. Not for others to implement: what is asked of it may change.
    pub trait Driver: Send {
        /// Sends a statement, and answers the ids in the first column of its rows.
        fn ids(&mut self, request: Request<'_>)
        -> impl Future<Output = Result<Vec<Uuid>, StoreError>> + Send;

        /// Sends a statement, and answers the texts in the first column of its rows, which is called `said`.
        fn texts(
            &mut self,
            request: Request<'_>,
        ) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

        /// Settles an attempt that did not pass as completed, or says why it cannot be.
        fn decide(
            &mut self,
            store: &PostgresStore,
            settlement: &Settlement,
        ) -> impl Future<Output = Result<Settled, StoreError>> + Send {
            let _ = self;
            settle::refuse(store, settlement)
        }
    }
}

impl PostgresStore {
    /// Makes jobs known in a transaction of the caller: they exist if and only if it commits.
    ///
    /// The answers are those of a plain enqueue, and so are the refusals of bad input, which come before anything is
    /// written. The ids are good as soon as this returns, to be written beside other data in the same transaction.
    ///
    /// A queue, kind and version that no job had before is made known in a transaction of its own, and stays known if the
    /// caller's is rolled back: a queue may then be listed that never had a job. Nothing else comes of it.
    ///
    /// Whoever enqueues a job with the same unique key waits for the end of the transaction.
    ///
    /// # Errors
    ///
    /// `Invalid`, with the field, and then the transaction is as it was; `Duplicate`: another job has the unique key of one that
    /// asked to be refused, and then the caller must roll back. `Conflict`: one of the jobs ended at this very
    /// moment, or the isolation of the transaction does not allow it; roll back and begin again. `Unavailable`: the server
    /// did not do it, or not in time; roll back.
    pub async fn enqueue_in_tx<T: Tx + ?Sized>(
        &self,
        tx: &mut T,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        enqueue::enqueue(&self.core, tx, &jobs).await
    }

    /// Settles an attempt in a transaction of the caller: what its handler wrote there and the end of the attempt are
    /// committed together or not at all.
    ///
    /// Fenced by the token at this moment, not at that of the commit: from here on the row is locked, so whoever would take
    /// the job back waits until the transaction has ended, and finds it settled if it was committed. The worker that runs
    /// the handler asks the store itself how the attempt ended, so a handler that settled returns as ever, and what it
    /// returns changes nothing any more; one that rolled back is judged by what it returns.
    ///
    /// With `sqlx` and `diesel` only a success can be settled, and only of a job whose end concerns nothing else: one without a
    /// unique key, locks, limits, rates or an order key, a review, somebody to be told, and jobs that wait for it.
    ///
    /// # Errors
    ///
    /// `LeaseLost`, `NotFound`, `NotRunning`, `Cancelled`: nothing was settled, and the caller must roll back what it
    /// wrote. `Invalid(verdict)`: see above. `Conflict`, `Unavailable` as for [`enqueue_in_tx`](Self::enqueue_in_tx).
    pub async fn settle_in_tx<T: Tx + ?Sized>(
        &self,
        tx: &mut T,
        settlement: Settlement,
    ) -> Result<Settled, StoreError> {
        settle::settle(self, tx, &settlement).await
    }

    /// [`settle_in_tx`](Self::settle_in_tx) for the case that it is made for: the work is done, and `result` came out.
    ///
    /// # Errors
    ///
    /// Those of [`settle_in_tx`](Self::settle_in_tx).
    pub async fn complete_in_tx<T: Tx + ?Sized>(
        &self,
        tx: &mut T,
        token: AttemptToken,
        result: Option<Json>,
    ) -> Result<Settled, StoreError> {
        self.settle_in_tx(tx, Settlement { token, verdict: Verdict::Succeeded { result } }).await
    }

    /// Lets the commit of the caller's transaction wake workers in all processes. Several in one transaction are one.
    ///
    /// Every transaction that notifies takes a lock of the whole server while it commits, so where many commit at the same
    /// time [`committed`](Self::committed) is the better way.
    ///
    /// # Errors
    ///
    /// `Unavailable`: roll back.
    pub async fn notify_in_tx<T: Tx + ?Sized>(&self, tx: &mut T) -> Result<(), StoreError> {
        enqueue::notify(&self.core, tx).await
    }

    /// Says that a transaction in which jobs were enqueued has committed: workers look for them at once. A hint, which
    /// nothing depends on.
    pub fn committed(&self) {
        self.core.hint_work();
    }
}
