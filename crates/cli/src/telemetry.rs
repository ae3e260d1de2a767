//! Where spans and logs go: to stderr, and by OTLP to a collector if one is named.
//!
//! The exporter comes from `opentelemetry-otlp` without a client of its own: the one here is `hyper`, which is compiled anyway,
//! and opens a connection for each of the few requests that a batch of spans every five seconds makes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hyper::{Request, Response, Uri};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::variable;
use crate::error::{CliError, ErrorCode};
use crate::http::Peer;

/// How long one request to the collector may take.
const EXPORT_TIME: Duration = Duration::from_secs(5);

/// Most of a collector's answer that is read, in bytes. Nobody does anything with it.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What is to be ended before the program does, so that the last spans are sent.
#[derive(Debug, Default)]
pub(crate) struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Says from now on on stderr what happens, and sends spans to the collector at `endpoint`, if there is one.
    pub(crate) fn start(verbose: u8, endpoint: Option<&str>, on: &Handle) -> Result<Self, CliError> {
        let level = match verbose {
            0 => LevelFilter::WARN,
            1 => LevelFilter::INFO,
            _ => LevelFilter::DEBUG,
        };
        let log = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_target(false)
            .with_ansi(false)
            .with_filter(level);
        let provider = endpoint.map(|endpoint| provider(endpoint, on)).transpose()?;
        let spans = provider.as_ref().map(|provider| {
            let tracer = provider.tracer("windlass");
            tracing_opentelemetry::layer().with_tracer(tracer).with_filter(filter_fn(is_ours))
        });
        tracing_subscriber::registry().with(log).with(spans).init();
        Ok(Self(provider))
    }

    /// Sends what is still to be sent, if the collector takes it.
    pub(crate) fn end(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown_with_timeout(EXPORT_TIME)
        {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// What is told a collector: what Windlass does, and not what its libraries have to say of themselves.
fn is_ours(of: &Metadata<'_>) -> bool {
    *of.level() <= tracing::Level::INFO && of.target().starts_with("windlass")
}

fn provider(endpoint: &str, on: &Handle) -> Result<SdkTracerProvider, CliError> {
    let unusable = |why: String| {
        CliError::new(ErrorCode::Invalid, format!("--otlp-endpoint {why}"))
            .with_help("it is the base of a collector that takes OTLP by HTTP, as in http://localhost:4318")
    };
    let uri: Uri = format!("{}/v1/traces", endpoint.trim_end_matches('/'))
        .parse()
        .map_err(|error| unusable(format!("is not a URL: {error}")))?;
    let client = Client::to(&uri, on).map_err(unusable)?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(uri.to_string())
        .with_timeout(EXPORT_TIME)
        .build()
        .map_err(|error| unusable(error.to_string()))?;
    // `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say more, and the former another name.
    let named = variable("OTEL_SERVICE_NAME").is_some();
    let mut resource = Resource::builder();
    if !named {
        resource = resource.with_service_name("windlass");
    }
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = resource.with_attribute(version).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Sends to one collector. Called on the exporter's own thread, which knows no runtime: the work is done on that of the program.
#[derive(Debug)]
struct Client {
    at: Arc<Peer>,
    on: Handle,
}

impl Client {
    fn to(uri: &Uri, on: &Handle) -> Result<Self, String> {
        Ok(Self { at: Arc::new(Peer::at(uri)?), on: on.clone() })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let at = Arc::clone(&self.at);
        let sent = self.on.spawn(async move {
            tokio::time::timeout(EXPORT_TIME, at.send(request, ANSWER_BYTES_MAX)).await
        });
        sent.await??
    }
}
