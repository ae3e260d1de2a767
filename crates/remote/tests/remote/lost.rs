//! Answers that are lost on the way: what is known then, and that nothing is done twice or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use windlass_core::{Args, JobId, JobState, KindName, NewJob, Verdict};
use windlass_memory::MemoryStore;
use windlass_remote::{RemoteOptions, RemoteStore};
use windlass_runtime::Worker;
use windlass_server::Config;
use windlass_store::{
    Actor, AuditFilter, ClaimRequest, ErrorKind, JobFilter, JobStore, Kinds, LeaseStore, NewWorker,
    PageRequest, Queues, Scope, Settlement, SharedStore, Store, WorkerStore, ids,
};

use crate::server::Served;

/// How long to wait for what comes at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// Stands between a client and a server, and keeps answers to itself.
struct Thief {
    at: String,
    /// Of every so many answers one is kept; none if zero. And how many were.
    every: Arc<AtomicU64>,
    kept: Arc<AtomicU64>,
    _task: AbortOnDropHandle<()>,
}

impl Thief {
    async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let to = url.trim_start_matches("http://").to_owned();
        let (every, kept) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (says, counts) = (Arc::clone(&every), Arc::clone(&kept));
        let seen = Arc::new(AtomicU64::new(0));
        let accepting = async move {
            let tasks = TaskTracker::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&to).await.unwrap();
                tasks.spawn(pass_on(
                    client,
                    server,
                    [Arc::clone(&says), Arc::clone(&counts), Arc::clone(&seen)],
                ));
            }
        };
        Self { at, every, kept, _task: AbortOnDropHandle::new(TaskTracker::new().spawn(accepting)) }
    }

    /// Keeps the next answer, and none after it.
    fn keep_next(&self) {
        self.every.store(u64::MAX, Ordering::SeqCst);
    }

    fn keep_one_of(&self, every: u64) {
        self.every.store(every, Ordering::SeqCst);
    }

    fn kept(&self) -> u64 {
        self.kept.load(Ordering::SeqCst)
    }
}

/// Hands on what is said until an answer is kept; then both are hung up on.
async fn pass_on(client: TcpStream, server: TcpStream, [every, kept, seen]: [Arc<AtomicU64>; 3]) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let asking = async { tokio::io::copy(&mut from_client, &mut to_server).await.map(drop) };
    let answering = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let size = from_server.read(&mut buffer).await?;
            if size == 0 {
                return Ok(());
            }
            let begins = buffer.starts_with(b"HTTP/1.1");
            let turn = if begins { seen.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
            let keeps = match every.load(Ordering::SeqCst) {
                0 => false,
                u64::MAX => begins && every.swap(0, Ordering::SeqCst) == u64::MAX,
                every => begins && turn % every == 0,
            };
            if keeps {
                kept.fetch_add(1, Ordering::SeqCst);
                return Ok::<_, std::io::Error>(());
            }
            to_client.write_all(&buffer[..size]).await?;
        }
    };
    tokio::select! {
        _ = asking => {}
        _ = answering => {}
    }
}

/// A store, a server before it, somebody who keeps answers before that, and the store from afar.
struct Scene {
    near: SharedStore,
    remote: RemoteStore,
    thief: Thief,
    _served: Served,
}

async fn scene() -> Scene {
    let near: SharedStore = Arc::new(MemoryStore::new());
    let served = Served::over(Arc::clone(&near), Config::default()).await;
    let thief = Thief::before(&served.url).await;
    let remote = RemoteOptions::new(thief.at.as_str()).connect().await.unwrap();
    Scene { near, remote, thief, _served: served }
}

fn job() -> NewJob {
    NewJob::new(ids::job_id(), KindName::new("mail").unwrap(), Args::default())
}

fn worker() -> NewWorker {
    NewWorker {
        id: ids::worker_id(),
        name: "w".to_owned(),
        host: "h".to_owned(),
        version: "1".to_owned(),
        queues: Queues::Any,
        kinds: Vec::new(),
        slots: 1,
        lease: Duration::from_secs(30),
        owner: None,
    }
}

fn claim(worker: &NewWorker) -> ClaimRequest {
    ClaimRequest::new(worker.id, Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any }), 1)
}

async fn enqueued(scene: &Scene) -> JobId {
    scene.near.enqueue(vec![job()]).await.unwrap()[0].id
}

async fn state(scene: &Scene, job: JobId) -> JobState {
    scene.near.job(job).await.unwrap().state
}

#[tokio::test]
async fn a_question_whose_answer_is_lost_is_asked_again() {
    let scene = scene().await;
    let id = enqueued(&scene).await;

    scene.thief.keep_next();
    let job = scene.remote.job(id).await.unwrap();

    assert_eq!((job.id, scene.thief.kept()), (id, 1));
}

#[tokio::test]
async fn g02_an_enqueue_whose_answer_is_lost_makes_one_job() {
    let scene = scene().await;

    scene.thief.keep_next();
    let enqueued = scene.remote.enqueue(vec![job(), job()]).await.unwrap();

    assert_eq!((enqueued.len(), scene.thief.kept()), (2, 1));
    assert!(enqueued.iter().all(|one| one.repeated));
    let all = scene.near.jobs(JobFilter::default(), PageRequest::first(10)).await.unwrap();
    assert_eq!(all.items.len(), 2);
}

#[tokio::test]
async fn g06_a_settle_whose_answer_is_lost_says_where_the_job_is() {
    let scene = scene().await;
    let (id, worker) = (enqueued(&scene).await, worker());
    scene.remote.register(worker.clone()).await.unwrap();
    let token = scene.remote.claim(claim(&worker)).await.unwrap().jobs[0].token;

    scene.thief.keep_next();
    let settlement = Settlement { token, verdict: Verdict::Succeeded { result: None } };
    let settled = scene.remote.settle(vec![settlement.clone()]).await.unwrap().remove(0).unwrap();
    let again = scene.remote.settle(vec![settlement]).await.unwrap().remove(0).unwrap_err();

    assert_eq!((settled.state, scene.thief.kept()), (JobState::Completed, 1));
    assert_eq!(*again.kind(), ErrorKind::NotRunning, "only what was not heard is told a second time");
    assert_eq!(scene.near.attempts(id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_claim_whose_answer_is_lost_is_unknown_and_found_among_what_is_held() {
    let scene = scene().await;
    let (id, worker) = (enqueued(&scene).await, worker());
    scene.remote.register(worker.clone()).await.unwrap();

    scene.thief.keep_next();
    let error = scene.remote.claim(claim(&worker)).await.unwrap_err();
    let held = scene.remote.held(worker.id).await.unwrap();

    assert_eq!((error.kind(), scene.thief.kept()), (&ErrorKind::Unknown, 1));
    assert_eq!(held.iter().map(|token| token.job).collect::<Vec<_>>(), [id]);
    let released = Settlement { token: held[0], verdict: Verdict::Released };
    scene.remote.settle(vec![released]).await.unwrap().remove(0).unwrap();
    assert_eq!(state(&scene, id).await, JobState::Ready);
}

#[tokio::test]
async fn a_change_by_hand_whose_answer_is_lost_is_unknown_and_made_once() {
    let scene = scene().await;
    let id = enqueued(&scene).await;

    scene.thief.keep_next();
    let error = scene.remote.cancel(id, Actor::new("ada")).await.unwrap_err();

    assert_eq!(*error.kind(), ErrorKind::Unknown);
    assert!(error.to_string().contains("it is unknown whether it happened"), "{error}");
    assert_eq!(state(&scene, id).await, JobState::Cancelled);
    let entries = scene.near.audit(AuditFilter::default(), PageRequest::first(10)).await.unwrap().items;
    assert_eq!(entries.len(), 1);
}

#[tokio::test]
async fn hints_come_from_the_server() {
    let scene = scene().await;
    let (mut work, mut ended) = (scene.remote.signals().work(), scene.remote.signals().ended());
    // What was hinted at before the stream was opened is made up for.
    work.next().await;
    ended.next().await;

    let id = enqueued(&scene).await;
    let heard_of_work = tokio::time::timeout(PATIENCE, work.next()).await;
    scene.near.cancel(id, Actor::new("ada")).await.unwrap();
    let heard_of_end = tokio::time::timeout(PATIENCE, ended.next()).await;

    assert!(heard_of_work.is_ok() && heard_of_end.is_ok());
}

/// The whole worker, from afar, while a tenth of all answers is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_from_afar_ends_every_job_once_though_answers_are_lost() {
    const JOBS: usize = 100;
    let scene = scene().await;
    let jobs: Vec<NewJob> = (0..JOBS).map(|_| job()).collect();
    let started = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&started);
    scene.thief.keep_one_of(10);
    let store: SharedStore = Arc::new(scene.remote.clone());
    let worker = Worker::builder(store).queues_any(8).handle_any(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Verdict::Succeeded { result: None } }
    });
    let worker = worker.poll_interval(Duration::from_millis(100)).build().unwrap().start();

    let mut ended = scene.near.signals().ended();
    scene.remote.enqueue(jobs).await.unwrap();
    let all_ended = tokio::time::timeout(Duration::from_secs(60), async {
        while completed(&scene).await < JOBS {
            let _ = tokio::time::timeout(Duration::from_millis(200), ended.next()).await;
        }
    });

    assert!(all_ended.await.is_ok(), "{} of {JOBS}", completed(&scene).await);
    scene.thief.keep_one_of(0);
    worker.stop().await;
    assert!(scene.thief.kept() > 0);
    for job in scene.near.jobs(JobFilter::default(), PageRequest::first(500)).await.unwrap().items {
        assert_eq!((job.state, job.losses), (JobState::Completed, 0), "{job:?}");
    }
}

async fn completed(scene: &Scene) -> usize {
    let filter = JobFilter { states: vec![JobState::Completed], ..JobFilter::default() };
    scene.near.jobs(filter, PageRequest::first(500)).await.unwrap().items.len()
}
