//! What becomes of a job when one of its attempts ends.
//!
//! Every store asks [`settle`] or [`lose`] before it writes. The rules are stated once, here, and are tested without
//! a store or a clock.

use std::time::Duration;

use super::{AttemptOutcome, Verdict};
use crate::limits::{ATTEMPTS_UNLIMITED, DELAY_MAX};
use crate::retry::Jitter;
use crate::review::Subject;
use crate::{Decision, Reason, RetryPolicy, Review, Stage, Timestamp};

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
