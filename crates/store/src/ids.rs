//! Where fresh ids and nonces come from.

use uuid::Uuid;
use windlass_core::{JobId, WorkerId};

/// A fresh id for a job: `UUIDv7`, so that ids made one after the other lie side by side in a store.
#[must_use]
pub fn job_id() -> JobId {
    JobId::from_uuid(Uuid::now_v7())
}

/// A fresh id for a worker process.
#[must_use]
pub fn worker_id() -> WorkerId {
    WorkerId::from_uuid(Uuid::now_v7())
}

/// A fresh nonce for the tokens of one claim; never zero, which means "no attempt is open".
///
/// # Panics
///
/// When the operating system has no randomness to give, in which case no token would be safe.
#[must_use]
pub fn nonce() -> u64 {
    getrandom::u64().expect("the operating system gives randomness") | 1
}
