//! What a caller gets wrong is refused before anything is written, with the field named.
//!
//! What can't be said with the port's types is refused by the types, and is tested in `windlass_core`: names, tags,
//! texts that are no JSON or no duration. What only a file can be is tested by the stores that have one.

use std::time::Duration;

use windlass_core::limits::{
    CLAIM_BATCH_MAX, DELAY_MAX, ENQUEUE_BATCH_MAX, LEASE_MAX, LEASE_MIN, META_BYTES_MAX, TAGS_MAX,
};
use windlass_core::retry::{Exponential, Step};
use windlass_core::{
    Args, AttemptToken, JobId, JobState, Json, KindName, NewJob, Progress, QueueName, Reason, RetryPolicy, Tag,
    Verdict,
};
use windlass_store::{
    Actor, ClaimRequest, ErrorKind, JobFilter, LeaseTerm, NewWorker, PageRequest, Settlement, Turn,
};

use crate::bench::{
    Bench, MICROSECOND, anything, field_of, line, operator, queue, refused, succeeded, just_before};

cases! {
    a_bad_name_never_reaches_a_store,
    every_fault_of_a_job_is_refused_by_its_field,
    the_first_fault_of_a_batch_is_the_one_told,
    args_may_be_as_large_as_the_limit,
    a_job_at_every_limit_is_taken,
    a_batch_may_be_as_large_as_the_limit,
    a_batch_that_is_too_large_is_refused,
    the_same_id_twice_in_a_batch_is_refused,
    a_claim_of_nothing_or_too_much_is_refused,
    an_impossible_lease_is_refused,
    too_much_progress_is_refused,
    a_checkpoint_that_is_too_large_is_refused,
    a_result_that_is_too_large_fails_the_attempt,
    a_worker_that_could_never_work_is_refused,
    an_actor_without_a_name_is_refused,
    what_is_unknown_is_not_found,
}

async fn a_bad_name_never_reaches_a_store(bench: Bench) {
    let long = "q".repeat(129);
    for name in ["", &long, "a b", "mail'; DROP TABLE job", "%", "ü", "a\u{0}", "-a"] {
        assert_eq!(QueueName::new(name).unwrap_err().field, "queue");
        assert_eq!(KindName::new(name).unwrap_err().field, "kind");
    }
    for tag in ["", "a\nb", &long] {
        assert_eq!(Tag::new(tag).unwrap_err().field, "tags");
    }
    assert_eq!(Args::json("{").unwrap_err().field, "args");
    assert_eq!(Args::json("[".repeat(101) + &"]".repeat(101)).unwrap_err().field, "args");

    let longest = QueueName::new("q".repeat(128)).unwrap();
    let id = bench.enqueue_with(|job| job.queue = longest.clone()).await;
    assert_eq!(bench.job(id).await.queue, longest);
}

/// A field, and a way to get it wrong.
type Fault = (&'static str, fn(&mut NewJob));

fn faults() -> Vec<Fault> {
    fn exponential(factor: f64, jitter: f64) -> RetryPolicy {
        let (base, cap) = (Duration::from_secs(1), Duration::from_secs(2));
        RetryPolicy::Exponential(Exponential { base, factor, cap, jitter })
    }
    vec![
        ("args", |job| job.args = Args::json(format!("\"{}\"", "x".repeat(256 * 1024 - 1))).unwrap()),
        ("args", |job| job.args = Args::Bytes(vec![0; 256 * 1024 + 1].into())),
        ("id", |job| job.id = JobId::from_bytes([0; 16])),
        ("version", |job| job.version = 0),
        ("attempts_max", |job| job.attempts_max = 0),
        ("timeout", |job| job.options.timeout = Some(Duration::ZERO)),
        ("timeout", |job| job.options.timeout = Some(DELAY_MAX + MICROSECOND)),
        ("retry.fixed", |job| job.options.retry = RetryPolicy::Fixed(DELAY_MAX + MICROSECOND)),
        ("retry.list", |job| job.options.retry = RetryPolicy::List(vec![])),
        ("retry.list", |job| job.options.retry = RetryPolicy::List(vec![Step(Duration::MAX)])),
        ("retry.list", |job| job.options.retry = RetryPolicy::List(vec![Step(Duration::ZERO); 65])),
        ("retry.factor", |job| job.options.retry = exponential(0.5, 0.0)),
        ("retry.factor", |job| job.options.retry = exponential(f64::INFINITY, 0.0)),
        ("retry.jitter", |job| job.options.retry = exponential(2.0, 1.1)),
        ("tags", |job| job.options.tags = vec![Tag::new("t").unwrap(); TAGS_MAX + 1]),
        ("meta", |job| {
            job.options.meta = [("k".to_owned(), "x".repeat(META_BYTES_MAX).into())].into();
        }),
        ("submitted_by", |job| job.options.submitted_by = Some("x".repeat(129))),
    ]
}

async fn every_fault_of_a_job_is_refused_by_its_field(bench: Bench) {
    for (field, spoil) in faults() {
        let bad = bench.job_with(spoil);

        assert_eq!(field_of(bench.store.enqueue(vec![bad.clone()]).await), field);
        let batch = vec![bench.new_job(), bad];
        assert_eq!(field_of(bench.store.enqueue(batch).await), format!("jobs[1].{field}"));
    }
    assert_eq!(bench.store.jobs(JobFilter::default(), PageRequest::first(1)).await.unwrap().items, []);
}

async fn the_first_fault_of_a_batch_is_the_one_told(bench: Bench) {
    let good = bench.new_job();
    let bad = bench.job_with(|job| job.version = 0);
    let worse = bench.job_with(|job| job.attempts_max = 0);

    let answer = bench.store.enqueue(vec![good.clone(), bad, worse, good]).await;

    assert_eq!(field_of(answer), "jobs[1].version");
}

async fn args_may_be_as_large_as_the_limit(bench: Bench) {
    let args = Args::Bytes(vec![0xff; 256 * 1024].into());

    let id = bench.enqueue_with(|job| job.args = args.clone()).await;

    assert_eq!(bench.job(id).await.args, args);
    assert_eq!(bench.claim_one().await.args, args);
}

async fn a_job_at_every_limit_is_taken(bench: Bench) {
    let asked = bench.job_with(|job| {
        job.version = u32::MAX;
        job.attempts_max = u32::MAX;
        job.losses_max = u32::MAX;
        job.options.timeout = Some(DELAY_MAX);
        job.options.retry = RetryPolicy::List(vec![Step(DELAY_MAX); 64]);
        job.options.tags = vec![Tag::new("t".repeat(128)).unwrap(); TAGS_MAX];
        job.options.submitted_by = Some("x".repeat(128));
    });

    bench.enqueue(asked.clone()).await;

    let job = bench.job(asked.id).await;
    assert_eq!((job.version, job.attempts_max, job.losses_max), (u32::MAX, u32::MAX, u32::MAX));
    assert_eq!(job.options, asked.options);
}

async fn a_batch_may_be_as_large_as_the_limit(bench: Bench) {
    bench.enqueue_many(ENQUEUE_BATCH_MAX).await;

    let claimed = bench.claim(CLAIM_BATCH_MAX).await;

    assert_eq!(claimed.len(), ENQUEUE_BATCH_MAX);
}

async fn a_batch_that_is_too_large_is_refused(bench: Bench) {
    let batch = vec![bench.new_job(); ENQUEUE_BATCH_MAX + 1];

    assert_eq!(field_of(bench.store.enqueue(batch).await), "jobs");
}

async fn the_same_id_twice_in_a_batch_is_refused(bench: Bench) {
    let (job, known) = (bench.new_job(), bench.new_job());
    bench.enqueue(known.clone()).await;

    let batch = vec![bench.new_job(), job.clone(), job.clone()];
    assert_eq!(field_of(bench.store.enqueue(batch).await), "jobs[2].id");
    assert_eq!(field_of(bench.store.enqueue(vec![known.clone(), known.clone()]).await), "jobs[1].id");

    assert_eq!(bench.claim(10).await.len(), 1);
}

async fn a_claim_of_nothing_or_too_much_is_refused(bench: Bench) {
    bench.enqueue_one().await;
    let worker = bench.worker().await;

    for limit in [0, CLAIM_BATCH_MAX + 1, u32::MAX] {
        let answer = bench.store.claim(ClaimRequest::new(worker, anything(), limit)).await;
        assert_eq!(field_of(answer), "limit");
    }

    let stranger = bench.new_worker().id;
    let answer = bench.store.claim(ClaimRequest::new(stranger, anything(), 0)).await;
    assert_eq!(field_of(answer), "limit", "a wrong question is refused before it is looked into");
}

async fn an_impossible_lease_is_refused(bench: Bench) {
    let id = bench.enqueue_one().await;
    let worker = bench.worker().await;

    for lease in [Duration::ZERO, just_before(LEASE_MIN), LEASE_MAX + MICROSECOND, Duration::MAX] {
        let term = LeaseTerm::Own(lease);
        let claim = ClaimRequest::new(worker, anything(), 1).with_lease(term);
        assert_eq!(field_of(bench.store.claim(claim).await), "lease");
        assert_eq!(field_of(bench.store.claim_job(worker, id, term).await), "lease");
        let impatient = NewWorker { lease, ..bench.new_worker() };
        assert_eq!(field_of(bench.store.register(impatient).await), "lease");
    }
    for lease in [LEASE_MIN, LEASE_MAX] {
        let claim = ClaimRequest::new(worker, anything(), 1).with_lease(LeaseTerm::Own(lease));
        let job = bench.store.claim(claim).await.unwrap().jobs.remove(0);
        assert_eq!(job.lease_until, bench.now().after(lease));
        bench.settle(&job, Verdict::Interrupted).await;
    }
}

async fn too_much_progress_is_refused(bench: Bench) {
    let job = bench.start_one().await;

    for percent in [101, 255] {
        let progress = Progress { percent, message: None };
        assert_eq!(field_of(bench.store.progress(job.token, progress).await), "progress.percent");
    }

    assert_eq!(bench.job(job.id()).await.progress, None);
}

fn json_of_bytes(bytes: usize) -> Json {
    Json::new("json", format!("\"{}\"", "x".repeat(bytes - 2))).unwrap()
}

async fn a_checkpoint_that_is_too_large_is_refused(bench: Bench) {
    let job = bench.start_one().await;
    let largest = json_of_bytes(256 * 1024);
    bench.store.checkpoint(job.token, largest.clone()).await.unwrap();

    let answer = bench.store.checkpoint(job.token, json_of_bytes(256 * 1024 + 1)).await;

    assert_eq!(field_of(answer), "checkpoint");
    assert_eq!(bench.job(job.id()).await.checkpoint, Some(largest));
}

async fn a_result_that_is_too_large_fails_the_attempt(bench: Bench) {
    let result = |bytes| Verdict::Succeeded { result: Some(json_of_bytes(bytes)) };
    let job = bench.start_one().await;

    let settled = bench.settle(&job, result(256 * 1024 + 1)).await;

    assert_eq!((settled.state, settled.reason), (JobState::Retryable, Some(Reason::Error)));
    let failed = bench.job(job.id()).await;
    assert_eq!(failed.result, None);
    assert!(failed.error.unwrap().message.starts_with("the result is 262145 bytes long"));
    let other = bench.start_one().await;
    assert_eq!(bench.settle(&other, result(256 * 1024)).await.state, JobState::Completed);
}

async fn a_worker_that_could_never_work_is_refused(bench: Bench) {
    let good = || bench.new_worker();
    let bad = [
        ("slots", NewWorker { slots: 0, ..good() }),
        ("name", NewWorker { name: "x".repeat(257), ..good() }),
        ("host", NewWorker { host: "a\u{0}b".to_owned(), ..good() }),
        ("version", NewWorker { version: "1\n2".to_owned(), ..good() }),
    ];

    for (field, worker) in bad {
        assert_eq!(field_of(bench.store.register(worker).await), field);
    }

    assert_eq!(bench.store.workers(Duration::ZERO).await.unwrap(), []);
}

async fn an_actor_without_a_name_is_refused(bench: Bench) {
    let id = bench.enqueue_one().await;
    let bad = [
        ("by.name", Actor::new("")),
        ("by.name", Actor::new("x".repeat(129))),
        ("by.name", Actor::new("a\u{1b}[31m")),
        ("by.why", Actor::new("ada").because("x".repeat(1025))),
        ("by.why", Actor::new("ada").because("a\u{0}b")),
    ];

    for (field, by) in bad {
        assert_eq!(field_of(bench.store.cancel(id, by.clone()).await), field);
        assert_eq!(field_of(bench.store.retry(id, by.clone()).await), field);
        assert_eq!(field_of(bench.store.run_now(id, by.clone()).await), field);
        assert_eq!(field_of(bench.store.pause(&queue("default"), by).await), field);
    }

    assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
    assert_eq!(bench.store.queues().await.unwrap()[0].pause, None);
}

async fn what_is_unknown_is_not_found(bench: Bench) {
    let (job, worker) = (bench.fresh_id(), bench.new_worker().id);
    let token = AttemptToken { job, number: 1, nonce: 1 };
    let store = &bench.store;
    let settlements = vec![Settlement { token, verdict: succeeded() }];

    let turned = store.turn(Turn { settlements, claim: None }).await.unwrap();

    assert_eq!(refused(turned.settled.into_iter().next().unwrap()), ErrorKind::NotFound);
    assert_eq!(refused(store.claim_job(worker, job, LeaseTerm::Process).await), ErrorKind::NotFound);
    assert_eq!(refused(store.log(token, vec![line("x")]).await), ErrorKind::NotFound);
    assert_eq!(refused(store.beat(worker).await), ErrorKind::NotFound);
    assert_eq!(refused(store.resume(&queue("nowhere"), operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.cancel(job, operator()).await), ErrorKind::NotFound);
}
