//! How a trace gets from whoever enqueues a job to whoever runs it, where both trace with OpenTelemetry.
//!
//! What travels is a [`Trace`], which is text and belongs to the model. Here is where it comes from a span, and where it
//! becomes a link. Where spans are sent to is for the program to say, by the layer that it gives to `tracing`.
//!
//! **Invariant:** nothing here fails. What cannot be linked is run without a link.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use windlass_core::Trace;

/// The span that the caller is in, as it travels with a job; none outside of any, or where nobody traces.
#[must_use]
pub fn current() -> Option<Trace> {
    let traced = Span::current().context();
    travelling(&traced).or_else(|| travelling(&Context::current()))
}

fn travelling(context: &Context) -> Option<Trace> {
    let span = context.span();
    let span = span.span_context();
    let trace_id = u128::from_be_bytes(span.trace_id().to_bytes());
    let span_id = u64::from_be_bytes(span.span_id().to_bytes());
    // Numbers of zero, which stand for nobody, make no trace.
    Trace::new(trace_id, span_id, span.trace_flags().to_u8(), Some(&span.trace_state().header()))
}

/// Links `span` to the one that `trace` names. They stay two traces: a job may run days after it was enqueued, and often.
pub fn link(span: &Span, trace: &Trace) {
    span.add_link(remote(trace));
}

/// Makes `span` a part of `trace`: for what is done while the caller waits. To be called before anybody enters it.
pub fn join(span: &Span, trace: &Trace) {
    // Without a layer for it there is nothing to be part of.
    let _ = span.set_parent(Context::new().with_remote_span_context(remote(trace)));
}

fn remote(trace: &Trace) -> SpanContext {
    let state = trace.tracestate().and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    SpanContext::new(
        TraceId::from(trace.trace_id()),
        SpanId::from(trace.span_id()),
        TraceFlags::new(trace.flags()),
        true,
        state,
    )
}

#[cfg(test)]
mod tests;
