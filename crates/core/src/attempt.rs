//! What becomes of a job when one of its attempts ends.
//!
//! Every store asks [`settle`] or [`lose`] before it writes. The rules are stated once, here, and are tested without
//! a store or a clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::{ATTEMPTS_UNLIMITED, BACKTRACE_BYTES_MAX, DELAY_MAX, ERROR_BYTES_MAX, ERROR_CHAIN_MAX};
use crate::retry::Jitter;
use crate::review::Subject;
use crate::{Decision, JobId, Json, Limits, Reason, RetryPolicy, Review, Stage, Timestamp};

/// How an attempt ended. *Attempts fail; jobs die.*
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// The work was done.
    Succeeded = 1,
    /// The work failed.
    Failed = 2,
    /// The work took longer than it may.
    TimedOut = 3,
    /// The lease expired: the process died, hung or was cut off.
    Lost = 4,
    /// The worker shut down. Not counted.
    Interrupted = 5,
    /// The handler asked to wait. Not counted.
    Snoozed = 6,
    /// The job was cancelled while it ran.
    Cancelled = 7,
}

impl AttemptOutcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Lost,
        Self::Interrupted,
        Self::Snoozed,
        Self::Cancelled,
    ];

    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Lost => "lost",
            Self::Interrupted => "interrupted",
            Self::Snoozed => "snoozed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The number stores keep.
    #[must_use]
    pub const fn as_number(self) -> u8 {
        self as u8
    }

    /// The outcome that stores keep as `number`, if there is one.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| i64::from(outcome.as_number()) == number)
    }
}

impl std::fmt::Display for AttemptOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What went wrong in an attempt, safe to store and to show.
///
/// Made by [`AttemptError::new`] from text of any kind: what no store or terminal should meet is taken out, and what
/// is too long is cut and marked, so that reporting a failure cannot fail itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AttemptError {
    /// What happened.
    pub message: String,
    /// The type of the error, where the handler's language has one.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "type")]
    pub class: Option<String>,
    /// What caused it, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// Where it came from: a backtrace, or the place of a panic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Whether a job that it waited for is to blame: then whoever asks for the root of the error is led on to that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_parent: bool,
}

impl AttemptError {
    /// An error with this message, made safe.
    #[must_use]
    pub fn new(message: impl AsRef<str>) -> Self {
        Self { message: safe_text(message.as_ref(), ERROR_BYTES_MAX), ..Self::default() }
    }

    /// What stands with an attempt whose lease expired, and with its job: the `losses`-th loss of that job.
    #[must_use]
    pub fn lost(losses: u32, losses_max: u32) -> Self {
        let text =
            format!("the lease expired without a sign of life; loss {losses}, and {losses_max} are forgiven");
        Self::new(text)
    }

    /// What stands with a job that was not started by its deadline.
    #[must_use]
    pub fn missed(deadline: Timestamp) -> Self {
        Self::new(format!("it was not started by its deadline, {deadline}"))
    }

    /// What stands with a job that will never run because `parent`, for whose success it waited, ended at `stage`.
    #[must_use]
    pub fn dependency_failed(parent: JobId, stage: Stage) -> Self {
        let end = if stage == Stage::Dead { "died" } else { "was cancelled" };
        Self::new(format!("job {parent}, whose success it needs, {end}")).caused_by_parent()
    }

    /// The same error, caused by a job that this one waited for.
    #[must_use]
    pub const fn caused_by_parent(mut self) -> Self {
        self.by_parent = true;
        self
    }

    /// The same error, of this type.
    #[must_use]
    pub fn with_class(mut self, class: impl AsRef<str>) -> Self {
        self.class = Some(safe_text(class.as_ref(), ERROR_BYTES_MAX));
        self
    }

    /// The same error with these causes, outermost first.
    #[must_use]
    pub fn with_chain(mut self, causes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let causes = causes.into_iter().take(ERROR_CHAIN_MAX);
        self.chain = causes.map(|cause| safe_text(cause.as_ref(), ERROR_BYTES_MAX)).collect();
        self
    }

    /// The same error with this backtrace.
    #[must_use]
    pub fn with_trace(mut self, trace: impl AsRef<str>) -> Self {
        self.trace = Some(safe_text(trace.as_ref(), BACKTRACE_BYTES_MAX));
        self
    }

    /// The same error with every part made safe, as one that came from outside needs.
    #[must_use]
    pub fn made_safe(self) -> Self {
        let safe = Self::new(self.message).with_chain(self.chain);
        Self {
            class: self.class.map(|class| safe_text(&class, ERROR_BYTES_MAX)),
            trace: self.trace.map(|trace| safe_text(&trace, BACKTRACE_BYTES_MAX)),
            by_parent: self.by_parent,
            ..safe
        }
    }
}

/// `text` without control characters (but line breaks and tabs), cut at `bytes_max` with the cut marked.
#[must_use]
pub fn safe_text(text: &str, bytes_max: usize) -> String {
    const MARK: &str = "… [cut]";
    let clean = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    if text.len() <= bytes_max && text.chars().all(clean) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len().min(bytes_max));
    for c in text.chars().filter(|c| clean(*c)) {
        if safe.len() + c.len_utf8() > bytes_max - MARK.len() && text.len() > bytes_max {
            safe.push_str(MARK);
            return safe;
        }
        safe.push(c);
    }
    safe
}

/// One execution of a job, as history tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which attempt, 1 the first. Every start counts here, also those that cost the job nothing.
    pub number: u64,
    /// The name of the worker that ran it.
    pub worker: String,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// When it ended; none while it runs.
    pub ended_at: Option<Timestamp>,
    /// How it ended; none while it runs.
    pub outcome: Option<AttemptOutcome>,
    /// What went wrong, if something did.
    pub error: Option<AttemptError>,
}

/// What a worker says of an attempt when it gives the lease back.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// The work is done.
    Succeeded {
        /// What it made, if anything; `null` is a result too.
        result: Option<Json>,
    },
    /// The work is done, and there was nothing to change. Skips review.
    Unchanged {
        /// What it found, if anything.
        result: Option<Json>,
    },
    /// The work failed. Another attempt may succeed.
    Failed {
        /// What went wrong.
        error: AttemptError,
        /// When to try again, instead of what the job's policy says.
        retry_after: Option<Duration>,
    },
    /// The work cannot succeed, however often it is tried.
    Fatal {
        /// What went wrong.
        error: AttemptError,
    },
    /// The handler cannot read the args. No attempt is burned on a retry.
    Undecodable {
        /// What could not be read.
        error: AttemptError,
    },
    /// The work took longer than its timeout, or than its deadline.
    TimedOut {
        /// What is known of it.
        error: AttemptError,
    },
    /// The handler asks to wait. The attempt is not counted.
    Snoozed {
        /// For how long.
        delay: Duration,
    },
    /// The handler stops the job on purpose.
    Cancelled {
        /// Why.
        error: AttemptError,
    },
    /// The worker shuts down and gives the started attempt back. Not counted.
    Interrupted,
    /// The worker gives a leased job back that it never started. Not counted, and no attempt is recorded.
    Released,
}

impl Verdict {
    /// The verdict as it can be stored: a result that is too large makes the attempt a failed one.
    #[must_use]
    pub fn within(self, limits: &Limits) -> Self {
        match self {
            Self::Succeeded { result: Some(result) } | Self::Unchanged { result: Some(result) }
                if result.as_bytes().len() > limits.result_bytes_max =>
            {
                let (bytes, most) = (result.as_bytes().len(), limits.result_bytes_max);
                let error = AttemptError::new(format!(
                    "the result is {bytes} bytes long; at most {most} can be stored"
                ));
                Self::Failed { error, retry_after: None }
            }
            other => other,
        }
    }

    /// The error it carries, if any.
    #[must_use]
    pub const fn error(&self) -> Option<&AttemptError> {
        match self {
            Self::Failed { error, .. }
            | Self::Fatal { error }
            | Self::Undecodable { error }
            | Self::TimedOut { error }
            | Self::Cancelled { error } => Some(error),
            _ => None,
        }
    }

    /// What a job says went wrong last, once it is settled so; `before` is what it said until now. Success clears
    /// it, and what is not counted leaves it.
    #[must_use]
    pub fn error_after(&self, before: Option<AttemptError>) -> Option<AttemptError> {
        match self {
            Self::Succeeded { .. } | Self::Unchanged { .. } => None,
            _ => self.error().cloned().or(before),
        }
    }

    /// The result it carries, if any.
    #[must_use]
    pub const fn result(&self) -> Option<&Json> {
        match self {
            Self::Succeeded { result } | Self::Unchanged { result } => result.as_ref(),
            _ => None,
        }
    }
}

/// What has to be known of a running job to decide where it goes.
#[derive(Debug, Clone, Copy)]
pub struct Running<'a> {
    /// Counted starts so far, this one included.
    pub attempt: u32,
    /// How many counted starts it may have; [`ATTEMPTS_UNLIMITED`] for no bound.
    pub attempts_max: u32,
    /// Lost attempts so far.
    pub losses: u32,
    /// Lost attempts that are forgiven.
    pub losses_max: u32,
    /// When it was due.
    pub run_at: Timestamp,
    /// When it must be finished.
    pub deadline: Option<Timestamp>,
    /// How long to wait after a failure.
    pub retry: &'a RetryPolicy,
    /// The deviation of that wait.
    pub jitter: Jitter,
    /// Whether a person decides about it.
    pub review: Option<&'a Review>,
    /// The decision that this attempt carries out, if it is for that.
    pub settles: Option<Decision>,
}

/// Where a job goes when an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// How the attempt ended; none if it never started, and leaves no record.
    pub outcome: Option<AttemptOutcome>,
    /// Counted starts from now on.
    pub attempt: u32,
    /// Lost attempts from now on.
    pub losses: u32,
    /// Where the job goes.
    pub next: Next,
}

/// The stage a job goes to, and when it is due there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is over.
    Finished {
        /// A final stage.
        stage: Stage,
        /// Why.
        reason: Reason,
    },
    /// It waits again.
    Waiting {
        /// Why, unless it is due at once.
        reason: Option<Reason>,
        /// From when on.
        run_at: Timestamp,
    },
    /// A person decides about its result.
    InReview,
}

impl Next {
    /// The stage it goes to.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match self {
            Self::Finished { stage, .. } => *stage,
            Self::Waiting { .. } => Stage::Waiting,
            Self::InReview => Stage::InReview,
        }
    }

    /// The reason beside that stage.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Finished { reason, .. } => Some(*reason),
            Self::Waiting { reason, .. } => *reason,
            Self::InReview => Some(Reason::Outcome),
        }
    }
}

/// Decides where a job goes after its worker said `verdict` at `now`.
///
/// Never lets a job wait once its failures have reached what it may have: `attempts_max`, or what the terms of its review
/// say where the attempt carries a decision out. A success of work whose outcome a person decides about goes to them,
/// unless there was nothing to change; a success of the attempt that carries the decision out ends the job as decided.
#[must_use]
pub fn settle(job: &Running<'_>, verdict: &Verdict, now: Timestamp) -> Ending {
    use AttemptOutcome as Outcome;
    match verdict {
        Verdict::Succeeded { .. } | Verdict::Unchanged { .. } if job.settles.is_some() => {
            let (stage, reason) = job.settles.unwrap_or_default().end();
            job.ends(Outcome::Succeeded, stage, reason)
        }
        Verdict::Succeeded { .. } if job.review.is_some_and(|review| review.of == Subject::Outcome) => {
            Ending { next: Next::InReview, ..job.ends(Outcome::Succeeded, Stage::Completed, Reason::Done) }
        }
        Verdict::Succeeded { .. } => job.ends(Outcome::Succeeded, Stage::Completed, Reason::Done),
        Verdict::Unchanged { .. } => job.ends(Outcome::Succeeded, Stage::Completed, Reason::Unchanged),
        Verdict::Fatal { .. } => job.ends(Outcome::Failed, Stage::Dead, Reason::Fatal),
        Verdict::Undecodable { .. } => job.ends(Outcome::Failed, Stage::Dead, Reason::Undecodable),
        Verdict::Cancelled { .. } => job.ends(Outcome::Cancelled, Stage::Cancelled, Reason::Handler),
        Verdict::TimedOut { .. } if job.deadline.is_some_and(|deadline| deadline <= now) => {
            job.ends(Outcome::TimedOut, Stage::Dead, Reason::Deadline)
        }
        Verdict::TimedOut { .. } => job.fails(Outcome::TimedOut, None, now),
        Verdict::Failed { retry_after, .. } => job.fails(Outcome::Failed, *retry_after, now),
        Verdict::Snoozed { delay } => {
            let run_at = now.after((*delay).min(DELAY_MAX));
            job.waits(Some(Outcome::Snoozed), Some(Reason::Snoozed), run_at)
        }
        Verdict::Interrupted => job.waits(Some(Outcome::Interrupted), None, job.run_at),
        Verdict::Released => job.waits(None, None, job.run_at),
    }
}

/// Decides where a job goes whose lease expired: back to its place, until its losses are more than is forgiven.
///
/// A loss costs no attempt: the two budgets are apart, so a crash of a neighbour never uses up a job's retries.
#[must_use]
pub fn lose(job: &Running<'_>) -> Ending {
    let losses = job.losses.saturating_add(1);
    let back = Ending { losses, ..job.waits(Some(AttemptOutcome::Lost), Some(Reason::Lost), job.run_at) };
    if losses > job.losses_max {
        return Ending { next: Next::Finished { stage: Stage::Dead, reason: Reason::Poison }, ..back };
    }
    back
}

impl Running<'_> {
    const fn ends(&self, outcome: AttemptOutcome, stage: Stage, reason: Reason) -> Ending {
        Ending {
            outcome: Some(outcome),
            attempt: self.attempt,
            losses: self.losses,
            next: Next::Finished { stage, reason },
        }
    }

    /// Gives the attempt back: what waits here is not counted.
    const fn waits(
        &self,
        outcome: Option<AttemptOutcome>,
        reason: Option<Reason>,
        run_at: Timestamp,
    ) -> Ending {
        Ending {
            outcome,
            attempt: self.attempt.saturating_sub(1),
            losses: self.losses,
            next: Next::Waiting { reason, run_at },
        }
    }

    /// How many counted starts there may be in its phase, and how long to wait after each.
    #[must_use]
    pub fn budget(&self) -> (u32, &RetryPolicy) {
        match (self.review, self.settles) {
            (Some(review), Some(_)) => (review.settle_attempts_max, &review.settle_retry),
            _ => (self.attempts_max, self.retry),
        }
    }

    fn fails(&self, outcome: AttemptOutcome, after: Option<Duration>, now: Timestamp) -> Ending {
        let (attempts_max, retry) = self.budget();
        if attempts_max != ATTEMPTS_UNLIMITED && self.attempt >= attempts_max {
            return self.ends(outcome, Stage::Dead, Reason::Exhausted);
        }
        let delay =
            after.map_or_else(|| retry.delay_after(self.attempt, self.jitter), |delay| delay.min(DELAY_MAX));
        let reason = if outcome == AttemptOutcome::TimedOut { Reason::TimedOut } else { Reason::Error };
        let next = Next::Waiting { reason: Some(reason), run_at: now.after(delay) };
        Ending { outcome: Some(outcome), attempt: self.attempt, losses: self.losses, next }
    }
}

#[cfg(test)]
mod tests;
