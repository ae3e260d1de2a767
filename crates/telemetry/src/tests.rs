use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

/// Runs `act` where spans are recorded.
fn recording<T>(act: impl FnOnce() -> T) -> (T, Vec<opentelemetry_sdk::trace::SpanData>) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let done = tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
    (done, exporter.get_finished_spans().expect("the exporter keeps what it was given"))
}

#[test]
fn the_span_that_enqueued_is_linked_from_a_trace_of_its_own() {
    let (travelled, spans) = recording(|| {
        let travelled = tracing::info_span!("asked").in_scope(current).expect("we are in a span");
        let run = tracing::info_span!(parent: None, "job");
        link(&run, &travelled);
        run.in_scope(|| ());
        travelled
    });

    let [asked, run] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(u128::from_be_bytes(asked.span_context.trace_id().to_bytes()), travelled.trace_id());
    assert_ne!(asked.span_context.trace_id(), run.span_context.trace_id());
    let [link] = &run.links[..] else { panic!("{:?}", run.links) };
    assert_eq!(link.span_context.trace_id(), asked.span_context.trace_id());
    assert_eq!(link.span_context.span_id(), asked.span_context.span_id());
}

#[test]
fn what_is_done_while_the_caller_waits_is_part_of_their_trace() {
    let theirs = Trace::new(7, 9, 1, Some("vendor=x")).expect("neither is zero");

    let (travelled, spans) = recording(|| {
        let request = tracing::info_span!(parent: None, "request");
        join(&request, &theirs);
        request.in_scope(current).expect("we are in a span")
    });

    assert_eq!((travelled.trace_id(), travelled.tracestate()), (7, Some("vendor=x")));
    assert_eq!(spans[0].parent_span_id, SpanId::from(9));
}

#[test]
fn where_nobody_traces_there_is_no_trace() {
    assert_eq!(tracing::info_span!("asked").in_scope(current), None);
    link(&Span::current(), &Trace::new(1, 1, 1, None).expect("neither is zero"));
}
