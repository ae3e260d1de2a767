//! Errors of attempts, counted in groups of those that are the same but for what changes each time.

use async_trait::async_trait;
use windlass_core::{Fingerprint, JobId, KindName, Timestamp};

use crate::{Page, PageRequest, StoreError};

/// Errors that are the same: of jobs of one kind, of one type, with messages that differ only in numbers, ids, quoted texts,
/// paths and addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorGroup {
    /// What they are found by.
    pub fingerprint: Fingerprint,
    /// The kind of their jobs.
    pub kind: KindName,
    /// The type of the error, where the handler's language has one.
    pub class: Option<String>,
    /// What the messages have in common.
    pub message: String,
    /// How many attempts ended so.
    pub count: u64,
    /// When the first of them ended.
    pub first_at: Timestamp,
    /// When the last of them ended.
    pub last_at: Timestamp,
    /// The job of the last of them, which may be gone.
    pub example: JobId,
}

/// Which groups a list is about. Every field that is not empty must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorFilter {
    /// Of jobs of one of these kinds.
    pub kinds: Vec<KindName>,
    /// Seen at or after this instant.
    pub seen_since: Option<Timestamp>,
}

/// What goes wrong, and how often.
///
/// Counted in the commit that ends an attempt as `failed`, `timed_out` or `lost`; a handler that cancels its job is no error.
/// A group outlives the jobs it counts. At most [`windlass_core::limits::ERROR_GROUPS_KEPT`] are kept, those that were seen last:
/// the others are forgotten by [`tidy`](crate::Maintenance::tidy).
#[async_trait]
pub trait ErrorStore: Send + Sync {
    /// Groups that match, the one that was seen last first. One that is seen again between two pages may be in both of them,
    /// and another in neither.
    async fn error_groups(
        &self,
        filter: ErrorFilter,
        page: PageRequest,
    ) -> Result<Page<ErrorGroup>, StoreError>;

    /// One group. Its jobs are listed by [`JobFilter::fingerprint`](crate::JobFilter::fingerprint).
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn error_group(&self, fingerprint: Fingerprint) -> Result<ErrorGroup, StoreError>;
}
