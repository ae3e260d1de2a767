//! Who is let in, and what they are told if not.

use std::sync::Arc;

use windlass_core::{Args, Edge, EdgePolicy, JobId, Json, KindName, NewJob, Verdict};
use windlass_memory::MemoryStore;
use windlass_postgres_testing::Port;
use windlass_remote::{AccessToken, RemoteOptions, RemoteStore};
use windlass_runtime::{RawJob, Worker};
use windlass_server::{Config, Tokens};
use windlass_store::{
    Actor, AuditFilter, AuditStore, ErrorKind, FlowStore, JobFilter, JobStore, Maintenance, NewToken,
    NewWorker, PageRequest, Queues, Role, Secret, SharedStore, StoreError, TokenStore, WorkerStore, ids,
};

use crate::server::Served;

/// A server that asks for tokens, over a store of its own.
async fn guarded() -> (SharedStore, Served) {
    let store: SharedStore = Arc::new(MemoryStore::new());
    let config = Config::default().with_authorizer(Tokens::of(Arc::clone(&store)));
    (Arc::clone(&store), Served::over(store, config).await)
}

async fn token(store: &SharedStore, role: Role) -> AccessToken {
    let secret = Secret::draw();
    let token = NewToken::new(&secret, format!("{role}"), [role]);
    store.create_token(token, Actor::new("ada")).await.unwrap();
    AccessToken::new(secret.reveal())
}

fn job() -> NewJob {
    NewJob::new(ids::job_id(), KindName::new("mail").unwrap(), Args::default())
}

fn field(error: &StoreError) -> &str {
    match error.kind() {
        ErrorKind::Invalid(invalid) => &invalid.field,
        kind => panic!("{kind:?}"),
    }
}

#[tokio::test]
async fn who_has_no_token_or_a_wrong_one_is_told_so_and_the_token_is_not_shown() {
    let (_store, served) = guarded().await;
    let wrong = Secret::draw().reveal();

    let without = RemoteOptions::new(served.url.as_str()).connect().await.unwrap_err();
    let with_wrong = RemoteStore::connect(served.url.as_str(), wrong.as_str()).await.unwrap_err();

    assert_eq!((field(&without), field(&with_wrong)), ("token", "token"));
    let told = format!("{with_wrong} {with_wrong:?}");
    assert!(!told.contains(wrong.splitn(3, '_').nth(2).unwrap()), "{told}");
}

#[tokio::test]
async fn what_a_token_does_not_allow_is_the_tokens_fault_and_not_tried_again() {
    let (store, served) = guarded().await;
    let worker = RemoteStore::connect(served.url.as_str(), token(&store, Role::Worker).await).await.unwrap();

    let error = worker.enqueue(vec![job()]).await.unwrap_err();

    assert_eq!(field(&error), "token");
    assert!(!error.is_transient(), "{error}");
    assert!(error.to_string().contains("may not enqueue"), "{error}");
}

#[tokio::test]
async fn whom_the_token_is_for_stands_with_what_they_change() {
    let (store, served) = guarded().await;
    let url = served.url.as_str();
    let operator = RemoteStore::connect(url, token(&store, Role::Operator).await).await.unwrap();
    let admin = RemoteStore::connect(url, token(&store, Role::Admin).await).await.unwrap();
    let enqueued = operator.enqueue(vec![job(), job()]).await.unwrap();

    operator.cancel(enqueued[0].id, Actor::new("somebody else")).await.unwrap();
    admin.cancel(enqueued[1].id, Actor::new("eve").because("asked to")).await.unwrap();

    let filter = AuditFilter { verb: Some("cancel".to_owned()), ..AuditFilter::default() };
    let entries = admin.audit(filter, PageRequest::first(10)).await.unwrap().items;
    let told: Vec<_> = entries.iter().map(|entry| entry.by.name.as_str()).collect();
    assert_eq!(told, ["eve", "operator"]);
    assert!(entries.iter().all(|entry| entry.by.via.as_ref().unwrap().token.is_some()), "{entries:?}");
}

#[tokio::test]
async fn a_token_that_is_revoked_lets_nobody_in_any_more() {
    let (store, served) = guarded().await;
    let url = served.url.as_str();
    let admin = RemoteStore::connect(url, token(&store, Role::Admin).await).await.unwrap();
    let secret = Secret::draw();
    let made = NewToken::new(&secret, "ci", [Role::Producer]);
    admin.create_token(made, Actor::new("ada")).await.unwrap();
    let listed = admin.tokens(PageRequest::first(10)).await.unwrap().items;
    assert!(listed.iter().any(|one| one.made.hash.is_of(&secret)));
    admin.revoke_token(secret.id(), Actor::new("ada")).await.unwrap();

    let refused = RemoteStore::connect(url, secret.reveal()).await.unwrap_err();

    assert_eq!(field(&refused), "token");
}

#[tokio::test]
async fn a_worker_works_with_a_token_for_work_alone() {
    let (store, served) = guarded().await;
    let worker = RemoteStore::connect(served.url.as_str(), token(&store, Role::Worker).await).await.unwrap();
    let new = NewWorker {
        id: ids::worker_id(),
        name: "w".to_owned(),
        host: "h".to_owned(),
        version: "1".to_owned(),
        queues: Queues::Any,
        kinds: Vec::new(),
        slots: 1,
        lease: std::time::Duration::from_secs(30),
        owner: None,
    };

    worker.register(new.clone()).await.unwrap();

    assert!(worker.beat(new.id).await.unwrap().cancelled.is_empty());
    assert_eq!(worker.held(new.id).await.unwrap(), []);
    worker.deregister(new.id).await.unwrap();
}

#[tokio::test]
async fn a_worker_with_a_token_for_work_alone_is_given_what_the_parents_of_its_jobs_made() {
    let (store, served) = guarded().await;
    let worker = RemoteStore::connect(served.url.as_str(), token(&store, Role::Worker).await).await.unwrap();
    let (parent, mut child) = (job(), job());
    child.after = vec![Edge { parent: parent.id, policy: EdgePolicy::OnSuccess }];
    let child_id = child.id;
    let mut ended = store.signals().ended();
    store.enqueue(vec![parent, child]).await.unwrap();
    let run = Worker::builder(Arc::new(worker.clone())).queues_any(1).handle_any(|job: RawJob| async move {
        let given = job.cx().parents().all().await;
        let told = given.map_or_else(|error| format!("{:?}", error.to_string()), |all| all.len().to_string());
        Verdict::Succeeded { result: Some(Json::new("result", told).unwrap()) }
    });
    let run = run.build().unwrap().start();

    while !store.job(child_id).await.unwrap().state.is_final() {
        ended.next().await;
    }

    run.stop().await;
    let done = store.job(child_id).await.unwrap();
    assert_eq!(done.result, Some(Json::new("result", "1").unwrap()), "{done:?}");
    let by_id = worker.inputs(child_id, PageRequest::first(1)).await.unwrap_err();
    assert_eq!(field(&by_id), "token", "its token is for no more than that");
}

#[tokio::test]
async fn nobody_there_is_told_at_once_and_nothing_happened() {
    let port = Port::reserve().unwrap();
    let url = format!("http://127.0.0.1:{}", port.number());

    let error = RemoteOptions::new(url.as_str()).connect().await.unwrap_err();

    assert_eq!(*error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(&url), "{error}");
}

#[tokio::test]
async fn a_server_that_stops_and_comes_back_is_found_again() {
    let store: SharedStore = Arc::new(MemoryStore::new());
    let port = Port::reserve().unwrap();
    let at = format!("127.0.0.1:{}", port.number());
    let served = Served::at(&at, Arc::clone(&store), Config::default()).await;
    let remote = RemoteOptions::new(served.url.as_str()).connect().await.unwrap();
    remote.enqueue(vec![job()]).await.unwrap();

    served.stop().await;
    let gone = remote.enqueue(vec![job()]).await.unwrap_err();
    let _again = Served::at(&at, store, Config::default()).await;
    let found = remote.enqueue(vec![job()]).await;

    assert!(gone.is_transient(), "{gone}");
    assert!(found.is_ok(), "{found:?}");
    assert_eq!(remote.jobs(JobFilter::default(), PageRequest::first(10)).await.unwrap().items.len(), 2);
    assert_eq!(remote.status().await.unwrap().engine, "memory");
}

#[tokio::test]
async fn an_id_that_is_nowhere_is_not_found_and_something_else_is_no_server() {
    let served = Served::over(Arc::new(MemoryStore::new()), Config::default()).await;
    let remote = RemoteOptions::new(served.url.as_str()).connect().await.unwrap();
    let nested = RemoteOptions::new(format!("{}/elsewhere", served.url)).connect().await.unwrap_err();

    let nowhere = remote.job(JobId::from_bytes([7; 16])).await.unwrap_err();

    assert_eq!(*nowhere.kind(), ErrorKind::NotFound);
    assert_eq!(*nested.kind(), ErrorKind::NotFound, "{nested}");
}
