//! Errors of attempts, counted in groups.

use std::collections::HashMap;

use async_trait::async_trait;
use windlass_core::fingerprint::normalised;
use windlass_core::limits::ERROR_GROUPS_KEPT;
use windlass_core::{AttemptOutcome, Fingerprint, JobId};
use windlass_store::{ErrorFilter, ErrorGroup, ErrorKind, ErrorStore, Page, PageRequest, StoreError};

use crate::MemoryStore;
use crate::jobs::cursor;
use crate::state::{Record, State};

/// The groups, by what they are found by.
pub(crate) type ErrorGroups = HashMap<Fingerprint, ErrorGroup>;

#[async_trait]
impl ErrorStore for MemoryStore {
    async fn error_groups(
        &self,
        filter: ErrorFilter,
        page: PageRequest,
    ) -> Result<Page<ErrorGroup>, StoreError> {
        self.act("list errors", |state, _| Ok(state.error_groups(&filter, page)))
    }

    async fn error_group(&self, fingerprint: Fingerprint) -> Result<ErrorGroup, StoreError> {
        self.act("read the error", |state, _| {
            state.errors.get(&fingerprint).cloned().ok_or(ErrorKind::NotFound)
        })
    }
}

impl State {
    /// Counts the error of the attempt of a job that has just ended, if it has one.
    pub(crate) fn count_error(&mut self, id: JobId) {
        let now = self.now;
        let Some(record) = self.jobs.get(&id) else { return };
        let last = record.attempts.last().filter(|attempt| attempt.number == record.number);
        let failed = last.filter(|attempt| attempt.outcome.is_some_and(AttemptOutcome::is_failure));
        let Some(error) = failed.and_then(|attempt| attempt.error.as_ref()) else { return };
        let kind = &record.job.kind;
        let fingerprint = Fingerprint::of(kind, error);
        let group = self.errors.entry(fingerprint).or_insert_with(|| ErrorGroup {
            fingerprint,
            kind: kind.clone(),
            class: error.class.clone(),
            message: normalised(&error.message),
            count: 0,
            first_at: now,
            last_at: now,
            example: id,
        });
        group.count += 1;
        group.last_at = now;
        group.example = id;
    }

    fn error_groups(&self, filter: &ErrorFilter, page: PageRequest) -> Page<ErrorGroup> {
        let matches = |group: &&ErrorGroup| {
            (filter.kinds.is_empty() || filter.kinds.contains(&group.kind))
                && filter.seen_since.is_none_or(|since| group.last_at >= since)
        };
        let mut groups: Vec<&ErrorGroup> = self.errors.values().filter(matches).collect();
        groups
            .sort_unstable_by_key(|group| (std::cmp::Reverse(group.last_at), group.fingerprint.as_number()));
        let start = page.cursor().and_then(|cursor| usize::try_from(cursor.position()).ok()).unwrap_or(0);
        let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
        let items: Vec<ErrorGroup> = groups.iter().skip(start).take(limit).copied().cloned().collect();
        let end = start + items.len();
        Page { next: (end < groups.len()).then(|| cursor(end as u64)), items }
    }

    /// Forgets the groups that were not seen for longest, where there are too many.
    pub(crate) fn forget_errors(&mut self) {
        let kept = usize::try_from(ERROR_GROUPS_KEPT).unwrap_or(usize::MAX);
        if self.errors.len() > kept {
            let mut all: Vec<ErrorGroup> = self.errors.drain().map(|(_, group)| group).collect();
            all.sort_unstable_by_key(|group| {
                (std::cmp::Reverse(group.last_at), group.fingerprint.as_number())
            });
            all.truncate(kept);
            self.errors = all.into_iter().map(|group| (group.fingerprint, group)).collect();
        }
    }
}

impl Record {
    /// Whether an attempt of it ended with an error of this group.
    pub(crate) fn failed_with(&self, fingerprint: Fingerprint) -> bool {
        let failed =
            self.attempts.iter().filter(|attempt| attempt.outcome.is_some_and(AttemptOutcome::is_failure));
        let mut errors = failed.filter_map(|attempt| attempt.error.as_ref());
        errors.any(|error| Fingerprint::of(&self.job.kind, error) == fingerprint)
    }
}
