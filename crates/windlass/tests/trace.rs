//! Jobs remember the span that enqueued them, and the span of their run is linked to it (case 231).

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

use std::time::Duration;

use opentelemetry::trace::{SpanId, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;
use windlass::prelude::*;
use windlass::{JobCx, Trace};

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "order", output = windlass::JobId)]
struct Order;

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "invoice", attempts = 2)]
struct Invoice;

/// Enqueues a child, which is asked for in the span of this attempt.
async fn order(_: Order, State(windlass): State<Windlass>) -> Result<windlass::JobId, JobError> {
    let invoice = windlass.enqueue(Invoice).await?;
    Ok(invoice.id())
}

/// Fails the first time.
async fn invoice(_: Invoice, cx: JobCx) -> Result<(), JobError> {
    assert!(cx.trace().is_some(), "the handler sees the trace");
    if cx.attempt().number == 1 { Err(JobError::retry_after(Duration::ZERO)) } else { Ok(()) }
}

fn links(span: &SpanData) -> Vec<SpanId> {
    span.links.iter().map(|link| link.span_context.span_id()).collect()
}

/// What was recorded of the one program that all of this is about: a subscriber holds for all threads.
async fn recorded() -> Vec<SpanData> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

    let windlass = Windlass::in_memory();
    let worker = windlass.worker().state(windlass.clone()).handle(order).handle(invoice).build().unwrap();
    let worker = worker.start();
    let asked = async { windlass.enqueue(Order).await.unwrap() }.instrument(tracing::info_span!("request"));
    let order = asked.await;
    let child = order.handle().result().await.unwrap();
    windlass.handle::<Invoice>(child).result().await.unwrap();
    let named = Trace::new(7, 9, 1, None).unwrap();
    let elsewhere = windlass.enqueue(Invoice).trace(&named).await.unwrap();
    elsewhere.handle().result().await.unwrap();
    worker.stop().await;
    exporter.get_finished_spans().unwrap()
}

#[tokio::test]
async fn a_run_is_a_trace_of_its_own_linked_to_the_span_that_enqueued_it() {
    let spans = recorded().await;

    let of_kind = |kind: &str| -> Vec<&SpanData> {
        let is_kind = |span: &&SpanData| {
            span.attributes.iter().any(|it| it.key.as_str() == "job.kind" && it.value.as_str() == kind)
        };
        spans.iter().filter(is_kind).collect()
    };
    let request = spans.iter().find(|span| span.name == "request").unwrap();
    let [order] = of_kind("order")[..] else { panic!("{spans:#?}") };
    let [first, second, named_first, named_second] = of_kind("invoice")[..] else { panic!("{spans:#?}") };

    assert_eq!((links(order), order.parent_span_id), (vec![request.span_context.span_id()], SpanId::INVALID));
    assert_ne!(order.span_context.trace_id(), request.span_context.trace_id());
    assert_eq!(links(first), [order.span_context.span_id()], "a child is linked to its parent's attempt");
    assert_eq!(
        links(second),
        links(first),
        "a retry is linked to where the job came from, not to the failure"
    );
    assert_eq!((links(named_first), links(named_second)), (vec![SpanId::from(9)], vec![SpanId::from(9)]));
    assert!(matches!(first.status, opentelemetry::trace::Status::Error { .. }), "{:?}", first.status);
}
