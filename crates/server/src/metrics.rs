//! What the server counts of itself.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use windlass_core::{JobState, Timestamp};

use crate::numbers::Snapshot;
use crate::route::Rules;

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: String,
    route: &'static str,
}

/// One kind of answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    method: String,
    route: &'static str,
    status: u16,
}

/// From half a millisecond to half a minute: what waits is told from what works.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 17))
}

/// What the server counts of itself.
#[derive(Debug)]
pub(crate) struct Metrics {
    answers: Family<AnswerLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { answers: Family::default(), seconds: Family::new_with_constructor(seconds) }
    }
}

impl Metrics {
    /// A request was answered.
    pub(crate) fn answered(&self, rules: &Rules, status: StatusCode, took: Duration) {
        let (method, route) = (rules.method.to_string(), rules.path);
        let labels = AnswerLabels { method: method.clone(), route, status: status.as_u16() };
        self.answers.get_or_create(&labels).inc();
        self.seconds.get_or_create(&RouteLabels { method, route }).observe(took.as_secs_f64());
    }

    /// Everything as a monitor reads it: what the server counts of itself, and how full the store is.
    pub(crate) fn write(
        &self,
        snapshot: &Snapshot,
        (now, waiting): (Timestamp, usize),
    ) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("windlass");
        registry.register("http_answers", "Answers by route and status", self.answers.clone());
        registry.register_with_unit(
            "http_answer",
            "How long answers took, what callers asked to wait included",
            Unit::Seconds,
            self.seconds.clone(),
        );
        register_queues(&mut registry, snapshot, now);
        register_workers(&mut registry, snapshot);
        let waiting_claims = number(u64::try_from(waiting).unwrap_or(u64::MAX));
        registry.register("claims_waiting", "Claims that wait for work", waiting_claims);
        registry.register_with_unit(
            "count",
            "How long it took to count jobs, the last time",
            Unit::Seconds,
            fraction(snapshot.took),
        );
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

fn number(value: u64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    gauge
}

fn fraction(span: Duration) -> Gauge<f64, AtomicU64> {
    let gauge = Gauge::default();
    gauge.set(span.as_secs_f64());
    gauge
}

/// The jobs of a queue in a state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    queue: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    queue: String,
}

fn register_queues(registry: &mut Registry, snapshot: &Snapshot, now: Timestamp) {
    let jobs = Family::<JobLabels, Gauge>::default();
    let oldest = Family::<QueueLabels, Gauge<f64, AtomicU64>>::default();
    let paused = Family::<QueueLabels, Gauge>::default();
    for queue in &snapshot.queues {
        let name = queue.name.to_string();
        for state in JobState::ALL {
            let labels = JobLabels { queue: name.clone(), state: state.as_str() };
            let count = i64::try_from(queue.counts.of(*state)).unwrap_or(i64::MAX);
            jobs.get_or_create(&labels).set(count);
        }
        let labels = QueueLabels { queue: name };
        let waited = queue.oldest_ready_at.map_or(Duration::ZERO, |since| now.since(since));
        oldest.get_or_create(&labels).set(waited.as_secs_f64());
        paused.get_or_create(&labels).set(i64::from(queue.pause.is_some()));
    }
    registry.register("jobs", "Jobs by queue and state", jobs);
    let help = "How long the ready job has waited that waits longest";
    registry.register_with_unit("oldest_ready", help, Unit::Seconds, oldest);
    registry.register("queue_paused", "Whether claims from the queue are stopped", paused);
}

fn register_workers(registry: &mut Registry, snapshot: &Snapshot) {
    let slots = snapshot.workers.iter().map(|worker| u64::from(worker.registered.slots)).sum();
    let running = snapshot.workers.iter().map(|worker| worker.running).sum();
    registry.register("workers", "Registered workers", number(snapshot.workers.len() as u64));
    registry.register("worker_slots", "Slots of all workers", number(slots));
    registry.register("attempts_open", "Attempts that workers hold", number(running));
}
