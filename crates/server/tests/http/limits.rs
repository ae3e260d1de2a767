//! How much the server takes on at a time.

use std::time::{Duration, Instant};

use windlass_server::{Config, Limits};

use crate::server::{Answer, PATIENCE, Server};

fn limited(change: impl FnOnce(&mut Limits)) -> Config {
    let mut limits = Limits::default();
    change(&mut limits);
    Config::default().with_limits(limits)
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_before_it_is_read() {
    let server = Server::with(limited(|limits| limits.body_bytes_max = 1000)).await;
    let body = format!(r#"{{"kind":"mail","args":"{}"}}"#, "x".repeat(2000));

    let one = server.post("/api/v1/jobs", &body).await;
    let batch = server.post("/api/v1/jobs/batch", &format!(r#"{{"jobs":[{body}]}}"#)).await;

    assert_eq!(one.problem(), (413, "too_large".into(), String::new()));
    assert_eq!(batch.status, 201);
}

#[tokio::test]
async fn too_many_jobs_at_once_are_refused() {
    let server = Server::with(limited(|limits| limits.batch_jobs_max = 2)).await;

    let refused =
        server.post("/api/v1/jobs/batch", r#"{"jobs":[{"kind":"a"},{"kind":"a"},{"kind":"a"}]}"#).await;

    assert_eq!(refused.problem(), (422, "invalid".into(), "jobs".into()));
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let server = Server::with(limited(|limits| limits.head_bytes_max = 8192)).await;
    let header = format!("X-Long: {}\r\n", "x".repeat(20_000));

    let refused = server.call_with("GET", ("/healthz", &header), "").await;

    assert_eq!(refused.status, 431);
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let server = Server::with(limited(|limits| limits.head_time = Duration::from_millis(100))).await;

    let answer = tokio::time::timeout(PATIENCE, server.raw(b"GET /healthz HT")).await;

    assert!(answer.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_refused() {
    let config = limited(|limits| {
        limits.body_time = Duration::from_millis(50);
        limits.body_bytes_max = 1024;
    });
    let server = Server::with(config).await;
    let request =
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{";

    let answer = Answer::of(&server.raw(request).await);

    assert_eq!((answer.status, answer.text("code")), (408, "invalid".into()));
}

#[tokio::test]
async fn a_crowd_of_others_does_not_keep_a_worker_from_its_beats() {
    let config = limited(|limits| {
        limits.requests_max = 1;
        limits.turn_wait = Duration::from_millis(10);
        limits.body_time = PATIENCE;
    });
    let server = Server::with(config).await;
    server.enqueue(r#"{"kind":"mail"}"#).await;
    let token = server.claim().await;
    // One whose body does not come holds the only place there is.
    let slow = b"POST /api/v1/jobs HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{";

    let (other, beat) = tokio::select! {
        answer = server.raw(slow) => panic!("its body cannot have come: {answer}"),
        answers = async {
            let other = refused(&server).await;
            (other, server.post(&format!("/api/v1/leases/{token}/extend"), "").await)
        } => answers,
    };

    assert_eq!(other.problem(), (429, "rate_limited".into(), String::new()));
    assert!(other.head.contains("retry-after: 1"), "{other:?}");
    assert_eq!(beat.status, 200);
}

/// What is answered as soon as a question is not answered any more.
async fn refused(server: &Server) -> Answer {
    let began = Instant::now();
    loop {
        let answer = server.get("/api/v1/jobs").await;
        if answer.status != 200 {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "everybody is answered");
    }
}
