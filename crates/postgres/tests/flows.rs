//! Flows on a server: many who end parents of the same children at once.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use windlass_core::{
    Args, AttemptError, Edge, EdgePolicy, JobId, JobState, KindName, NewJob, RetryPolicy, Verdict,
};
use windlass_postgres::PostgresOptions;
use windlass_store::{
    Actor, ClaimRequest, ErrorKind, Kinds, LeasedJob, NewWorker, Queues, Scope, Settlement, SharedStore,
    Turn, ids,
};

/// How many processes end jobs.
const STORES: usize = 6;

const LEVELS: usize = 8;
const WIDTH: usize = 12;

/// How many jobs of the level before each one waits for.
const PARENTS: usize = 6;

/// How often all of it is done.
const ROUNDS: usize = 3;

/// The longest that all of it may take: a deadlock takes a second before the server ends it, and there are to be none.
const PATIENCE: Duration = Duration::from_secs(60);

async fn open(schema: &str) -> SharedStore {
    let url = windlass_postgres_testing::shared().unwrap();
    Arc::new(PostgresOptions::new(url).schema(schema).open().await.unwrap())
}

/// Levels of jobs, each of which waits for half of those before. Every fifth waits for any end, the others for success; some
/// share an order key besides, so that their ends have more to let go.
fn lattice() -> Vec<NewJob> {
    let mut jobs: Vec<NewJob> = Vec::new();
    for level in 0..LEVELS {
        for place in 0..WIDTH {
            let mut job = NewJob::new(ids::job_id(), KindName::new("step").unwrap(), Args::default());
            job.options.retry = RetryPolicy::Fixed(Duration::from_millis(1));
            job.options.order_key = (place % 4 == 3).then(|| format!("key-{}", place % 8));
            if level > 0 {
                let before = &jobs[(level - 1) * WIDTH..level * WIDTH];
                // In another order for each, so that nothing is locked in the same one by chance.
                let parents = (0..PARENTS).map(|step| before[(place * 7 + step * 5) % WIDTH].id);
                let is_fifth = (level * WIDTH + place).is_multiple_of(5);
                let edge = |parent| if is_fifth { Edge::on_finish(parent) } else { Edge::on_success(parent) };
                job.after = parents.map(edge).collect();
            }
            jobs.push(job);
        }
    }
    jobs
}

/// How a job ends: a few fail for good, and some are tried twice.
fn verdict(place: usize, attempt: u32) -> Verdict {
    let error = || AttemptError::new("as planned");
    match place % 17 {
        7 if place > 2 * WIDTH => Verdict::Fatal { error: error() },
        3 | 11 if attempt == 1 => Verdict::Failed { error: error(), retry_after: None },
        _ => Verdict::Succeeded { result: None },
    }
}

/// Where each job stands among all.
type Places = Arc<BTreeMap<JobId, usize>>;

fn new_worker() -> NewWorker {
    NewWorker {
        id: ids::worker_id(),
        name: "worker".to_owned(),
        host: "host".to_owned(),
        version: "1".to_owned(),
        queues: Queues::Any,
        kinds: Vec::new(),
        slots: 3,
        lease: Duration::from_secs(60),
        owner: None,
    }
}

/// Claims a few and ends them, until all jobs are final. Whoever is told to ask again has met a deadlock.
async fn work(store: SharedStore, places: Places) {
    let worker = new_worker();
    let (id, scope) = (worker.id, Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any }));
    store.register(worker).await.unwrap();
    let (begun, mut settlements) = (Instant::now(), Vec::new());
    while begun.elapsed() < PATIENCE {
        let claim = Some(ClaimRequest::new(id, Arc::clone(&scope), 3));
        let turn = Turn { settlements: std::mem::take(&mut settlements), claim };
        let turned = store.turn(turn).await.unwrap();
        for answer in &turned.settled {
            let cancelled = answer.as_ref().is_err_and(|error| *error.kind() == ErrorKind::Cancelled);
            assert!(answer.is_ok() || cancelled, "{answer:?}");
        }
        let verdict = |job: &LeasedJob| verdict(places[&job.id()], job.attempt);
        let settlement = |job: &LeasedJob| Settlement { token: job.token, verdict: verdict(job) };
        settlements = turned.claimed.jobs.iter().map(settlement).collect();
        if settlements.is_empty() && is_over(&store, places.len()).await {
            return;
        }
    }
    panic!("the jobs are not done");
}

async fn is_over(store: &SharedStore, jobs: usize) -> bool {
    let queues = store.queues().await.unwrap();
    let ended = [JobState::Completed, JobState::Cancelled, JobState::Dead].into_iter();
    let ended: u64 = ended.map(|state| queues.iter().map(|queue| queue.counts.of(state)).sum::<u64>()).sum();
    ended == jobs as u64
}

/// Cancels these while their parents end.
async fn cancel(store: SharedStore, jobs: Vec<JobId>) {
    for id in jobs {
        match store.cancel(id, Actor::new("ada")).await {
            Ok(_) => {}
            Err(error) => assert_eq!(*error.kind(), ErrorKind::Finished, "{error:?}"),
        }
    }
}

/// How many flows are cancelled as a whole while their jobs end.
const FLOWS: usize = 24;

/// A flow whose ids are in the opposite order of its edges, so that whoever locks by ids meets whoever locks from parents to
/// children.
fn backward_flow() -> Vec<NewJob> {
    let mut ids: Vec<JobId> = (0..3 * WIDTH).map(|_| ids::job_id()).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let mut jobs: Vec<NewJob> = Vec::new();
    for (place, id) in ids.into_iter().enumerate() {
        let mut job = NewJob::new(id, KindName::new("step").unwrap(), Args::default());
        if place >= WIDTH {
            let before = &jobs[(place / WIDTH - 1) * WIDTH..place / WIDTH * WIDTH];
            job.after = before.iter().step_by(2).map(|parent| Edge::on_finish(parent.id)).collect();
        }
        jobs.push(job);
    }
    jobs
}

/// Claims and ends jobs until all of them are over. What could not be settled is settled again, as a worker does.
async fn work_on(store: SharedStore, jobs: usize) {
    let worker = new_worker();
    let (id, scope) = (worker.id, Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any }));
    store.register(worker).await.unwrap();
    let (begun, mut settlements) = (Instant::now(), Vec::new());
    while begun.elapsed() < PATIENCE {
        let claim = Some(ClaimRequest::new(id, Arc::clone(&scope), 4));
        let turned = match store.turn(Turn { settlements: settlements.clone(), claim }).await {
            Ok(turned) => turned,
            Err(error) => {
                assert_eq!(*error.kind(), ErrorKind::Conflict, "{error:?}");
                continue;
            }
        };
        let settlement =
            |job: &LeasedJob| Settlement { token: job.token, verdict: Verdict::Succeeded { result: None } };
        settlements = turned.claimed.jobs.iter().map(settlement).collect();
        if settlements.is_empty() && is_over(&store, jobs).await {
            return;
        }
    }
    panic!("the jobs are not done");
}

/// Cancels flows as a whole while their jobs end, from any job of theirs. How many jobs were cancelled.
async fn cancel_flows(store: SharedStore, flows: Vec<Vec<JobId>>, place: usize) -> usize {
    let mut cancelled = 0;
    for flow in flows {
        let answer = store.cancel_flow(flow[place], Actor::new("ada")).await;
        cancelled += answer.expect("whoever ends the jobs meanwhile is no reason to give up").len();
    }
    cancelled
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn flows_are_cancelled_as_a_whole_while_their_jobs_end() {
    let schema = format!("test_{}", ids::job_id().as_uuid().simple());
    let store = open(&schema).await;
    let flows: Vec<Vec<NewJob>> = (0..FLOWS).map(|_| backward_flow()).collect();
    for flow in &flows {
        store.enqueue(flow.clone()).await.unwrap();
    }
    let ids: Vec<Vec<JobId>> = flows.iter().map(|flow| flow.iter().map(|job| job.id).collect()).collect();
    let jobs = FLOWS * 3 * WIDTH;
    let mut stores = Vec::new();
    for _ in 0..STORES + 2 {
        stores.push(open(&schema).await);
    }
    let (mut workers, mut cancellers) = (JoinSet::new(), JoinSet::new());
    // One meets those that are being worked on, the other comes from the far end.
    let backwards = ids.iter().rev().cloned().collect();
    for (flows, place) in [(ids, 0), (backwards, 3 * WIDTH - 1)] {
        cancellers.spawn(cancel_flows(stores.remove(0), flows, place));
    }
    for store in stores {
        workers.spawn(work_on(store, jobs));
    }
    let mut cancelled = 0;
    while let Some(done) = cancellers.join_next().await {
        cancelled += done.unwrap();
    }
    while let Some(done) = workers.join_next().await {
        done.unwrap();
    }

    let counts = store.queues().await.unwrap().remove(0).counts;
    assert_eq!(counts.of(JobState::Cancelled), cancelled as u64, "each was cancelled once, by one of both");
    assert_eq!(counts.of(JobState::Cancelled) + counts.of(JobState::Completed), jobs as u64);
    assert!(cancelled > 0, "nothing was cancelled");
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

/// How each job ends where nobody cancels one.
fn expected(jobs: &[NewJob]) -> BTreeMap<JobId, JobState> {
    let mut ends: BTreeMap<JobId, JobState> = BTreeMap::new();
    for (place, job) in jobs.iter().enumerate() {
        let is_failed =
            |edge: &Edge| edge.policy == EdgePolicy::OnSuccess && ends[&edge.parent] != JobState::Completed;
        let end = match verdict(place, 2) {
            _ if job.after.iter().any(is_failed) => JobState::Cancelled,
            Verdict::Fatal { .. } => JobState::Dead,
            _ => JobState::Completed,
        };
        ends.insert(job.id, end);
    }
    ends
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g13_many_who_end_parents_of_the_same_children_at_once_meet_no_deadlock() {
    for _ in 0..ROUNDS {
        let schema = format!("test_{}", ids::job_id().as_uuid().simple());
        let store = open(&schema).await;
        let jobs = lattice();
        let places: Places = Arc::new(jobs.iter().enumerate().map(|(place, job)| (job.id, place)).collect());
        let leaves = jobs.iter().skip(WIDTH * (LEVELS - 1)).step_by(2).map(|job| job.id);
        let leaves: Vec<JobId> = leaves.collect();
        store.enqueue(jobs.clone()).await.unwrap();
        let mut tasks = JoinSet::new();
        for _ in 0..STORES {
            tasks.spawn(work(open(&schema).await, Arc::clone(&places)));
        }
        tasks.spawn(cancel(open(&schema).await, leaves.clone()));
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }

        for (id, expected) in expected(&jobs) {
            let job = store.job(id).await.unwrap();
            let is_as_expected =
                job.state == expected || leaves.contains(&id) && job.state == JobState::Cancelled;
            assert!(is_as_expected, "{job:?} instead of {expected}");
        }
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    }
}
