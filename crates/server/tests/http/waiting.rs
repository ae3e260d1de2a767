//! Waiting for something to happen.

use std::time::{Duration, Instant};

use crate::server::{Answer, PATIENCE, Server, both, everywhere};

everywhere! {
    a_claim_waits_for_a_job,
    a_claim_waits_no_longer_than_it_says,
    who_waits_for_the_end_of_a_job_is_told_of_it,
    each_job_goes_to_one_of_those_who_wait,
}

/// Waits for longer than anything here takes.
const CLAIM: &str = r#"{"worker":"w1","wait":"30s"}"#;

async fn a_claim_waits_for_a_job(server: Server) {
    let (claimed, id) = both(server.post("/api/v1/leases", CLAIM), async {
        parked(&server, 1).await;
        server.enqueue(r#"{"kind":"mail"}"#).await
    })
    .await;

    assert_eq!(claimed.json()["leases"][0]["job"]["id"], id);
}

/// Waits until so many claims wait.
async fn parked(server: &Server, count: usize) {
    let line = format!("windlass_claims_waiting {count}\n");
    let began = Instant::now();
    while !server.get("/metrics").await.body.contains(&line) {
        assert!(began.elapsed() < PATIENCE, "there are never {count} who wait");
    }
}

async fn a_claim_waits_no_longer_than_it_says(server: Server) {
    let began = Instant::now();

    let answer = server.post("/api/v1/leases", r#"{"worker":"w1","wait":"50ms"}"#).await;

    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert!(answer.head.contains("windlass-server-time"), "{answer:?}");
    assert!(began.elapsed() >= Duration::from_millis(50));
}

async fn who_waits_for_the_end_of_a_job_is_told_of_it(server: Server) {
    let id = server.enqueue(r#"{"kind":"mail"}"#).await;
    let token = server.claim().await;

    let (ended, settled) = both(server.get(&format!("/api/v1/jobs/{id}?wait=20s")), async {
        server.post(&format!("/api/v1/leases/{token}/settle"), r#"{"outcome":"succeeded"}"#).await
    })
    .await;

    assert_eq!((ended.text("state"), settled.status), ("completed".into(), 200));
    assert_eq!(server.get(&format!("/api/v1/jobs/{id}?wait=20s")).await.text("state"), "completed");
}

async fn each_job_goes_to_one_of_those_who_wait(server: Server) {
    let wait = || server.post("/api/v1/leases", CLAIM);

    let ((one, two), three) = both(both(wait(), wait()), async {
        let (third, ()) = both(wait(), async {
            parked(&server, 3).await;
            server.post("/api/v1/jobs/batch", r#"{"jobs":[{"kind":"a"},{"kind":"b"},{"kind":"c"}]}"#).await;
        })
        .await;
        third
    })
    .await;

    let mut kinds: Vec<String> = [one, two, three]
        .iter()
        .map(|answer| answer.json()["leases"][0]["job"]["kind"].to_string())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [r#""a""#, r#""b""#, r#""c""#]);
}

#[tokio::test]
async fn a_job_that_was_claimed_for_one_who_has_gone_is_given_back() {
    let server = Server::memory().await;
    // The one who waits is gone as soon as it is known that they do.
    tokio::select! {
        answer = server.post("/api/v1/leases", CLAIM) => panic!("there is no job: {answer:?}"),
        () = parked(&server, 1) => {}
    }
    let id = server.enqueue(r#"{"kind":"mail"}"#).await;

    let next = server.post("/api/v1/leases", CLAIM).await;

    assert_eq!(next.json()["leases"][0]["job"]["id"], id);
}

#[tokio::test]
async fn a_server_that_stops_answers_those_who_wait() {
    let mut server = Server::memory().await;
    let at = server.at;
    let request =
        format!("POST /api/v1/leases HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{CLAIM}", CLAIM.len());
    let waiting = async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text).await;
        Answer::of(&text)
    };

    let (answer, ended) = both(waiting, async {
        parked(&server, 1).await;
        server.stop().await
    })
    .await;

    assert_eq!(answer.status, 204);
    assert!(ended.complete);
}

#[tokio::test]
async fn many_wait_at_once_and_all_are_told_that_nothing_came() {
    let server = Server::memory().await;
    let waiting = (0..200).map(|_| server.post("/api/v1/leases", CLAIM));

    let (answers, ()) = both(futures_util::future::join_all(waiting), async {
        parked(&server, 200).await;
        // From here on time goes by as soon as everybody waits for it.
        tokio::time::pause();
    })
    .await;

    assert!(answers.iter().all(|answer| answer.status == 204));
}
