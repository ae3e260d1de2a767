//! `windlass work --http`: jobs that a web service does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use serde_json::Value;

use crate::shelf::Shelf;

/// A web service that gives one answer after the other, and tells what it was asked.
struct Service {
    url: String,
    asked: JoinHandle<Vec<(String, Value)>>,
}

impl Service {
    fn answering(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jobs?key=secret", listener.local_addr().unwrap());
        let asked = std::thread::spawn(move || answers.iter().map(|answer| one(&listener, answer)).collect());
        Self { url, asked }
    }
}

/// Answers one request, and returns its head and body.
fn one(listener: &TcpListener, answer: &str) -> (String, Value) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).unwrap();
    }
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    reader.into_inner().write_all(answer.as_bytes()).unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

#[test]
fn a_service_gets_the_job_and_its_answer_is_the_result() {
    let shelf = Shelf::new();
    let service = Service::answering(&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"ok\": 1}"]);
    let id = shelf.line(&["enqueue", "resize", r#"{"width":9007199254740993}"#, "--queue", "images"]);
    shelf.write("headers", "# ours\nAuthorization: Bearer hush\n");

    let worker =
        ["work", "--http", &service.url, "--header", "@headers", "--header", "X-One: 1", "--until-empty"];
    shelf.ok(&worker);

    assert_eq!(shelf.of_job(&id, "result"), serde_json::json!({"ok": 1}));
    let (head, body) = service.asked.join().unwrap().remove(0);
    assert!(head.starts_with("post /jobs?key=secret http/1.1\r\n"), "{head}");
    for line in [
        format!("windlass-job-id: {id}"),
        "windlass-kind: resize".to_owned(),
        "windlass-queue: images".to_owned(),
        "windlass-attempt: 1".to_owned(),
        "authorization: bearer hush".to_owned(),
        "x-one: 1".to_owned(),
        "content-type: application/json".to_owned(),
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
    assert_eq!((&body["id"], &body["args"]["width"]), (&id.into(), &9_007_199_254_740_993_u64.into()));
}

#[test]
fn the_status_says_what_becomes_of_the_job() {
    for (answer, state, reason, said) in [
        (
            "HTTP/1.1 422 No\r\ncontent-length: 3\r\n\r\nbad",
            "dead",
            "fatal",
            "answered 422 Unprocessable Entity: bad",
        ),
        (
            "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n",
            "retryable",
            "error",
            "answered 500 Internal Server Error",
        ),
        (
            "HTTP/1.1 302 There\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
            "retryable",
            "error",
            "302 Found: --http has to name where it is, no redirect is followed",
        ),
        ("HTTP/1.1 503 Busy\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n", "scheduled", "snoozed", ""),
        ("HTTP/1.1 429 Slow\r\ncontent-length: 0\r\n\r\n", "scheduled", "snoozed", ""),
        ("", "retryable", "error", "was not reached"),
    ] {
        let shelf = Shelf::new();
        let service = Service::answering(Box::leak(vec![answer].into_boxed_slice()));
        let id = shelf.line(&["enqueue", "resize"]);

        let ran = shelf.run(&["work", "--http", &service.url, "--snooze", "1h", "--until-empty"]);

        assert_eq!((ran.code, shelf.of_job(&id, "state")), (Some(0), state.into()), "{answer}");
        assert_eq!(shelf.of_job(&id, "reason"), reason, "{answer}");
        let error = shelf.of_job(&id, "error");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains(said) && !message.contains("secret"), "{message}");
    }
}

#[test]
fn a_service_that_does_not_answer_fails_the_attempt_in_time() {
    let shelf = Shelf::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let id = shelf.line(&["enqueue", "resize"]);

    shelf.ok(&["work", "--http", &url, "--http-timeout", "200ms", "--until-empty"]);

    let message = shelf.of_job(&id, "error")["message"].clone();
    assert!(message.as_str().unwrap().ends_with("did not answer within 200ms"), "{message}");
}

#[test]
fn what_is_no_service_is_refused_before_anything_is_claimed() {
    let shelf = Shelf::new();

    for (words, said) in [
        (&["--http", "ftp://x"][..], "begins with neither http:// nor https://"),
        (&["--http", "http://x", "--exec", "true"], "cannot be used with"),
        (&["--http", "http://x", "--header", "secret"], "--header: is no header"),
        (&["--http", "http://me:secret@x"], "must not hold a secret"),
        (&["--header", "A: b"], "--http"),
    ] {
        let ran = shelf.run(&[&["work", "--until-empty"], words].concat());
        assert_eq!((ran.code, ran.stderr.contains(said)), (Some(2), true), "{words:?}: {ran:?}");
    }
}
