//! Who is told when a job ends, who is reminded of a review, and the jobs that tell them.
//!
//! A notice is a job like any other, of a kind and in a queue of Windlass's own. Whoever makes a job final asks
//! [`notices`] which ones it makes and enqueues them in the same transaction: so none is lost, and none is sent for a
//! retry that is still to come. How a notice is sent is for the handler of its kind, far from here.

mod address;
mod reminder;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Builder;

use crate::attempt::safe_text;
use crate::limits::{NOTICE_ATTEMPTS_MAX, NOTICE_ERROR_BYTES_MAX, NOTIFY_MAX};
use crate::retry::Exponential;
use crate::{
    Args, Invalid, Job, JobId, JobState, Json, KindName, NewJob, QueueName, Reason, RetryPolicy, Tag,
    Timestamp,
};

pub(crate) use reminder::validate_targets;
pub use reminder::{ReviewedJob, reminders};

/// The kind of every notice.
pub static KIND: LazyLock<KindName> =
    LazyLock::new(|| KindName::new("windlass.notice").expect("it is a name"));

/// The queue that notices wait in. Workers that serve every queue do not serve this one unless they name it.
pub static QUEUE: LazyLock<QueueName> =
    LazyLock::new(|| QueueName::new("windlass.notices").expect("it is a name"));

/// How long one attempt to send a notice may take: several times what a server takes that is merely slow.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Somebody who is told when a job ends.
///
/// ```
/// use windlass_core::Notify;
///
/// let when_given_up = Notify::mail("ops@example.com").on_dead();
/// let always = Notify::webhook("https://hooks.example.com/windlass");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// Where the notice goes.
    #[serde(flatten)]
    pub target: Target,
    /// In which final states the job must end; in any of them if none is named.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub on: BTreeSet<JobState>,
}

/// Where a notice goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Target {
    /// To this mail address, as `ops@example.com`.
    Mail(String),
    /// To this URL, by an HTTP POST that is signed.
    Webhook(String),
}

impl Notify {
    /// Tells this mail address, however the job ends.
    #[must_use]
    pub fn mail(address: impl Into<String>) -> Self {
        Self::to(Target::Mail(address.into()))
    }

    /// Tells this URL, however the job ends.
    #[must_use]
    pub fn webhook(url: impl Into<String>) -> Self {
        Self::to(Target::Webhook(url.into()))
    }

    /// Tells `target`, however the job ends.
    #[must_use]
    pub const fn to(target: Target) -> Self {
        Self { target, on: BTreeSet::new() }
    }

    /// Only if the job is completed, and in the other cases named.
    #[must_use]
    pub fn on_completed(self) -> Self {
        self.on(JobState::Completed)
    }

    /// Only if the job is cancelled, and in the other cases named.
    #[must_use]
    pub fn on_cancelled(self) -> Self {
        self.on(JobState::Cancelled)
    }

    /// Only if the job is given up, and in the other cases named.
    #[must_use]
    pub fn on_dead(self) -> Self {
        self.on(JobState::Dead)
    }

    fn on(mut self, state: JobState) -> Self {
        self.on.insert(state);
        self
    }

    fn wants(&self, state: JobState) -> bool {
        self.on.is_empty() || self.on.contains(&state)
    }

    fn validate(&self) -> Result<(), Invalid> {
        self.target.validate()?;
        match self.on.iter().find(|state| !state.is_final()) {
            Some(state) => Err(Invalid::new("on", format!("names {state}, in which no job ends"))),
            None => Ok(()),
        }
    }
}

impl Target {
    /// Refuses what is no mail address or no URL. Whether anything may be sent there is for the sender to say.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `mail` or `webhook`.
    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::Mail(mail) => address::check_mail(mail).map_err(|problem| Invalid::new("mail", problem)),
            Self::Webhook(url) => address::check_url(url).map_err(|problem| Invalid::new("webhook", problem)),
        }
    }
}

/// Refuses targets that make no sense, and more than are allowed.
pub(crate) fn validate_all(all: &[Notify]) -> Result<(), Invalid> {
    if all.len() > NOTIFY_MAX {
        return Err(Invalid::new(
            "notify",
            format!("names {} targets; at most {NOTIFY_MAX} are allowed", all.len()),
        ));
    }
    for (index, notify) in all.iter().enumerate() {
        let place = format!("notify[{index}]");
        notify.validate().map_err(|invalid| invalid.inside(&place))?;
        if all[..index].iter().any(|before| before.target == notify.target) {
            return Err(Invalid::new(place, "names a target that is named before"));
        }
    }
    Ok(())
}

/// What a notice tells, and whom: the args of a job of the kind [`KIND`].
///
/// What the job worked on and what it made are not in it: they may be secret, and a notice goes far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Where it goes.
    pub to: Target,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
}

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum About {
    /// A job has ended.
    Job(EndedJob),
    /// A job is in review, and its reviewers are reminded.
    Review(ReviewedJob),
}

/// What a notice tells of a job that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedJob {
    /// Its id.
    pub id: JobId,
    /// Which handler it was for.
    pub kind: KindName,
    /// Where it waited.
    pub queue: QueueName,
    /// How it ended: `completed`, `cancelled` or `dead`.
    pub state: JobState,
    /// Why it ended so.
    pub reason: Option<Reason>,
    /// Counted starts.
    pub attempt: u32,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it was claimed last; none if it never was.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Timestamp,
    /// What it says went wrong last: the message alone, cut at a kilobyte.
    pub error: Option<String>,
    /// How large its result is, in bytes of JSON; none if it has none.
    pub result_bytes: Option<u64>,
    /// The words it can be found by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_by: Option<String>,
}

/// The notices that a job makes which has just become final, one for each target that wants to know of such an end.
///
/// The same end makes the same notices, ids included, whoever asks.
///
/// # Panics
///
/// If the job has not ended.
#[must_use]
pub fn notices(job: &Job) -> Vec<NewJob> {
    assert!(job.state.is_final(), "job {} has not ended: nobody is told yet", job.id);
    let wanting = job.options.notify.iter().enumerate().filter(|(_, notify)| notify.wants(job.state));
    wanting.map(|(index, notify)| notice(job, index, &notify.target)).collect()
}

/// The id of the notice that this end of the job makes for the target at `index` of its `notify`, if that one wants it.
///
/// It says when it was made, as every id does, so that it lies where new ids lie; the rest follows from what ended.
#[must_use]
pub fn id(job: &Job, index: usize) -> JobId {
    let ended_at = job.finished_at.unwrap_or(Timestamp::MIN).as_micros();
    let mut hash = Sha256::new_with_prefix(b"windlass notice\0");
    hash.update(job.id.as_bytes());
    hash.update(ended_at.to_be_bytes());
    hash.update(job.revision.to_be_bytes());
    hash.update((index as u64).to_be_bytes());
    id_at(job.finished_at.unwrap_or(Timestamp::MIN), hash)
}

/// The id of a job that is made at this instant, and otherwise follows from what was hashed.
pub(crate) fn id_at(at: Timestamp, hash: Sha256) -> JobId {
    let mut rest = [0; 10];
    rest.copy_from_slice(&hash.finalize()[..10]);
    let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or(0);
    JobId::from_uuid(Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
}

fn notice(job: &Job, index: usize, to: &Target) -> NewJob {
    let mut notice = made(id(job, index), &Notice { to: to.clone(), about: About::Job(EndedJob::of(job)) });
    if let Some(trace) = job.options.trace() {
        trace.travel(&mut notice.options.meta);
    }
    notice
}

/// The job that sends a notice.
fn made(id: JobId, notice: &Notice) -> NewJob {
    let args = Args::of(notice).expect("names, numbers and text have a JSON form");
    let mut new = NewJob::new(id, KIND.clone(), args);
    new.queue = QUEUE.clone();
    new.attempts_max = NOTICE_ATTEMPTS_MAX;
    new.options.timeout = Some(TIMEOUT);
    new.options.retry = retry();
    new
}

/// 10 s, three times as long after each failure, at most 6 h: ten attempts in about twenty hours, so that a receiver may
/// be away over night.
fn retry() -> RetryPolicy {
    RetryPolicy::Exponential(Exponential {
        base: Duration::from_secs(10),
        factor: 3.0,
        cap: Duration::from_secs(6 * 60 * 60),
        jitter: 0.1,
    })
}

impl EndedJob {
    fn of(job: &Job) -> Self {
        Self {
            id: job.id,
            kind: job.kind.clone(),
            queue: job.queue.clone(),
            state: job.state,
            reason: job.reason,
            attempt: job.attempt,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at.unwrap_or(job.created_at),
            error: job.error.as_ref().map(|error| safe_text(&error.message, NOTICE_ERROR_BYTES_MAX)),
            result_bytes: job.result.as_ref().map(Json::as_bytes).map(|bytes| bytes.len() as u64),
            tags: job.options.tags.clone(),
            submitted_by: job.options.submitted_by.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
