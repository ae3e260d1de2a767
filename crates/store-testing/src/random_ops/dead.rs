//! The dead and what they died of, asked page by page: where pages end is the store's business.

use windlass_core::{Fingerprint, JobId, Timestamp};
use windlass_store::{
    Actor, AuditFilter, Change, ErrorFilter, JobFilter, Keep, Noun, PageRequest, QueueRetention, Retention,
    SharedStore, StoreError,
};

use super::answer::told;
use crate::bench::operator;

/// What became of every dead job that was to be given a new budget.
type Redriven = (Vec<JobId>, Vec<(JobId, String)>);

/// Gives every dead job a new budget.
pub(super) async fn redrive(store: &SharedStore) -> Result<Redriven, StoreError> {
    let (mut jobs, mut refused, mut page) = (Vec::new(), Vec::new(), PageRequest::first(2));
    loop {
        let some = store.redrive(JobFilter::default(), page, operator()).await?;
        jobs.extend(some.jobs);
        refused.extend(some.refused.iter().map(|(id, error)| (*id, told(error))));
        match some.next {
            Some(next) => page = page.after(Some(next)),
            None => return Ok((jobs, refused)),
        }
    }
}

/// A group, how often it was seen, first and last. Which job is the example of several that failed at one
/// instant is the store's business.
type Seen = (Fingerprint, String, u64, Timestamp, Timestamp);

/// Every group of errors.
pub(super) async fn groups(store: &SharedStore) -> Result<Vec<Seen>, StoreError> {
    let (mut groups, mut page) = (Vec::new(), PageRequest::first(2));
    loop {
        let some = store.error_groups(ErrorFilter::default(), page).await?;
        groups.extend(
            some.items.into_iter().map(|of| (of.fingerprint, of.message, of.count, of.first_at, of.last_at)),
        );
        match some.next {
            Some(next) => page = page.after(Some(next)),
            None => return Ok(groups),
        }
    }
}

/// What was done to what by whom, and when. In which order, where one call did it to several, is the store's business.
type Done = (Timestamp, String, Noun, String, Actor, Option<Change>);

/// Everything that was done by hand.
pub(super) async fn audit(store: &SharedStore) -> Result<Vec<Done>, StoreError> {
    let (mut done, mut page) = (Vec::new(), PageRequest::first(50));
    loop {
        let some = store.audit(AuditFilter::default(), page).await?;
        done.extend(some.items.into_iter().map(|of| (of.at, of.verb, of.noun, of.subject, of.by, of.change)));
        match some.next {
            Some(next) => page = page.after(Some(next)),
            None => break,
        }
    }
    // How somebody came is said by the door of a store that has one.
    for one in &mut done {
        one.4.via = None;
    }
    done.sort_by(|one, other| (one.0, &one.1, one.2, &one.3).cmp(&(other.0, &other.1, other.2, &other.3)));
    Ok(done)
}

/// The retention as that of one queue, for ever where it says nothing of completed jobs.
pub(super) fn own(retention: Retention) -> QueueRetention {
    let mut own = QueueRetention::default();
    own.completed = Some(retention.completed.map_or(Keep::Forever, Keep::For));
    own.cancelled = retention.cancelled.map(Keep::For);
    own.dead = retention.dead.map(Keep::For);
    own
}
