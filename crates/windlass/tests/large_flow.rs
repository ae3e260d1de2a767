//! Ten thousand jobs in a hundred levels, each waiting for two of the level before: enqueued in one call, and worked off.
//!
//! Takes its time, and means something only in an optimised build:
//! `cargo test --release -p windlass --test large_flow -- --ignored --nocapture`.

#![expect(clippy::unwrap_used, reason = "a test whose helpers fail has failed")]
#![expect(clippy::print_stdout, reason = "figures are for whoever runs it")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use windlass::Windlass;
use windlass::model::{Args, Edge, JobId, JobState, KindName, NewJob, Verdict, WorkerId};
use windlass::store::{
    ClaimRequest, JobFilter, Kinds, NewWorker, PageRequest, Queues, Scope, Settlement, SharedStore, Turn, ids,
};
use windlass_postgres_testing::Database;

const LEVELS: usize = 100;
const WIDTH: usize = 100;
const ROUNDS: usize = 5;

/// As long as one call may take.
const ENQUEUE_MAX: Duration = Duration::from_secs(2);

/// Diamonds all over.
fn lattice() -> Vec<NewJob> {
    let mut jobs: Vec<NewJob> = Vec::with_capacity(LEVELS * WIDTH);
    for level in 0..LEVELS {
        for place in 0..WIDTH {
            let mut job = NewJob::new(ids::job_id(), KindName::new("step").unwrap(), Args::default());
            job.drawn = true;
            if level > 0 {
                let parent = |place: usize| Edge::on_success(jobs[(level - 1) * WIDTH + place % WIDTH].id);
                job.after = vec![parent(place), parent(place + 1)];
            }
            jobs.push(job);
        }
    }
    jobs
}

async fn register(store: &SharedStore) -> WorkerId {
    let id = ids::worker_id();
    let worker = NewWorker {
        id,
        name: "one".to_owned(),
        host: "here".to_owned(),
        version: "1".to_owned(),
        queues: Queues::Any,
        kinds: Vec::new(),
        slots: 1_000,
        lease: Duration::from_secs(600),
    };
    store.register(worker).await.unwrap();
    id
}

/// Claims and completes until nothing is left; how many jobs there were.
async fn work_off(store: &SharedStore) -> usize {
    let worker = register(store).await;
    let scope = Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any });
    let (mut settlements, mut done) = (Vec::new(), 0);
    loop {
        let claim = Some(ClaimRequest::new(worker, Arc::clone(&scope), 1_000));
        let turned = store.turn(Turn { settlements: std::mem::take(&mut settlements), claim }).await.unwrap();
        assert!(turned.settled.iter().all(Result::is_ok));
        if turned.claimed.jobs.is_empty() {
            return done;
        }
        done += turned.claimed.jobs.len();
        let verdict = |token| Settlement { token, verdict: Verdict::Succeeded { result: None } };
        settlements = turned.claimed.jobs.into_iter().map(|job| verdict(job.token)).collect();
    }
}

async fn count(store: &SharedStore, state: JobState) -> usize {
    let filter = JobFilter { states: vec![state], ..JobFilter::default() };
    let (mut count, mut request) = (0, PageRequest::first(500));
    loop {
        let page = store.jobs(filter.clone(), request).await.unwrap();
        count += page.items.len();
        match page.next {
            Some(next) => request = request.after(Some(next)),
            None => return count,
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

async fn measure(name: &str, windlass: &Windlass) {
    let store = windlass.store();
    let (mut enqueued, mut worked, mut closed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let jobs = lattice();
        let begun = Instant::now();
        store.enqueue(jobs).await.unwrap();
        enqueued.push(begun.elapsed());
        let begun = Instant::now();
        assert_eq!(work_off(store).await, LEVELS * WIDTH);
        worked.push(begun.elapsed());

        let jobs = lattice();
        let first: Vec<JobId> = jobs[..WIDTH].iter().map(|job| job.id).collect();
        store.enqueue(jobs).await.unwrap();
        let begun = Instant::now();
        windlass.cancel(first[0]).await.unwrap();
        closed.push(begun.elapsed());
        windlass.handle::<windlass::Untyped>(first[0]).cancel_flow().await.unwrap();
    }
    assert_eq!(count(store, JobState::Completed).await, ROUNDS * LEVELS * WIDTH);
    assert_eq!(count(store, JobState::Blocked).await, 0);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let (enqueued, worked, closed) = (median(enqueued), median(worked), median(closed));
    println!(
        "{name}: 10,000 jobs with 19,800 edges, medians of {ROUNDS}: enqueued in {enqueued:.2?}, worked off in {worked:.2?}; \
         the end of one closed what depends on it in {closed:.2?}"
    );
    assert!(enqueued <= ENQUEUE_MAX, "{enqueued:?}");
}

#[tokio::test]
#[ignore = "measures: takes a minute, and means something only when it is optimised"]
async fn a_file_takes_ten_thousand_jobs_at_once() {
    let folder = tempfile::tempdir().unwrap();
    measure("SQLite", &Windlass::open(folder.path().join("app.db")).await.unwrap()).await;
}

#[tokio::test]
#[ignore = "measures: takes a minute, and means something only when it is optimised"]
async fn a_database_takes_ten_thousand_jobs_at_once() {
    let database = Database::create(windlass_postgres_testing::shared().unwrap()).unwrap();
    measure("PostgreSQL", &Windlass::open(database.url()).await.unwrap()).await;
}
