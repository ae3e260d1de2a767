//! The nine states a job can be seen in, the reasons beside them, and the legal moves.
//!
//! Stores keep a [`Stage`]; what a reader sees is a [`JobState`]. They differ in one place: a waiting job that is not
//! due shows as `scheduled` or `retryable`, and as `ready` once it is due. Nothing has to be written when its time
//! comes, so no duty can be late with it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::words::words;
use crate::{Invalid, Timestamp};

words! {
    /// What a job is doing, as everyone sees it.
    JobState, "state" {
        /// Due in the future.
        Scheduled = 1 "scheduled",
        /// May be claimed.
        Ready = 2 "ready",
        /// An attempt failed or was lost; the next has a time.
        Retryable = 3 "retryable",
        /// Needs other jobs.
        Blocked = 4 "blocked",
        /// Needs a person.
        InReview = 5 "in_review",
        /// Leased to an attempt.
        Running = 6 "running",
        /// Success. Final.
        Completed = 7 "completed",
        /// Stopped on purpose. Final.
        Cancelled = 8 "cancelled",
        /// Given up. Final; the dead letters are a view of this state.
        Dead = 9 "dead",
    }
}

words! {
    /// Why a job is in its state: a column beside it, never a further state.
    Reason, "reason" {
        /// Enqueued for later.
        Delay = 1 "delay",
        /// Its handler asked to wait.
        Snoozed = 2 "snoozed",
        /// Pushed out by a later enqueue with its unique key.
        Debounce = 3 "debounce",
        /// Its last attempt failed.
        Error = 4 "error",
        /// Its last attempt took too long.
        TimedOut = 5 "timed_out",
        /// Its last attempt's lease expired.
        Lost = 6 "lost",
        /// Waits for other jobs.
        Dependency = 7 "dependency",
        /// Waits for a person before its first attempt.
        Start = 8 "start",
        /// Waits for a person to judge its result.
        Outcome = 9 "outcome",
        /// Done.
        Done = 10 "done",
        /// Done, and found nothing to change.
        Unchanged = 11 "unchanged",
        /// Done, and accepted by a person.
        Accepted = 12 "accepted",
        /// Cancelled by an operator.
        Operator = 13 "operator",
        /// Cancelled by its own handler.
        Handler = 14 "handler",
        /// Declined by a person.
        Declined = 15 "declined",
        /// Replaced by another job.
        Superseded = 16 "superseded",
        /// A job it needs did not complete.
        DependencyFailed = 17 "dependency_failed",
        /// Failed as often as it may.
        Exhausted = 18 "exhausted",
        /// Failed in a way that no further attempt can mend.
        Fatal = 19 "fatal",
        /// Its attempts were lost more often than is forgiven.
        Poison = 20 "poison",
        /// Not finished by its deadline.
        Deadline = 21 "deadline",
        /// Its args cannot be read by its handler.
        Undecodable = 22 "undecodable",
    }
}

words! {
    /// What stores keep of a state.
    Stage, "stage" {
        /// May be claimed once it is due.
        Waiting = 1 "waiting",
        /// Needs other jobs.
        Blocked = 2 "blocked",
        /// Needs a person.
        InReview = 3 "in_review",
        /// Leased to an attempt.
        Running = 4 "running",
        /// Final: success.
        Completed = 5 "completed",
        /// Final: stopped on purpose.
        Cancelled = 6 "cancelled",
        /// Final: given up.
        Dead = 7 "dead",
    }
}

/// The three groups of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateGroup {
    /// Not started, or between attempts.
    Waiting,
    /// An attempt holds a lease.
    Active,
    /// Nothing more happens by itself.
    Final,
}

impl JobState {
    /// The group this state is in.
    #[must_use]
    pub const fn group(self) -> StateGroup {
        match self {
            Self::Scheduled | Self::Ready | Self::Retryable | Self::Blocked | Self::InReview => {
                StateGroup::Waiting
            }
            Self::Running => StateGroup::Active,
            Self::Completed | Self::Cancelled | Self::Dead => StateGroup::Final,
        }
    }

    /// Whether nothing more happens by itself.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self.group(), StateGroup::Final)
    }
}

impl Stage {
    /// Whether nothing more happens by itself.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Dead)
    }

    /// Whether a job may move from this stage to `next`.
    ///
    /// The only door into `running` is a claim, from `waiting`; the only doors out of a final stage are an
    /// operator's retry (to `waiting`, or to `in_review` where nobody has approved the start) and, for a job cancelled with its parents, a retry of the flow (to `blocked`).
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match (self, next) {
            // A retry, a snooze, a release, an operator's change of time; the last parent is done; approved before its start;
            // a new budget by an operator.
            (
                Self::Waiting | Self::Running | Self::Blocked | Self::InReview | Self::Cancelled | Self::Dead,
                Self::Waiting,
            )
            // Put back with its flow.
            | (Self::Cancelled, Self::Blocked)
            // A person is asked: before the start, before it is started anew by a retry, or about the outcome.
            | (
                Self::InReview | Self::Blocked | Self::Running | Self::Cancelled | Self::Dead,
                Self::InReview,
            )
            // Leased.
            | (Self::Waiting, Self::Running)
            // Success ends a running attempt, or its review.
            | (Self::Running | Self::InReview, Self::Completed)
            // Anything unfinished can be stopped, or be given up.
            | (Self::Waiting | Self::Blocked | Self::InReview | Self::Running, Self::Cancelled | Self::Dead) => true,
            _ => false,
        }
    }
}

/// What a reader sees of a job that is kept as `stage` and `reason`, due at `run_at`, when it is `now`.
///
/// A due job is `ready` and has no reason, however it came to wait.
#[must_use]
pub fn seen(
    stage: Stage,
    reason: Option<Reason>,
    run_at: Timestamp,
    now: Timestamp,
) -> (JobState, Option<Reason>) {
    match stage {
        Stage::Waiting if run_at <= now => (JobState::Ready, None),
        Stage::Waiting => match reason {
            Some(Reason::Error | Reason::TimedOut | Reason::Lost) => (JobState::Retryable, reason),
            _ => (JobState::Scheduled, reason.or(Some(Reason::Delay))),
        },
        Stage::Blocked => (JobState::Blocked, reason),
        Stage::InReview => (JobState::InReview, reason),
        Stage::Running => (JobState::Running, None),
        Stage::Completed => (JobState::Completed, reason),
        Stage::Cancelled => (JobState::Cancelled, reason),
        Stage::Dead => (JobState::Dead, reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_job_becomes_ready_by_time_alone() {
        let (early, due) = (Timestamp::from_micros(1), Timestamp::from_micros(2));

        assert_eq!(
            seen(Stage::Waiting, Some(Reason::Error), due, early),
            (JobState::Retryable, Some(Reason::Error))
        );
        assert_eq!(
            seen(Stage::Waiting, Some(Reason::Snoozed), due, early),
            (JobState::Scheduled, Some(Reason::Snoozed))
        );
        assert_eq!(seen(Stage::Waiting, None, due, early), (JobState::Scheduled, Some(Reason::Delay)));
        assert_eq!(seen(Stage::Waiting, Some(Reason::Error), due, due), (JobState::Ready, None));
    }

    #[test]
    fn only_a_claim_leads_into_running() {
        let into: Vec<_> = Stage::ALL.iter().filter(|stage| stage.may_become(Stage::Running)).collect();

        assert_eq!(into, [&Stage::Waiting]);
    }

    #[test]
    fn a_completed_job_never_moves_again() {
        assert!(!Stage::ALL.iter().any(|next| Stage::Completed.may_become(*next)));
    }

    #[test]
    fn every_word_reads_back() {
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
            assert_eq!(JobState::from_number(state.as_number().into()), Some(*state));
        }
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
        }
        assert!("discarded".parse::<JobState>().is_err());
    }
}
