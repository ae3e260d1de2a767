//! What is left behind by a job that a person decides about, and that ends while nobody runs it.
//!
//! Whoever runs the last attempt of a job cleans up behind it. But a job that is cancelled while it is in review, that
//! misses its deadline there, or whose worker has died, ends with nobody at hand. So its end makes a job that does nothing
//! but clean up, in the transaction that ends it: no end is forgotten, and none is cleaned up behind that did not happen.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::notice::id_at;
use crate::{Job, JobId, NewJob, Reason, Stage, Timestamp, Traits};

/// How long a cleanup may take.
pub const CLEANUP_MAX: Duration = Duration::from_secs(300);

/// Whether a job that ends leaves something to clean up to nobody: one that a person decides about, of which an attempt was
/// started, and whose end is not told by whoever runs it.
///
/// `attempts` is how many were started, `before` the stage that it ends from, and `reason` why it ends.
#[must_use]
pub fn is_left(traits: Traits, attempts: u64, before: Stage, reason: Reason) -> bool {
    let begun = traits.has(Traits::REVIEWED) && attempts > 0;
    begun && (before != Stage::Running || reason == Reason::Poison)
}

/// The job that cleans up behind `job`, which has just become final. The same end makes the same one, id included, whoever
/// asks.
///
/// It is of the same kind, in the same queue and about the same args, so those take it who could have run the job; its options
/// say what it is for ([`JobOptions::cleans`](crate::JobOptions::cleans)).
#[must_use]
pub fn behind(job: &Job) -> NewJob {
    let mut new = NewJob::new(id(job), job.kind.clone(), job.args.clone());
    new.version = job.version;
    new.queue = job.queue.clone();
    new.priority = job.priority;
    new.options.timeout = Some(CLEANUP_MAX);
    new.options.tags.clone_from(&job.options.tags);
    new.options.meta.clone_from(&job.options.meta);
    new.options.submitted_by.clone_from(&job.options.submitted_by);
    new.options.cleans = Some(job.id);
    new
}

/// The id of the job that cleans up behind this end of `job`.
#[must_use]
pub fn id(job: &Job) -> JobId {
    let ended_at = job.finished_at.unwrap_or(Timestamp::MIN);
    let mut hash = Sha256::new_with_prefix(b"windlass cleanup\0");
    hash.update(job.id.as_bytes());
    hash.update(ended_at.as_micros().to_be_bytes());
    hash.update(job.revision.to_be_bytes());
    id_at(ended_at, hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_begun_and_is_told_by_nobody_is_left() {
        let left = |before, reason| is_left(Traits::REVIEWED, 1, before, reason);

        assert!(left(Stage::InReview, Reason::Operator) && left(Stage::InReview, Reason::Deadline));
        assert!(left(Stage::Waiting, Reason::Operator) && left(Stage::Running, Reason::Poison));
        assert!(!left(Stage::Running, Reason::Operator) && !left(Stage::Running, Reason::Declined));
        assert!(!is_left(Traits::REVIEWED, 0, Stage::InReview, Reason::Declined));
        assert!(!is_left(Traits::UNIQUE, 1, Stage::Waiting, Reason::Operator));
    }
}
