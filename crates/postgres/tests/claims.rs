//! Claims of several processes, which know of each other only by the server, and are told nothing.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use uuid::Uuid;
use windlass_core::job::Due;
use windlass_core::{Args, Json, Lock, NewJob, Timestamp, Verdict, WorkerId};
use windlass_postgres::{PostgresOptions, PostgresStore};
use windlass_postgres_testing::Database;
use windlass_store::{
    ClaimRequest, JobStore, Kinds, LeaseStore, LeasedJob, NewWorker, Queues, Scope, Settlement, Turn,
    WorkerStore, ids,
};

/// How long to wait for what is sure to come.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_to_lie_before_claims_of_two_processes_is_found() {
    let server = Server::new();
    let claimers = [server.claimer().await, server.claimer().await];
    let first = jobs(40);
    let past: Vec<NewJob> = jobs(10).into_iter().map(due_long_ago).collect();
    claimers[0].store.enqueue(first.clone()).await.unwrap();
    let mut found = Vec::new();
    while found.len() < 20 {
        claim_in_turn(&claimers, &mut found).await;
    }

    server.open().await.enqueue(past.clone()).await.unwrap();

    let all = async {
        while found.len() < 50 {
            claim_in_turn(&claimers, &mut found).await;
        }
    };
    timeout(PATIENCE, all).await.expect("every job is found");
    found.sort_unstable();
    let mut all: Vec<Uuid> = first.iter().chain(&past).map(id).collect();
    all.sort_unstable();
    assert_eq!(found, all, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_goes_on_where_that_of_another_has_come_to() {
    let server = Server::new();
    let Claimer { store, worker } = server.claimer().await;
    let jobs = jobs(6);
    store.enqueue(jobs.clone()).await.unwrap();
    let claims = Claims::prepare(server.0.url(), worker).await;
    let ids = |jobs: &[NewJob]| jobs.iter().map(id).collect::<Vec<_>>();
    assert_eq!(claims.claim_two(1, true).await, ids(&jobs[..2]), "nobody has claimed");
    let past = due_long_ago(job());
    store.enqueue(vec![past.clone()]).await.unwrap();

    assert_eq!(claims.claim_two(2, true).await, ids(&jobs[2..4]));
    assert_eq!(claims.claim_two(3, false).await, ids(&[jobs[4].clone(), past]));
    assert_eq!(claims.claim_two(4, true).await, ids(&jobs[5..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_passes_by_what_another_has_in_hand_and_only_as_long_as_it_has() {
    let server = Server::new();
    let Claimer { store, worker } = server.claimer().await;
    let jobs = jobs(8);
    store.enqueue(jobs.clone()).await.unwrap();
    let claims = Claims::prepare(server.0.url(), worker).await;
    let ids = |places: [usize; 2]| places.map(|place| id(&jobs[place])).to_vec();
    let (old, other) = (Session::open(server.0.url()).await, Session::open(server.0.url()).await);
    let lock = |place: usize| {
        format!("BEGIN; SELECT FROM windlass.job WHERE id = '{}' FOR UPDATE", id(&jobs[place]))
    };
    old.client.batch_execute(&lock(0)).await.unwrap();
    other.client.batch_execute(&lock(1)).await.unwrap();

    assert_eq!(claims.claim_two(1, true).await, ids([2, 3]));
    other.client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(claims.claim_two(2, false).await, ids([1, 4]), "what failed has it in hand no more");
    let one = format!("id = '{}'", id(&jobs[5]));
    let change = format!("{}; UPDATE windlass.job SET revision = revision + 1 WHERE {one}; COMMIT", lock(5));
    other.client.batch_execute(&change).await.unwrap();
    let marked = format!("SELECT FROM windlass.job WHERE {one} AND xmax <> '0'");
    assert_eq!(other.client.query(&marked, &[]).await.unwrap().len(), 1, "by what locked it first");
    assert_eq!(claims.claim_two(3, true).await, ids([5, 6]), "though what began before goes on");
    old.client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(claims.claim_two(4, false).await, ids([0, 7]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_claimed_and_is_over_is_forgotten_with_the_next_ends() {
    for locks in [Vec::new(), vec![Lock::exclusive("a")]] {
        let server = Server::new();
        let claimer = server.claimer().await;
        let of_locks = |mut job: NewJob| {
            job.options.locks.clone_from(&locks);
            job
        };
        claimer.store.enqueue(jobs(6).into_iter().map(of_locks).collect()).await.unwrap();
        let mut running = Vec::new();
        for _ in 0..6 {
            running = claimer.turn(running, 1).await;
            assert_eq!(running.len(), 1);
        }

        let session = Session::open(server.0.url()).await;
        let kept = session.client.query_one("SELECT count(*) FROM windlass.claim", &[]).await.unwrap();
        assert_eq!(kept.get::<_, i64>(0), 2, "what runs, and what ended with the last claim");
    }
}

async fn claim_in_turn(claimers: &[Claimer], found: &mut Vec<Uuid>) {
    for claimer in claimers {
        found.extend(claimer.claim(2).await);
    }
}

/// A database of its own.
struct Server(Database);

impl Server {
    fn new() -> Self {
        let url = windlass_postgres_testing::shared().expect("a server can be started");
        Self(Database::create(url).expect("a database can be made"))
    }

    async fn open(&self) -> PostgresStore {
        PostgresOptions::new(self.0.url()).notify(false).open().await.expect("the store opens")
    }

    async fn claimer(&self) -> Claimer {
        let (store, worker) = (self.open().await, ids::worker_id());
        let lease = Duration::from_secs(600);
        store.register(NewWorker { slots: 10, lease, ..NewWorker::new(worker, "test") }).await.unwrap();
        Claimer { store, worker }
    }
}

/// A process that claims.
struct Claimer {
    store: PostgresStore,
    worker: WorkerId,
}

impl Claimer {
    async fn claim(&self, limit: u32) -> Vec<Uuid> {
        self.turn(Vec::new(), limit).await.iter().map(|job| job.token.job.as_uuid()).collect()
    }

    /// Completes jobs and claims others.
    async fn turn(&self, running: Vec<LeasedJob>, limit: u32) -> Vec<LeasedJob> {
        let scope = Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any });
        let claim = Some(ClaimRequest::new(self.worker, scope, limit));
        let well = || Verdict::Succeeded { result: None };
        let settlements = running.iter().map(|job| Settlement { token: job.token, verdict: well() });
        let turn = Turn { settlements: settlements.collect(), claim };
        self.store.turn(turn).await.unwrap().claimed.jobs
    }
}

/// A connection that is nobody's store.
struct Session {
    client: Client,
    _tasks: JoinSet<()>,
}

impl Session {
    async fn open(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { drop(connection.await) });
        Self { client, _tasks: tasks }
    }
}

/// The statement itself, from floors before everything.
struct Claims {
    session: Session,
    worker: Uuid,
    lane: i32,
}

impl Claims {
    async fn prepare(url: &str, worker: WorkerId) -> Self {
        let session = Session::open(url).await;
        let types = "timestamptz, uuid, integer, bigint, bigint, timestamptz[], bigint[], boolean[]";
        let statement = include_str!("../sql/lease/claim_lane.sql");
        session.client.batch_execute(&format!("PREPARE claim ({types}) AS {statement}")).await.unwrap();
        let lane = session.client.query_one("SELECT id FROM windlass.lane", &[]).await.unwrap().get(0);
        Self { session, worker: worker.as_uuid(), lane }
    }

    /// The ids of up to two jobs, sorted.
    async fn claim_two(&self, nonce: u8, follows: bool) -> Vec<Uuid> {
        let execute = format!(
            "EXECUTE claim (NULL, '{}', {}, 2, {nonce}, array_fill('1960-01-01'::timestamptz, ARRAY[6]),
                array_fill(0::bigint, ARRAY[6]), array_fill({follows}, ARRAY[6]))",
            self.worker, self.lane
        );
        let messages = self.session.client.simple_query(&execute).await.unwrap();
        let mut ids: Vec<Uuid> = messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
                _ => None,
            })
            .collect();
        ids.sort_unstable();
        ids
    }
}

fn job() -> NewJob {
    NewJob::new(ids::job_id(), "test".parse().expect("a kind"), Args::Json(Json::null()))
}

fn jobs(count: usize) -> Vec<NewJob> {
    (0..count).map(|_| job()).collect()
}

/// Before anything else.
fn due_long_ago(mut job: NewJob) -> NewJob {
    job.due = Due::At(Timestamp::MIN.after(Duration::from_secs(1_000)));
    job
}

fn id(job: &NewJob) -> Uuid {
    job.id.as_uuid()
}
