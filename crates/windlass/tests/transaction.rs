//! Jobs in transactions of the program's own, from the enqueue to the end of the handler.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};
use windlass::prelude::*;
use windlass::store::Actor;
use windlass::{ErrorKind, JobState};
use windlass_postgres_testing::Database;

/// Nothing here takes as long; what does is not coming.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "pay", output = i64)]
struct Pay {
    cents: i64,
    ending: Ending,
}

/// What a handler does once it has written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Ending {
    /// Completes in its transaction, and commits.
    Commits,
    /// The same, and then fails all the same.
    CommitsAndFails,
    /// Completes in its transaction, and rolls back.
    RollsBack,
    /// Is cancelled before it completes.
    IsCancelled,
}

/// What handlers share.
#[derive(Clone)]
struct App {
    windlass: Windlass,
    client: Arc<Mutex<Client>>,
}

async fn pay(job: Pay, cx: JobCx, State(app): State<App>) -> Result<i64, JobError> {
    let mut client = app.client.lock().await;
    let mut tx = client.transaction().await?;
    tx.execute("INSERT INTO public.payment VALUES ($1)", &[&job.cents]).await?;
    if job.ending == Ending::IsCancelled {
        let by_ada = app.windlass.clone().acting_as(Actor::new("ada"));
        by_ada.cancel(cx.id()).await?;
    }
    app.windlass.complete_in_tx(&mut tx, &cx, &job.cents).await?;
    match job.ending {
        Ending::RollsBack => Err(JobError::new("no answer from the bank").into_fatal()),
        Ending::CommitsAndFails => {
            tx.commit().await?;
            Err(JobError::new("could not say so").into_fatal())
        }
        _ => {
            tx.commit().await?;
            Ok(job.cents)
        }
    }
}

/// A queue in a database of its own, with a table `payment`.
struct Scene {
    /// Dropped with the scene.
    _database: Database,
    app: App,
    _connection: JoinSet<()>,
}

impl Scene {
    async fn new() -> Self {
        let url = windlass_postgres_testing::shared().expect("a server can be started");
        let database = Database::create(url).expect("a database can be made");
        let (client, connection) =
            tokio_postgres::connect(database.url(), NoTls).await.expect("the server answers");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { drop(connection.await) });
        let table = "CREATE TABLE public.payment (cents bigint NOT NULL)";
        client.batch_execute(table).await.expect("a table can be made");
        let windlass = Windlass::open(database.url()).await.expect("the queue opens");
        let app = App { windlass, client: Arc::new(Mutex::new(client)) };
        Self { _database: database, app, _connection: tasks }
    }

    /// Runs one job to its end. Its state, how many payments there are, and how many ends of attempts were stored and were
    /// lost.
    async fn run(&self, ending: Ending) -> (JobState, i64, (u64, u64)) {
        let windlass = &self.app.windlass;
        let worker = windlass.worker().queue("default", 1).state(self.app.clone()).handle(pay).build();
        let running = worker.expect("the worker is put together").start();
        let handle = windlass.enqueue(Pay { cents: 7, ending }).await.expect("it is enqueued").handle();
        let job = tokio::time::timeout(PATIENCE, handle.wait()).await.expect("it ends").expect("it is there");
        let report = running.stop().await;
        (job.state, self.payments().await, (report.settled, report.lost))
    }

    async fn payments(&self) -> i64 {
        let client = self.app.client.lock().await;
        let count = client.query_one("SELECT count(*) FROM public.payment", &[]).await;
        count.expect("rows can be counted").get(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_handler_commits_with_its_job_is_not_settled_again() {
    let scene = Scene::new().await;

    assert_eq!(scene.run(Ending::Commits).await, (JobState::Completed, 1, (1, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_after_the_commit_changes_nothing() {
    let scene = Scene::new().await;

    assert_eq!(scene.run(Ending::CommitsAndFails).await, (JobState::Completed, 1, (1, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_rolls_back_is_judged_by_what_it_returns() {
    let scene = Scene::new().await;

    assert_eq!(scene.run(Ending::RollsBack).await, (JobState::Dead, 0, (1, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_meanwhile_has_no_effects() {
    let scene = Scene::new().await;

    let (state, payments, _) = scene.run(Ending::IsCancelled).await;

    assert_eq!((state, payments), (JobState::Cancelled, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_enqueued_if_and_only_if_the_transaction_commits() {
    let scene = Scene::new().await;
    let windlass = &scene.app.windlass;
    let pay = || Pay { cents: 7, ending: Ending::Commits };
    let mut client = scene.app.client.lock().await;

    let mut tx = client.transaction().await.unwrap();
    let kept = windlass.enqueue(pay()).queue("money").in_tx(&mut tx).await.unwrap();
    let many = windlass.enqueue_many([pay(), pay()]).in_tx(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    windlass.committed();
    let mut tx = client.transaction().await.unwrap();
    let gone = windlass.enqueue(pay()).in_tx(&mut tx).await.unwrap();
    tx.rollback().await.unwrap();

    let job = kept.handle().job().await.unwrap();
    assert_eq!((job.queue.as_str(), job.state, many.len()), ("money", JobState::Ready, 2));
    assert_eq!(*gone.handle().state().await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_elsewhere_says_so() {
    let scene = Scene::new().await;
    let elsewhere = Windlass::in_memory();
    let mut client = scene.app.client.lock().await;
    let mut tx = client.transaction().await.unwrap();

    let answer = elsewhere.enqueue(Pay { cents: 7, ending: Ending::Commits }).in_tx(&mut tx).await;

    let error = answer.map(|_| ()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Invalid(invalid) if invalid.field == "tx"), "{error}");
}
