//! What a worker asks for when it claims.

use std::sync::Arc;
use std::time::Duration;

use windlass_core::limits::{CLAIM_BATCH_MAX, LEASE_MAX, LEASE_MIN};
use windlass_core::{Invalid, KindName, QueueName, WorkerId};

use crate::NewWorker;

/// Which queues a claim looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queues {
    /// Every queue but those of Windlass's own, which have to be named: what waits there is for handlers of its own, and not
    /// for whoever takes any job there is. See [`QueueName::is_own`].
    Any,
    /// These.
    Only(Vec<QueueName>),
}

impl Queues {
    /// Whether `queue` is among them.
    #[must_use]
    pub fn include(&self, queue: &QueueName) -> bool {
        match self {
            Self::Any => !queue.is_own(),
            Self::Only(queues) => queues.contains(queue),
        }
    }
}

/// A kind a worker has a handler for, and the newest version of its args that the handler understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindSupport {
    /// The kind.
    pub kind: KindName,
    /// The newest version; jobs with a newer one are left to others.
    pub version_max: u32,
}

/// Which kinds a claim looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kinds {
    /// Every kind and version.
    Any,
    /// These.
    Only(Vec<KindSupport>),
}

/// What a worker can take on. Shared by all its claims, so that a store may keep what it worked out for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// From these queues.
    pub queues: Queues,
    /// Of these kinds.
    pub kinds: Kinds,
}

impl Scope {
    /// What a registered worker takes. One that names no kinds takes all of them.
    #[must_use]
    pub fn of_worker(worker: &NewWorker) -> Self {
        let kinds = if worker.kinds.is_empty() { Kinds::Any } else { Kinds::Only(worker.kinds.clone()) };
        Self { queues: worker.queues.clone(), kinds }
    }

    /// Whether it takes jobs of this queue, kind and version.
    #[must_use]
    pub fn admits(&self, queue: &QueueName, kind: &KindName, version: u32) -> bool {
        self.queues.include(queue)
            && match &self.kinds {
                Kinds::Any => true,
                Kinds::Only(kinds) => {
                    kinds.iter().any(|known| known.kind == *kind && known.version_max >= version)
                }
            }
    }
}

/// How long a claimed job is held without a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseTerm {
    /// As long as the worker process holds its own lease, which it extends for all its jobs at once.
    Process,
    /// This long from each claim and extension, for a worker that beats per job. Independent of the lease of the
    /// process: it neither ends with it nor is it kept by its beat.
    Own(Duration),
}

/// A claim.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClaimRequest {
    /// Who claims. Must be registered, and must not have expired.
    pub worker: WorkerId,
    /// What it can take on.
    pub scope: Arc<Scope>,
    /// At most this many jobs, 1 to [`CLAIM_BATCH_MAX`].
    pub limit: u32,
    /// How long it holds them.
    pub lease: LeaseTerm,
}

impl ClaimRequest {
    /// A claim of up to `limit` jobs under the lease of the process.
    #[must_use]
    pub const fn new(worker: WorkerId, scope: Arc<Scope>, limit: u32) -> Self {
        Self { worker, scope, limit, lease: LeaseTerm::Process }
    }

    /// The same claim, each job with a lease of its own.
    #[must_use]
    pub const fn with_lease(mut self, lease: LeaseTerm) -> Self {
        self.lease = lease;
        self
    }

    /// Refuses a claim of nothing, of too much, or with an impossible lease.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `limit` or `lease`.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.limit == 0 || self.limit > CLAIM_BATCH_MAX {
            return Err(Invalid::new(
                "limit",
                format!("is {}; it runs from 1 to {CLAIM_BATCH_MAX}", self.limit),
            ));
        }
        match self.lease {
            LeaseTerm::Process => Ok(()),
            LeaseTerm::Own(lease) => check_lease(lease),
        }
    }
}

/// Refuses a lease that is too short to keep or too long to wait for.
///
/// # Errors
///
/// [`Invalid`] with the field `lease`.
pub fn check_lease(lease: Duration) -> Result<(), Invalid> {
    if !(LEASE_MIN..=LEASE_MAX).contains(&lease) {
        let span = windlass_core::span::format;
        let range = format!("is {}; it runs from {} to {}", span(lease), span(LEASE_MIN), span(LEASE_MAX));
        return Err(Invalid::new("lease", range));
    }
    Ok(())
}
