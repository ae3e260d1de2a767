//! What those who count are told: how long jobs waited and ran, and how the store does.
//!
//! Nobody waits for an observer, and nothing depends on one. Without one, nothing is measured.

use std::fmt::Debug;
use std::time::Duration;

use windlass_core::{AttemptOutcome, KindName, QueueName};

use crate::{ErrorKind, Leadership, LeasedJob, Rescued, StoreError};

/// An attempt that a worker has ended.
#[derive(Debug, Clone, Copy)]
pub struct Ran<'a> {
    /// Where its job waited.
    pub queue: &'a QueueName,
    /// The kind of its job.
    pub kind: &'a KindName,
    /// How it ended, as its worker says.
    pub outcome: AttemptOutcome,
    /// How long it ran, by the clock of whoever says so.
    pub took: Duration,
}

/// Something that is asked of the store again and again, and how long it takes tells how the store does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Jobs are enqueued.
    Enqueue,
    /// Jobs are settled and claimed.
    Turn,
    /// A lease is extended.
    Extend,
    /// A process says that it lives.
    Beat,
    /// Lost jobs are taken back.
    Rescue,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 5] = [Self::Enqueue, Self::Turn, Self::Extend, Self::Beat, Self::Rescue];

    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enqueue => "enqueue",
            Self::Turn => "turn",
            Self::Extend => "extend",
            Self::Beat => "beat",
            Self::Rescue => "rescue",
        }
    }
}

/// Whether the store did not do what it was asked, rather than that nobody could have: a lease that is lost is an answer.
#[must_use]
pub fn is_failure(error: &StoreError) -> bool {
    error.is_transient()
        || matches!(error.kind(), ErrorKind::Full | ErrorKind::Corrupt | ErrorKind::Incompatible)
}

/// One who counts. Called where work is done, so it must not block.
pub trait Observer: Debug + Send + Sync {
    /// Jobs were claimed.
    fn claimed(&self, jobs: &[LeasedJob]);

    /// An attempt has ended.
    fn ran(&self, ran: Ran<'_>);

    /// So many attempts found out that their lease had been lost.
    fn lost(&self, count: u64);

    /// What lost workers held was taken back.
    fn rescued(&self, rescued: &Rescued);

    /// The store answered, or failed, after so long.
    fn answered(&self, operation: Operation, took: Duration, failed: bool);

    /// Somebody leads: whoever asked, or another.
    fn led(&self, leadership: &Leadership, is_here: bool);
}
