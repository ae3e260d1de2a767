//! [`Windlass`]: where a program enqueues jobs, follows them, and finds its workers.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use windlass_core::{JobId, NewJob};
use windlass_memory::MemoryStore;
use windlass_runtime::{Worker, WorkerBuilder};
use windlass_store::{Actor, CancelOutcome, JobFilter, SharedStore};

use crate::address;
use crate::enqueue::{Enqueue, EnqueueMany, Enqueued};
use crate::handle::Untyped;
use crate::{Error, Flow, Job, JobHandle, Jobs};

/// A job queue: the way in for those who ask for work and for those who do it.
///
/// Cheap to clone; clones share the store. Make one at the start of the program and hand it to whoever needs it.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use windlass::{Job, Windlass};
/// # #[derive(Serialize, Deserialize, Job)]
/// # #[job(kind = "send_email")]
/// # struct SendEmail { to: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), windlass::Error> {
/// let windlass = Windlass::in_memory();
/// let enqueued = windlass.enqueue(SendEmail { to: "ada@example.com".into() }).await?;
/// println!("job {} is {}", enqueued.id(), enqueued.handle().state().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Windlass {
    store: SharedStore,
    /// The same store, where it is one that programs may share a transaction with.
    #[cfg(feature = "postgres")]
    pub(crate) postgres: Option<Arc<windlass_postgres::PostgresStore>>,
    actor: Arc<Actor>,
}

impl Windlass {
    /// Opens the queue at `address`, and makes it if there is none: the path of a file, or the URL of a PostgreSQL
    /// database.
    ///
    /// ```no_run
    /// # use windlass::Windlass;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// let one_machine = Windlass::open("app.db").await?;
    /// let many_machines = Windlass::open("postgres://app@db.example.com/app").await?;
    /// # drop((one_machine, many_machines));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Any number of processes may open the same queue at a time: of one machine for a file, of any for a database.
    /// Every write is durable before it is answered. [`crate::sqlite`] and [`crate::postgres`] have the options, which a
    /// program opens itself and gives to [`with_store`](Self::with_store).
    ///
    /// # Errors
    ///
    /// `Invalid(address)` for a URL of another scheme than `postgres://` and `postgresql://`; `Unavailable` when the
    /// folder is missing or cannot be written to, or the server cannot be reached; `Incompatible` when the store was made
    /// by a newer version, or its jobs were moved elsewhere, and then nothing was written to it; `Corrupt` when it is
    /// damaged, or no such file at all.
    pub async fn open(address: impl AsRef<Path>) -> Result<Self, Error> {
        let address = address::named(address.as_ref())?;
        #[cfg(feature = "postgres")]
        if let Some(options) = address.postgres_options() {
            return Ok(Self::with_postgres(Arc::new(options.open().await?)));
        }
        Ok(Self::with_store(address.open().await?))
    }

    /// Opens the queue behind the server at `url`, with a token of access: for machines that reach no database.
    ///
    /// ```no_run
    /// # use windlass::Windlass;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// let queue = Windlass::connect("https://jobs.example.com", "wl_…").await?;
    /// # drop(queue);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What may be done with it is what the token may. [`crate::remote`] has the options, such as a certificate authority of
    /// one's own, which a program connects with itself and gives to [`with_store`](Self::with_store). A worker whose token is
    /// one for work alone leaves the duties of the store to the server.
    ///
    /// # Errors
    ///
    /// `Invalid(address)`, `Invalid(token)`; `Unavailable` when the server cannot be reached; `Incompatible` when something else
    /// is at that address.
    #[cfg(feature = "remote")]
    pub async fn connect(
        url: impl Into<String>,
        token: impl Into<windlass_remote::AccessToken>,
    ) -> Result<Self, Error> {
        let store = windlass_remote::RemoteStore::connect(url, token).await?;
        Ok(Self::with_store(Arc::new(store)))
    }

    /// A queue that lives as long as its last clone: for tests and for trying things out.
    ///
    /// It keeps every promise but durability. With time that stands still, it is
    /// [`TestQueue`](crate::testing::TestQueue).
    #[must_use]
    pub fn in_memory() -> Self {
        Self::with_store(Arc::new(MemoryStore::new()))
    }

    /// The queue that `store` keeps: for a store that needs options, or is of another kind.
    ///
    /// ```no_run
    /// # use std::sync::Arc;
    /// # use windlass::Windlass;
    /// # #[cfg(feature = "postgres")]
    /// # async fn open() -> Result<Windlass, windlass::Error> {
    /// use windlass::postgres::PostgresOptions;
    ///
    /// let store = PostgresOptions::new("postgres://app@db.example.com/app").schema("jobs").open().await?;
    /// Ok(Windlass::with_store(Arc::new(store)))
    /// # }
    /// ```
    #[must_use]
    pub fn with_store(store: SharedStore) -> Self {
        let actor = Arc::new(Actor::new("program"));
        Self {
            store,
            #[cfg(feature = "postgres")]
            postgres: None,
            actor,
        }
    }

    /// The same queue, signing what is done by hand through it ([`cancel`](Self::cancel), [`pause`](Self::pause))
    /// as `actor` rather than as `program`.
    #[must_use]
    pub fn acting_as(self, actor: Actor) -> Self {
        Self { actor: Arc::new(actor), ..self }
    }

    /// The store behind it: the whole port, for what is not offered here.
    #[must_use]
    pub fn store(&self) -> &SharedStore {
        &self.store
    }

    pub(crate) fn actor(&self) -> Actor {
        (*self.actor).clone()
    }

    /// Asks for one job. Nothing happens until the answer is awaited; until then, what is wanted can be said:
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, Priority, Windlass};
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "send_email")]
    /// # struct SendEmail { to: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// let job = SendEmail { to: "ada@example.com".into() };
    /// windlass.enqueue(job).queue("mail").priority(Priority::High).delay(Duration::from_secs(60)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When awaited: `Invalid` with the first field that was wrong, and then nothing was written; `Full`,
    /// `Unavailable`: the job does not exist; `Unknown`: it may. Then ask again with the same [`id`](Enqueue::id).
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a job is handed over: its asker has no more use for it"
    )]
    pub fn enqueue<J: Job>(&self, job: J) -> Enqueue<J> {
        Enqueue::one(self.clone(), &job)
    }

    /// Asks for many jobs of a kind at once: all of them come to exist, or none.
    ///
    /// Much faster than one after the other, because all of them share one commit. Options hold for all of them.
    /// Answers in the order of `jobs`.
    ///
    /// # Errors
    ///
    /// Those of [`enqueue`](Self::enqueue), with the place in the field, as in `jobs[3].args`. More than
    /// [`ENQUEUE_BATCH_MAX`](windlass_core::limits::ENQUEUE_BATCH_MAX) (10,000) jobs are refused as `Invalid(jobs)`: a
    /// larger amount is enqueued in several calls, each for itself all or nothing.
    pub fn enqueue_many<J: Job>(&self, jobs: impl IntoIterator<Item = J>) -> EnqueueMany<J> {
        Enqueue::many(self.clone(), jobs)
    }

    /// Begins a flow: jobs that wait for one another, enqueued together.
    pub fn flow(&self) -> Flow {
        Flow::new(self.clone())
    }

    /// Enqueues a job as data, for kinds that have no type here.
    ///
    /// # Errors
    ///
    /// Those of [`enqueue`](Self::enqueue).
    ///
    /// # Cancel safety
    ///
    /// A dropped future may or may not have enqueued the job; asking again with the same id is safe.
    pub async fn enqueue_raw(&self, job: NewJob) -> Result<Enqueued, Error> {
        Enqueue::raw(self.clone(), job).await
    }

    /// The job with this id, which is of kind `J`. Whether it exists is found out when something is asked of it.
    #[must_use]
    pub fn handle<J>(&self, id: JobId) -> JobHandle<J> {
        JobHandle::new(self.clone(), id)
    }

    /// A worker on this queue, to be told what it can do.
    ///
    /// ```no_run
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::prelude::*;
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "send_email")]
    /// # struct SendEmail { to: String }
    /// # async fn send_email(_: SendEmail) {}
    /// # async fn run(windlass: Windlass) -> Result<(), Box<dyn std::error::Error>> {
    /// let worker = windlass.worker().queue("mail", 8).queue("default", 2).handle(send_email).build()?;
    /// let report = worker.run_until(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
    /// println!("{} attempts, {} of them given back unfinished", report.settled, report.interrupted);
    /// # Ok(())
    /// # }
    /// ```
    pub fn worker(&self) -> WorkerBuilder<()> {
        Worker::builder(Arc::clone(&self.store))
    }

    /// Jobs that match, newest first, read page by page.
    pub fn jobs(&self, filter: JobFilter) -> Jobs {
        Jobs::new(Arc::clone(&self.store), filter)
    }

    /// Stops a job on purpose, as [`JobHandle::cancel`] does.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished` for a job that ended otherwise.
    pub async fn cancel(&self, id: JobId) -> Result<CancelOutcome, Error> {
        self.handle::<Untyped>(id).cancel().await
    }

    /// Gives a job that failed or was cancelled a new budget, as [`JobHandle::retry`] does.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished` for a completed job; `NotReady` for one that has not failed.
    pub async fn retry(&self, id: JobId) -> Result<(), Error> {
        self.handle::<Untyped>(id).retry().await
    }
}

impl fmt::Debug for Windlass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Windlass").field("actor", &self.actor.name).finish_non_exhaustive()
    }
}
