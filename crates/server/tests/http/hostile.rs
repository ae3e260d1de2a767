//! What no program that means well sends: each is refused, and the server goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use windlass_memory::MemoryStore;
use windlass_server::{Config, Door, Limits, Tokens};
use windlass_store::{Actor, NewToken, Role, Secret, SharedStore};

use crate::server::{PATIENCE, Server};

/// A server, and a token for everything.
struct Fort {
    server: Server,
    store: SharedStore,
    token: String,
}

impl Fort {
    async fn with(limits: Limits) -> Self {
        let store: SharedStore = Arc::new(MemoryStore::new());
        let secret = Secret::draw();
        let token = NewToken::new(&secret, "ada", [Role::Admin, Role::Worker]);
        store.create_token(token, Actor::new("test")).await.unwrap();
        let config = Config::default()
            .with_authorizer(Tokens::of(Arc::clone(&store)))
            .with_door(Door::new())
            .with_limits(limits);
        Self { server: Server::over(Arc::clone(&store), config).await, store, token: secret.reveal() }
    }

    async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    /// One that waits for nobody.
    async fn careful() -> Self {
        let mut limits = Limits::default();
        limits.head_time = Duration::from_millis(300);
        limits.body_time = Duration::from_millis(300);
        Self::with(limits).await
    }

    /// What is answered until the connection is closed.
    async fn raw(&self, text: &[u8]) -> String {
        let (mut stream, mut answer) = (self.sent(text).await, Vec::new());
        // Who is refused early may find the connection closed while they still read.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The same where there may be no answer and no end: until nothing more comes for a while.
    async fn raw_or_silence(&self, text: &[u8]) -> String {
        let (mut stream, mut answer) = (self.sent(text).await, Vec::new());
        let mut part = [0; 4096];
        while let Ok(Ok(read)) = timeout(Duration::from_secs(2), stream.read(&mut part)).await {
            if read == 0 {
                break;
            }
            answer.extend_from_slice(&part[..read]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn sent(&self, text: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.at).await.unwrap();
        // Who is refused early may find the connection closed while they still write.
        let _ = stream.write_all(text).await;
        stream
    }

    /// A request that is good but for `head`, which replaces what stands first, and `body`.
    fn request(&self, head: &str, body: &str) -> Vec<u8> {
        let token = &self.token;
        format!("{head}Authorization: Bearer {token}\r\nConnection: close\r\n\r\n{body}").into_bytes()
    }

    async fn is_well(&self) -> bool {
        let answer = self.raw(&self.request("GET /api/v1/queues HTTP/1.1\r\nHost: localhost\r\n", "")).await;
        answer.starts_with("HTTP/1.1 200")
    }
}

fn statuses(answer: &str) -> Vec<&str> {
    answer.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.split(' ').next()).collect()
}

const JOB: &str = r#"{"kind":"mail"}"#;

/// A request that is wrong in one way: its head, its body, and what may be answered to it.
struct Hostile {
    head: String,
    body: String,
    may: &'static [&'static str],
}

impl Hostile {
    fn new(head: impl Into<String>, body: impl Into<String>, may: &'static [&'static str]) -> Self {
        Self { head: head.into(), body: body.into(), may }
    }

    /// A job to be enqueued, with these lines in the head.
    fn job(lines: &str, may: &'static [&'static str]) -> Self {
        let length = JOB.len();
        let head = format!("{POST}{lines}Content-Type: application/json\r\nContent-Length: {length}\r\n");
        Self::new(head, JOB, may)
    }

    /// A request that is what it should be up to the length of its body.
    fn sized(lines: &str, body: impl Into<String>, may: &'static [&'static str]) -> Self {
        let head = format!("{POST}Host: localhost\r\nContent-Type: application/json\r\n{lines}");
        Self::new(head, body, may)
    }

    /// A body that is what it should be up to what it says.
    fn body(body: String, may: &'static [&'static str]) -> Self {
        Self::sized(&format!("Content-Length: {}\r\n", body.len()), body, may)
    }
}

const POST: &str = "POST /api/v1/jobs HTTP/1.1\r\n";

fn all_hostile() -> Vec<Hostile> {
    let mut all = wrong_hosts();
    all.extend(other_pages());
    all.extend(hidden_requests());
    all.extend(broken_lines());
    all.extend(large_heads());
    all.extend(odd_paths());
    all.extend(deep_and_huge());
    all
}

/// Names under which a page of somebody else may reach the server.
fn wrong_hosts() -> Vec<Hostile> {
    let names = [
        "evil.example",
        "localhost.evil.example",
        "evil.example:7117",
        "127.0.0.1.evil.example",
        "a@localhost",
        "xn--lcalhost-c4a",
        "local host",
        "[::1",
        "localhost/..",
        "0x7f000001.evil",
    ];
    let mut all: Vec<Hostile> =
        names.iter().map(|host| Hostile::job(&format!("Host: {host}\r\n"), &["421", "422", "400"])).collect();
    all.push(Hostile::job("", &["400", "422"]));
    all.push(Hostile::job("Host: localhost\r\nHost: localhost\r\n", &["400", "422"]));
    let absolute = format!(
        "POST http://evil.example/api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n",
        JOB.len()
    );
    all.push(Hostile::new(absolute, JOB, &["421", "422"]));
    all
}

/// What a browser sends for a page of somebody else.
fn other_pages() -> Vec<Hostile> {
    let origins = [
        "http://evil.example",
        "null",
        "https://localhost.evil",
        "http://localhost:1",
        "file://",
        "localhost",
        "http://127.0.0.1",
        "chrome-extension://abc",
    ];
    let from = |line: String| Hostile::job(&format!("Host: localhost\r\n{line}\r\n"), &["403"]);
    let mut all: Vec<Hostile> = origins.iter().map(|origin| from(format!("Origin: {origin}"))).collect();
    all.extend(["cross-site", "same-site", "x"].map(|site| from(format!("Sec-Fetch-Site: {site}"))));
    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
    ] {
        let length = JOB.len();
        let head = format!("{POST}Host: localhost\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n");
        all.push(Hostile::new(head, JOB, &["415"]));
    }
    all
}

/// Lengths that a proxy may read in another way, with a second request in what they leave over.
fn hidden_requests() -> Vec<Hostile> {
    let hidden = "0\r\n\r\nDELETE /api/v1/jobs/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let lengths = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: five\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
    ];
    let mut all: Vec<Hostile> =
        lengths.iter().map(|lines| Hostile::sized(lines, hidden, &["400", "422"])).collect();
    for chunks in ["zz\r\nx\r\n0\r\n\r\n", "ffffffffffffffffff\r\nx"] {
        all.push(Hostile::sized("Transfer-Encoding: chunked\r\n", chunks, &["400", "422"]));
    }
    all
}

/// What is no request of this protocol.
fn broken_lines() -> Vec<Hostile> {
    let lines = [
        "POST /api/v1/jobs HTTP/3.0\r\n",
        "POST  /api/v1/jobs HTTP/1.1\r\n",
        "\0\0\0\0\r\n",
        "P\u{e9}ST / HTTP/1.1\r\n",
        "POST /api/v1/jobs\r\n",
        "PRI * HTTP/2.0\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n",
    ];
    let rest =
        format!("Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", JOB.len());
    let may = &["400", "404", "405", "422", "505"];
    let mut all: Vec<Hostile> =
        lines.iter().map(|line| Hostile::new(format!("{line}{rest}"), JOB, may)).collect();
    for line in ["X: a\0b", " X: folded", "X Y: z"] {
        all.push(Hostile::job(&format!("Host: localhost\r\n{line}\r\n"), &["400"]));
    }
    for line in ["TRACE /api/v1/jobs", "CONNECT localhost:1"] {
        let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\n");
        all.push(Hostile::new(head, "", &["400", "404", "405"]));
    }
    all
}

/// More of a head than anybody needs.
fn large_heads() -> Vec<Hostile> {
    let lines = |lines: String| Hostile::job(&format!("Host: localhost\r\n{lines}"), &["431", "400"]);
    let path = format!("POST /{} HTTP/1.1\r\nHost: localhost\r\n", "a".repeat(100_000));
    vec![
        lines(format!("X: {}\r\n", "x".repeat(200_000))),
        lines("X: y\r\n".repeat(5_000)),
        Hostile::new(path, "", &["414", "431", "404", "400"]),
    ]
}

fn odd_paths() -> Vec<Hostile> {
    let paths = [
        "/api/v1/jobs/../../etc/passwd",
        "/api/v1/jobs/%2e%2e/%2e%2e",
        "/api/v1/jobs/%00",
        "/api/v1/jobs/%ff",
        "//api/v1/jobs",
    ];
    let head = |path: &&str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n");
    paths.iter().map(|path| Hostile::new(head(path), "", &["400", "404", "422"])).collect()
}

/// Bodies that are more than can be meant.
fn deep_and_huge() -> Vec<Hostile> {
    let nested = format!("{{\"kind\":\"mail\",\"args\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let huge = format!("{{\"kind\":\"mail\",\"args\":\"{}\"}}", "x".repeat(2_000_000));
    let args = format!("{{\"kind\":\"mail\",\"args\":\"{}\"}}", "x".repeat(300_000));
    let many = format!("{{\"kind\":\"mail\",{}\"args\":1}}", "\"tags\":[],".repeat(10_000));
    vec![
        Hostile::body("[".repeat(100_000), &["422", "400"]),
        Hostile::body(nested, &["422", "400"]),
        Hostile::body(huge, &["413", "422"]),
        Hostile::body(args, &["413", "422"]),
        Hostile::body(many, &["422", "400"]),
        Hostile::body("\u{feff}{\"kind\":\"mail\"}".to_owned(), &["422", "400"]),
        Hostile::body("{\"kind\":\"mail\",\"priority\":1e999}".to_owned(), &["422", "400"]),
        Hostile::body("{\"kind\":\"mail\",\"kind\":\"mail\"}".to_owned(), &["422", "400"]),
    ]
}

#[tokio::test]
async fn what_is_hostile_is_refused_and_does_nothing() {
    let fort = Fort::careful().await;
    let all = all_hostile();
    assert!(all.len() >= 60, "only {}", all.len());

    let mut faults = Vec::new();
    for Hostile { head, body, may } in &all {
        let answer = fort.raw_or_silence(&fort.request(head, body)).await;
        let found = statuses(&answer);
        let short: String = head.chars().take(120).collect();
        // Not answering is a refusal, too; answering twice would be another request that was hidden in the first.
        if found.len() > 1 || found.iter().any(|status| !may.contains(status)) {
            faults.push(format!("{short:?}: {found:?}, not {may:?}"));
        }
    }

    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(fort.is_well().await);
    let jobs = fort.store.jobs(windlass_store::JobFilter::default(), windlass_store::PageRequest::first(1));
    assert!(jobs.await.unwrap().items.is_empty(), "none of them enqueued anything");
}

#[tokio::test]
async fn who_sends_slowly_is_not_waited_for_and_keeps_nobody_out() {
    let fort = Fort::careful().await;
    let mut slow = Vec::new();
    for index in 0..400 {
        let mut stream = TcpStream::connect(fort.server.at).await.unwrap();
        let part: &[u8] = match index % 3 {
            0 => b"",
            1 => b"POST /api/v1/jobs HTTP/1.1\r\nHost: loc",
            _ => b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
        };
        stream.write_all(part).await.unwrap();
        slow.push(stream);
    }

    assert!(fort.is_well().await);
    for mut stream in slow {
        let mut rest = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("closed in time").ok();
    }
    assert!(fort.is_well().await);
}

#[tokio::test]
async fn who_guesses_tokens_is_made_to_wait_and_who_has_one_is_not() {
    let fort = Fort::new().await;
    assert!(fort.is_well().await);
    let guess = async || {
        let wrong = Secret::draw().reveal();
        let head = format!(
            "GET /api/v1/queues HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {wrong}\r\nConnection: close\r\n\r\n"
        );
        fort.raw(head.as_bytes()).await
    };

    let (began, mut guesses) = (Instant::now(), 0);
    let waiting = loop {
        let answer = guess().await;
        match statuses(&answer)[..] {
            ["401"] => guesses += 1,
            ["429"] => break answer,
            _ => panic!("{answer}"),
        }
    };

    // Ten at once, and from then on one each six seconds.
    let most = 10 + began.elapsed().as_secs() / 6;
    assert!((10..=most).contains(&guesses), "{guesses}");
    assert!(waiting.to_lowercase().contains("retry-after:"));
    assert!(fort.is_well().await);
}

#[tokio::test]
async fn a_token_that_is_revoked_or_stands_in_the_address_lets_nobody_in() {
    let fort = Fort::new().await;
    let in_address = format!(
        "GET /api/v1/queues?token={} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        fort.token
    );
    assert_eq!(statuses(&fort.raw(in_address.as_bytes()).await), ["401"]);
    let id = Secret::parse(&fort.token).unwrap().id();

    fort.store.revoke_token(id, Actor::new("test")).await.unwrap();

    assert!(!fort.is_well().await, "it was not known yet, so it is not remembered either");
}

#[tokio::test]
async fn g21_what_came_through_the_door_is_told_with_token_address_and_request() {
    let fort = Fort::new().await;
    let body = r#"{"reason":"loud"}"#;
    let head = format!(
        "POST /api/v1/queues/mail/pause HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r-7\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n",
        body.len()
    );
    assert_eq!(statuses(&fort.raw(&fort.request(&head, body)).await), ["200"]);

    let filter = windlass_store::AuditFilter { verb: Some("pause".to_owned()), ..Default::default() };
    let audit = fort.store.audit(filter, windlass_store::PageRequest::first(1)).await.unwrap();

    let by = &audit.items[0].by;
    let via = by.via.clone().unwrap();
    assert_eq!((by.name.as_str(), by.why.as_deref()), ("ada", Some("loud")));
    assert_eq!(via.token, Some(Secret::parse(&fort.token).unwrap().id()));
    assert!(via.address.unwrap().is_loopback());
    assert_eq!(via.request.as_deref(), Some("r-7"));
}
