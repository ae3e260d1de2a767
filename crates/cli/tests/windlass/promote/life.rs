//! Jobs in every state, with everything that a store can know of a job.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use windlass_core::limits::PAGE_MAX;
use windlass_core::{
    Args, Attempt, AttemptError, Decision, Due, Job, JobId, Json, KindName, LogLevel, LogLine, NewJob,
    Priority, Progress, QueueName, RetryPolicy, Review, Tag, Verdict, WorkerId,
};
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::{
    Actor, ClaimRequest, JobEvent, JobFilter, JobStore, Kinds, LeaseStore, LeasedJob, NewLogLine, NewRuling,
    NewWorker, PageRequest, QueueStore, Queues, ReviewStore as _, Scope, Settlement, SharedStore, StoreError,
    WorkerStore, ids,
};

/// A job with all that is kept of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Life {
    pub(crate) job: Job,
    attempts: Vec<Attempt>,
    log: Vec<LogLine>,
    events: Vec<JobEvent>,
}

/// Every job of a store, newest first.
pub(crate) async fn all_of(store: &SharedStore) -> Vec<Life> {
    let (mut all, mut request) = (Vec::new(), PageRequest::first(PAGE_MAX));
    loop {
        let page = store.jobs(JobFilter::default(), request).await.unwrap();
        for job in page.items {
            let id = job.id;
            all.push(Life {
                job,
                attempts: store.attempts(id).await.unwrap(),
                log: store.logs(id, PageRequest::first(PAGE_MAX)).await.unwrap().items,
                events: store.events(id).await.unwrap(),
            });
        }
        let Some(next) = page.next else { return all };
        request = request.after(Some(next));
    }
}

/// Enqueues a job of this kind.
pub(crate) async fn enqueue(store: &SqliteStore, kind: &str) -> Result<JobId, StoreError> {
    let job = job(kind);
    Ok(store.enqueue(vec![job]).await?[0].id)
}

fn job(kind: &str) -> NewJob {
    let mut job = NewJob::new(ids::job_id(), KindName::new(kind).unwrap(), Args::default());
    if kind == "slow" {
        // It must not become due while the two stores are compared.
        job.options.retry = RetryPolicy::List(vec![windlass_core::retry::Step(Duration::from_secs(3_600))]);
    }
    job
}

/// Makes a file with a job in every state that one may be in while nobody works.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn live(path: &Path) {
    let store = SqliteOptions::new(path).open().await.unwrap();
    let worker = begin(&store).await;
    waiting(&store).await;
    worked_on(&store, worker).await;
    by_hand(&store, worker).await;
    reviewed(&store, worker).await;
    store.deregister(worker).await.unwrap();
}

async fn begin(store: &SqliteStore) -> WorkerId {
    let id = ids::worker_id();
    let worker = NewWorker {
        id,
        name: "wörker 1".to_owned(),
        host: "h".to_owned(),
        version: "1".to_owned(),
        queues: Queues::Any,
        kinds: Vec::new(),
        slots: 4,
        lease: Duration::from_secs(60),
        owner: None,
    };
    store.register(worker).await.unwrap();
    id
}

/// Jobs that were never started, with whatever can be asked for.
async fn waiting(store: &SqliteStore) {
    let mut special = job("special");
    special.version = 7;
    special.queue = QueueName::new("held").unwrap();
    special.priority = Priority::High;
    special.args = Args::json(r#"{"nul":"a\u0000b","big":9007199254740993,"dup":1,"dup":-0}"#).unwrap();
    special.due = Due::In(Duration::from_secs(60 * 60));
    special.deadline = Some(Due::In(Duration::from_secs(7 * 24 * 60 * 60)));
    special.attempts_max = u32::MAX;
    special.losses_max = 0;
    special.options.timeout = Some(Duration::from_millis(1_500));
    special.options.tags = ["a", "b \u{1f980}"].map(|tag| Tag::new(tag).unwrap()).to_vec();
    special.options.meta = [("trace".to_owned(), serde_json::json!({"id": "\u{0}x", "n": [1, null]}))].into();
    special.options.submitted_by = Some("ada".to_owned());
    let mut bytes = job("bytes");
    bytes.args = Args::Bytes(vec![0, 255, 128, 0].into());
    let priorities = [Priority::Critical, Priority::Normal, Priority::Low, Priority::Idle].map(|priority| {
        let mut job = job("plain");
        job.priority = priority;
        job
    });
    let _ = store.enqueue([special, bytes].into_iter().chain(priorities).collect()).await.unwrap();
}

/// Jobs that somebody worked on, and what came of it.
async fn worked_on(store: &SqliteStore, worker: WorkerId) {
    let error = || AttemptError::new("no \"luck\"\n").with_class("Io").with_chain(["because", "of that"]);
    let failed = |retry_after| Verdict::Failed { error: error(), retry_after };
    let result = Some(Json::of("result", &serde_json::json!({"text": "a\u{0}b"})).unwrap());

    attempt(store, worker, "done", Verdict::Succeeded { result }).await;
    attempt(store, worker, "nothing", Verdict::Unchanged { result: None }).await;
    attempt(store, worker, "hopeless", Verdict::Fatal { error: error() }).await;
    attempt(store, worker, "unreadable", Verdict::Undecodable { error: error() }).await;
    attempt(store, worker, "stopped", Verdict::Cancelled { error: error() }).await;
    attempt(store, worker, "asleep", Verdict::Snoozed { delay: Duration::from_secs(3_600) }).await;
    attempt(store, worker, "later", failed(Some(Duration::from_secs(3_600)))).await;
    attempt(store, worker, "slow", Verdict::TimedOut { error: error() }).await;
    let again = attempt(store, worker, "twice", failed(Some(Duration::ZERO))).await;
    let leased = claim(store, worker, again).await;
    settle(store, &leased, failed(Some(Duration::ZERO))).await;
    let third = attempt(store, worker, "thrice", failed(Some(Duration::ZERO))).await;
    let leased = claim(store, worker, third).await;
    settle(store, &leased, Verdict::Succeeded { result: Some(Json::null()) }).await;
}

/// Jobs about which somebody decides: in review, decided, and carried out.
async fn reviewed(store: &SqliteStore, worker: WorkerId) {
    let made = || Verdict::Succeeded { result: Some(Json::of("result", &3).unwrap()) };
    let ask = async |kind: &str, terms: Review| {
        let mut asked = job(kind);
        asked.priority = Priority::Low;
        asked.options.review = Some(terms);
        store.enqueue(vec![asked]).await.unwrap()[0].id
    };
    let decide = async |id, decision| {
        let digest = store.review(id).await.unwrap().unwrap().digest;
        let by = Actor::new("bob").because("as agreed");
        store.decide(id, NewRuling { decision, by, digest, args: None }).await.unwrap();
    };
    let hour = Duration::from_secs(3_600);
    let _waits =
        ask("asked", Review::start().decide_within(hour, Decision::Accept).remind_every(hour / 2)).await;
    decide(ask("approved", Review::start()).await, Decision::Accept).await;
    decide(ask("refused", Review::start()).await, Decision::Decline).await;
    for (kind, decision, carried_out) in [
        ("staged", None, false),
        ("settling", Some(Decision::Decline), false),
        ("accepted", Some(Decision::Accept), true),
    ] {
        let id = ask(kind, Review::outcome()).await;
        settle(store, &claim(store, worker, id).await, made()).await;
        if let Some(decision) = decision {
            decide(id, decision).await;
        }
        if carried_out {
            settle(store, &claim(store, worker, id).await, Verdict::Succeeded { result: None }).await;
        }
    }
}

/// Jobs that somebody did something to.
async fn by_hand(store: &SqliteStore, worker: WorkerId) {
    let ada = || Actor::new("ada").because("it is \u{1f980} time");
    let cancelled = enqueue(store, "unwanted").await.unwrap();
    let _ = store.cancel(cancelled, ada()).await.unwrap();
    let error = AttemptError::new("no");
    let dead = attempt(store, worker, "revived", Verdict::Fatal { error: error.clone() }).await;
    store.retry(dead, ada()).await.unwrap();
    store.cancel(dead, Actor::new("bob")).await.map(|_| ()).unwrap();
    store.retry(dead, ada()).await.unwrap();
    let hastened = attempt(
        store,
        worker,
        "hastened",
        Verdict::Failed { error, retry_after: Some(Duration::from_secs(3_600)) },
    )
    .await;
    store.run_now(hastened, ada()).await.unwrap();
    store.pause(&QueueName::new("empty").unwrap(), Actor::new("ada")).await.unwrap();
}

/// One attempt of a new job, which writes a log, a checkpoint and its progress before it ends so.
async fn attempt(store: &SqliteStore, worker: WorkerId, kind: &str, verdict: Verdict) -> JobId {
    let id = enqueue(store, kind).await.unwrap();
    let leased = claim(store, worker, id).await;
    let lines = [("first", LogLevel::Info), ("", LogLevel::Debug), ("änd \u{1f980}", LogLevel::Error)];
    let lines = lines.map(|(message, level)| NewLogLine { level, message: message.to_owned() });
    store.log(leased.token, lines.to_vec()).await.unwrap();
    store.checkpoint(leased.token, Json::of("checkpoint", &[1, 2]).unwrap()).await.unwrap();
    store.progress(leased.token, Progress::new(40, Some("so far")).unwrap()).await.unwrap();
    settle(store, &leased, verdict).await;
    id
}

async fn claim(store: &SqliteStore, worker: WorkerId, id: JobId) -> LeasedJob {
    let kind = store.job(id).await.unwrap().kind;
    let support = windlass_store::KindSupport { kind, version_max: 9 };
    let scope = Scope { queues: Queues::Any, kinds: Kinds::Only(vec![support]) };
    let claimed = store.claim(ClaimRequest::new(worker, Arc::new(scope), 1)).await.unwrap();
    claimed.jobs.into_iter().next().unwrap()
}

async fn settle(store: &SqliteStore, leased: &LeasedJob, verdict: Verdict) {
    let settlement = Settlement { token: leased.token, verdict };
    store.settle(vec![settlement]).await.unwrap().into_iter().for_each(|settled| {
        settled.unwrap();
    });
}
