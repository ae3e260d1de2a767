//! Locks, limits, rates and order keys, from the declaration of a kind to its handler.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Barrier;
use windlass::extract::Fences;
use windlass::model::{Bounds, Lock, LockMode, LockTemplate, Pace};
use windlass::testing::TestQueue;
use windlass::worker::ConfigError;
use windlass::{ErrorKind, Job, JobState, Windlass};

#[derive(Debug, Serialize, Deserialize, Job)]
#[job(kind = "import", lock = "table:{args.table}", lock_shared = "config", output = u64)]
struct Import {
    table: String,
}

#[derive(Debug, Serialize, Deserialize, Job)]
#[job(kind = "guess", lock = "table:{args.tabel}")]
struct Guess {
    table: String,
}

/// A kind that declares what the derive macro would have refused.
#[derive(Debug, Serialize, Deserialize)]
struct Torn {}

impl Job for Torn {
    const KIND: &'static str = "torn";
    const LOCKS: &'static [LockTemplate] = &[
        LockTemplate { resource: "r", mode: LockMode::Exclusive },
        LockTemplate { resource: "r", mode: LockMode::Shared },
    ];
    type Output = ();
}

fn import(table: &str) -> Import {
    Import { table: table.to_owned() }
}

fn field(error: &windlass::Error) -> String {
    match error.kind() {
        ErrorKind::Invalid(invalid) => invalid.field.clone(),
        other => panic!("expected a refusal, not {other:?}"),
    }
}

#[tokio::test]
async fn a_kind_declares_locks_with_fields_of_its_args() {
    let queue = TestQueue::new();

    let enqueued = queue.windlass().enqueue(import("users")).lock(Lock::exclusive("more")).await.unwrap();

    let job = enqueued.handle().job().await.unwrap();
    let expected = [Lock::exclusive("table:users"), Lock::shared("config"), Lock::exclusive("more")];
    assert_eq!(job.options.locks, expected);
}

#[tokio::test]
async fn a_field_that_the_args_do_not_have_is_named() {
    let queue = TestQueue::new();

    let refused = queue.windlass().enqueue(Guess { table: "users".to_owned() }).await.unwrap_err();

    assert_eq!(field(&refused), "locks");
    assert!(refused.to_string().contains("`tabel`"), "{refused}");
}

#[tokio::test]
async fn a_kind_that_needs_a_resource_both_shared_and_alone_is_refused_where_it_is_registered() {
    let built = Windlass::in_memory().worker().queue("default", 1).handle(async |_: Torn| {}).build();

    let refused: ConfigError = built.map(drop).expect_err("a worker cannot have such a kind");
    assert!(refused.to_string().contains("both shared and exclusive"), "{refused}");
}

#[tokio::test]
async fn a_handler_gets_the_numbers_of_what_its_job_holds_alone() {
    async fn handler(_: Import, fences: Fences) -> u64 {
        assert_eq!(fences.get("config"), None);
        fences.get("table:users").unwrap_or(0)
    }
    let windlass = Windlass::in_memory();
    let worker = windlass.worker().queue("default", 2).handle(handler).build().unwrap();
    let running = worker.start();

    let mut numbers = Vec::new();
    for _ in 0..3 {
        let enqueued = windlass.enqueue(import("users")).await.unwrap();
        numbers.push(enqueued.handle().result().await.unwrap());
    }
    running.stop().await;

    assert!(numbers.is_sorted_by(|one, next| one < next) && numbers[0] > 0, "{numbers:?}");
}

#[derive(Debug, Serialize, Deserialize, Job)]
#[job(kind = "count")]
struct Count {}

/// How many jobs run at the same time.
#[derive(Default)]
struct Together {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// Runs jobs with eight slots, and says how many ran at the same time at the most. Each goes on until `full` run beside one
/// another, itself included.
async fn most_at_once(windlass: &Windlass, (jobs, full): (usize, usize)) -> usize {
    let together = Arc::new(Together::default());
    let (running, arrived) = (Arc::clone(&together), Arc::new(Barrier::new(full)));
    let handler = move |_: Count| {
        let (running, arrived) = (Arc::clone(&running), Arc::clone(&arrived));
        async move {
            running.most.fetch_max(running.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            arrived.wait().await;
            running.now.fetch_sub(1, Ordering::SeqCst);
        }
    };
    let worker = windlass.worker().queue("default", 8).handle(handler).build().unwrap().start();
    let mut enqueued = Vec::new();
    for _ in 0..jobs {
        enqueued.push(windlass.enqueue(Count {}).limit("k", 6).await.unwrap().handle());
    }
    for handle in enqueued {
        assert_eq!(handle.wait().await.unwrap().state, JobState::Completed);
    }
    worker.stop().await;
    together.most.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_run_at_a_time_than_the_queue_may() {
    let windlass = Windlass::in_memory();
    windlass.queue("default").limit(2).await.unwrap();

    assert_eq!(most_at_once(&windlass, (30, 2)).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_run_at_a_time_than_their_key_may() {
    let windlass = Windlass::in_memory();

    assert_eq!(most_at_once(&windlass, (30, 6)).await, 6);
}

#[tokio::test]
async fn bounds_are_set_one_by_one() {
    let windlass = Windlass::in_memory();
    let pace = Pace::new(100, Duration::from_secs(60));
    let queue = windlass.queue("mail");

    queue.limit(5).await.unwrap();
    queue.rate(pace).await.unwrap();
    assert_eq!(queue.bounds().await.unwrap(), Bounds { limit: Some(5), rate: Some(pace) });
    queue.unlimited().await.unwrap();
    assert_eq!(queue.bounds().await.unwrap(), Bounds { limit: None, rate: Some(pace) });

    assert_eq!(field(&queue.limit(0).await.unwrap_err()), "limit");
    assert_eq!(field(&windlass.queue("").limit(1).await.unwrap_err()), "queue");
    assert_eq!(field(&windlass.kind("a b").limit(1).await.unwrap_err()), "kind");
}

#[tokio::test]
async fn a_job_says_why_it_does_not_run() {
    let queue = TestQueue::new();
    let windlass = queue.windlass();
    let first = windlass.enqueue(Count {}).order_key("k").await.unwrap();
    let second = windlass
        .enqueue(Count {})
        .order_key("k")
        .rate("api", Pace::new(1, Duration::from_secs(1)))
        .await
        .unwrap();

    let why = second.handle().explain().await.unwrap();

    let told = format!("{:?}", why.obstacles);
    assert!(told.contains(&first.id().to_string()), "{told}");
    assert!(!why.is_next());
}
