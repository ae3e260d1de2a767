//! Jobs that use what most do not, beside jobs that do not; and what those that cannot run cost the others.

use std::sync::Arc;

use windlass_core::{Args, Edge, KeyedLimit, Lock, NewJob, QueueName, Unique};
use windlass_store::{Actor, ClaimRequest, Kinds, Queues, Scope, SharedStore, Turn, ids};

use crate::figures::{Figure, Wanted, median};
use crate::turns;

/// Locks and limits of a figure, one for each job in turn.
const KEYS: usize = 1_000;

/// Jobs of one batch that is enqueued.
const BATCH: usize = 1_000;

/// What every job of a figure asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// Nothing.
    Plain,
    /// One of a thousand locks.
    Lock,
    /// One of a thousand limits, three at a time.
    Limit,
    /// A unique key of its own.
    Unique,
    /// Every second job waits for the one before it.
    Parent,
}

impl Feature {
    /// So many jobs, in the order of their enqueue.
    pub(crate) fn jobs(self, count: usize) -> Vec<NewJob> {
        let mut jobs: Vec<NewJob> = Vec::with_capacity(count);
        for index in 0..count {
            let mut job = job();
            match self {
                Self::Plain => {}
                Self::Lock => job.options.locks.push(Lock::exclusive(key(index))),
                Self::Limit => job.options.limits.push(KeyedLimit { key: key(index), max: 3 }),
                Self::Unique => job.options.unique = Some(Unique::key(format!("wish-{index}"))),
                Self::Parent => {
                    let parent = jobs.last().filter(|_| index % 2 == 1);
                    job.after.extend(parent.map(|parent| Edge::on_success(parent.id)));
                }
            }
            jobs.push(job);
        }
        jobs
    }
}

fn key(index: usize) -> String {
    format!("resource-{}", index % KEYS)
}

/// A job that does nothing, with an id of its own.
pub(crate) fn job() -> NewJob {
    let args = Args::json(r#"{"to":"ada@example.org","n":1}"#).expect("good args");
    let mut job = NewJob::new(ids::job_id(), turns::kind(), args);
    job.drawn = true;
    job
}

/// Enqueues jobs, a batch after the other.
pub(crate) async fn enqueue(store: &SharedStore, jobs: Vec<NewJob>) {
    let mut jobs = jobs.into_iter().peekable();
    while jobs.peek().is_some() {
        let batch = jobs.by_ref().take(BATCH).collect();
        let _ = store.enqueue(batch).await.expect("enqueued");
    }
}

/// How quickly jobs came and went, in jobs a second.
#[derive(Clone, Copy)]
pub(crate) struct Passed {
    pub(crate) enqueued: f64,
    pub(crate) drained: f64,
}

type Rate = fn(&Passed) -> f64;

const ENQUEUED: Rate = |passed| passed.enqueued;
const DRAINED: Rate = |passed| passed.drained;

/// What is measured of each feature, and which part of the rate of plain jobs is wanted.
const MEASURED: [(Feature, &str, Rate, f64); 6] = [
    (Feature::Lock, "drain with a lock each, jobs/s", DRAINED, 0.3),
    (Feature::Limit, "drain with a limit each, jobs/s", DRAINED, 0.3),
    (Feature::Parent, "drain with a parent each, jobs/s", DRAINED, 0.4),
    (Feature::Parent, "enqueue with a parent each, jobs/s", ENQUEUED, 0.4),
    (Feature::Unique, "drain with a unique key each, jobs/s", DRAINED, 0.7),
    (Feature::Unique, "enqueue with a unique key each, jobs/s", ENQUEUED, 0.7),
];

/// Each feature beside plain jobs; `pass` enqueues jobs and works them off.
pub(crate) fn figures(
    runs: usize,
    wants: impl Fn(&str) -> bool,
    mut pass: impl FnMut(Feature) -> Passed,
) -> Vec<Figure> {
    let asked: Vec<_> = MEASURED.into_iter().filter(|(_, name, ..)| wants(name)).collect();
    let mut features: Vec<Feature> = asked.iter().map(|(feature, ..)| *feature).collect();
    features.dedup();
    let rounds: Vec<Vec<(Feature, Passed)>> = (0..if features.is_empty() { 0 } else { runs })
        .map(|_| [Feature::Plain].iter().chain(&features).map(|feature| (*feature, pass(*feature))).collect())
        .collect();
    let of = |wanted: Feature, rate: Rate| {
        let all = rounds.iter().flatten().filter(|(feature, _)| *feature == wanted);
        median(all.map(|(_, passed)| rate(passed)).collect())
    };
    let figure = |(feature, name, rate, least): (Feature, &'static str, Rate, f64)| Figure {
        name,
        ours: of(feature, rate),
        against: of(Feature::Plain, rate),
        beside: "plain jobs",
        wanted: Wanted::AtLeast(least),
    };
    asked.into_iter().map(figure).collect()
}

/// Why jobs of another queue cannot run.
#[derive(Clone, Copy)]
pub(crate) enum Block {
    /// One of them has the lock that all want.
    Lock,
    /// One of them takes the only place of a limit.
    Limit,
    /// One of them has its turn.
    Order,
    /// Their queue is paused.
    Pause,
}

/// All of them, with their names in the report.
const BLOCKS: [(Block, &str); 4] = [
    (Block::Lock, "turns beside 10,000 behind a lock, jobs/s"),
    (Block::Limit, "turns beside 10,000 behind a limit, jobs/s"),
    (Block::Order, "turns beside 10,000 of an order key, jobs/s"),
    (Block::Pause, "turns beside 10,000 of a paused queue, jobs/s"),
];

/// Jobs that cannot run.
const BLOCKED: usize = 10_000;

impl Block {
    /// Fills a queue with jobs that cannot run, and lets a worker come across them.
    pub(crate) async fn fill(self, store: &SharedStore) {
        let queue = QueueName::new("blocked").expect("a good name");
        let jobs = (0..=BLOCKED).map(|_| self.job(&queue)).collect();
        enqueue(store, jobs).await;
        if matches!(self, Self::Pause) {
            let by = Actor::new("bench");
            return store.pause(&queue, by).await.expect("paused");
        }
        let worker = turns::register(store).await;
        let scope = Arc::new(Scope { queues: Queues::Only(vec![queue]), kinds: Kinds::Any });
        let mut held = 0;
        loop {
            let claim = Some(ClaimRequest::new(worker, Arc::clone(&scope), 100));
            let turned = store.turn(Turn { settlements: Vec::new(), claim }).await.expect("a turn");
            held += turned.claimed.jobs.len();
            if turned.claimed.jobs.is_empty() && turned.claimed.next_due.is_none() {
                break;
            }
        }
        assert_eq!(held, 1, "one of them runs, and the others wait for it");
    }

    fn job(self, queue: &QueueName) -> NewJob {
        let mut job = job();
        job.queue = queue.clone();
        match self {
            Self::Lock => job.options.locks.push(Lock::exclusive("one")),
            Self::Limit => job.options.limits.push(KeyedLimit { key: "one".into(), max: 1 }),
            Self::Order => job.options.order_key = Some("one".into()),
            Self::Pause => {}
        }
        job
    }
}

/// The turns of others beside jobs that cannot run; `turn_over` works off a queue, in jobs a second.
pub(crate) fn blocked(
    runs: usize,
    wants: impl Fn(&str) -> bool,
    mut turn_over: impl FnMut(Option<Block>) -> f64,
) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (block, name) in BLOCKS.into_iter().filter(|(_, name)| wants(name)) {
        let pairs: Vec<(f64, f64)> = (0..runs).map(|_| (turn_over(None), turn_over(Some(block)))).collect();
        figures.push(Figure {
            name,
            ours: median(pairs.iter().map(|pair| pair.1).collect()),
            against: median(pairs.iter().map(|pair| pair.0).collect()),
            beside: "without them",
            wanted: Wanted::AtLeast(0.95),
        });
    }
    figures
}
