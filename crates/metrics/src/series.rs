//! The series of one queue and kind, found without making text of their names, and never too many of them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use windlass_core::{AttemptOutcome, KindName, QueueName};

/// Most queues that are told apart, the fullest ones. The others are counted together.
pub const QUEUES_MAX: usize = 100;

/// Most pairs of a queue and a kind that are told apart, those seen first. Each is two histograms.
pub const PAIRS_MAX: usize = 200;

/// What stands in place of the names of those that are not told apart.
pub const OTHER: &str = "other";

/// From a millisecond to an hour.
const SECONDS: [f64; 14] =
    [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0];

/// How a worker can end an attempt. One that is lost is ended by nobody, and counted with the lost leases.
const ENDS: [AttemptOutcome; 6] = [
    AttemptOutcome::Succeeded,
    AttemptOutcome::Failed,
    AttemptOutcome::TimedOut,
    AttemptOutcome::Interrupted,
    AttemptOutcome::Snoozed,
    AttemptOutcome::Cancelled,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct PairLabels {
    pub(crate) queue: String,
    pub(crate) kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OutcomeLabels {
    pub(crate) queue: String,
    pub(crate) kind: String,
    pub(crate) outcome: &'static str,
}

type Histograms = Family<PairLabels, Histogram, fn() -> Histogram>;

/// The series of one queue and kind.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) wait: Histogram,
    pub(crate) run: Histogram,
    attempts: [Counter; ENDS.len()],
}

impl Pair {
    /// Counts of attempts that ended so; none of those that nobody can tell how they ended.
    pub(crate) fn attempts(&self, outcome: AttemptOutcome) -> Option<&Counter> {
        let index = ENDS.iter().position(|one| *one == outcome)?;
        Some(&self.attempts[index])
    }
}

/// All pairs that have been seen.
#[derive(Debug)]
pub(crate) struct Pairs {
    pub(crate) waits: Histograms,
    pub(crate) runs: Histograms,
    pub(crate) attempts: Family<OutcomeLabels, Counter>,
    seen: RwLock<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    of_queue: HashMap<QueueName, HashMap<KindName, Arc<Pair>>>,
    count: usize,
    others: Option<Arc<Pair>>,
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

impl Default for Pairs {
    fn default() -> Self {
        Self {
            waits: Family::new_with_constructor(seconds),
            runs: Family::new_with_constructor(seconds),
            attempts: Family::default(),
            seen: RwLock::default(),
        }
    }
}

impl Pairs {
    /// The series of this queue and kind, or those of all that came too late for some of their own.
    pub(crate) fn of(&self, queue: &QueueName, kind: &KindName) -> Arc<Pair> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = seen.of_queue.get(queue).and_then(|kinds| kinds.get(kind)) {
            return Arc::clone(pair);
        }
        if let Some(others) = &seen.others {
            return Arc::clone(others);
        }
        drop(seen);
        self.first(queue, kind)
    }

    fn first(&self, queue: &QueueName, kind: &KindName) -> Arc<Pair> {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let seen = &mut *seen;
        if seen.count == PAIRS_MAX {
            return Arc::clone(seen.others.get_or_insert_with(|| Arc::new(self.named(OTHER, OTHER))));
        }
        let kinds = seen.of_queue.entry(queue.clone()).or_default();
        let pair = kinds.entry(kind.clone()).or_insert_with(|| {
            seen.count += 1;
            Arc::new(self.named(queue.as_str(), kind.as_str()))
        });
        Arc::clone(pair)
    }

    fn named(&self, queue: &str, kind: &str) -> Pair {
        let labels = PairLabels { queue: queue.to_owned(), kind: kind.to_owned() };
        let attempts = ENDS.map(|outcome| {
            let PairLabels { queue, kind } = labels.clone();
            let labels = OutcomeLabels { queue, kind, outcome: outcome.as_str() };
            self.attempts.get_or_create(&labels).clone()
        });
        let wait = self.waits.get_or_create(&labels).clone();
        Pair { wait, run: self.runs.get_or_create(&labels).clone(), attempts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_so_many_pairs_is_counted_together() {
        let pairs = Pairs::default();
        let queue = QueueName::new("mail").expect("a valid name");
        let kind = |index: usize| KindName::new(format!("kind{index}")).expect("a valid name");

        let first = pairs.of(&queue, &kind(0));
        for index in 1..PAIRS_MAX {
            pairs.of(&queue, &kind(index));
        }
        let (late, later) = (pairs.of(&queue, &kind(PAIRS_MAX)), pairs.of(&queue, &kind(PAIRS_MAX + 1)));

        assert!(Arc::ptr_eq(&late, &later) && !Arc::ptr_eq(&late, &first));
        assert!(Arc::ptr_eq(&first, &pairs.of(&queue, &kind(0))), "who came first stays told apart");
    }
}
