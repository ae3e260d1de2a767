//! Who is reminded that a job is in review, and the notices that do it.
//!
//! They are like those of an end, and made in the transaction that counts the reminder: so none is lost, and none is made
//! once somebody has decided.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{About, Notice, Target, made};
use crate::limits::NOTIFY_MAX;
use crate::review::Subject;
use crate::{Decision, Invalid, JobId, KindName, NewJob, QueueName, Timestamp};

/// What a reminder tells of a job that is in review.
///
/// What the job works on and what it made are not in it: they may be secret, and a notice goes far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedJob {
    /// Its id.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: KindName,
    /// Where it waits.
    pub queue: QueueName,
    /// What is to be decided about.
    pub of: Subject,
    /// How often it has come into review, this time included.
    pub round: u32,
    /// When it came into review.
    pub asked_at: Timestamp,
    /// How often its reviewers were reminded of it this time, with this reminder.
    pub reminder: u32,
    /// When this one was made.
    pub reminded_at: Timestamp,
    /// When `otherwise` is taken for decided, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide_by: Option<Timestamp>,
    /// What is decided if nobody decides by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Decision>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_by: Option<String>,
}

/// The notices that remind of a job, one for each target. The same reminder makes the same ones, ids included, whoever asks.
#[must_use]
pub fn reminders(targets: &[Target], job: &ReviewedJob) -> Vec<NewJob> {
    let notice = |(index, to): (usize, &Target)| {
        made(id(job, index), &Notice { to: to.clone(), about: About::Review(job.clone()) })
    };
    targets.iter().enumerate().map(notice).collect()
}

/// The id of the notice that this reminder makes for the target at `index`.
fn id(job: &ReviewedJob, index: usize) -> JobId {
    let mut hash = Sha256::new_with_prefix(b"windlass reminder\0");
    hash.update(job.id.as_bytes());
    hash.update(job.round.to_be_bytes());
    hash.update(job.reminder.to_be_bytes());
    hash.update((index as u64).to_be_bytes());
    super::id_at(job.reminded_at, hash)
}

/// Refuses targets that make no sense, and more than are allowed.
pub(crate) fn validate_targets(targets: &[Target]) -> Result<(), Invalid> {
    if targets.len() > NOTIFY_MAX {
        let problem = format!("names {} targets; at most {NOTIFY_MAX} are allowed", targets.len());
        return Err(Invalid::new("remind", problem));
    }
    for (index, target) in targets.iter().enumerate() {
        let place = format!("remind[{index}]");
        target.validate().map_err(|invalid| invalid.inside(&place))?;
        if targets[..index].contains(target) {
            return Err(Invalid::new(place, "names a target that is named before"));
        }
    }
    Ok(())
}
