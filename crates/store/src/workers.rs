//! Workers: who is there, and who has gone silent.

use std::time::Duration;

use async_trait::async_trait;
use windlass_core::limits::LEASE_DEFAULT;
use windlass_core::{AttemptToken, Invalid, Timestamp, WorkerId};

use crate::leases::check_lease;
use crate::{KindSupport, Queues, StoreError};

/// Longest name, host, version or owner of a worker, in bytes.
const WORKER_TEXT_BYTES_MAX: usize = 256;

/// A process that wants to run jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWorker {
    /// Fresh for each start of the process.
    pub id: WorkerId,
    /// What people call it; need not be unique.
    pub name: String,
    /// The machine it runs on.
    pub host: String,
    /// The version of the program.
    pub version: String,
    /// The queues it works on.
    pub queues: Queues,
    /// The kinds it has handlers for.
    pub kinds: Vec<KindSupport>,
    /// How many jobs it runs at a time.
    pub slots: u32,
    /// How long it is taken to be alive after a beat.
    pub lease: Duration,
    /// Who registered it, where a door knows them: it is nobody else's. A door says so itself, and tells nobody.
    pub owner: Option<String>,
}

impl NewWorker {
    /// A worker of this name for one job at a time, of any queue, that is alive for [`LEASE_DEFAULT`] after a beat.
    pub fn new(id: WorkerId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            host: String::new(),
            version: String::new(),
            queues: Queues::Any,
            kinds: Vec::new(),
            slots: 1,
            lease: LEASE_DEFAULT,
            owner: None,
        }
    }

    /// Refuses a worker that could never work.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `slots`, `lease`, `name`, `host`, `version` or `owner`.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.slots == 0 {
            return Err(Invalid::new("slots", "must be 1 or more"));
        }
        let owner = self.owner.iter().map(|owner| ("owner", owner));
        for (field, text) in
            [("name", &self.name), ("host", &self.host), ("version", &self.version)].into_iter().chain(owner)
        {
            if text.len() > WORKER_TEXT_BYTES_MAX {
                return Err(Invalid::new(field, format!("is longer than {WORKER_TEXT_BYTES_MAX} bytes")));
            }
            if text.chars().any(char::is_control) {
                return Err(Invalid::new(field, "contains a control character"));
            }
        }
        check_lease(self.lease)
    }
}

/// A registered worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// What it registered with.
    pub registered: NewWorker,
    /// When it registered.
    pub since: Timestamp,
    /// When it last beat.
    pub seen_at: Timestamp,
    /// How many attempts it holds.
    pub running: u64,
}

/// The answer to a beat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// Until when the worker's lease now holds, by the store's clock.
    pub lease_until: Timestamp,
    /// Its attempts whose jobs were cancelled: they should stop.
    pub cancelled: Vec<AttemptToken>,
}

/// An open attempt, as the list of silent leases shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSummary {
    /// The attempt.
    pub token: AttemptToken,
    /// The worker that holds it.
    pub worker: WorkerId,
    /// When it, or its process, last gave a sign of life.
    pub seen_at: Timestamp,
    /// Until when it holds.
    pub lease_until: Timestamp,
}

/// The registry of worker processes.
#[async_trait]
pub trait WorkerStore: Send + Sync {
    /// Makes a worker known; its lease begins. Registering the same id again replaces what was known of it, and keeps
    /// what it holds; but if its lease had expired, what it held under that lease is lost first, as in a rescue.
    ///
    /// # Errors
    ///
    /// `Invalid`.
    async fn register(&self, worker: NewWorker) -> Result<(), StoreError>;

    /// Extends the lease of the worker and of all its attempts that have none of their own.
    ///
    /// # Errors
    ///
    /// `NotFound` when the worker is unknown or its lease has expired: its attempts are lost, and it has to
    /// register anew under a fresh id.
    async fn beat(&self, worker: WorkerId) -> Result<Beat, StoreError>;

    /// Forgets a worker, be it expired or not.
    ///
    /// # Errors
    ///
    /// `NotFound`; `NotReady` while it holds attempts of jobs that are running. Attempts of cancelled jobs do not
    /// stand in the way: they are closed.
    async fn deregister(&self, worker: WorkerId) -> Result<(), StoreError>;

    /// Workers that have been silent for at least `silent_for` (zero for all), the longest-silent first; those that
    /// fell silent together by id. An expired worker is listed until it is rescued.
    async fn workers(&self, silent_for: Duration) -> Result<Vec<Worker>, StoreError>;

    /// Open attempts that have been silent for at least `silent_for` (zero for all), the longest-silent first and
    /// those that fell silent together by job id, at most [`windlass_core::limits::PAGE_MAX`].
    async fn leases(&self, silent_for: Duration) -> Result<Vec<LeaseSummary>, StoreError>;

    /// Every open attempt of a worker, by job id, whatever lease it has; none for a worker that is not known. What a
    /// worker asks that may have been given jobs by a claim whose answer it never got.
    async fn held(&self, worker: WorkerId) -> Result<Vec<AttemptToken>, StoreError>;
}
