//! What became of a wish for a job, and how others name it to wait for it.

use std::fmt;

use windlass_core::JobId;
use windlass_store::EnqueueOutcome;

use crate::handle::Untyped;
use crate::{JobHandle, Windlass};

/// A job that others are to wait for, named by what one has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParentId(pub(crate) JobId);

impl From<JobId> for ParentId {
    fn from(id: JobId) -> Self {
        Self(id)
    }
}

impl<J> From<&JobHandle<J>> for ParentId {
    fn from(handle: &JobHandle<J>) -> Self {
        Self(handle.id())
    }
}

impl<J> From<&Enqueued<J>> for ParentId {
    fn from(enqueued: &Enqueued<J>) -> Self {
        Self(enqueued.id())
    }
}

/// What became of an enqueued job. Whoever only wants it done may drop this.
pub struct Enqueued<J = Untyped> {
    handle: JobHandle<J>,
    outcome: EnqueueOutcome,
    repeated: bool,
}

impl<J> Enqueued<J> {
    pub(crate) fn new(windlass: Windlass, answer: windlass_store::Enqueued) -> Self {
        let handle = JobHandle::new(windlass, answer.id);
        Self { handle, outcome: answer.outcome, repeated: answer.repeated }
    }

    /// What a store answers, in its order.
    pub(crate) fn all(windlass: &Windlass, answers: Vec<windlass_store::Enqueued>) -> Vec<Self> {
        answers.into_iter().map(|answer| Self::new(windlass.clone(), answer)).collect()
    }

    /// What a store answers for a single job.
    pub(crate) fn only(mut answers: Vec<Self>) -> Self {
        answers.pop().expect("a store answers each job it is given")
    }

    /// The job that now stands for what was asked: the new one, or the one that was there.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.handle.id()
    }

    /// Whether a job was made, or one was there.
    #[must_use]
    pub fn outcome(&self) -> EnqueueOutcome {
        self.outcome
    }

    /// Whether this very id had been enqueued before. Then [`outcome`](Self::outcome) is what happened that time.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.repeated
    }

    /// The job, to be followed.
    #[must_use]
    pub fn handle(&self) -> JobHandle<J> {
        self.handle.clone()
    }
}

impl<J> Clone for Enqueued<J> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), ..*self }
    }
}

impl<J> fmt::Debug for Enqueued<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { handle, outcome, repeated } = self;
        let id = handle.id();
        f.debug_struct("Enqueued")
            .field("id", &id)
            .field("outcome", outcome)
            .field("repeated", repeated)
            .finish()
    }
}
