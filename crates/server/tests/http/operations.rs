//! Operations and the end of the server they live in.

use std::sync::Arc;

use windlass_memory::MemoryStore;
use windlass_server::Config;
use windlass_store::{JobFilter, PageRequest, SharedStore};

use crate::server::{Answer, PATIENCE, Server};

const JOBS: usize = 20;

async fn cancelled(store: &SharedStore) -> usize {
    let filter = JobFilter { states: vec![windlass_core::JobState::Cancelled], ..JobFilter::default() };
    store.jobs(filter, PageRequest::first(100)).await.unwrap().items.len()
}

async fn begin(server: &Server, rate: &str) -> String {
    let body = format!(r#"{{"filter":"queue:mail","verb":"cancel","reason":"a test"{rate}}}"#);
    let begun = server.post("/api/v1/operations", &body).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    begun.text("id")
}

/// Asks until it is so.
async fn until(server: &Server, id: &str, is_so: impl Fn(&Answer) -> bool) -> Answer {
    let path = format!("/api/v1/operations/{id}");
    let asking = async {
        loop {
            let answer = server.get(&path).await;
            if is_so(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it never came to be")
}

fn done(answer: &Answer) -> u64 {
    answer.json()["done"].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn an_operation_ends_with_its_server_and_may_be_asked_for_again() {
    let store: SharedStore = Arc::new(MemoryStore::new());
    let mut server = Server::over(Arc::clone(&store), Config::default()).await;
    for _ in 0..JOBS {
        server.enqueue(r#"{"kind":"mail","queue":"mail"}"#).await;
    }
    let id = begin(&server, r#","rate":5"#).await;
    until(&server, &id, |answer| done(answer) >= 2).await;

    server.stop().await;

    let then = cancelled(&store).await;
    assert!((2..JOBS).contains(&then), "it was cut off: {then}");
    let next = Server::over(Arc::clone(&store), Config::default()).await;
    let gone = next.get(&format!("/api/v1/operations/{id}")).await;
    assert_eq!(gone.problem().1, "not_found");
    assert!(gone.text("detail").contains("as long as the server runs"), "{}", gone.body);
    assert_eq!(cancelled(&store).await, then, "nothing of it goes on");
    let again = begin(&next, "").await;
    let ended = until(&next, &again, |answer| answer.text("state") == "done").await;
    assert_eq!(
        (done(&ended), cancelled(&store).await),
        ((JOBS - then) as u64, JOBS),
        "it does what was left"
    );
}

#[tokio::test]
async fn an_operation_that_is_aborted_leaves_the_rest_alone() {
    let store: SharedStore = Arc::new(MemoryStore::new());
    let server = Server::over(Arc::clone(&store), Config::default()).await;
    for _ in 0..JOBS {
        server.enqueue(r#"{"kind":"mail","queue":"mail"}"#).await;
    }
    let id = begin(&server, r#","rate":5"#).await;
    until(&server, &id, |answer| done(answer) >= 1).await;

    assert_eq!(server.post(&format!("/api/v1/operations/{id}/abort"), "").await.status, 202);

    let ended = until(&server, &id, |answer| !answer.text("ended_at").is_empty()).await;
    assert_eq!(ended.text("state"), "aborted");
    let then = cancelled(&store).await;
    assert!((1..JOBS).contains(&then), "{then}");
    assert_eq!(done(&ended), then as u64, "it tells how far it came");
}
