//! Operations: how they are carried out, and what becomes of them where their server ends.

use std::sync::Arc;

use serde_json::json;
use windlass_core::{BulkVerb, JobId, JobState, Timestamp};
use windlass_memory::MemoryStore;
use windlass_server::Config;
use windlass_store::operations::OPERATION_LEASE;
use windlass_store::{Actor, Advance, JobFilter, ManualClock, NewOperation, PageRequest, SharedStore, ids};

use crate::server::{Answer, PATIENCE, Server, everywhere};

everywhere! {
    every_verb_is_done_to_the_jobs_it_is_meant_for,
    an_operation_is_paused_and_goes_on,
    jobs_that_wait_for_each_other_are_in_nobodys_way,
    what_an_operation_cannot_be_is_refused_by_field,
}

const JOBS: usize = 20;

async fn in_state(store: &SharedStore, state: JobState) -> Vec<JobId> {
    let filter = JobFilter { states: vec![state], ..JobFilter::default() };
    store.jobs(filter, PageRequest::first(100)).await.unwrap().items.iter().map(|job| job.id).collect()
}

async fn cancelled(store: &SharedStore) -> usize {
    in_state(store, JobState::Cancelled).await.len()
}

async fn begin(server: &Server, verb: &str, rest: &str) -> String {
    let body = format!(r#"{{"filter":"queue:mail","verb":"{verb}","reason":"a test"{rest}}}"#);
    let begun = server.post("/api/v1/operations", &body).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    begun.text("id")
}

async fn jobs(server: &Server) {
    for _ in 0..JOBS {
        server.enqueue(r#"{"kind":"mail","queue":"mail"}"#).await;
    }
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

async fn ended(server: &Server, id: &str) -> Answer {
    until(server, id, |answer| !answer.text("ended_at").is_empty()).await
}

fn done(answer: &Answer) -> u64 {
    answer.json()["done"].as_u64().unwrap_or_default()
}

/// A store whose time is told by hand.
fn by_hand() -> (SharedStore, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_700_000_000_000_000)));
    (Arc::new(MemoryStore::with_clock(clock.clone())), clock)
}

#[tokio::test]
async fn an_operation_outlives_its_server() {
    let (store, clock) = by_hand();
    let mut server = Server::over(Arc::clone(&store), Config::default()).await;
    jobs(&server).await;
    let id = begin(&server, "cancel", r#","rate":1"#).await;
    until(&server, &id, |answer| done(answer) >= 1).await;

    server.stop().await;

    let then = cancelled(&store).await;
    assert!((1..JOBS).contains(&then), "it was cut off: {then}");
    let kept = store.operation(id.parse().unwrap()).await.unwrap();
    assert_eq!((kept.done, kept.refused), (then as u64, 0), "what was done was told of");
    clock.advance(OPERATION_LEASE);
    let next = Server::over(Arc::clone(&store), Config::default()).await;
    let goes_on = until(&next, &id, |answer| done(answer) > then as u64).await;
    assert_eq!((goes_on.text("state").as_str(), &goes_on.json()["refused"]), ("running", &json!(0)));
}

/// Takes up what waits, selects those jobs for it, and is not heard of again.
async fn left_behind(store: &SharedStore, verb: BulkVerb, jobs: &[JobId]) -> windlass_core::OperationId {
    let asked = NewOperation::new(ids::operation_id(), verb, "queue:mail");
    let id = store.begin_operation(asked, Actor::new("ada")).await.unwrap().made.id;
    let (token, _) = store.drive_operation().await.unwrap().unwrap();
    store.advance_operation(token, Advance::Selected { jobs: jobs.to_vec(), cut: false }, 1).await.unwrap();
    id
}

#[tokio::test]
async fn what_was_done_and_not_told_of_is_not_done_twice() {
    let (store, clock) = by_hand();
    let first = Server::over(Arc::clone(&store), Config::default().with_operations(false)).await;
    jobs(&first).await;
    let all = in_state(&store, JobState::Ready).await;
    for job in &all {
        store.cancel(*job, Actor::new("ada")).await.unwrap();
    }
    let id = left_behind(&store, BulkVerb::Rerun, &all).await;
    // A server that was killed right after these.
    for job in &all[..3] {
        let made = store.rerun(*job, ids::copy_id(id, *job), Actor::new("ada")).await.unwrap();
        assert!(!made.repeated);
    }
    clock.advance(OPERATION_LEASE);

    let next = Server::over(Arc::clone(&store), Config::default()).await;
    let ended = ended(&next, &id.to_string()).await;

    assert_eq!((done(&ended), &ended.json()["refused"]), (JOBS as u64, &json!(0)));
    assert_eq!(in_state(&store, JobState::Ready).await.len(), JOBS, "one copy of each");
}

#[tokio::test]
async fn many_servers_share_operations_and_do_each_job_once() {
    let store: SharedStore = Arc::new(MemoryStore::new());
    let one = Server::over(Arc::clone(&store), Config::default()).await;
    let other = Server::over(Arc::clone(&store), Config::default()).await;
    jobs(&one).await;
    let cancel = begin(&one, "cancel", "").await;
    ended(&other, &cancel).await;

    let (first, second) = (begin(&one, "rerun", "").await, begin(&other, "rerun", "").await);
    let (first, second) = (ended(&other, &first).await, ended(&one, &second).await);

    let (done, copies) = (done(&first) + done(&second), in_state(&store, JobState::Ready).await.len());
    assert_eq!((done, copies), (2 * JOBS as u64, 2 * JOBS));
}

#[tokio::test]
async fn an_operation_that_is_aborted_leaves_the_rest_alone() {
    let (store, _) = by_hand();
    let server = Server::over(Arc::clone(&store), Config::default()).await;
    jobs(&server).await;
    let id = begin(&server, "cancel", r#","rate":1"#).await;
    until(&server, &id, |answer| done(answer) >= 1).await;

    let aborted = server.post(&format!("/api/v1/operations/{id}/abort"), "").await;

    assert_eq!((aborted.status, aborted.text("state").as_str()), (202, "aborted"));
    // The jobs that are being dealt with are told of behind its end.
    let asking = async {
        while done(&server.get(&format!("/api/v1/operations/{id}")).await) < cancelled(&store).await as u64 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it tells how far it came");
    assert!(cancelled(&store).await < JOBS);
}

#[tokio::test]
async fn a_filter_that_a_server_cannot_read_is_told_by_the_operation() {
    let (store, _) = by_hand();
    // Of a newer version, which knows more of filters.
    let asked = NewOperation::new(ids::operation_id(), BulkVerb::Cancel, "shape:round");
    let id = store.begin_operation(asked, Actor::new("ada")).await.unwrap().made.id;

    let server = Server::over(Arc::clone(&store), Config::default()).await;
    let ended = ended(&server, &id.to_string()).await;

    assert_eq!(ended.text("state"), "failed");
    assert_eq!(ended.json()["problem"]["code"], "invalid", "{}", ended.body);
}

async fn every_verb_is_done_to_the_jobs_it_is_meant_for(server: Server) {
    for delay in ["", r#","delay":"1h""#, r#","delay":"1h""#] {
        server.enqueue(&format!(r#"{{"kind":"mail","queue":"mail"{delay}}}"#)).await;
    }
    server.enqueue(r#"{"kind":"mail","queue":"other"}"#).await;

    // Of three: two are put forward, all are cancelled, get a new budget, are cancelled again, copied, and removed.
    for (verb, meant) in [
        ("run_now", 2),
        ("cancel", 3),
        ("retry", 3),
        ("run_now", 0),
        ("cancel", 3),
        ("rerun", 3),
        ("delete", 6),
    ] {
        let id = begin(&server, verb, "").await;
        let ended = ended(&server, &id).await;
        let told = ended.json();
        assert_eq!((&told["state"], &told["selected"]), (&json!("done"), &json!(meant)), "{verb}: {told}");
        assert_eq!((&told["done"], &told["refused"]), (&json!(meant), &json!(0)), "{verb}: {told}");
    }
    let left = server.get("/api/v1/jobs").await.json();
    assert_eq!(left["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(left["jobs"][0]["queue"], "other");
    let audit = server.get("/api/v1/audit?verb=rerun").await.json();
    assert_eq!(audit["entries"].as_array().unwrap().len(), 3);
    assert_eq!(audit["entries"][0]["reason"], "a test");
}

async fn an_operation_is_paused_and_goes_on(server: Server) {
    jobs(&server).await;
    let id = begin(&server, "cancel", r#","rate":10"#).await;
    let of = |verb: &str| format!("/api/v1/operations/{id}/{verb}");

    let paused = server.post(&of("pause"), r#"{"reason":"too fast"}"#).await;
    assert_eq!((paused.status, paused.text("state").as_str()), (202, "paused"));
    let resumed = server.post(&of("resume"), "").await;
    assert!(["selecting", "running"].contains(&resumed.text("state").as_str()), "{}", resumed.body);

    let ended = ended(&server, &id).await;
    assert_eq!((ended.text("state").as_str(), done(&ended)), ("done", JOBS as u64));
    assert_eq!(server.post(&of("pause"), "").await.problem().1, "finished");
    let audit = server.get(&format!("/api/v1/audit?noun=operation&subject={id}")).await.json();
    let verbs: Vec<&str> =
        audit["entries"].as_array().unwrap().iter().map(|entry| entry["verb"].as_str().unwrap()).collect();
    assert_eq!(verbs, ["resume", "pause", "begin"]);
    assert_eq!(audit["entries"][1]["reason"], "too fast");
}

async fn jobs_that_wait_for_each_other_are_in_nobodys_way(server: Server) {
    let job = |index: usize| {
        let after = if index == 0 { String::new() } else { format!(r#","after":["j{}"]"#, (index - 1) / 2) };
        format!(r#"{{"kind":"mail","queue":"mail","ref":"j{index}"{after}}}"#)
    };
    let batch: Vec<String> = (0..100).map(job).collect();
    let made = server.post("/api/v1/jobs/batch", &format!(r#"{{"jobs":[{}]}}"#, batch.join(","))).await;
    assert_eq!(made.status, 201, "{}", made.body);

    for verb in ["cancel", "retry", "cancel", "delete"] {
        let id = begin(&server, verb, "").await;
        let ended = ended(&server, &id).await;
        let told = ended.json();
        assert_eq!((&told["state"], &told["selected"]), (&json!("done"), &json!(100)), "{verb}: {told}");
    }
    assert_eq!(server.get("/api/v1/jobs").await.json()["jobs"], json!([]));
}

async fn what_an_operation_cannot_be_is_refused_by_field(server: Server) {
    let refused = async |body: &str| server.post("/api/v1/operations", body).await.problem();

    for (body, field) in [
        (r#"{"filter":"shape:round","verb":"cancel"}"#, "filter"),
        (r#"{"verb":"cancel"}"#, "filter"),
        (r#"{"filter":"queue:a","verb":"cancel","rate":0}"#, "rate"),
        (r#"{"filter":"queue:a","verb":"explode"}"#, "verb"),
        (r#"{"filter":"queue:a","verb":"cancel","id":"7"}"#, "id"),
    ] {
        assert_eq!(refused(body).await, (422, "invalid".into(), field.into()), "{body}");
    }
    assert_eq!(server.get("/api/v1/operations/nothing").await.problem().2, "operation");
    let nowhere = format!("/api/v1/operations/{}", ids::operation_id());
    assert_eq!(server.get(&nowhere).await.problem().1, "not_found");
    assert_eq!(server.get("/api/v1/operations").await.json()["operations"], json!([]));
}
