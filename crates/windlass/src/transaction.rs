//! Enqueueing and settling in transactions of the program's own, where the queue is kept in PostgreSQL.

use std::any::TypeId;
use std::sync::Arc;

use serde::Serialize;
use windlass_core::{Invalid, Json, Verdict};
use windlass_postgres::{PostgresStore, Tx};
use windlass_runtime::JobCx;
use windlass_store::{Settlement, SharedStore};

use crate::enqueue::{Many, One};
use crate::{Enqueue, Enqueued, Error, Windlass};

impl<J> Enqueue<J, One> {
    /// Enqueues the job in `tx`, a transaction of the program's own: it exists if and only if that commits. Its id is good
    /// at once, to be written beside other data.
    ///
    /// ```no_run
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, Windlass};
    /// # #[derive(Serialize, Deserialize)]
    /// # struct SendEmail { to: String }
    /// # impl Job for SendEmail {
    /// #     const KIND: &'static str = "send_email";
    /// #     type Output = ();
    /// # }
    /// # type Failure = Box<dyn std::error::Error>;
    /// # async fn sign_up(windlass: Windlass, client: &mut tokio_postgres::Client) -> Result<(), Failure> {
    /// let mut tx = client.transaction().await?;
    /// tx.execute("INSERT INTO person (email) VALUES ($1)", &[&"ada@example.com"]).await?;
    /// windlass.enqueue(SendEmail { to: "ada@example.com".into() }).in_tx(&mut tx).await?;
    /// tx.commit().await?;
    /// windlass.committed();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `tx` is a transaction of `tokio-postgres` or `deadpool-postgres`; of `sqlx` with the feature `sqlx`; of
    /// `diesel-async` with the feature `diesel`. [`postgres::transaction`](crate::postgres::transaction) says what to mind.
    ///
    /// # Errors
    ///
    /// `Invalid`, with the first field that was wrong, and then the transaction is as it was; `Invalid(tx)` for a queue
    /// that is not kept in PostgreSQL. `Conflict`, `Unavailable`: roll back.
    pub async fn in_tx<T: Tx + ?Sized>(self, tx: &mut T) -> Result<Enqueued<J>, Error> {
        grant(self, tx).await.map(Enqueued::only)
    }
}

impl<J> Enqueue<J, Many> {
    /// Enqueues the jobs in `tx`, a transaction of the program's own. See [`in_tx`](Enqueue::in_tx) of a single job.
    ///
    /// # Errors
    ///
    /// Those of a single job, with the place in the field, as in `jobs[3].args`.
    pub async fn in_tx<T: Tx + ?Sized>(self, tx: &mut T) -> Result<Vec<Enqueued<J>>, Error> {
        grant(self, tx).await
    }
}

async fn grant<J, N, T: Tx + ?Sized>(wish: Enqueue<J, N>, tx: &mut T) -> Result<Vec<Enqueued<J>>, Error> {
    let (windlass, jobs) = wish.wished()?;
    let answers = windlass.postgres("enqueue jobs in the transaction")?.enqueue_in_tx(tx, jobs).await?;
    Ok(Enqueued::all(&windlass, answers))
}

impl Windlass {
    /// The queue that a store in PostgreSQL keeps, for transactions of the program's own. That of
    /// [`open`](Self::open) is one too.
    #[must_use]
    pub fn with_postgres(store: Arc<PostgresStore>) -> Self {
        let shared: SharedStore = Arc::clone(&store) as _;
        let mut windlass = Self::with_store(shared);
        windlass.postgres = Some(store);
        windlass
    }

    /// Completes the job that runs in `cx` in `tx`, a transaction of the program's own: what its handler wrote there and
    /// the end of the job are committed together or not at all.
    ///
    /// Call it last and commit at once, as the job is locked from here on. Then return as ever: once it is committed,
    /// nothing that the handler returns changes anything of it; if it is not, the handler is judged by what it returns.
    ///
    /// ```no_run
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, JobCx, JobError, Windlass, extract::State};
    /// # #[derive(Serialize, Deserialize)]
    /// # struct Pay { cents: i64 }
    /// # impl Job for Pay {
    /// #     const KIND: &'static str = "pay";
    /// #     type Output = i64;
    /// # }
    /// # async fn client() -> Result<tokio_postgres::Client, JobError> { unimplemented!() }
    /// async fn pay(job: Pay, cx: JobCx, State(windlass): State<Windlass>) -> Result<i64, JobError> {
    ///     let mut client = client().await?;
    ///     let mut tx = client.transaction().await?;
    ///     tx.execute("UPDATE account SET cents = cents - $1", &[&job.cents]).await?;
    ///     windlass.complete_in_tx(&mut tx, &cx, &job.cents).await?;
    ///     tx.commit().await?;
    ///     Ok(job.cents)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// `LeaseLost`, `Cancelled`, `NotRunning`: the job is not this handler's any more; roll back. `Invalid(result)` for an
    /// output without a JSON form, `Invalid(tx)` for a queue that is not kept in PostgreSQL. `Conflict`, `Unavailable`:
    /// roll back.
    pub async fn complete_in_tx<T, Out>(&self, tx: &mut T, cx: &JobCx, output: &Out) -> Result<(), Error>
    where
        T: Tx + ?Sized,
        Out: Serialize + Sync + 'static,
    {
        const NAME: &str = "settle the attempt in the transaction";
        // Like a handler that returns nothing: no result, rather than the result `null`.
        let is_nothing = TypeId::of::<Out>() == TypeId::of::<()>();
        let result = (!is_nothing).then(|| Json::of("result", output)).transpose();
        let result = result.map_err(|invalid| Error::invalid(NAME, invalid))?;
        let settlement = Settlement { token: cx.token(), verdict: Verdict::Succeeded { result } };
        self.postgres(NAME)?.settle_in_tx(tx, settlement).await.map(|_| ())
    }

    /// Says that a transaction in which jobs were enqueued has committed, so that workers look for them at once and not
    /// when they look by themselves. A hint, which nothing depends on.
    pub fn committed(&self) {
        if let Some(store) = &self.postgres {
            store.committed();
        }
    }

    /// The store, if it is in PostgreSQL.
    fn postgres(&self, operation: &'static str) -> Result<&PostgresStore, Error> {
        self.postgres.as_deref().ok_or_else(|| {
            let problem = "needs a queue in PostgreSQL, opened by its URL or given to `with_postgres`";
            Error::invalid(operation, Invalid::new("tx", problem))
        })
    }
}
