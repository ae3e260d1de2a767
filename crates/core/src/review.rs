//! A person decides: about a job before it starts, or about what it made.
//!
//! Here are the terms that a job asks for, what was decided, and where a decision takes the job. Who keeps it and who
//! is asked is the port's.

mod digest;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use digest::Digest;

use crate::limits::{REMIND_EVERY_MIN, SETTLE_ATTEMPTS_MAX_DEFAULT, SETTLE_RETRY_DEFAULT};
use crate::notice::{Target, validate_targets};
use crate::retry::check_delay;
use crate::{Invalid, Reason, RetryPolicy, Stage, Timestamp, span};

/// That a person decides about a job, and on which terms.
///
/// ```
/// use std::time::Duration;
/// use windlass_core::notice::Target;
/// use windlass_core::{Decision, Review};
///
/// const DAY: Duration = Duration::from_secs(24 * 60 * 60);
///
/// // Nothing is published that nobody has looked at.
/// let of_result = Review::outcome().remind_every(DAY).remind(Target::Mail("desk@example.com".to_owned()));
/// // Nobody answers over the weekend, and then it does not happen.
/// let of_start = Review::start().decide_within(DAY * 3, Decision::Decline);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// What is decided about.
    pub of: Subject,
    /// How long there is to decide, from when the job came into review; none for as long as it takes.
    #[serde(default, with = "span::text_option", skip_serializing_if = "Option::is_none")]
    pub decide_within: Option<Duration>,
    /// What is taken for decided once that time is over. Means nothing without it.
    #[serde(default, skip_serializing_if = "Decision::is_default")]
    pub otherwise: Decision,
    /// How often the reviewers are reminded; none for never.
    #[serde(default, with = "span::text_option", skip_serializing_if = "Option::is_none")]
    pub remind_every: Option<Duration>,
    /// Where the reminders go; those that go nowhere are counted, and can be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remind: Vec<Target>,
    /// Whether who submitted the job may decide about it. By default four eyes are needed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub submitter_may: bool,
    /// Total starts of what follows a decision that may end in failure.
    #[serde(default = "settle_attempts_max", skip_serializing_if = "is_settle_attempts_max")]
    pub settle_attempts_max: u32,
    /// How long to wait after such a failure.
    #[serde(default = "settle_retry", skip_serializing_if = "is_settle_retry")]
    pub settle_retry: RetryPolicy,
}

const fn settle_attempts_max() -> u32 {
    SETTLE_ATTEMPTS_MAX_DEFAULT
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about by reference")]
const fn is_settle_attempts_max(number: &u32) -> bool {
    *number == SETTLE_ATTEMPTS_MAX_DEFAULT
}

const fn settle_retry() -> RetryPolicy {
    RetryPolicy::Fixed(SETTLE_RETRY_DEFAULT)
}

fn is_settle_retry(policy: &RetryPolicy) -> bool {
    *policy == settle_retry()
}

/// What is decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Whether the job may start, judged by its args.
    Start,
    /// What the job made, judged by its args and its result. Nothing of it holds before it is accepted.
    Outcome,
}

impl Subject {
    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Outcome => "outcome",
        }
    }
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may start, or holds.
    Accept = 1,
    /// It may not start, or does not hold.
    #[default]
    Decline = 2,
}

impl Decision {
    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
        }
    }

    /// The number stores keep.
    #[must_use]
    pub const fn as_number(self) -> u8 {
        self as u8
    }

    /// The decision that stores keep as `number`, if there is one.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Accept),
            2 => Some(Self::Decline),
            _ => None,
        }
    }

    /// Where a job ends once the decision about its outcome has been carried out.
    #[must_use]
    pub const fn end(self) -> (Stage, Reason) {
        match self {
            Self::Accept => (Stage::Completed, Reason::Accepted),
            Self::Decline => (Stage::Cancelled, Reason::Declined),
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about by reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What an attempt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// To do the work.
    #[default]
    Run,
    /// To carry out what was decided about it.
    Settle,
    /// To clean up behind another job, which ended while nobody ran it.
    Cleanup,
}

impl Phase {
    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Settle => "settle",
            Self::Cleanup => "cleanup",
        }
    }
}

/// The priority that stores keep of a job whose decision is being carried out, below every number of a
/// [`Priority`](crate::Priority): what a person waits for goes before all work of the same queue, and nobody can ask for it.
pub const SETTLE_PRIORITY: u8 = 0;

/// A decision that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// What was decided.
    pub decision: Decision,
    /// Who decided; none where nobody had by the end of the time there was, and the default was taken.
    pub by: Option<String>,
    /// What they had to say about it.
    pub comment: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The digest of what they had before them.
    pub digest: Digest,
    /// Whether they changed the args of the job before they let it start.
    pub edited: bool,
}

/// Where a decision takes a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// It waits to be started, at its time.
    Starts,
    /// It is over: `cancelled(declined)`.
    Ends,
    /// It waits, in the phase `settle` and due at once, for a worker to carry the decision out.
    Settles,
}

/// Where a job goes that is retried by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumption {
    /// It does its work again. What a person decided about an earlier result is history.
    Runs,
    /// It needs a person before it may start.
    Asks,
    /// What was decided is still to be carried out.
    Settles,
}

impl Review {
    /// A person decides about what the job made.
    #[must_use]
    pub const fn outcome() -> Self {
        Self::of(Subject::Outcome)
    }

    /// A person decides whether the job may start.
    #[must_use]
    pub const fn start() -> Self {
        Self::of(Subject::Start)
    }

    const fn of(of: Subject) -> Self {
        Self {
            of,
            decide_within: None,
            otherwise: Decision::Decline,
            remind_every: None,
            remind: Vec::new(),
            submitter_may: false,
            settle_attempts_max: SETTLE_ATTEMPTS_MAX_DEFAULT,
            settle_retry: settle_retry(),
        }
    }

    /// Takes `otherwise` for decided once the job has been in review for so long.
    #[must_use]
    pub const fn decide_within(mut self, time: Duration, otherwise: Decision) -> Self {
        self.decide_within = Some(time);
        self.otherwise = otherwise;
        self
    }

    /// Reminds the reviewers each time the job has been in review for so long. At least a minute.
    #[must_use]
    pub const fn remind_every(mut self, time: Duration) -> Self {
        self.remind_every = Some(time);
        self
    }

    /// Sends the reminders there, too. Workers that are told where they may send do so, as with notices of an end.
    #[must_use]
    pub fn remind(mut self, target: Target) -> Self {
        self.remind.push(target);
        self
    }

    /// Lets who submitted the job decide about it.
    #[must_use]
    pub const fn submitter_may(mut self) -> Self {
        self.submitter_may = true;
        self
    }

    /// Tries to carry a decision out so often, and waits by this policy after each failure.
    #[must_use]
    pub fn settle_attempts(mut self, attempts_max: u32, retry: RetryPolicy) -> Self {
        self.settle_attempts_max = attempts_max;
        self.settle_retry = retry;
        self
    }

    /// Refuses terms that make no sense.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field below `review`.
    pub fn validate(&self) -> Result<(), Invalid> {
        if let Some(time) = self.decide_within {
            if time.is_zero() {
                return Err(Invalid::new("review.decide_within", "must be more than zero"));
            }
            check_span("review.decide_within", time)?;
        }
        if let Some(time) = self.remind_every {
            if time < REMIND_EVERY_MIN {
                let least = span::format(REMIND_EVERY_MIN);
                return Err(Invalid::new("review.remind_every", format!("is shorter than {least}")));
            }
            check_span("review.remind_every", time)?;
        }
        if !self.remind.is_empty() && self.remind_every.is_none() {
            return Err(Invalid::new("review.remind", "names targets, and `remind_every` does not say when"));
        }
        validate_targets(&self.remind).map_err(|invalid| invalid.inside("review"))?;
        if self.settle_attempts_max == 0 {
            return Err(Invalid::new("review.settle_attempts_max", "must be 1 or more: 1 is no retry"));
        }
        self.settle_retry.validate().map_err(|invalid| {
            let field = invalid.field.replacen("retry", "review.settle_retry", 1);
            Invalid { field, ..invalid }
        })
    }

    /// Whether `reviewer` may decide about a job that `submitter` asked for.
    #[must_use]
    pub fn admits(&self, reviewer: &str, submitter: Option<&str>) -> bool {
        self.submitter_may || submitter != Some(reviewer)
    }

    /// By when it must be decided that came into review at `asked_at`.
    #[must_use]
    pub fn decide_by(&self, asked_at: Timestamp) -> Option<Timestamp> {
        self.decide_within.map(|time| asked_at.after(time))
    }

    /// When the reviewers are reminded next, counted from `last`: when it came into review, or was last reminded of.
    #[must_use]
    pub fn remind_at(&self, last: Timestamp) -> Option<Timestamp> {
        self.remind_every.map(|time| last.after(time))
    }

    /// Where a decision takes the job.
    #[must_use]
    pub const fn course(&self, decision: Decision) -> Course {
        match (self.of, decision) {
            (Subject::Start, Decision::Accept) => Course::Starts,
            (Subject::Start, Decision::Decline) => Course::Ends,
            (Subject::Outcome, _) => Course::Settles,
        }
    }

    /// Where the job goes when it is retried by hand, of which `decision` was the last one taken, whose last attempt was
    /// for `phase`, and which ended, or waits, for `reason`.
    ///
    /// An approval stays good for the args it was given for. A decision about a result holds until it has been carried
    /// out; after that, or without one, the job makes a new result, and a person is asked about that.
    #[must_use]
    pub fn resumption(&self, decision: Option<Decision>, phase: Phase, reason: Option<Reason>) -> Resumption {
        match (self.of, phase) {
            (Subject::Start, _) if decision == Some(Decision::Accept) => Resumption::Runs,
            (Subject::Start, _) => Resumption::Asks,
            (Subject::Outcome, Phase::Settle) if reason != Some(Reason::Declined) => Resumption::Settles,
            (Subject::Outcome, _) => Resumption::Runs,
        }
    }
}

/// Nobody decides to the fraction of a second, and a store may have to read the span by means of its own.
fn check_span(field: &str, span: Duration) -> Result<(), Invalid> {
    if span.subsec_nanos() > 0 {
        return Err(Invalid::new(field, "is no whole number of seconds"));
    }
    check_delay(field, span)
}

/// Whether a job has to come into review before it may start: a new one, or one that nothing else keeps from starting any
/// more, such as other jobs. `decision` is the last one about it.
#[must_use]
pub fn needs_approval(review: Option<&Review>, decision: Option<Decision>) -> bool {
    review.is_some_and(|review| review.of == Subject::Start) && decision != Some(Decision::Accept)
}

#[cfg(test)]
mod tests;
