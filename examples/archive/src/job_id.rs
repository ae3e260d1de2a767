//! Ids that are made of what a job is about, so that the same work is the same job however often it is asked for.

use sha2::{Digest, Sha256};
use windlass::JobId;

/// The id of the job about these parts.
pub(crate) fn of(parts: &[&[u8]]) -> JobId {
    let mut hash = Sha256::new();
    for part in parts {
        // Their lengths too, or "a", "bc" would be "ab", "c".
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    JobId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
