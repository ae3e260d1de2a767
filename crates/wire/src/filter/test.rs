//! What is asked of each job that a store found.

use serde_json::Value;
use serde_json::value::RawValue;
use windlass_core::{Args, Job, JobId, Priority, Reason, Tag, Timestamp};

use crate::Fields;

/// A question about a job.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Id(JobId),
    Reason(Reason),
    Tag(Tag),
    Priority(Priority),
    Version(u32),
    Worker(String),
    SubmittedBy(String),
    /// A part of its error's message or the whole of its type, in small letters.
    Error(String),
    CreatedBefore(Timestamp),
    FinishedBefore(Timestamp),
    /// A value at a path of names inside its args.
    Args(String, String),
    Meta(String, String),
}

impl Test {
    pub(super) fn admits(&self, job: &Job) -> bool {
        match self {
            Self::Id(id) => job.id == *id,
            Self::Reason(reason) => job.reason == Some(*reason),
            Self::Tag(tag) => job.options.tags.contains(tag),
            Self::Priority(priority) => job.priority == *priority,
            Self::Version(version) => job.version == *version,
            Self::Worker(name) => job.worker.as_ref() == Some(name),
            Self::SubmittedBy(name) => job.options.submitted_by.as_ref() == Some(name),
            Self::Error(text) => is_error(job, text),
            Self::CreatedBefore(instant) => job.created_at < *instant,
            Self::FinishedBefore(instant) => job.finished_at.is_some_and(|at| at < *instant),
            Self::Args(path, value) => match &job.args {
                Args::Json(args) => has(args.as_str(), path, value),
                Args::Bytes(_) => false,
            },
            Self::Meta(path, value) => meta_has(job, path, value),
        }
    }
}

fn is_error(job: &Job, text: &str) -> bool {
    let Some(error) = &job.error else { return false };
    error.message.to_lowercase().contains(text)
        || error.class.as_ref().is_some_and(|class| class.to_lowercase() == *text)
}

fn meta_has(job: &Job, path: &str, value: &str) -> bool {
    let mut names = path.split('.');
    let root = names.next().and_then(|name| job.options.meta.get(name));
    let found = names.try_fold(root, |at, name| at.map(|at| at.get(name)));
    match found.flatten() {
        Some(Value::String(text)) => text == value,
        Some(other) => {
            let text = other.to_string();
            text == value
        }
        None => false,
    }
}

/// Whether the JSON has this value at this path. Numbers are compared as they are written, for some are larger than any that
/// could be read.
fn has(json: &str, path: &str, value: &str) -> bool {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Ok(fields) = serde_json::from_str::<Fields>(json) else { return false };
    let Some(found) = fields.get(name) else { return false };
    match rest {
        Some(rest) => has(found.get(), rest, value),
        None => is(found, value),
    }
}

fn is(found: &RawValue, value: &str) -> bool {
    match serde_json::from_str::<String>(found.get()) {
        Ok(text) => text == value,
        Err(_) => found.get() == value,
    }
}

#[cfg(test)]
pub(super) fn job(args: Args) -> Job {
    use windlass_core::{AttemptError, JobOptions, JobState, KindName, Phase, QueueName};

    let mut options = JobOptions::default();
    options.meta = [("tenant".to_owned(), Value::from(7))].into();
    Job {
        id: JobId::from_bytes([1; 16]),
        kind: KindName::new("k").unwrap(),
        version: 1,
        queue: QueueName::default(),
        state: JobState::Dead,
        reason: Some(Reason::Fatal),
        phase: Phase::Run,
        priority: Priority::High,
        args,
        attempt: 1,
        attempts_max: 1,
        losses: 0,
        losses_max: 0,
        run_at: Timestamp::MIN,
        deadline: None,
        options,
        progress: None,
        checkpoint: None,
        result: None,
        error: Some(AttemptError::new("upstream timeout")),
        worker: Some("w1".to_owned()),
        created_at: Timestamp::MIN,
        started_at: None,
        finished_at: Some(Timestamp::MIN),
        revision: 1,
    }
}
