//! Where fresh ids and nonces come from.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use windlass_core::{JobId, OperationId, WorkerId};

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

/// A fresh id for an operation.
#[must_use]
pub fn operation_id() -> OperationId {
    OperationId::from_uuid(Uuid::now_v7())
}

/// The id of the further copy that an operation makes of a job: always the same, so that making it again makes no second one.
#[must_use]
pub fn copy_id(operation: OperationId, job: JobId) -> JobId {
    let digest = Sha256::new().chain_update(operation.as_bytes()).chain_update(job.as_bytes()).finalize();
    let mut bytes = *operation.as_bytes();
    // The time stays that of the operation: its copies lie side by side in a store.
    let (_, random) = bytes.split_at_mut(6);
    random.copy_from_slice(&digest[..random.len()]);
    let uuid = uuid::Builder::from_bytes(bytes)
        .with_version(uuid::Version::SortRand)
        .with_variant(uuid::Variant::RFC4122);
    JobId::from_uuid(uuid.into_uuid())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_one_id_of_its_own_in_each_operation() {
        let (operation, other) = (operation_id(), OperationId::from_bytes([7; 16]));
        let (job, twin) = (JobId::from_bytes([1; 16]), JobId::from_bytes([2; 16]));

        assert_eq!(copy_id(operation, job), copy_id(operation, job));
        assert_ne!(copy_id(operation, job), copy_id(operation, twin));
        assert_ne!(copy_id(operation, job), copy_id(other, job));
        assert_eq!(copy_id(operation, job).as_bytes()[..6], operation.as_bytes()[..6]);
        assert_eq!(copy_id(operation, job).as_uuid().get_version_num(), 7);
    }
}
