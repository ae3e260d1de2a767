//! Jobs and what belongs to them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use windlass_core::{Args, Attempt, Invalid, Job, JobOptions, Json, LogLine};
use windlass_store::{Actor, AuditEntry, Change, ErrorGroup, JobEvent, Noun, Via};

use super::unknown;
use crate::{AttemptShape, AuditShape, ErrorGroupShape, EventShape, JobShape, LogShape};

/// Args as they were shown.
pub(super) fn args(json: Json, base64: Option<String>) -> Result<Args, Invalid> {
    let Some(text) = base64 else { return Ok(Args::Json(json)) };
    let bytes = STANDARD.decode(text);
    let bytes = bytes.map_err(|error| Invalid::new("args_base64", format!("is not base64: {error}")))?;
    Ok(Args::Bytes(bytes.into()))
}

impl TryFrom<JobShape> for Job {
    type Error = Invalid;

    fn try_from(shape: JobShape) -> Result<Self, Invalid> {
        let options = options(&shape);
        Ok(Self {
            id: shape.id,
            kind: shape.kind,
            version: shape.version,
            queue: shape.queue,
            state: shape.state,
            reason: shape.reason,
            phase: shape.phase,
            priority: shape.priority,
            args: args(shape.args, shape.args_base64)?,
            attempt: shape.attempt,
            attempts_max: shape.attempts_max,
            losses: shape.losses,
            losses_max: shape.losses_max,
            run_at: shape.run_at,
            deadline: shape.deadline,
            options,
            progress: shape.progress,
            checkpoint: shape.checkpoint,
            result: shape.result,
            error: shape.error,
            worker: shape.worker,
            created_at: shape.created_at,
            started_at: shape.started_at,
            finished_at: shape.finished_at,
            revision: shape.revision,
        })
    }
}

fn options(shape: &JobShape) -> JobOptions {
    let mut options = JobOptions::default();
    options.timeout = shape.timeout;
    options.retry = shape.retry.clone();
    options.tags.clone_from(&shape.tags);
    options.meta.clone_from(&shape.meta);
    options.unique.clone_from(&shape.unique);
    options.submitted_by.clone_from(&shape.submitted_by);
    options.notify.clone_from(&shape.notify);
    options.review.clone_from(&shape.review);
    options.locks.clone_from(&shape.locks);
    options.limits.clone_from(&shape.limits);
    options.rates.clone_from(&shape.rates);
    options.order_key.clone_from(&shape.order_key);
    options.rerun_of = shape.rerun_of;
    options.cleans = shape.cleans;
    options.cleans = shape.cleans;
    options.fired_by.clone_from(&shape.fired_by);
    options
}

impl From<AttemptShape> for Attempt {
    fn from(shape: AttemptShape) -> Self {
        let AttemptShape { number, worker, started_at, ended_at, outcome, error } = shape;
        Self { number, worker, started_at, ended_at, outcome, error }
    }
}

impl From<LogShape> for LogLine {
    fn from(shape: LogShape) -> Self {
        let LogShape { at, attempt, level, message } = shape;
        Self { attempt, at, level, message }
    }
}

impl From<EventShape> for JobEvent {
    fn from(shape: EventShape) -> Self {
        let EventShape { at, verb, by, reason, revision } = shape;
        Self { at, verb, by: Actor { name: by, why: reason, via: None }, revision }
    }
}

impl From<ErrorGroupShape> for ErrorGroup {
    fn from(shape: ErrorGroupShape) -> Self {
        let ErrorGroupShape { fingerprint, kind, class, message, count, first_at, last_at, example } = shape;
        Self { fingerprint, kind, class, message, count, first_at, last_at, example }
    }
}

impl TryFrom<AuditShape> for AuditEntry {
    type Error = Invalid;

    fn try_from(shape: AuditShape) -> Result<Self, Invalid> {
        let AuditShape { number, at, by, reason, verb, noun, subject, token, address, request, change } =
            shape;
        let address = address.map(|text| text.parse().map_err(|_| unknown("address", &text)));
        let via = Via {
            token: token.map(|token| token.parse()).transpose()?,
            address: address.transpose()?,
            request,
        };
        let noun = Noun::from_name(&noun).ok_or_else(|| unknown("noun", &noun))?;
        let by = Actor { name: by, why: reason, via: None }.via(via);
        let change = change.map(|shape| Change { before: shape.before, after: shape.after });
        Ok(Self { number, at, by, verb, noun, subject, change })
    }
}
