//! In which trace a request is made, so that the jobs it makes can be linked to it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response};
use tracing::Span;
use windlass_core::trace::{TRACEPARENT, TRACESTATE};
use windlass_core::{NewJob, Trace};

use crate::access::Verb;
use crate::answer::Failure;
use crate::route::Rules;

/// The trace that jobs of the request are enqueued in: the span of the request where this server traces, else what the caller
/// says in the header. What is said wrongly is no trace, and no reason to refuse anybody's jobs.
#[derive(Debug, Clone, Default)]
pub(crate) struct InTrace(pub(crate) Option<Trace>);

impl InTrace {
    /// Lets the trace travel with the job, unless its `meta` names another.
    pub(crate) fn travel(&self, job: &mut NewJob) {
        if let Some(trace) = &self.0 {
            trace.travel(&mut job.options.meta);
        }
    }

    /// The same, or `other` where the request is in no trace.
    pub(crate) fn or(self, other: impl FnOnce() -> Option<Trace>) -> Self {
        Self(self.0.or_else(other))
    }
}

impl<S: Sync> FromRequestParts<S> for InTrace {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        #[cfg(feature = "opentelemetry")]
        if let Some(trace) = windlass_telemetry::current() {
            return Ok(Self(Some(trace)));
        }
        Ok(Self(named(&parts.headers)))
    }
}

/// The trace that the headers name.
fn named(headers: &HeaderMap) -> Option<Trace> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Trace::parse(text(TRACEPARENT)?, text(TRACESTATE))
}

/// The span of a request: of one that changes something by hand. What workers ask all the time has none.
pub(crate) fn span(rules: &Rules, headers: &HeaderMap) -> Span {
    if !matches!(rules.access.verb, Verb::Enqueue | Verb::Operate | Verb::Review | Verb::Admin) {
        return Span::none();
    }
    let span = tracing::info_span!(
        parent: None,
        "request",
        otel.name = format!("{} {}", rules.method, rules.path),
        otel.kind = "server",
        http.request.method = %rules.method,
        http.route = rules.path,
        http.response.status_code = tracing::field::Empty,
    );
    #[cfg(feature = "opentelemetry")]
    if !span.is_disabled()
        && let Some(trace) = named(headers)
    {
        windlass_telemetry::join(&span, &trace);
    }
    #[cfg(not(feature = "opentelemetry"))]
    let _ = headers;
    span
}

/// Says in the span what came of the request.
pub(crate) fn note<B>(span: &Span, answered: &Response<B>) {
    span.record("http.response.status_code", answered.status().as_u16());
}
