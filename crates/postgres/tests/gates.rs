//! Gates on a server, by its own clock: many who claim at once.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use windlass_core::{
    Args, Attempt, JobId, KeyedLimit, KindName, Lock, NewJob, Pace, Rate, Timestamp, Verdict,
};
use windlass_postgres::PostgresOptions;
use windlass_store::{
    ClaimRequest, Kinds, NewWorker, Queues, Scope, Settlement, SharedStore, Turn, Turned, ids,
};

/// How many processes claim.
const STORES: usize = 4;

/// How many jobs they claim.
const JOBS: usize = 40;

const INTERVAL: Duration = Duration::from_millis(20);
const BURST: usize = 2;

async fn open(schema: &str) -> SharedStore {
    let url = windlass_postgres_testing::shared().unwrap();
    Arc::new(PostgresOptions::new(url).schema(schema).open().await.unwrap())
}

fn job(change: impl FnOnce(&mut NewJob)) -> NewJob {
    let mut job = NewJob::new(ids::job_id(), KindName::new("mail").unwrap(), Args::default());
    change(&mut job);
    job
}

/// Claims and completes until all are done.
async fn work(store: SharedStore, jobs: Arc<Vec<JobId>>) {
    let worker = NewWorker {
        id: ids::worker_id(),
        name: "worker".to_owned(),
        host: "host".to_owned(),
        version: "1".to_owned(),
        queues: Queues::Any,
        kinds: Vec::new(),
        slots: 4,
        lease: Duration::from_secs(60),
        owner: None,
    };
    let (id, scope) = (worker.id, Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any }));
    store.register(worker).await.unwrap();
    let (begun, mut settlements) = (Instant::now(), Vec::new());
    while begun.elapsed() < Duration::from_secs(60) {
        let claim = Some(ClaimRequest::new(id, Arc::clone(&scope), 4));
        let turn = Turn { settlements: std::mem::take(&mut settlements), claim };
        let Turned { settled, claimed, .. } = store.turn(turn).await.unwrap();
        assert!(settled.iter().all(Result::is_ok), "{settled:?}");
        settlements = claimed
            .jobs
            .iter()
            .map(|job| Settlement { token: job.token, verdict: Verdict::Succeeded { result: None } })
            .collect();
        if settlements.is_empty() && all_done(&store, &jobs).await {
            return;
        }
    }
    panic!("the jobs are not done");
}

async fn all_done(store: &SharedStore, jobs: &[JobId]) -> bool {
    for id in jobs {
        if !store.job(*id).await.unwrap().state.is_final() {
            return false;
        }
    }
    true
}

/// The only attempt of each job, once several processes have done them all.
async fn attempts(jobs: Vec<NewJob>) -> Vec<Attempt> {
    let schema = format!("test_{}", ids::job_id().as_uuid().simple());
    let store = open(&schema).await;
    let ids: Arc<Vec<JobId>> = Arc::new(jobs.iter().map(|job| job.id).collect());
    store.enqueue(jobs).await.unwrap();
    let mut working = JoinSet::new();
    for _ in 0..STORES {
        working.spawn(work(open(&schema).await, Arc::clone(&ids)));
    }
    while let Some(worked) = working.join_next().await {
        worked.unwrap();
    }
    let mut attempts = Vec::new();
    for id in ids.iter() {
        attempts.extend(store.attempts(*id).await.unwrap());
    }
    assert_eq!(attempts.len(), ids.len());
    attempts.sort_by_key(|attempt| attempt.started_at);
    attempts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g16_a_rate_holds_by_the_time_at_which_jobs_are_said_to_have_started() {
    let pace = Pace::new(1, INTERVAL).with_burst(u32::try_from(BURST).unwrap());
    let rated = |job: &mut NewJob| job.options.rates = vec![Rate { key: "r".to_owned(), pace }];

    let attempts = attempts((0..JOBS).map(|_| job(rated)).collect()).await;

    let starts: Vec<Timestamp> = attempts.iter().map(|attempt| attempt.started_at).collect();
    for (first, from) in starts.iter().enumerate() {
        for (count, until) in (1..).zip(&starts[first..]) {
            let least =
                INTERVAL * u32::try_from(count).unwrap().saturating_sub(u32::try_from(BURST).unwrap());
            assert!(until.since(*from) >= least, "{count} starts in {:?}", until.since(*from));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g12_what_is_held_alone_is_held_by_one_at_any_time_that_is_recorded() {
    let alone = |job: &mut NewJob| job.options.locks = vec![Lock::exclusive("r")];
    let limited = |job: &mut NewJob| job.options.limits = vec![KeyedLimit { key: "l".to_owned(), max: 1 }];

    for jobs in [(0..JOBS).map(|_| job(alone)).collect(), (0..JOBS).map(|_| job(limited)).collect()] {
        let attempts: Vec<Attempt> = attempts(jobs).await;

        for pair in attempts.windows(2) {
            assert!(pair[0].ended_at.unwrap() <= pair[1].started_at, "{pair:?}");
        }
    }
}
