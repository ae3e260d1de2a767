//! `windlass serve`: how it ends, what it does when it is hung up on, and what its logs never say.

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use windlass_postgres_testing::Port;

use crate::shelf::{Ran, Running, Shelf};

/// The longest that anything here may take; far above what any of it needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a client is told that asks before it sends a body.
const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Something that stands in payloads, and nowhere else.
const CANARY: &str = "canary-4711-of-a-payload";

/// Where a server is to listen.
fn at(port: &Port) -> String {
    format!("127.0.0.1:{}", port.number())
}

/// A server that runs on the shelf's store.
struct Server {
    running: Running,
    at: String,
    token: String,
}

impl Server {
    fn start(shelf: &Shelf, listen: &str, more: &[&str]) -> Self {
        let words = [&["serve", "--listen", listen, "--store", "jobs.db"], more].concat();
        let mut running = shelf.start(&words);
        let mut line = String::new();
        running.stdout().read_line(&mut line).unwrap();
        let at = line.trim_end().rsplit("//").next().unwrap().to_owned();
        assert!(line.starts_with("listening on "), "{line:?}");
        Self { running, at, token: shelf.read("jobs.db.token").trim().to_owned() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// A request, as far as to its body.
    fn head(&self, line: &str, length: usize) -> String {
        let Self { at, token, .. } = self;
        format!(
            "{line} HTTP/1.1\r\nHost: {at}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    }

    /// Everything that is answered.
    fn ask(&self, line: &str, body: &str) -> String {
        let mut stream = self.connect();
        stream.write_all((self.head(line, body.len()) + body).as_bytes()).unwrap();
        rest(stream)
    }

    /// Tells it to end, and waits for it: what it logged.
    fn stop(self) -> String {
        self.running.signal(Signal::TERM);
        let ended = self.running.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stderr
    }
}

/// What of a token nobody must know: all but what finds it. It may hold underscores itself.
fn secret_of(token: &str) -> &str {
    token.splitn(3, '_').nth(2).unwrap()
}

fn rest(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn who_waits_is_told_when_the_server_ends_and_may_ask_the_next_one() {
    let shelf = Shelf::new();
    let port = Port::reserve().unwrap();
    let server = Server::start(&shelf, &at(&port), &[]);
    let claim = r#"{"worker":"w","kinds":["greet"],"wait":"30s"}"#;
    let mut waiting = server.connect();
    waiting.write_all((server.head("POST /api/v1/leases", claim.len()) + claim).as_bytes()).unwrap();
    // It waits once it has registered its name.
    until(|| server.ask("GET /api/v1/workers", "").contains("\"name\":\"w\""));
    let began = Instant::now();

    server.stop();

    assert!(rest(waiting).starts_with("HTTP/1.1 204"), "it is told that nothing came");
    assert!(began.elapsed() < PATIENCE / 2, "and was not waited for");
    let next = Server::start(&shelf, &at(&port), &[]);
    let mut waiting = next.connect();
    waiting.write_all((next.head("POST /api/v1/leases", claim.len()) + claim).as_bytes()).unwrap();
    assert!(next.ask("POST /api/v1/jobs", r#"{"kind":"greet"}"#).starts_with("HTTP/1.1 201"));
    let answer = rest(waiting);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"greet\""), "{answer}");
    next.stop();
}

#[test]
fn what_was_begun_is_answered_before_the_server_ends() {
    let shelf = Shelf::new();
    let port = Port::reserve().unwrap();
    let server = Server::start(&shelf, &at(&port), &[]);
    let body = r#"{"kind":"greet"}"#;
    let head = server.head("POST /api/v1/jobs", body.len());
    let mut stream = server.connect();
    stream
        .write_all(head.replace("Content-Type:", "Expect: 100-continue\r\nContent-Type:").as_bytes())
        .unwrap();
    // Told by who waits for the body: the request has begun.
    let mut told = [0; GO_ON.len()];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(told, *GO_ON);
    stream.write_all(&body.as_bytes()[..5]).unwrap();

    server.running.signal(Signal::TERM);
    until(|| TcpStream::connect(&server.at).is_err());
    stream.write_all(&body.as_bytes()[5..]).unwrap();

    let answer = rest(stream);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(server.running.ended().code, Some(0));
    assert!(shelf.ok(&["jobs", "--store", "jobs.db", "--json"]).contains("greet"));
}

#[test]
fn no_log_says_a_token_or_what_is_in_a_job() {
    let shelf = Shelf::new();
    let server = Server::start(&shelf, "127.0.0.1:0", &["-vv"]);
    let (shown, wrong) = (server.token.clone(), format!("wl_0000000000000_{}", "x".repeat(43)));
    let secret = secret_of(&shown).to_owned();
    assert!(secret.len() >= 40, "{}", secret.len());

    let job = format!(r#"{{"kind":"greet","args":{{"of":"{CANARY}"}},"meta":{{"of":"{CANARY}"}}}}"#);
    assert!(server.ask("POST /api/v1/jobs", &job).starts_with("HTTP/1.1 201"));
    let leased = server.ask("POST /api/v1/leases", r#"{"worker":"w"}"#);
    let lease = leased.split("\"token\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let result = format!(r#"{{"outcome":"succeeded","result":"{CANARY}"}}"#);
    assert!(server.ask(&format!("POST /api/v1/leases/{lease}/settle"), &result).starts_with("HTTP/1.1 200"));
    for (line, body) in [
        ("POST /api/v1/jobs", format!("{{\"kind\":1,\"args\":\"{CANARY}\"")),
        ("POST /api/v1/jobs", format!("{{\"kind\":\"a b\",\"args\":\"{CANARY}\"}}")),
        (&format!("GET /api/v1/jobs?token={shown}"), String::new()),
        (&format!("GET /api/v1/jobs/{shown}"), String::new()),
    ] {
        assert!(server.ask(line, &body).starts_with("HTTP/1.1 4"), "{line}");
    }
    let mut broken = server.connect();
    broken.write_all(server.head("GET /x", 0).replace("Host:", "no header\0:").as_bytes()).unwrap();
    assert!(rest(broken).starts_with("HTTP/1.1 400"));
    let mut guess = server.connect();
    let head = server.head("GET /api/v1/queues", 0).replace(&shown, &wrong);
    guess.write_all(head.as_bytes()).unwrap();
    assert!(rest(guess).starts_with("HTTP/1.1 401"));
    let made = shelf.ok(&["tokens", "create", "ci", "--role", "worker", "--store", "jobs.db"]);
    let other = made.split_whitespace().find(|word| word.starts_with("wl_")).unwrap().to_owned();

    let log = server.stop();

    assert!(log.contains("DEBUG"), "it tells everything it has to tell: {log}");
    for never in [&secret, CANARY, &wrong, secret_of(&other)] {
        assert!(!log.contains(never), "{log}");
    }
}

#[test]
fn a_certificate_is_renewed_by_a_hangup_and_stays_if_the_new_one_is_no_good() {
    let shelf = Shelf::new();
    certificate(&shelf, "old");
    certificate(&shelf, "new");
    let install = |name: &str| {
        shelf.write("server.crt", &shelf.read(&format!("{name}.crt")));
        shelf.write("server.key", &shelf.read(&format!("{name}.key")));
    };
    install("old");
    let tls = ["-v", "--tls-cert", "server.crt", "--tls-key", "server.key"];
    let server = Server::start(&shelf, "127.0.0.1:0", &tls);
    assert_eq!(shown(&shelf, &server.at), shelf.read("old.crt").trim());

    install("new");
    assert_eq!(shown(&shelf, &server.at), shelf.read("old.crt").trim(), "nobody has said so yet");
    server.running.signal(Signal::HUP);
    until(|| shown(&shelf, &server.at) == shelf.read("new.crt").trim());

    shelf.write("server.crt", "no certificate");
    server.running.signal(Signal::HUP);
    let at = server.at.clone();
    let log = {
        // Long enough for the signal to be heard: what it says about it is judged once it has ended.
        until(|| shown(&shelf, &at) == shelf.read("new.crt").trim());
        server.stop()
    };
    assert!(log.contains("the certificate was read again"), "{log}");
}

#[test]
fn a_command_believes_a_server_whose_certificate_it_was_given() {
    let shelf = Shelf::new();
    certificate(&shelf, "ours");
    let server = Server::start(&shelf, "127.0.0.1:0", &["--tls-cert", "ours.crt", "--tls-key", "ours.key"]);
    let url = format!("https://localhost:{}", server.at.rsplit(':').next().unwrap());
    let (elsewhere, pem) = (Shelf::new(), shelf.path("ours.crt").display().to_string());
    let run = |words: &[&str]| {
        let mut command = elsewhere.command(words);
        Ran::of(command.env("WINDLASS_TOKEN", &server.token).output().unwrap())
    };

    let stranger = run(&["jobs", "--url", &url]);
    assert_eq!(
        (stranger.code, stranger.stderr.contains("--ca-certificate")),
        (Some(69), true),
        "{stranger:?}"
    );
    let known = run(&["jobs", "--url", &url, "--ca-certificate", &pem]);
    assert_eq!((known.code, known.stderr.as_str()), (Some(0), ""), "{known:?}");
    let added = run(&["config", "contexts", "add", "ours", "--url", &url, "--ca-certificate", &pem]);
    assert_eq!(added.code, Some(0), "{added:?}");
    assert_eq!(run(&["jobs", "--context", "ours"]).code, Some(0));
    assert!(run(&["config", "show", "--context", "ours"]).stdout.contains(&pem));
    assert_eq!(
        run(&["jobs", "--url", &url]).code,
        Some(0),
        "what was said of a place holds however it is named"
    );
    let missing = run(&["jobs", "--url", &url, "--ca-certificate", "none.pem"]);
    assert_eq!((missing.code, missing.stderr.contains("none.pem")), (Some(2), true), "{missing:?}");
}

/// A certificate that signs itself, and its key.
fn certificate(shelf: &Shelf, name: &str) {
    let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
    let words = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-keyout",
        &key,
        "-out",
        &certificate,
    ];
    let made = Command::new("openssl").args(words).current_dir(shelf.path(".")).output().unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// The certificate that the server shows.
fn shown(shelf: &Shelf, at: &str) -> String {
    let words = ["s_client", "-connect", at, "-servername", "localhost"];
    let client =
        Command::new("openssl").args(words).current_dir(shelf.path(".")).stdin(Stdio::null()).output();
    let told = String::from_utf8(client.unwrap().stdout).unwrap();
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let from = told.find(begin).unwrap_or_else(|| panic!("no certificate: {told}"));
    let until = told.find(end).unwrap() + end.len();
    told[from..until].to_owned()
}

/// Asks again and again until it is so.
fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it never came to be");
        thread::park_timeout(Duration::from_millis(20));
    }
}
