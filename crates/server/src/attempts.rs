//! The attempts that were claimed here and are not settled yet: whose they are, and since when they run.
//!
//! It is a hint: for the numbers of a monitor, and for the trace that children go on with. Whoever settles here what was
//! claimed elsewhere, or before a restart, is served as well, and not counted.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use windlass_core::{AttemptOutcome, AttemptToken, KindName, QueueName, Trace};
use windlass_metrics::Metrics;
use windlass_store::observe::{Observer, Ran};
use windlass_store::{ErrorKind, LeasedJob, Settled, Settlement, StoreError};

/// Most attempts that are remembered, the last claimed ones.
const OPEN_MAX: usize = 65_536;

/// What is known of the attempts that are open.
#[derive(Debug)]
pub(crate) struct Attempts {
    metrics: Arc<Metrics>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    known: HashMap<AttemptToken, Known>,
    /// In the order in which they were claimed, with those that were settled since.
    claimed: VecDeque<AttemptToken>,
}

#[derive(Debug)]
struct Known {
    queue: QueueName,
    kind: KindName,
    since: Instant,
    trace: Option<Trace>,
}

/// How an attempt is about to end.
pub(crate) type End = (AttemptToken, Option<AttemptOutcome>);

/// How these settlements would end their attempts.
pub(crate) fn ends(settlements: &[Settlement]) -> Vec<End> {
    settlements.iter().map(|one| (one.token, one.verdict.outcome())).collect()
}

impl Attempts {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, open: Mutex::default() }
    }

    /// These were claimed.
    pub(crate) fn claimed(&self, jobs: &[LeasedJob]) {
        if jobs.is_empty() {
            return;
        }
        self.metrics.claimed(jobs);
        let since = Instant::now();
        let mut open = self.open();
        for job in jobs {
            let (queue, kind) = (job.queue.clone(), job.kind.clone());
            open.insert(job.token, Known { queue, kind, since, trace: job.trace() });
        }
    }

    /// The store has answered those who settled.
    pub(crate) fn settled(&self, ends: &[End], answers: &[Result<Settled, StoreError>]) {
        for ((token, outcome), answer) in ends.iter().zip(answers) {
            match answer {
                Ok(_) => self.ran(*token, *outcome),
                Err(error) => self.refused(*token, error),
            }
        }
    }

    fn ran(&self, token: AttemptToken, outcome: Option<AttemptOutcome>) {
        let known = self.open().known.remove(&token);
        if let (Some(Known { queue, kind, since, .. }), Some(outcome)) = (known, outcome) {
            self.metrics.ran(Ran { queue: &queue, kind: &kind, outcome, took: since.elapsed() });
        }
    }

    /// The store has refused something in the name of an attempt. One that has lost its lease is counted once, whatever else it
    /// still tries.
    pub(crate) fn refused(&self, token: AttemptToken, error: &StoreError) {
        match error.kind() {
            ErrorKind::LeaseLost if self.open().known.remove(&token).is_some() => self.metrics.lost(1),
            ErrorKind::Cancelled => self.ran(token, Some(AttemptOutcome::Cancelled)),
            _ => {}
        }
    }

    /// The trace in which the job of an attempt was enqueued.
    pub(crate) fn trace(&self, token: AttemptToken) -> Option<Trace> {
        self.open().known.get(&token)?.trace.clone()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn insert(&mut self, token: AttemptToken, known: Known) {
        self.known.insert(token, known);
        self.claimed.push_back(token);
        if self.claimed.len() > OPEN_MAX * 2 {
            self.claimed.retain(|token| self.known.contains_key(token));
        }
        while self.known.len() > OPEN_MAX
            && let Some(oldest) = self.claimed.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use windlass_store::ids;

    use super::*;

    fn known() -> Known {
        let kind = KindName::new("mail").expect("a valid name");
        Known { queue: QueueName::default(), kind, since: Instant::now(), trace: None }
    }

    #[test]
    fn no_more_than_so_many_are_remembered_and_those_are_the_last() {
        let mut open = Open::default();
        let token = |number: usize| AttemptToken { job: ids::job_id(), number: number as u64, nonce: 1 };
        let tokens: Vec<_> = (0..OPEN_MAX * 4).map(token).collect();

        for (index, token) in tokens.iter().enumerate() {
            open.insert(*token, known());
            if index % 2 == 0 {
                open.known.remove(token);
            }
        }

        assert_eq!(open.known.len(), OPEN_MAX);
        assert!(open.claimed.len() <= OPEN_MAX * 2);
        assert!(open.known.contains_key(&tokens[OPEN_MAX * 4 - 1]), "the last");
        assert!(!open.known.contains_key(&tokens[1]), "the first that stayed open");
    }
}
