//! Wake-ups between processes: stores on one schema that know of each other only by the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, NoTls};
use windlass_core::job::Due;
use windlass_core::{Args, AttemptToken, JobId, Json, NewJob, Timestamp, Verdict, WorkerId};
use windlass_postgres::{PostgresOptions, PostgresStore};
use windlass_postgres_testing::Database;
use windlass_store::{
    Actor, CancelOutcome, ClaimRequest, JobStore, Kinds, LeaseStore, NewWorker, Queues, Scope, Settlement,
    Signal, Store, Turn, WorkerStore, ids,
};

/// Nothing here takes as long; what does is not coming.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn an_enqueue_is_heard_by_another_process() {
    let server = Server::new();
    let (teller, mut hearer) = (server.open().await, server.hearer().await);

    teller.enqueue(vec![job()]).await.unwrap();

    hint(&mut hearer.work).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_behind_a_pooler_hears_others_at_the_server_itself() {
    let server = Server::new();
    let teller = server.open().await;
    let (_, place) = server.0.url().rsplit_once('@').unwrap();
    let (place, _) = place.split_once('/').unwrap();
    let behind = PostgresOptions::new(server.0.url()).pooled();

    let mut hearer = Hearer::of(behind.listen_at(place).open().await.unwrap()).await;
    teller.enqueue(vec![job()]).await.unwrap();

    hint(&mut hearer.work).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_of_a_running_job_is_heard_by_another_process() {
    let server = Server::new();
    let token = server.running_job().await;
    let (teller, mut hearer) = (server.open().await, server.hearer().await);

    let outcome = teller.cancel(token.job, Actor::new("ada")).await.unwrap();

    assert_eq!(outcome, CancelOutcome::Requested);
    hint(&mut hearer.work).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_job_is_heard_by_another_process_and_promises_no_work() {
    let server = Server::new();
    let token = server.running_job().await;
    let (teller, mut hearer, mut ear) = (server.open().await, server.hearer().await, server.ear().await);

    settle(&teller, token).await;

    hint(&mut hearer.ended).await;
    let said = ear.next().await;
    assert!(says(&said, 'e') && !says(&said, 'w'), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_does_not_hear_itself() {
    let server = Server::new();
    let (mut hearer, mut ear) = (server.hearer().await, server.ear().await);

    hearer.store.enqueue(vec![job()]).await.unwrap();
    hint(&mut hearer.work).await;

    ear.until(|said| says(said, 'w')).await;
    // What is said later is heard later.
    ear.say("e").await;
    hint(&mut hearer.ended).await;
    assert!(!hinted(&mut hearer.work));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_enqueues_in_a_burst_are_few_notifications() {
    let server = Server::new();
    let (teller, mut ear) = (server.open().await, server.ear().await);

    let begun = Instant::now();
    for _ in 0..1_000 {
        teller.enqueue(vec![job()]).await.unwrap();
    }
    drop(teller);
    ear.say("fence").await;
    let said = ear.until(|said| said == "fence").await;
    let took = begun.elapsed();

    // One each 11 ms, a few ahead, and the last words.
    let most = took.as_millis() / 11 + 5;
    assert!((1..=most).contains(&(said.len() as u128)), "{} in {took:?}", said.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_whose_connection_is_ended_comes_back() {
    let server = Server::new();
    let (teller, mut hearer, ear) = (server.open().await, server.hearer().await, server.ear().await);

    assert_eq!(ear.count("SELECT pg_terminate_backend(pid) FROM pg_stat_activity", LISTENERS).await, 1);

    // What may have been missed is hinted at when it is back.
    hint(&mut hearer.work).await;
    hint(&mut hearer.ended).await;
    teller.enqueue(vec![job()]).await.unwrap();
    hint(&mut hearer.work).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_notifications_nothing_is_sent_and_nobody_listens() {
    let server = Server::new();
    let (quiet, mut ear) = (server.open_quiet().await, server.ear().await);
    let _work = quiet.signals().work();

    quiet.enqueue(vec![job(), past_job()]).await.unwrap();

    ear.say("fence").await;
    assert_eq!(ear.next().await, "fence");
    assert_eq!(ear.count("SELECT FROM pg_stat_activity", LISTENERS).await, 0);
    server.open().await.enqueue(vec![job()]).await.unwrap();
    assert!(says(&ear.next().await, 'w'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_due_before_what_was_claimed_is_found_by_another_process() {
    let server = Server::new();
    let (quiet, teller, mut hearer) = (server.open_quiet().await, server.open().await, server.hearer().await);
    let worker = register(&hearer.store).await;
    quiet.enqueue((0..10).map(|_| job()).collect()).await.unwrap();
    assert_eq!(claim(&hearer.store, worker, 1).await.len(), 1);
    assert_eq!(claim(&hearer.store, worker, 1).await.len(), 1);
    while hinted(&mut hearer.work) {}
    let past = past_job();

    teller.enqueue(vec![past.clone()]).await.unwrap();
    hint(&mut hearer.work).await;

    assert_eq!(claim(&hearer.store, worker, 1).await, [past.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_find_everything_without_a_notification() {
    let server = Server::new();
    let (enqueuer, claimer) = (server.open_quiet().await, server.open_quiet().await);
    let worker = register(&claimer).await;
    enqueuer.enqueue((0..3).map(|_| job()).collect()).await.unwrap();
    assert_eq!(claim(&claimer, worker, 2).await.len(), 2);
    let past = past_job();

    enqueuer.enqueue(vec![past.clone(), job()]).await.unwrap();

    // As soon as a look from the front is worth its cost.
    let mut found = Vec::new();
    let all = async {
        while found.len() < 3 {
            found.extend(claim(&claimer, worker, 10).await);
        }
    };
    timeout(PATIENCE, all).await.expect("every job is found");
    assert!(found.contains(&past.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_was_not_there_is_found_at_the_hint_of_another_process() {
    let server = Server::new();
    let (teller, mut hearer) = (server.open().await, server.hearer().await);
    let worker = register(&hearer.store).await;
    hearer.store.enqueue((0..3).map(|_| job()).collect()).await.unwrap();
    // From now on it knows which lanes there are, and does not look at them for a while.
    assert_eq!(claim(&hearer.store, worker, 10).await.len(), 3);
    assert_eq!(claim(&hearer.store, worker, 10).await, []);
    while hinted(&mut hearer.work) {}
    let new = job_of("new");

    teller.enqueue(vec![new.clone()]).await.unwrap();
    hint(&mut hearer.work).await;

    assert_eq!(claim(&hearer.store, worker, 10).await, [new.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_was_not_there_is_found_without_a_notification() {
    let server = Server::new();
    let (enqueuer, claimer) = (server.open_quiet().await, server.open_quiet().await);
    let worker = register(&claimer).await;
    enqueuer.enqueue((0..3).map(|_| job()).collect()).await.unwrap();
    assert_eq!(claim(&claimer, worker, 10).await.len(), 3);
    assert_eq!(claim(&claimer, worker, 10).await, []);
    let new = job_of("new");

    enqueuer.enqueue(vec![new.clone()]).await.unwrap();

    let found = async {
        loop {
            let jobs = claim(&claimer, worker, 10).await;
            if !jobs.is_empty() {
                break jobs;
            }
        }
    };
    assert_eq!(timeout(PATIENCE, found).await.expect("it is found"), [new.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_closed_says_its_last_words_and_leaves() {
    let server = Server::new();
    let (hearer, mut ear) = (server.hearer().await, server.ear().await);
    // The second would have to wait a quarter of a second behind the first.
    hearer.store.enqueue(vec![past_job()]).await.unwrap();
    ear.until(|said| says(said, 'f')).await;
    hearer.store.enqueue(vec![past_job()]).await.unwrap();

    drop(hearer);

    ear.until(|said| says(said, 'f')).await;
    let gone = async { while ear.count("SELECT FROM pg_stat_activity", LISTENERS).await > 0 {} };
    timeout(PATIENCE, gone).await.expect("the listener leaves");
}

/// Those of the listeners that are in this database.
const LISTENERS: &str = "WHERE datname = current_database() AND application_name = 'windlass listener'";

/// A database of its own, where nobody else says anything.
struct Server(Database);

impl Server {
    fn new() -> Self {
        let url = windlass_postgres_testing::shared().expect("a server can be started");
        Self(Database::create(url).expect("a database can be made"))
    }

    async fn open(&self) -> PostgresStore {
        PostgresOptions::new(self.0.url()).open().await.expect("the store opens")
    }

    async fn open_quiet(&self) -> PostgresStore {
        PostgresOptions::new(self.0.url()).notify(false).open().await.expect("the store opens")
    }

    /// A store that listens by now.
    async fn hearer(&self) -> Hearer {
        Hearer::of(self.open().await).await
    }

    /// An attempt, of which nobody heard.
    async fn running_job(&self) -> AttemptToken {
        let quiet = self.open_quiet().await;
        let worker = register(&quiet).await;
        quiet.enqueue(vec![job()]).await.expect("the job is valid");
        let claim = Turn { settlements: Vec::new(), claim: Some(request(worker, 1)) };
        quiet.turn(claim).await.expect("the worker lives").claimed.jobs[0].token
    }

    async fn ear(&self) -> Ear {
        Ear::open(self.0.url()).await
    }
}

/// A store and its hints.
struct Hearer {
    store: PostgresStore,
    work: Signal,
    ended: Signal,
}

impl Hearer {
    async fn of(store: PostgresStore) -> Self {
        let (work, ended) = (store.signals().work(), store.signals().ended());
        let mut hearer = Self { store, work, ended };
        // It tells once it listens, as something may have been missed before.
        hint(&mut hearer.work).await;
        hint(&mut hearer.ended).await;
        hearer
    }
}

/// Hears all that is said on the channel, without being a store.
struct Ear {
    client: Client,
    said: mpsc::Receiver<String>,
    _tasks: JoinSet<()>,
}

impl Ear {
    async fn open(url: &str) -> Self {
        let (client, mut connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
        let (say, said) = mpsc::channel(10_000);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(said) = message {
                    // The test has ended.
                    let _ = say.send(said.payload().to_owned()).await;
                }
            }
        });
        client.batch_execute("LISTEN windlass").await.expect("a channel");
        Self { client, said, _tasks: tasks }
    }

    async fn next(&mut self) -> String {
        let said = timeout(PATIENCE, self.said.recv()).await.expect("something is said");
        said.expect("the server is there")
    }

    /// All that is said before this.
    async fn until(&mut self, is_this: impl Fn(&str) -> bool) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let said = self.next().await;
            if is_this(&said) {
                return all;
            }
            all.push(said);
        }
    }

    async fn say(&self, text: &str) {
        self.client.batch_execute(&format!("NOTIFY windlass, '{text}'")).await.expect("it is said");
    }

    async fn count(&self, what: &str, of: &str) -> usize {
        self.client.query(&format!("{what} {of}"), &[]).await.expect("an answer").len()
    }
}

/// Whether a payload has this letter.
fn says(payload: &str, letter: char) -> bool {
    payload.split_once(' ').is_some_and(|(letters, _)| letters.contains(letter))
}

async fn hint(signal: &mut Signal) {
    timeout(PATIENCE, signal.next()).await.expect("a hint comes");
}

/// Whether there was a hint since the last look.
fn hinted(signal: &mut Signal) -> bool {
    use futures_util::FutureExt;
    signal.next().now_or_never().is_some()
}

fn job() -> NewJob {
    job_of("test")
}

fn job_of(kind: &str) -> NewJob {
    NewJob::new(ids::job_id(), kind.parse().expect("a kind"), Args::Json(Json::null()))
}

/// Due since long before anything else.
fn past_job() -> NewJob {
    let mut job = job();
    job.due = Due::At(Timestamp::MIN.after(Duration::from_secs(1_000)));
    job
}

async fn register(store: &PostgresStore) -> WorkerId {
    let id = ids::worker_id();
    let worker = NewWorker { slots: 10, lease: Duration::from_secs(600), ..NewWorker::new(id, "test") };
    store.register(worker).await.expect("the worker is valid");
    id
}

fn request(worker: WorkerId, limit: u32) -> ClaimRequest {
    ClaimRequest::new(worker, Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any }), limit)
}

async fn claim(store: &PostgresStore, worker: WorkerId, limit: u32) -> Vec<JobId> {
    let turn = Turn { settlements: Vec::new(), claim: Some(request(worker, limit)) };
    let claimed = store.turn(turn).await.expect("the worker lives").claimed;
    claimed.jobs.iter().map(|job| job.token.job).collect()
}

async fn settle(store: &PostgresStore, token: AttemptToken) {
    let settlement = Settlement { token, verdict: Verdict::Succeeded { result: None } };
    let settled = store.turn(Turn { settlements: vec![settlement], claim: None }).await;
    let settled = settled.expect("a turn").settled;
    assert!(settled[0].is_ok());
}
