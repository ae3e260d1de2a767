//! Queues: how full they are, and whether they are paused.

use async_trait::async_trait;
use windlass_core::{Bounds, JobState, QueueName, Timestamp, Whole};

use crate::{Actor, QueueRetention, StoreError};

/// How many jobs are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateCounts([u64; JobState::ALL.len()]);

impl StateCounts {
    /// How many are in `state`.
    #[must_use]
    pub fn of(&self, state: JobState) -> u64 {
        self.0[Self::index(state)]
    }

    /// Counts `count` more in `state`.
    pub fn add(&mut self, state: JobState, count: u64) {
        self.0[Self::index(state)] += count;
    }

    /// How many there are in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn index(state: JobState) -> usize {
        usize::from(state.as_number()) - 1
    }
}

/// A queue's pause: who stopped it, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// By whom, and why.
    pub by: Actor,
}

/// One queue at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSummary {
    /// Its name.
    pub name: QueueName,
    /// Its pause, if it is paused.
    pub pause: Option<Pause>,
    /// How many of its jobs are in each state.
    pub counts: StateCounts,
    /// Since when the longest-waiting ready job is due.
    pub oldest_ready_at: Option<Timestamp>,
}

/// Queues as operators see them. A queue exists as soon as a job was enqueued to it or it was paused, and stays when
/// its last job is gone.
#[async_trait]
pub trait QueueStore: Send + Sync {
    /// Every queue, by name. Counts everything; meant for people, not for loops.
    async fn queues(&self) -> Result<Vec<QueueSummary>, StoreError>;

    /// Stops claims from the queue until it is resumed. What runs goes on. Stored, so it survives restarts. Pausing
    /// a paused queue keeps the first pause.
    ///
    /// # Errors
    ///
    /// `Invalid(by…)`.
    async fn pause(&self, queue: &QueueName, by: Actor) -> Result<(), StoreError>;

    /// Lets the queue be claimed from again. Resuming a queue that is not paused changes nothing.
    ///
    /// # Errors
    ///
    /// `NotFound` for a queue that never was; `Invalid(by…)`.
    async fn resume(&self, queue: &QueueName, by: Actor) -> Result<(), StoreError>;

    /// Says how long the finished jobs of the queue are kept, instead of what [`prune`](crate::Maintenance::prune) is told for
    /// all. Stored, so it survives restarts, and holds for jobs that have ended before. It makes no queue.
    ///
    /// # Errors
    ///
    /// `Invalid(retention…)`, `Invalid(by…)`.
    async fn keep(&self, queue: &QueueName, retention: QueueRetention, by: Actor) -> Result<(), StoreError>;

    /// Every queue of which something of its own is said, by name.
    async fn retentions(&self) -> Result<Vec<(QueueName, QueueRetention)>, StoreError>;

    /// Bounds how many jobs of a queue or a kind run at a time, and how often one of them starts, over all workers; no bounds
    /// lift the bounds there were. Stored, so it survives restarts, and holds for jobs that were enqueued before. What runs
    /// goes on, and counts: where more run than may, none starts until there is room.
    ///
    /// Whom such a bound turns away stays where it is: the jobs of other queues and kinds are claimed past it.
    ///
    /// # Errors
    ///
    /// `Invalid(limit)`, `Invalid(rate…)`, `Invalid(by…)`; `Conflict` when others kept the store from counting what runs.
    async fn bound(&self, whole: &Whole, bounds: Bounds, by: Actor) -> Result<(), StoreError>;

    /// Every queue and kind that is bounded, by name, queues first.
    async fn bounds(&self) -> Result<Vec<(Whole, Bounds)>, StoreError>;
}
