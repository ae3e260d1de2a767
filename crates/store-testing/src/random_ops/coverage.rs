//! Whether random operations did what they are for.

use std::collections::BTreeMap;

use super::answer::Answer;
use super::op::Op;

/// Below this many operations, chance may leave something out.
const OPERATIONS_MIN: u64 = 50_000;

/// How often each operation came up, and with which answers.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    operations: u64,
    named: BTreeMap<&'static str, u64>,
    answered: BTreeMap<(&'static str, &'static str), u64>,
    /// Words of answers that tell of a way to end, and how often they came up.
    ends: BTreeMap<&'static str, u64>,
}

/// Every way for an attempt or a job to end that random operations must meet.
const ENDS: [&str; 32] = [
    "reason: Missed",
    "reason: Overlap",
    "reason: Paused",
    "held: Some",
    "windlass.notice",
    "Blocked",
    "DependencyFailed",
    "by_parent: true",
    "Accepted",
    "Declined",
    "InReview",
    "phase: Settle",
    "outcome: Existing",
    "outcome: Replaced",
    "Debounce",
    "Done",
    "Unchanged",
    "Operator",
    "Handler",
    "Exhausted",
    "Fatal",
    "Poison",
    "Deadline",
    "Undecodable",
    "Snoozed",
    "Lost",
    "TimedOut",
    "Interrupted",
    "Requested",
    "AlreadyCancelled",
    "repeated: true",
    "cancel_requested: true",
];

/// Every kind of refusal, and an operation that must have met it.
const REFUSALS: [(&str, &str); 34] = [
    ("enqueue", "not_found"),
    ("flow", "not_found"),
    ("retry_flow", "not_ready"),
    ("delete_flow", "not_ready"),
    ("decide", "not_ready"),
    ("decide", "conflict"),
    ("decide", "invalid"),
    ("enqueue", "duplicate"),
    ("retry", "duplicate"),
    ("enqueue", "invalid"),
    ("claim", "invalid"),
    ("progress", "invalid"),
    ("job", "not_found"),
    ("claim", "not_found"),
    ("beat", "not_found"),
    ("settle", "not_running"),
    ("settle", "lease_lost"),
    ("settle", "cancelled"),
    ("log", "cancelled"),
    ("extend", "lease_lost"),
    ("claim_job", "not_ready"),
    ("delete", "not_ready"),
    ("enqueue under", "lease_lost"),
    ("enqueue under", "not_running"),
    ("retry", "not_ready"),
    ("retry", "finished"),
    ("cancel", "finished"),
    ("deregister", "not_ready"),
    ("put schedule", "invalid"),
    ("put schedule", "not_ready"),
    ("declare", "invalid"),
    ("run schedule", "not_found"),
    ("run schedule", "not_ready"),
    ("backfill", "invalid"),
];

impl Coverage {
    pub(crate) fn count(&mut self, op: &Op, answer: &Answer) {
        self.operations += 1;
        *self.named.entry(op.name()).or_default() += 1;
        *self.answered.entry((op.name(), answer.kind)).or_default() += 1;
        self.count_ends(answer);
    }

    /// Counts the ways to end that an answer tells of.
    pub(crate) fn count_ends(&mut self, answer: &Answer) {
        for word in ENDS {
            if answer.text.contains(word) {
                *self.ends.entry(word).or_default() += 1;
            }
        }
    }

    /// Panics if an operation came up in less than one of two hundred, never succeeded, or if a way to end or to be
    /// refused was never met.
    pub(crate) fn assert_not_vacuous(&self) {
        if self.operations < OPERATIONS_MIN {
            return;
        }
        for (name, count) in &self.named {
            assert!(count * 200 >= self.operations, "{name} is less than one of two hundred: {self:?}");
            let succeeded =
                matches!(*name, "advance" | "set back") || self.answered.contains_key(&(*name, "ok"));
            assert!(succeeded, "{name} never succeeded: {self:?}");
        }
        for refusal in REFUSALS {
            assert!(self.answered.contains_key(&refusal), "{refusal:?} never came up: {self:?}");
        }
        for word in ENDS {
            assert!(self.ends.contains_key(word), "{word} never came up: {self:?}");
        }
    }
}
