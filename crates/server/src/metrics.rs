//! What the server counts of itself.

use std::sync::Arc;
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
use windlass_core::Timestamp;
use windlass_metrics::{Fullness, PREFIX};

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
    /// What is done, through this server and by whoever counts beside it.
    work: Arc<windlass_metrics::Metrics>,
}

impl Metrics {
    pub(crate) fn new(work: Arc<windlass_metrics::Metrics>) -> Self {
        Self { answers: Family::default(), seconds: Family::new_with_constructor(seconds), work }
    }

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
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register("http_answers", "Answers by route and status", self.answers.clone());
        registry.register_with_unit(
            "http_answer",
            "How long answers took, what callers asked to wait included",
            Unit::Seconds,
            self.seconds.clone(),
        );
        self.work.register(&mut registry);
        let Snapshot { queues, workers, .. } = snapshot;
        Fullness { queues, workers, now }.register(&mut registry);
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
