//! A worker that sends notices: what it does, and whom it leaves alone.

use std::sync::Arc;
use std::time::Duration;

use windlass_core::notice::QUEUE;
use windlass_core::{Args, Job, JobId, JobState, KindName, NewJob, Notify, Verdict};
use windlass_memory::MemoryStore;
use windlass_notices::{NoticeConfig, WorkerNotices};
use windlass_runtime::{RunningWorker, Worker, WorkerBuilder};
use windlass_store::{JobFilter, JobStore, PageRequest, SharedStore, Store, ids};

use crate::http_server::{Answer, HttpServer};
use crate::support::{PATIENCE, SECRET};

fn config() -> NoticeConfig {
    NoticeConfig::new().secret(SECRET).allow_internal("127.0.0.1")
}

fn mailing(store: &Arc<MemoryStore>) -> WorkerBuilder<()> {
    let shared: SharedStore = store.clone();
    Worker::builder(shared).handle_kind("mail", async |_| Verdict::Succeeded { result: None })
}

fn start(worker: WorkerBuilder<()>) -> RunningWorker {
    worker.poll_interval(Duration::from_millis(10)).build().unwrap().start()
}

async fn enqueue(store: &MemoryStore, notify: Notify) -> JobId {
    let mut job = NewJob::new(ids::job_id(), KindName::new("mail").unwrap(), Args::default());
    job.options.notify = vec![notify];
    store.enqueue(vec![job]).await.unwrap()[0].id
}

async fn notices(store: &MemoryStore) -> Vec<Job> {
    let filter = JobFilter { queues: vec![QUEUE.clone()], ..JobFilter::default() };
    store.jobs(filter, PageRequest::first(100)).await.unwrap().items
}

/// The one notice, once its attempt has ended in this state.
async fn notice_that_is(store: &MemoryStore, state: JobState) -> Job {
    let mut ended = store.signals().ended();
    let wait = async {
        loop {
            if let [notice] = notices(store).await.as_slice()
                && notice.state == state
            {
                return notice.clone();
            }
            let _look_again = tokio::time::timeout(Duration::from_millis(5), ended.next()).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the notice gets there")
}

#[tokio::test]
async fn a_worker_sends_what_it_made_beside_its_own_queue() {
    let server = HttpServer::answering(Answer::status("200 OK"));
    let store = Arc::new(MemoryStore::new());
    let worker = start(mailing(&store).notices(config()));

    let job = enqueue(&store, Notify::webhook(server.url("127.0.0.1"))).await;
    let notice = notice_that_is(&store, JobState::Completed).await;
    worker.stop().await;

    let request = server.request();
    assert_eq!(request.header("webhook-id"), notice.id.to_string());
    assert!(String::from_utf8(request.body).unwrap().contains(&job.to_string()));
    assert!(server.is_untouched());
}

#[tokio::test]
async fn a_worker_of_all_queues_sends_notices_too_if_it_is_told_to() {
    let server = HttpServer::answering(Answer::status("200 OK"));
    let store = Arc::new(MemoryStore::new());
    let worker = start(mailing(&store).queues_any(2).notices(config()));

    enqueue(&store, Notify::webhook(server.url("127.0.0.1"))).await;
    notice_that_is(&store, JobState::Completed).await;

    worker.stop().await;
}

#[tokio::test]
async fn a_worker_of_any_kind_in_all_queues_does_not_take_notices() {
    let store = Arc::new(MemoryStore::new());
    let shared: SharedStore = store.clone();
    let any = Worker::builder(shared).queues_any(2).handle_any(async |_| Verdict::Succeeded { result: None });
    let worker = start(any);

    let job = enqueue(&store, Notify::webhook("https://hooks.example.com")).await;
    let notice = notice_that_is(&store, JobState::Ready).await;
    let later = enqueue(&store, Notify::webhook("https://hooks.example.com").on_dead()).await;
    while store.job(later).await.unwrap().state != JobState::Completed {
        store.signals().ended().next().await;
    }
    worker.stop().await;

    assert_eq!(store.job(job).await.unwrap().state, JobState::Completed);
    assert_eq!(store.job(notice.id).await.unwrap().attempt, 0);
}

#[tokio::test]
async fn a_receiver_that_fails_does_not_touch_the_job_that_ended() {
    let server = HttpServer::answering(Answer::status("500 Internal Server Error"));
    let store = Arc::new(MemoryStore::new());
    let worker = start(mailing(&store).notices(config()));

    let job = enqueue(&store, Notify::webhook(server.url("127.0.0.1"))).await;
    let notice = notice_that_is(&store, JobState::Retryable).await;
    worker.stop().await;

    assert_eq!(notice.error.unwrap().message, "the receiver answered 500");
    let job = store.job(job).await.unwrap();
    assert_eq!((job.state, job.error), (JobState::Completed, None));
    assert_eq!(store.attempts(job.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_notice_to_nowhere_dies_and_says_what_to_configure() {
    let store = Arc::new(MemoryStore::new());
    let worker = start(mailing(&store).notices(NoticeConfig::new()));

    enqueue(&store, Notify::mail("ops@example.com")).await;
    let notice = notice_that_is(&store, JobState::Dead).await;
    worker.stop().await;

    let message = notice.error.unwrap().message;
    assert!(message.contains("allow(\"example.com\")"), "{message}");
}

#[test]
fn what_is_wrong_with_the_notices_is_said_when_the_worker_is_built() {
    let store = Arc::new(MemoryStore::new());

    let error = mailing(&store).notices(config().slots(0)).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not build the worker: slots: of queue \"windlass.notices\" must be 1 or more"
    );

    let error = mailing(&store).notices(config().secret("sesame")).build().unwrap_err();
    assert_eq!(error.field(), "notices.secret");
    assert!(!error.to_string().contains("sesame"), "{error}");
}
