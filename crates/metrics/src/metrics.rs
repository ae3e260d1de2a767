//! What is counted while work is done.

use std::sync::atomic::AtomicI64;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use windlass_store::observe::{Operation, Ran};
use windlass_store::{LEADER_LEASE, Leadership, LeasedJob, Observer, Rescued, SharedStore, StoreError};

use crate::series::Pairs;
use crate::{Fullness, PREFIX};

/// How long an answer about who leads is believed: whoever asks does so once in every lease of the leader, and a little later
/// where another leads.
const LEAD_BELIEVED: Duration = LEADER_LEASE.saturating_mul(3);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SeenLabels {
    seen_by: &'static str,
}

/// What is counted while work is done. Shared by all workers of a program, or by a server and its keeper.
///
/// ```
/// use windlass_metrics::Metrics;
///
/// let metrics = Metrics::default();
/// assert!(metrics.text().contains("windlass_leases_lost_total"));
/// ```
#[derive(Debug)]
pub struct Metrics {
    pairs: Pairs,
    lost: Family<SeenLabels, Counter>,
    store: Family<OperationLabels, Histogram, fn() -> Histogram>,
    failures: Family<OperationLabels, Counter>,
    lead: Mutex<Option<Lead>>,
}

/// What was heard last of who leads.
#[derive(Debug, Clone, Copy)]
struct Lead {
    term: u64,
    is_here: bool,
    heard_at: Instant,
}

/// From half a millisecond to half a minute: a store that answers is told from one that is waited for.
fn answers() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 17))
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            pairs: Pairs::default(),
            lost: Family::default(),
            store: Family::new_with_constructor(answers),
            failures: Family::default(),
            lead: Mutex::default(),
        };
        // What has not happened yet is told as zero, so that its first time is a rise and not a beginning.
        for seen_by in [WORKER, RESCUE] {
            drop(metrics.lost.get_or_create(&SeenLabels { seen_by }));
        }
        for operation in Operation::ALL {
            drop(metrics.failures.get_or_create(&OperationLabels { operation: operation.as_str() }));
        }
        metrics
    }
}

/// Who finds that a lease is lost: a worker that tries to use it, or whoever takes back what dead ones held.
const WORKER: &str = "worker";
const RESCUE: &str = "rescue";

impl Metrics {
    /// Registers everything that is counted here.
    pub fn register(&self, registry: &mut Registry) {
        let waits = "How long after they were due jobs were claimed";
        registry.register_with_unit("job_wait", waits, Unit::Seconds, self.pairs.waits.clone());
        let runs = "How long attempts ran";
        registry.register_with_unit("job_run", runs, Unit::Seconds, self.pairs.runs.clone());
        registry.register("attempts", "Attempts that ended, by how", self.pairs.attempts.clone());
        registry.register(
            "leases_lost",
            "Attempts whose lease was lost, by who found out",
            self.lost.clone(),
        );
        let answers = "How long the store took to answer";
        registry.register_with_unit("store_answer", answers, Unit::Seconds, self.store.clone());
        registry.register(
            "store_failures",
            "What the store was asked for and did not do",
            self.failures.clone(),
        );
        let heard = *self.lead.lock().unwrap_or_else(PoisonError::into_inner);
        let believed = heard.filter(|lead| lead.heard_at.elapsed() < LEAD_BELIEVED);
        registry.register("leader_known", "Whether somebody leads", flag(believed.is_some()));
        let is_here = believed.is_some_and(|lead| lead.is_here);
        registry.register("leader_here", "Whether this process leads", flag(is_here));
        let term = heard.map_or(0, |lead| i64::try_from(lead.term).unwrap_or(i64::MAX));
        registry.register("leader_term", "How often the lead has changed", of(term));
    }

    /// What is counted here, as Prometheus reads it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut registry = Registry::with_prefix(PREFIX);
        self.register(&mut registry);
        written(&registry)
    }

    /// The same, and how full `store` is. To count its jobs is to read; for a large backlog, ask seldom.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn text_with(&self, store: &SharedStore) -> Result<String, StoreError> {
        let (queues, workers) = (store.queues().await?, store.workers(Duration::ZERO).await?);
        let now = store.status().await?.now;
        let mut registry = Registry::with_prefix(PREFIX);
        self.register(&mut registry);
        Fullness { queues: &queues, workers: &workers, now }.register(&mut registry);
        Ok(written(&registry))
    }
}

fn written(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).expect("a string takes any text");
    text
}

fn flag(is_so: bool) -> Gauge<i64, AtomicI64> {
    of(i64::from(is_so))
}

fn of(value: i64) -> Gauge<i64, AtomicI64> {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}

impl Observer for Metrics {
    fn claimed(&self, jobs: &[LeasedJob]) {
        for job in jobs {
            let waited = job.started_at.since(job.run_at);
            self.pairs.of(&job.queue, &job.kind).wait.observe(waited.as_secs_f64());
        }
    }

    fn ran(&self, ran: Ran<'_>) {
        let pair = self.pairs.of(ran.queue, ran.kind);
        pair.run.observe(ran.took.as_secs_f64());
        if let Some(attempts) = pair.attempts(ran.outcome) {
            attempts.inc();
        }
    }

    fn lost(&self, count: u64) {
        self.lost.get_or_create(&SeenLabels { seen_by: WORKER }).inc_by(count);
    }

    fn rescued(&self, rescued: &Rescued) {
        let found = rescued.returned + rescued.poisoned + rescued.closed;
        self.lost.get_or_create(&SeenLabels { seen_by: RESCUE }).inc_by(found);
    }

    fn answered(&self, operation: Operation, took: Duration, failed: bool) {
        let labels = OperationLabels { operation: operation.as_str() };
        if failed {
            self.failures.get_or_create(&labels).inc();
        }
        self.store.get_or_create(&labels).observe(took.as_secs_f64());
    }

    fn led(&self, leadership: &Leadership, is_here: bool) {
        let lead = Lead { term: leadership.term, is_here, heard_at: Instant::now() };
        *self.lead.lock().unwrap_or_else(PoisonError::into_inner) = Some(lead);
    }
}
