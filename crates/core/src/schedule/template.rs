//! The job that each tick of a schedule makes.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Builder;

use super::{FiredBy, NewSchedule};
use crate::limits::{ATTEMPTS_MAX_DEFAULT, LOSSES_MAX_DEFAULT};
use crate::retry::{check_delay, splitmix};
use crate::{
    Args, Due, Invalid, JobId, JobOptions, KindName, Limits, NewJob, Priority, QueueName, ScheduleName,
    Timestamp, span,
};

/// Everything of a [`NewJob`] but its id and when it is due, which the tick says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobTemplate {
    /// Which handler it is for.
    pub kind: KindName,
    /// The version of its args, 1 or more.
    pub version: u32,
    /// Where it waits.
    pub queue: QueueName,
    /// What it is to work on.
    #[serde(with = "stored_args")]
    pub args: Args,
    /// How urgent it is.
    pub priority: Priority,
    /// Total starts that may end in failure, 1 or more.
    pub attempts_max: u32,
    /// Lost attempts that are forgiven.
    pub losses_max: u32,
    /// How long after it is due, or made if that is later, it must be finished, if ever.
    #[serde(default, with = "span::text_option", skip_serializing_if = "Option::is_none")]
    pub deadline_in: Option<Duration>,
    /// The rest. What made the job is not said here.
    #[serde(default)]
    pub options: JobOptions,
}

impl JobTemplate {
    /// A job of this kind with these args, and the default of everything else.
    #[must_use]
    pub fn new(kind: KindName, args: Args) -> Self {
        Self {
            kind,
            version: 1,
            queue: QueueName::default(),
            args,
            priority: Priority::default(),
            attempts_max: ATTEMPTS_MAX_DEFAULT,
            losses_max: LOSSES_MAX_DEFAULT,
            deadline_in: None,
            options: JobOptions::default(),
        }
    }

    /// What a job asks for, as a template: its id and when it is due are left out.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `due` or `deadline`, where one is an instant, for each job of a schedule has its own; and with
    /// the field `after`, where it waits for other jobs.
    pub fn of(job: NewJob) -> Result<Self, Invalid> {
        if job.due != Due::Now {
            return Err(Invalid::new("due", "is for its schedule to say"));
        }
        if !job.after.is_empty() {
            return Err(Invalid::new("after", "names jobs that would be over for every tick but the first"));
        }
        let deadline_in = match job.deadline {
            None => None,
            Some(Due::In(span)) => Some(span),
            Some(_) => {
                return Err(Invalid::new("deadline", "must be a time after it is due, not an instant"));
            }
        };
        let NewJob { kind, version, queue, args, priority, attempts_max, losses_max, options, .. } = job;
        Ok(Self { kind, version, queue, args, priority, attempts_max, losses_max, deadline_in, options })
    }

    /// Refuses a template whose jobs could not be enqueued.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the first field at fault.
    pub fn validate(&self, limits: &Limits) -> Result<(), Invalid> {
        if self.options.fired_by.is_some() {
            return Err(Invalid::new("fired_by", "is for its schedule to say"));
        }
        if let Some(span) = self.deadline_in {
            check_delay("deadline_in", span)?;
        }
        self.job(JobId::from_bytes([1; 16])).validate(limits)
    }

    /// A job like this, due now.
    #[must_use]
    pub fn job(&self, id: JobId) -> NewJob {
        let mut job = NewJob::new(id, self.kind.clone(), self.args.clone());
        job.version = self.version;
        job.queue = self.queue.clone();
        job.priority = self.priority;
        job.deadline = self.deadline_in.map(Due::In);
        job.attempts_max = self.attempts_max;
        job.losses_max = self.losses_max;
        job.options = self.options.clone();
        job
    }
}

/// When the job of a tick is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// With its tick, and the jitter of the schedule after it.
    OnTick,
    /// At once: the tick is long over.
    AtOnce,
}

impl NewSchedule {
    /// The job of `tick`; `made_at` is when the schedule was made, which tells it from another of its name.
    ///
    /// The same tick of the same schedule has the same id, whoever fires it.
    #[must_use]
    pub fn job_of(&self, tick: Timestamp, timing: Timing, (made_at, now): (Timestamp, Timestamp)) -> NewJob {
        let mut job = self.job.job(job_id(&self.name, made_at, tick));
        job.drawn = true;
        let due = match timing {
            Timing::OnTick => tick.after(self.jitter_of(tick)),
            Timing::AtOnce => now,
        };
        job.due = Due::At(due);
        job.deadline = self.job.deadline_in.map(|span| Due::At(due.max(now).after(span)));
        job.options.fired_by = Some(FiredBy { schedule: self.name.clone(), tick: Some(tick) });
        job
    }

    /// A job that somebody asked for by hand, between the ticks.
    #[must_use]
    pub fn job_by_hand(&self, id: JobId) -> NewJob {
        let mut job = self.job.job(id);
        job.options.fired_by = Some(FiredBy { schedule: self.name.clone(), tick: None });
        job
    }

    /// How long after `tick` its job is due.
    fn jitter_of(&self, tick: Timestamp) -> Duration {
        let micros = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        let [drawn, _] = mixed(&self.name, &[tick.as_micros()]);
        Duration::from_micros(drawn % micros.saturating_add(1))
    }
}

/// The id of the job of a tick: a `UUIDv7` of the tick's time, whose other bits are computed rather than drawn.
fn job_id(name: &ScheduleName, made_at: Timestamp, tick: Timestamp) -> JobId {
    let mut rest = [0; 10];
    let [first, second] = mixed(name, &[made_at.as_micros(), tick.as_micros()]);
    rest[..8].copy_from_slice(&first.to_le_bytes());
    rest[8..].copy_from_slice(&second.to_le_bytes()[..2]);
    let millis = u64::try_from(tick.as_micros() / 1_000).unwrap_or_default();
    JobId::from_uuid(Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
}

/// Numbers in which every bit of the name and the words has a part.
fn mixed(name: &ScheduleName, words: &[i64]) -> [u64; 2] {
    let name = name.as_str().bytes().map(u64::from);
    let words = words.iter().map(|word| word.cast_unsigned());
    let mut sums = [0x9e37_79b9_7f4a_7c15, 0xd134_2543_de82_ef95];
    for word in name.chain(words) {
        sums = sums.map(|sum: u64| splitmix(sum.rotate_left(25).wrapping_mul(0x2545_f491_4f6c_dd1d) ^ word));
    }
    sums
}

/// Args in a definition: JSON as JSON, byte for byte, so that it can be read where it lies; anything else as base64.
mod stored_args {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::{Args, Json};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Stored {
        Json(Json),
        /// JSON with blanks around it, which would be lost inside other JSON.
        JsonText(String),
        Base64(String),
    }

    pub(super) fn serialize<S: Serializer>(args: &Args, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = match args {
            Args::Json(json) if json.as_str().trim().len() == json.as_bytes().len() => {
                Stored::Json(json.clone())
            }
            Args::Json(json) => Stored::JsonText(json.as_str().to_owned()),
            Args::Bytes(bytes) => Stored::Base64(BASE64.encode(bytes)),
        };
        stored.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Args, D::Error> {
        Ok(match Stored::deserialize(deserializer)? {
            Stored::Json(json) => Args::Json(json),
            Stored::JsonText(text) => Args::json(text).map_err(super::wrong)?,
            Stored::Base64(text) => Args::Bytes(BASE64.decode(text).map_err(super::wrong)?.into()),
        })
    }
}

fn wrong<E: serde::de::Error>(error: impl std::fmt::Display) -> E {
    E::custom(error)
}
