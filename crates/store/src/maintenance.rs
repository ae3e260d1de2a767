//! The periodic duties. Each is idempotent and safe if two processes do it at once.

use std::time::Duration;

use async_trait::async_trait;
use windlass_core::{Timestamp, WorkerId};

use crate::StoreError;

/// What a rescue did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rescued {
    /// Jobs whose expired lease was closed and that may be claimed again.
    pub returned: u64,
    /// Jobs that were lost once too often and are dead.
    pub poisoned: u64,
    /// Attempts of cancelled jobs that were closed.
    pub closed: u64,
    /// Jobs that were not started by their deadline and are dead.
    pub expired: u64,
    /// Workers that were forgotten because their lease had expired.
    pub workers: u64,
    /// Whether there was more to do than one call does.
    pub more: bool,
}

/// How long finished jobs are kept; none for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Completed ones.
    pub completed: Option<Duration>,
    /// Cancelled ones.
    pub cancelled: Option<Duration>,
    /// Dead ones.
    pub dead: Option<Duration>,
}

impl Default for Retention {
    /// Completed and cancelled jobs a week, dead ones a quarter of a year.
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self { completed: Some(DAY * 7), cancelled: Some(DAY * 7), dead: Some(DAY * 90) }
    }
}

/// What a prune did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Jobs that were removed, with their attempts and logs.
    pub removed: u64,
    /// Whether there may be more to remove than one call does.
    pub more: bool,
}

/// How long a leader leads from each call of [`lead`](Maintenance::lead): as long as the duties may stand still when it
/// dies, and long enough that asking is no burden.
pub const LEADER_LEASE: Duration = Duration::from_secs(5);

/// Who leads: does the duties that are enough done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leadership {
    /// The one that leads.
    pub leader: WorkerId,
    /// Which leadership this is: each new one has a larger number than all before it.
    pub term: u64,
    /// Until when it leads if it does not ask again, by the store's clock.
    pub until: Timestamp,
}

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// The death of every process, and the loss of power.
    Durable,
    /// The death of every process. The last moments before a loss of power may be gone.
    Relaxed,
    /// Nothing: it lives as long as its process.
    Volatile,
}

impl Durability {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Relaxed => "relaxed",
            Self::Volatile => "volatile",
        }
    }
}

/// What a store says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// The engine and its version: `sqlite 3.51.3`.
    pub engine: String,
    /// Where it is, without secrets.
    pub location: String,
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// The version of its schema.
    pub schema_version: u32,
    /// The time by its clock.
    pub now: Timestamp,
    /// How much room it takes, in bytes.
    pub size_bytes: u64,
    /// What a person should look at; empty when all is well. Each says what to do.
    pub warnings: Vec<String>,
}

/// Duties of no worker in particular.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Takes back what expired leases held, ends jobs that missed their deadline, and forgets workers that have gone
    /// silent.
    ///
    /// A lost job keeps its place. Rescuing twice changes nothing: leases come first, so a lost job that is past its
    /// deadline is returned and ended by one call, and counted in both. One call does a bounded amount and says whether
    /// there is more.
    async fn rescue(&self) -> Result<Rescued, StoreError>;

    /// Removes jobs that have been final for as long as `retention` says or longer; never an unfinished one, nor one
    /// that has an open attempt. Bounded, like [`rescue`](Self::rescue).
    ///
    /// Where completed jobs are to be kept for two days or longer, a store may keep them up to a day longer than asked: it
    /// may remove them by whole days.
    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError>;

    /// Keeps the store itself in shape: what to do and how much is the store's business, and bounded.
    async fn tidy(&self) -> Result<(), StoreError>;

    /// Asks to lead. Takes the lead if nobody has it, keeps it for another [`LEADER_LEASE`] if `candidate` has it, and else
    /// tells who has it.
    ///
    /// At most one leads at any time, by the store's clock. The term only grows: one who leads anew leads in a new term, be
    /// it the one who led before, so a leader that was held up for too long learns that it lost the lead. A candidate need
    /// not be registered. Leading saves the others trouble, and no more: every duty is safe if two do it.
    async fn lead(&self, candidate: WorkerId) -> Result<Leadership, StoreError>;

    /// Gives the lead up if `leader` has it, so that the next one to ask need not wait for its end. Else it does nothing.
    async fn resign(&self, leader: WorkerId) -> Result<(), StoreError>;

    /// What the store says of itself.
    async fn status(&self) -> Result<StoreStatus, StoreError>;

    /// Reads everything and reports what does not fit together, a line each; empty when all is well. Takes as long
    /// as it takes to read the whole store.
    async fn check(&self) -> Result<Vec<String>, StoreError>;
}
