//! What a collector sees: the span that enqueued a job, and that of its run, joined by a link.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use rustix::process::Signal;
use windlass_postgres_testing::Port;

use crate::shelf::Shelf;

/// The longest that a span may be on its way.
const PATIENCE: Duration = Duration::from_secs(30);

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A collector that takes OTLP over HTTP, on a port of its own, for as long as its test lasts.
struct Collector {
    endpoint: String,
    spans: Receiver<Span>,
    /// What has come and nobody has asked for yet: programs that run side by side tell in any order.
    kept: Vec<Span>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (heard, spans) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let request = taken(&mut stream.unwrap());
                let of_scope = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
                for span in of_scope.flat_map(|scope| scope.spans) {
                    // Nobody listens any more once the test is over.
                    let _ = heard.send(span);
                }
            }
        });
        Self { endpoint, spans, kept: Vec::new() }
    }

    /// The first span with this name.
    fn span(&mut self, name: &str) -> Span {
        loop {
            if let Some(at) = self.kept.iter().position(|span| span.name == name) {
                return self.kept.remove(at);
            }
            self.kept
                .push(self.spans.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no span {name:?} came")));
        }
    }
}

/// Reads one export and takes it.
fn taken(stream: &mut TcpStream) -> ExportTraceServiceRequest {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).unwrap();
    assert_eq!(line.trim_end(), "POST /v1/traces HTTP/1.1");
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
    reader.into_inner().write_all(answer).unwrap();
    ExportTraceServiceRequest::decode(body.as_slice()).unwrap()
}

/// One request to a server that runs, and the status of its answer.
fn post(at: &str, token: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    let length = body.len();
    let head = format!(
        "POST /api/v1/jobs HTTP/1.1\r\nHost: {at}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/json\r\ntraceparent: {TRACEPARENT}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_collector_sees_a_job_from_the_request_to_the_run() {
    let (shelf, mut collector) = (Shelf::new(), Collector::start());
    let endpoint = collector.endpoint.clone();
    let otlp = ["--otlp-endpoint", endpoint.as_str()];
    let mut server =
        shelf.start(&["serve", "--listen", "127.0.0.1:0", "--store", "jobs.db", otlp[0], otlp[1]]);
    let mut line = String::new();
    server.stdout().read_line(&mut line).unwrap();
    let at = line.trim_end().strip_prefix("listening on http://").unwrap().to_owned();

    let answer = post(&at, shelf.read("jobs.db.token").trim(), r#"{"kind":"greet"}"#);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let worked =
        ["work", "--store", "jobs.db", "--kind", "greet", "--exec", "cat", "--until-empty", otlp[0], otlp[1]];
    shelf.ok(&worked);
    server.signal(Signal::TERM);
    server.ended();

    // Each tells what it has before it ends.
    let run = collector.span("job");
    let request = collector.span("POST /api/v1/jobs");
    assert_eq!(hex(&request.trace_id), &TRACEPARENT[3..35], "the request goes on in the trace of its caller");
    assert_eq!(hex(&request.parent_span_id), &TRACEPARENT[36..52]);
    assert_ne!(run.trace_id, request.trace_id, "the run is a trace of its own");
    let [joined] = &run.links[..] else { panic!("{:?}", run.links) };
    assert_eq!((&joined.trace_id, &joined.span_id), (&request.trace_id, &request.span_id));
}

#[test]
fn a_command_that_a_job_runs_goes_on_in_its_trace() {
    let shelf = Shelf::new();
    let command = env!("CARGO_BIN_EXE_windlass");
    let made = shelf.command(&["enqueue", "order", "-q"]).env("TRACEPARENT", TRACEPARENT).output().unwrap();
    assert!(made.status.success(), "{made:?}");

    let exec = format!("{command} enqueue invoice -q");
    shelf.ok(&["work", "--kind", "order", "--exec", &exec, "--until-empty"]);

    let listed = shelf.json(&["jobs", "list", "--kind", "invoice", "--json"]);
    let id = listed[0]["id"].as_str().unwrap_or_else(|| panic!("no job was made: {listed}"));
    assert_eq!(shelf.of_job(id, "meta")["traceparent"], TRACEPARENT);
}

#[test]
fn a_collector_that_is_away_keeps_nobody_from_working() {
    let shelf = Shelf::new();
    let nobody = Port::reserve().unwrap();
    let endpoint = format!("http://127.0.0.1:{}", nobody.number());
    shelf.ok(&["enqueue", "greet"]);

    shelf.ok(&["work", "--kind", "greet", "--exec", "true", "--until-empty", "--otlp-endpoint", &endpoint]);

    assert!(shelf.ok(&["jobs", "--json"]).contains("completed"));
}

#[test]
fn a_collector_that_cannot_be_is_refused() {
    let shelf = Shelf::new();

    for endpoint in ["ftp://localhost", "nonsense", "http://"] {
        let ran = shelf.run(&["enqueue", "greet", "--otlp-endpoint", endpoint]);
        assert!(ran.code == Some(2) && ran.stderr.contains("--otlp-endpoint"), "{ran:?}");
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
