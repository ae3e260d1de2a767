//! The periodic duties. Each is idempotent and safe if two processes do it at once.

use std::time::Duration;

use async_trait::async_trait;
use windlass_core::{ScheduleName, Timestamp, WorkerId};

use crate::{Retention, StoreError};

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
    /// Jobs in review about which nobody had decided by the end of the time there was.
    pub decided: u64,
    /// Jobs in review whose reviewers were reminded.
    pub reminded: u64,
    /// Workers that were forgotten because their lease had expired.
    pub workers: u64,
    /// Whether there was more to do than one call does.
    pub more: bool,
}

/// What a prune did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Jobs that were removed, with their attempts and logs.
    pub removed: u64,
    /// Whether there may be more to remove than one call does.
    pub more: bool,
}

/// What firing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fired {
    /// What time it was, by the store's clock.
    pub now: Timestamp,
    /// Jobs that were made.
    pub jobs: u64,
    /// Ticks that made none.
    pub skipped: u64,
    /// Schedules that have ended: no tick of theirs is still to come.
    pub ended: Vec<ScheduleName>,
    /// Schedules that could not fire, and why. They are looked at again, and the others were fired.
    pub failed: Vec<(ScheduleName, String)>,
    /// When there is something to fire again, as far as is known; none if nothing is to come.
    pub next_at: Option<Timestamp>,
    /// Whether there was more to do than one call does.
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
    /// When there is something to [fire](Maintenance::fire), as far as is known; none if nothing is to come. So whoever leads
    /// need not ask for that again and again.
    pub look_at: Option<Timestamp>,
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
    /// deadline is returned and ended by one call, and counted in both. Takes the default for decided of reviews whose time
    /// is over, and reminds of others ([`ReviewStore`](crate::ReviewStore)). One call does a bounded amount and says whether
    /// there is more.
    async fn rescue(&self) -> Result<Rescued, StoreError>;

    /// Removes jobs that have been final for as long as `retention` says or longer, or what is said for their queue
    /// ([`QueueStore::keep`](crate::QueueStore::keep)) where something is; never an unfinished one, nor one
    /// that has an open attempt, or that an unfinished job depends on. Bounded, like [`rescue`](Self::rescue).
    ///
    /// Where completed jobs are to be kept for two days or longer, a store may keep them up to a day longer than asked: it
    /// may remove them by whole days.
    async fn prune(&self, retention: Retention) -> Result<Pruned, StoreError>;

    /// Makes the jobs of the ticks of schedules that have come, one for each tick, for ever (G15): also if many do it at once,
    /// and if one of them stood still for a while.
    ///
    /// What becomes of ticks that come too early for the last job, and of those that come too late, is said by the schedule
    /// ([`windlass_core::NewSchedule`]). A schedule that cannot fire stops no other. Bounded, like [`rescue`](Self::rescue),
    /// however long nobody has called it, and whatever the schedules.
    async fn fire(&self) -> Result<Fired, StoreError>;

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
