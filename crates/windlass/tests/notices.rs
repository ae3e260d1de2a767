//! A program that tells people when its jobs have ended.

#![expect(clippy::unwrap_used, reason = "a test whose helpers fail has failed")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use serde::{Deserialize, Serialize};
use windlass::model::notice::QUEUE;
use windlass::notices::NoticeConfig;
use windlass::prelude::*;
use windlass::store::JobFilter;
use windlass::{JobState, Notify};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "build", attempts = 1)]
struct Build;

async fn build(_: Build) -> Result<(), JobError> {
    Err(JobError::new("no room"))
}

/// Where one request is answered; its line is handed over.
fn hook() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/hook", listener.local_addr().unwrap().port());
    let answer = move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        line
    };
    (url, std::thread::spawn(answer))
}

#[tokio::test]
async fn a_worker_tells_whom_the_job_named() {
    let (url, told) = hook();
    let windlass = Windlass::in_memory();
    let notices = NoticeConfig::new().allow_internal("127.0.0.1").secret(SECRET);
    let worker = windlass.worker().handle(build).notices(notices).build().unwrap().start();

    let job = windlass.enqueue(Build).notify(Notify::webhook(url).on_dead()).await.unwrap();
    job.handle().result().await.unwrap_err();
    let line = tokio::task::spawn_blocking(|| told.join().unwrap()).await.unwrap();
    worker.stop().await;

    assert_eq!(line, "POST /hook HTTP/1.1\r\n");
    let filter = JobFilter { queues: vec![QUEUE.clone()], ..JobFilter::default() };
    let notices = windlass.jobs(filter).all().await.unwrap();
    assert_eq!(notices.iter().map(|notice| notice.state).collect::<Vec<_>>(), [JobState::Completed]);
}
