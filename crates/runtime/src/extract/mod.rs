//! The parts of a job's context that a handler can name as its arguments.

mod checkpoint;
mod job_log;
mod parents;
mod progress;
mod review;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::limits::ATTEMPTS_UNLIMITED;
use windlass_core::{Fence, Timestamp};
use windlass_store::LeasedJob;

pub use checkpoint::Checkpoint;
pub use job_log::JobLog;
pub use parents::{Parent, Parents};
pub use progress::Progress;
pub use review::Staged;

use crate::halt::CancelReason;
use crate::open_attempt::OpenAttempt;
use crate::{FromContext, JobCx, JobError};

/// Makes extractors of what the context gives out by a method of its own.
macro_rules! part_of_context {
    ($($part:ty => $method:ident),+ $(,)?) => {
        $(impl<S> FromContext<S> for $part {
            fn from_context(cx: &JobCx, _state: &S) -> Result<Self, JobError> {
                Ok(cx.$method())
            }
        })+
    };
}

part_of_context! {
    Attempt => attempt,
    Meta => meta,
    Cancel => cancel,
    Deadline => deadline,
    Progress => progress,
    JobLog => log,
    Fences => fences,
}

/// Which attempt of its job this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// 1 the first. Every start counts here, also those that cost the job nothing.
    pub number: u64,
    /// Starts that may have failed, this one included; what was snoozed, interrupted or lost is not among them.
    pub counted: u32,
    /// How many of those the job may have; none for no bound.
    pub counted_max: Option<u32>,
    /// How often the process that ran the job died or lost its lease.
    pub losses: u32,
    /// When the job was claimed, by the store's clock.
    pub started_at: Timestamp,
}

impl Attempt {
    pub(crate) fn of(leased: &LeasedJob) -> Self {
        Self {
            number: leased.token.number,
            counted: leased.attempt,
            counted_max: (leased.attempts_max != ATTEMPTS_UNLIMITED).then_some(leased.attempts_max),
            losses: leased.losses,
            started_at: leased.started_at,
        }
    }

    /// Whether the job is dead if this attempt fails.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.counted_max.is_some_and(|most| self.counted >= most)
    }
}

/// What travels with the job besides its args: a trace parent, a tenant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meta(pub BTreeMap<String, serde_json::Value>);

impl Meta {
    /// The value of `key`, if the job came with one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&serde_json::Value> {
        self.0.get(key)
    }
}

/// The numbers of the resources that the job holds alone.
///
/// Each is larger than that of everyone who held the resource before. A handler that was held up, and has lost its lease without
/// knowing, passes its number on with whatever it writes; what it writes to refuses a number that is smaller than one it has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fences(pub Vec<Fence>);

impl Fences {
    /// The number of `resource`, if the job holds it alone.
    #[must_use]
    pub fn get(&self, resource: &str) -> Option<u64> {
        self.0.iter().find(|fence| fence.resource == resource).map(|fence| fence.number)
    }
}

/// Tells a handler to stop: its job was cancelled, its time is over, the worker shuts down, or its lease is lost.
///
/// A handler that does not look goes on, and occupies its slot until it ends by itself.
#[derive(Debug, Clone)]
pub struct Cancel(pub(crate) Arc<OpenAttempt>);

impl Cancel {
    /// Whether the handler should stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.reason().is_some()
    }

    /// Why it should, if it should.
    #[must_use]
    pub fn reason(&self) -> Option<CancelReason> {
        self.0.halt.reason()
    }

    /// Waits until the handler should stop.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn cancelled(&self) {
        self.0.halt.token().cancelled().await;
    }

    /// Runs `work`, and drops it when the handler should stop. None if it was dropped.
    pub async fn run_until_cancelled<F: Future>(&self, work: F) -> Option<F::Output> {
        self.0.halt.token().run_until_cancelled(work).await
    }
}

/// Until when the attempt may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    at: Option<Timestamp>,
    stop_at: Option<Instant>,
}

impl Deadline {
    pub(crate) fn of(attempt: &OpenAttempt) -> Self {
        let timeout = attempt.leased.options.as_ref().and_then(|options| options.timeout);
        let times_out = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let stop_at = times_out.into_iter().chain(attempt.deadline_at()).min();
        Self { at: attempt.leased.deadline, stop_at }
    }

    /// By when the job must be finished, by the store's clock.
    #[must_use]
    pub const fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// How long it is until the attempt is told to stop, by its job's deadline or by its own timeout, whichever is
    /// nearer. None if neither was set.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.stop_at.map(|at| at.saturating_duration_since(Instant::now()))
    }
}
