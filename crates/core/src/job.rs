//! What is asked for, and what became of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::{
    ATTEMPTS_MAX_DEFAULT, LOSSES_MAX_DEFAULT, META_BYTES_MAX, NAME_BYTES_MAX, PROGRESS_BYTES_MAX, TAGS_MAX,
};
use crate::{
    Args, AttemptError, Edge, FiredBy, Invalid, JobId, JobState, Json, KeyedLimit, KindName, Limits, Lock,
    Notify, OnConflict, Phase, Priority, QueueName, Rate, Reason, RetryPolicy, Review, Tag, Timestamp, Trace,
    Traits, Unique, edge, span,
};

/// When a job is due, or must be finished: as asked, before the store's clock has made an instant of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Due {
    /// As soon as it is stored.
    #[default]
    Now,
    /// At this instant, by the store's clock.
    At(Timestamp),
    /// This long after it is stored.
    In(Duration),
}

impl Due {
    /// The instant that is meant when it is `now`.
    #[must_use]
    pub fn instant(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Now => now,
            Self::At(instant) => instant,
            Self::In(delay) => now.after(delay),
        }
    }
}

/// What only some jobs ask for. Stores keep it as one value, and nothing at all where it is the default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct JobOptions {
    /// How long one attempt may take; none for no bound.
    #[serde(with = "span::text_option", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How long to wait after a failure.
    #[serde(skip_serializing_if = "is_default")]
    pub retry: RetryPolicy,
    /// Words to find the job by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Anything small that travels with the job: a trace parent, a tenant.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub meta: BTreeMap<String, serde_json::Value>,
    /// That there is to be no second job like it; none where there may be any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<Unique>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_by: Option<String>,
    /// Who is told when it ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Notify>,
    /// That a person decides about it, and on which terms; none for nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// Which resources it needs while it runs: all of them, or it does not start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<Lock>,
    /// How many jobs with the same keys may run beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<KeyedLimit>,
    /// How often jobs with the same keys may start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<Rate>,
    /// Jobs with the same order key run one at a time, in the order in which they were enqueued: a job keeps its turn until
    /// it is final, also while it waits for its next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_key: Option<String>,
    /// The job that it is a further copy of, made by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<JobId>,
    /// The job that it cleans up behind, which ended while nobody ran it; it does nothing else. Said by the store, and by nobody
    /// else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleans: Option<JobId>,
    /// Which schedule made it. Said by the store, and by nobody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fired_by: Option<FiredBy>,
}

impl JobOptions {
    /// What a job that asks for these uses that most jobs do not.
    #[must_use]
    pub fn traits(&self) -> Traits {
        Traits::UNIQUE.when(self.unique.is_some())
            | Traits::NOTIFIES.when(!self.notify.is_empty())
            | Traits::REVIEWED.when(self.review.is_some())
            | Traits::GATED.when(self.is_gated())
            | Traits::FIRED.when(self.fired_by.is_some())
            | Traits::CLEANS.when(self.cleans.is_some())
    }

    /// In which trace it was enqueued, if whoever did so said; what they said wrongly is none.
    #[must_use]
    pub fn trace(&self) -> Option<Trace> {
        Trace::of(&self.meta)
    }
}

/// What is wrong with a name that is not the caller's to use.
const OWN_PROBLEM: &str = "begins with \"windlass.\": such names are kept for Windlass's own jobs";

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A job to be enqueued.
///
/// Made by [`NewJob::new`] with the defaults of the contract; the fields are there to be changed. Nothing is
/// checked until [`NewJob::validate`], which every store calls before it writes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NewJob {
    /// Its id. Enqueueing the same id again is safe, and answers what happened the first time.
    pub id: JobId,
    /// Whether the id was drawn for this very call, so that nobody can have enqueued it before. It saves a store the look
    /// whether somebody has; a job that is enqueued once more, because the outcome was unknown, must not say so.
    pub drawn: bool,
    /// Which handler it is for.
    pub kind: KindName,
    /// The version of its args, 1 or more. A worker never claims a version newer than it understands.
    pub version: u32,
    /// Where it waits.
    pub queue: QueueName,
    /// What it is to work on.
    pub args: Args,
    /// How urgent it is.
    pub priority: Priority,
    /// When it is due.
    pub due: Due,
    /// When it must be finished, if ever: it is not started later, and never retried.
    pub deadline: Option<Due>,
    /// Total starts that may end in failure, 1 or more; [`crate::limits::ATTEMPTS_UNLIMITED`] for no bound.
    pub attempts_max: u32,
    /// Lost attempts that are forgiven.
    pub losses_max: u32,
    /// The jobs it waits for, in the order in which it sees them. One that is named twice counts once.
    pub after: Vec<Edge>,
    /// The rest.
    pub options: JobOptions,
}

impl NewJob {
    /// A job of this kind with these args, and the default of everything else.
    #[must_use]
    pub fn new(id: JobId, kind: KindName, args: Args) -> Self {
        Self {
            id,
            drawn: false,
            kind,
            version: 1,
            queue: QueueName::default(),
            args,
            priority: Priority::default(),
            due: Due::Now,
            deadline: None,
            attempts_max: ATTEMPTS_MAX_DEFAULT,
            losses_max: LOSSES_MAX_DEFAULT,
            after: Vec::new(),
            options: JobOptions::default(),
        }
    }

    /// What it uses that most jobs do not.
    #[must_use]
    pub fn traits(&self) -> Traits {
        self.options.traits()
            | Traits::BYTES.when(matches!(self.args, Args::Bytes(_)))
            | Traits::CHILD.when(!self.after.is_empty())
    }

    /// Refuses what cannot be enqueued.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the first field at fault.
    pub fn validate(&self, limits: &Limits) -> Result<(), Invalid> {
        let (bytes, most) = (self.args.as_bytes().len(), limits.args_bytes_max);
        if bytes > most {
            return Err(Invalid::new("args", format!("are {bytes} bytes long; at most {most} are allowed")));
        }
        if self.id.as_uuid().is_nil() {
            return Err(Invalid::new("id", "must not be the nil UUID"));
        }
        if self.version == 0 {
            return Err(Invalid::new("version", "must be 1 or more"));
        }
        if self.kind.is_own() {
            return Err(Invalid::new("kind", OWN_PROBLEM));
        }
        if self.queue.is_own() {
            return Err(Invalid::new("queue", OWN_PROBLEM));
        }
        if self.attempts_max == 0 {
            return Err(Invalid::new("attempts_max", "must be 1 or more: 1 is no retry"));
        }
        edge::validate(self.id, &self.after)?;
        if self.options != JobOptions::default() {
            self.options.validate()?;
            self.check_unique()?;
        }
        Ok(())
    }

    /// Refuses to take the place of another job together with what that could not be given up for, or be given.
    fn check_unique(&self) -> Result<(), Invalid> {
        let Some(unique) = self.options.unique.as_ref().filter(|unique| unique.replaces()) else {
            return Ok(());
        };
        if self.traits().has(Traits::IRREPLACEABLE) {
            let problem = "replace and debounce are for jobs that need no other jobs, no locks or limits, and no review";
            return Err(Invalid::new("unique.on_conflict", problem));
        }
        if matches!(unique.on_conflict, OnConflict::Debounce { .. }) && self.due != Due::Now {
            return Err(Invalid::new(
                "unique.on_conflict",
                "debounce says itself when the job is due: leave run_at and delay out",
            ));
        }
        Ok(())
    }
}

impl JobOptions {
    fn validate(&self) -> Result<(), Invalid> {
        self.retry.validate()?;
        if let Some(unique) = &self.unique {
            unique.validate()?;
        }
        if self.timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(Invalid::new("timeout", "must be more than zero"));
        }
        if let Some(timeout) = self.timeout {
            crate::retry::check_delay("timeout", timeout)?;
        }
        if self.tags.len() > TAGS_MAX {
            return Err(Invalid::new(
                "tags",
                format!("are {}; at most {TAGS_MAX} are allowed", self.tags.len()),
            ));
        }
        if self.submitted_by.as_ref().is_some_and(|name| name.len() > NAME_BYTES_MAX) {
            return Err(Invalid::new("submitted_by", format!("is longer than {NAME_BYTES_MAX} bytes")));
        }
        crate::notice::validate_all(&self.notify)?;
        self.validate_gates()?;
        self.review.as_ref().map_or(Ok(()), Review::validate)?;
        if !self.meta.is_empty() {
            let bytes = Json::of("meta", &self.meta)?.as_bytes().len();
            if bytes > META_BYTES_MAX {
                return Err(Invalid::new(
                    "meta",
                    format!("is {bytes} bytes long; at most {META_BYTES_MAX} are allowed"),
                ));
            }
        }
        Ok(())
    }
}

/// How far an attempt has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// 0 to 100.
    pub percent: u8,
    /// What it is doing, if it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Progress {
    /// Checks the percentage and makes the message safe.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `progress.percent` above 100.
    pub fn new(percent: u8, message: Option<&str>) -> Result<Self, Invalid> {
        if percent > 100 {
            return Err(Invalid::new("progress.percent", format!("is {percent}; it runs from 0 to 100")));
        }
        let message = message.map(|text| crate::attempt::safe_text(text, PROGRESS_BYTES_MAX));
        Ok(Self { percent, message })
    }
}

/// A job and what became of it so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: KindName,
    /// The version of its args.
    pub version: u32,
    /// Where it waits.
    pub queue: QueueName,
    /// What it is doing.
    pub state: JobState,
    /// Why, where there is a reason.
    pub reason: Option<Reason>,
    /// What its attempts are for: the work, what was decided about it, or to clean up behind another. Of a job that has ended, the last of them.
    pub phase: Phase,
    /// How urgent it is.
    pub priority: Priority,
    /// What it works on.
    pub args: Args,
    /// Counted starts so far, the running one included. What was snoozed, interrupted or lost is not counted.
    pub attempt: u32,
    /// Total starts that may end in failure.
    pub attempts_max: u32,
    /// Lost attempts so far.
    pub losses: u32,
    /// Lost attempts that are forgiven.
    pub losses_max: u32,
    /// From when on it may run.
    pub run_at: Timestamp,
    /// When it must be finished.
    pub deadline: Option<Timestamp>,
    /// The rest of what was asked for.
    pub options: JobOptions,
    /// How far its last attempt said it had come.
    pub progress: Option<Progress>,
    /// Where its handler wants to go on. Survives retries.
    pub checkpoint: Option<Json>,
    /// What the attempt made that completed it.
    pub result: Option<Json>,
    /// What went wrong last; none once it has succeeded.
    pub error: Option<AttemptError>,
    /// The name of the worker that claimed it last.
    pub worker: Option<String>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it was claimed last.
    pub started_at: Option<Timestamp>,
    /// When it became final.
    pub finished_at: Option<Timestamp>,
    /// 1 when it is enqueued, and raised by one with every change of anything above.
    pub revision: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> NewJob {
        NewJob::new(JobId::from_bytes([1; 16]), KindName::new("mail").unwrap(), Args::default())
    }

    fn refused(change: impl FnOnce(&mut NewJob)) -> String {
        let mut job = job();
        change(&mut job);
        job.validate(&Limits::default()).unwrap_err().field
    }

    #[test]
    fn a_job_with_defaults_is_valid() {
        assert_eq!(job().validate(&Limits::default()), Ok(()));
    }

    #[test]
    fn what_is_wrong_is_refused_by_field() {
        let text = format!("\"{}\"", "x".repeat(256 * 1024));
        assert_eq!(refused(|job| job.args = Args::json(text).unwrap()), "args");
        assert_eq!(refused(|job| job.id = JobId::from_bytes([0; 16])), "id");
        assert_eq!(refused(|job| job.version = 0), "version");
        assert_eq!(refused(|job| job.attempts_max = 0), "attempts_max");
        assert_eq!(refused(|job| job.kind = KindName::new("windlass.notice").unwrap()), "kind");
        assert_eq!(refused(|job| job.queue = QueueName::new("windlass.notices").unwrap()), "queue");
        assert_eq!(refused(|job| job.options.timeout = Some(Duration::ZERO)), "timeout");
        assert_eq!(refused(|job| job.options.retry = RetryPolicy::List(vec![])), "retry.list");
        assert_eq!(refused(|job| job.options.tags = vec![Tag::new("t").unwrap(); 33]), "tags");
        let big = serde_json::Value::String("x".repeat(META_BYTES_MAX));
        assert_eq!(refused(|job| job.options.meta = [("k".to_owned(), big)].into()), "meta");
    }

    #[test]
    fn default_options_are_written_as_nothing() {
        assert_eq!(serde_json::to_string(&JobOptions::default()).unwrap(), "{}");
    }

    #[test]
    fn progress_ends_at_a_hundred() {
        assert_eq!(Progress::new(101, None).unwrap_err().field, "progress.percent");
    }
}
