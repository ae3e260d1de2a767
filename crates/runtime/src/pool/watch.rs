//! How an attempt is seen from outside: its span, what is counted of it, and what is said of it if it fails.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::Span;
use windlass_core::Verdict;
use windlass_store::LeasedJob;
use windlass_store::observe::{Observer, Ran};

use crate::engine::Engine;
use crate::open_attempt::OpenAttempt;

/// Who is told how long an attempt ran, and since when it runs. Where nobody counts, no time is taken.
pub(super) struct Watch(Option<(Arc<dyn Observer>, Instant)>);

impl Watch {
    pub(super) fn start(engine: &Engine) -> Self {
        Self(engine.config.observer.as_ref().map(|observer| (Arc::clone(observer), Instant::now())))
    }

    /// Tells how an attempt ended. That it did not succeed is the product working, so it is no error of this process.
    pub(super) fn tell(&self, attempt: &OpenAttempt, verdict: &Verdict) {
        let leased = &attempt.leased;
        if let Some((observer, began)) = &self.0
            && let Some(outcome) = verdict.outcome()
        {
            let took = began.elapsed();
            observer.ran(Ran { queue: &leased.queue, kind: &leased.kind, outcome, took });
        }
        let Some(error) = verdict.error() else { return };
        tracing::info!(
            job.id = %leased.id(),
            job.kind = %leased.kind,
            job.attempt = leased.token.number,
            error = error.message,
            "a job's attempt did not succeed",
        );
    }
}

/// The span of an attempt: a trace of its own, linked to the one in which its job was enqueued.
pub(super) fn span(leased: &LeasedJob) -> Span {
    let span = tracing::info_span!(
        parent: None,
        "job",
        otel.kind = "consumer",
        otel.status_code = tracing::field::Empty,
        otel.status_description = tracing::field::Empty,
        job.id = %leased.id(),
        job.kind = %leased.kind,
        job.queue = %leased.queue,
        job.attempt = leased.token.number,
    );
    #[cfg(feature = "opentelemetry")]
    if !span.is_disabled()
        && let Some(trace) = leased.trace()
    {
        windlass_telemetry::link(&span, &trace);
    }
    span
}

/// Says in the span of an attempt how its handler ended.
pub(super) fn note(span: &Span, verdict: &Verdict) {
    if let Some(error) = verdict.error() {
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_description", error.message.as_str());
    }
}
