//! Jobs become known.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use windlass_core::retry::Exponential;
use windlass_core::{Args, Due, Job, JobOptions, JobState, Json, NewJob, Priority, Reason, RetryPolicy, Tag, Timestamp};
use windlass_store::{Durability, EnqueueOutcome, Enqueued, JobFilter, LeasedJob, PageRequest};

use crate::bench::{Bench, anything, ids_of, LEASE, MICROSECOND, at_once, field_of, kind, queue, just_before};

cases! {
    g01_an_acknowledged_job_survives_the_store_that_took_it,
    a_new_job_has_the_defaults_of_the_contract,
    everything_that_was_asked_for_reads_back,
    args_come_back_byte_for_byte,
    args_of_other_forms_than_json_come_back_byte_for_byte,
    a_batch_with_one_fault_stores_nothing,
    a_batch_answers_in_its_own_order,
    an_empty_batch_has_an_empty_answer,
    g02_repeating_an_id_answers_what_happened_the_first_time,
    a_repeated_id_leaves_the_job_as_it_is,
    a_batch_may_repeat_some_and_add_others,
    a_repeated_id_of_a_finished_job_starts_nothing,
    a_job_for_later_is_scheduled_until_it_is_due,
    a_job_due_in_the_past_is_ready_at_once,
    the_farthest_future_can_be_stored,
    an_enqueue_hints_at_work,
    the_same_id_enqueued_by_many_at_once_makes_one_job,
    many_who_enqueue_at_once_lose_nothing,
    a_call_that_was_dropped_can_be_repeated,
}

async fn g01_an_acknowledged_job_survives_the_store_that_took_it(bench: Bench) {
    let id = bench.enqueue_one().await;
    let job = bench.job(id).await;

    let reopened = bench.reopened().await;

    let durability = bench.store.status().await.unwrap().durability;
    assert_eq!(reopened.is_none(), durability == Durability::Volatile, "a store says what it survives");
    if let Some(reopened) = reopened {
        assert_eq!(reopened.job(id).await.unwrap(), job);
    }
}

async fn a_new_job_has_the_defaults_of_the_contract(bench: Bench) {
    let asked = bench.new_job();

    bench.enqueue(asked.clone()).await;

    let expected = Job {
        id: asked.id,
        kind: kind("mail"),
        version: 1,
        queue: queue("default"),
        state: JobState::Ready,
        reason: None,
        phase: windlass_core::Phase::Run,
        priority: Priority::Normal,
        args: Args::json("null").unwrap(),
        attempt: 0,
        attempts_max: 8,
        losses: 0,
        losses_max: 2,
        run_at: bench.now(),
        deadline: None,
        options: JobOptions::default(),
        progress: None,
        checkpoint: None,
        result: None,
        error: None,
        worker: None,
        created_at: bench.now(),
        started_at: None,
        finished_at: None,
        revision: 1,
    };
    assert_eq!(bench.job(asked.id).await, expected);
    assert_eq!(bench.attempts(asked.id).await, []);
    assert_eq!(bench.log_lines(asked.id).await, []);
    assert_eq!(bench.store.events(asked.id).await.unwrap(), []);
}

/// A job that asks for everything there is.
fn demanding(job: &mut NewJob) {
    job.kind = kind("fish/v2:Grosse");
    job.version = 7;
    job.queue = queue("SyncThing");
    job.args = Args::json(r#"{"n":7,"s":"🐠"}"#).unwrap();
    job.priority = Priority::Critical;
    job.due = Due::In(Duration::from_secs(60));
    job.deadline = Some(Due::In(Duration::from_secs(3600)));
    job.attempts_max = 3;
    job.losses_max = 0;
    job.options.timeout = Some(Duration::from_millis(1500));
    job.options.retry = RetryPolicy::Exponential(Exponential {
        base: Duration::from_secs(3),
        factor: 1.5,
        cap: Duration::from_secs(90),
        jitter: 0.25,
    });
    job.options.tags = vec![Tag::new("Größe: 12 €").unwrap(), Tag::new("b").unwrap()];
    job.options.meta = [("tenant".to_owned(), serde_json::json!({"id": 9}))].into();
    job.options.submitted_by = Some("grace".to_owned());
}

async fn everything_that_was_asked_for_reads_back(bench: Bench) {
    let asked = bench.job_with(demanding);

    bench.enqueue(asked.clone()).await;

    let job = bench.job(asked.id).await;
    let now = bench.now();
    assert_eq!((job.kind, job.version, job.queue), (asked.kind, asked.version, asked.queue));
    assert_eq!((job.args, job.priority), (asked.args, asked.priority));
    assert_eq!((job.attempts_max, job.losses_max), (asked.attempts_max, asked.losses_max));
    assert_eq!(job.run_at, now.after(Duration::from_secs(60)));
    assert_eq!(job.deadline, Some(now.after(Duration::from_secs(3600))));
    assert_eq!(job.options, asked.options);
}

async fn args_come_back_byte_for_byte(bench: Bench) {
    let texts = [
        "null",
        "{}",
        r#"{"a\u0000b":"\u0000"}"#,
        "9007199254740993",
        "-0",
        "1e400",
        "1.10",
        r#"{"b":1,"a":2,"b":3}"#,
        r#""\ud800""#,
        " [ 1 ,\t2 ] ",
        r#"{"nested":{"deep":[{"🐠":"é"}]}}"#,
    ];
    let jobs: Vec<NewJob> =
        texts.iter().map(|text| bench.job_with(|job| job.args = Args::json(*text).unwrap())).collect();
    let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();

    bench.store.enqueue(jobs).await.unwrap();

    let kept = texts.map(|text| Args::Json(bench.kept(&Json::new("args", text).unwrap())));
    for (id, kept) in ids.iter().zip(&kept) {
        assert_eq!(bench.job(*id).await.args, *kept);
    }
    let claimed = bench.claim(100).await;
    let claimed: Vec<&[u8]> = claimed.iter().map(|job| job.args.as_bytes()).collect();
    assert_eq!(claimed, kept.each_ref().map(Args::as_bytes));
}

async fn args_of_other_forms_than_json_come_back_byte_for_byte(bench: Bench) {
    for bytes in [Bytes::new(), Bytes::from_static(b"null"), (0..=255_u8).collect()] {
        let args = Args::Bytes(bytes);

        let id = bench.enqueue_with(|job| job.args = args.clone()).await;

        assert_eq!(bench.job(id).await.args, args);
        assert_eq!(bench.claim_one().await.args, args);
    }
}

async fn a_batch_with_one_fault_stores_nothing(bench: Bench) {
    let good = bench.new_job();
    let bad = bench.job_with(|job| job.attempts_max = 0);

    let answer = bench.store.enqueue(vec![good, bad]).await;

    assert_eq!(field_of(answer), "jobs[1].attempts_max");
    assert_eq!(bench.store.jobs(JobFilter::default(), PageRequest::first(10)).await.unwrap().items, []);
    assert_eq!(bench.store.queues().await.unwrap(), []);
}

async fn a_batch_answers_in_its_own_order(bench: Bench) {
    let jobs = [5, 1, 3].map(|priority| {
        bench.job_with(|job| job.priority = Priority::from_number(priority).unwrap())
    });
    let ids = jobs.clone().map(|job| job.id);

    let enqueued = bench.store.enqueue(jobs.to_vec()).await.unwrap();

    let created = ids.map(|id| Enqueued { id, outcome: EnqueueOutcome::Created, repeated: false });
    assert_eq!(enqueued, created);
}

async fn an_empty_batch_has_an_empty_answer(bench: Bench) {
    assert_eq!(bench.store.enqueue(vec![]).await.unwrap(), []);
}

async fn g02_repeating_an_id_answers_what_happened_the_first_time(bench: Bench) {
    let job = bench.new_job();
    bench.enqueue(job.clone()).await;
    bench.advance(LEASE);

    let again = bench.store.enqueue(vec![job.clone()]).await.unwrap();

    assert_eq!(again, [Enqueued { id: job.id, outcome: EnqueueOutcome::Created, repeated: true }]);
}

async fn a_repeated_id_leaves_the_job_as_it_is(bench: Bench) {
    let mut job = bench.new_job();
    bench.enqueue(job.clone()).await;
    let before = bench.job(job.id).await;
    job.queue = queue("elsewhere");
    job.priority = Priority::Critical;
    job.args = Args::json("1").unwrap();

    bench.enqueue(job.clone()).await;

    assert_eq!(bench.job(job.id).await, before);
    assert_eq!(bench.store.queues().await.unwrap().len(), 1, "the other queue was not made");
}

async fn a_batch_may_repeat_some_and_add_others(bench: Bench) {
    let (known, new) = (bench.new_job(), bench.new_job());
    bench.enqueue(known.clone()).await;

    let enqueued = bench.store.enqueue(vec![new.clone(), known.clone()]).await.unwrap();

    let repeated: Vec<_> = enqueued.iter().map(|one| (one.id, one.repeated)).collect();
    assert_eq!(repeated, [(new.id, false), (known.id, true)]);
    assert_eq!(bench.claim(10).await.len(), 2);
}

async fn a_repeated_id_of_a_finished_job_starts_nothing(bench: Bench) {
    let job = bench.new_job();
    bench.enqueue(job.clone()).await;
    bench.cancel(job.id).await;

    let again = bench.store.enqueue(vec![job.clone()]).await.unwrap();

    assert!(again[0].repeated);
    assert_eq!(bench.claim(10).await, []);
}

async fn a_job_for_later_is_scheduled_until_it_is_due(bench: Bench) {
    let id = bench.enqueue_with(|job| job.due = Due::In(LEASE)).await;

    bench.advance(just_before(LEASE));
    assert_eq!(bench.state_of(id).await, (JobState::Scheduled, Some(Reason::Delay)));

    bench.advance(MICROSECOND);
    assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
}

async fn a_job_due_in_the_past_is_ready_at_once(bench: Bench) {
    let past = bench.now().before(LEASE);

    let id = bench.enqueue_with(|job| job.due = Due::At(past)).await;

    let job = bench.job(id).await;
    assert_eq!((job.state, job.run_at), (JobState::Ready, past));
    assert_eq!(bench.claim_one().await.id(), id);
}

async fn the_farthest_future_can_be_stored(bench: Bench) {
    let never = bench.enqueue_with(|job| job.due = Due::In(Duration::MAX)).await;
    let first = bench.enqueue_with(|job| job.due = Due::At(Timestamp::MIN)).await;

    assert_eq!(bench.job(never).await.run_at, Timestamp::MAX);
    assert_eq!(bench.job(first).await.run_at, Timestamp::MIN);
    let claimed = bench.claim_scope(anything(), 10).await;
    assert_eq!(ids_of(&claimed.jobs), [first]);
}

async fn an_enqueue_hints_at_work(bench: Bench) {
    let mut work = bench.store.signals().work();

    bench.enqueue_one().await;

    work.next().await;
}

async fn the_same_id_enqueued_by_many_at_once_makes_one_job(bench: Bench) {
    let (store, job) = (bench.store.clone(), bench.new_job());

    let answers = at_once(8, move |_| {
        let (store, job) = (store.clone(), job.clone());
        async move { store.enqueue(vec![job]).await.unwrap().remove(0) }
    })
    .await;

    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert_eq!(bench.claim(10).await.len(), 1);
}

async fn many_who_enqueue_at_once_lose_nothing(bench: Bench) {
    const CALLERS: usize = 64;
    let store = bench.store.clone();
    let batches: Vec<Vec<NewJob>> =
        (0..CALLERS).map(|_| (0..3).map(|_| bench.new_job()).collect()).collect();
    let expected: HashSet<_> = batches.iter().flatten().map(|job| job.id).collect();

    at_once(CALLERS, move |index| {
        let (store, batch) = (store.clone(), batches[index].clone());
        async move { store.enqueue(batch).await.unwrap().len() }
    })
    .await;

    let claimed: HashSet<_> = bench.claim(1000).await.iter().map(LeasedJob::id).collect();
    assert_eq!(claimed, expected);
}

async fn a_call_that_was_dropped_can_be_repeated(bench: Bench) {
    let jobs: Vec<NewJob> = (0..3).map(|_| bench.new_job()).collect();
    // Polled once and dropped: the store may have heard of it, or not.
    drop(bench.store.enqueue(jobs.clone()).now_or_never());

    let enqueued = bench.store.enqueue(jobs.clone()).await.unwrap();

    let first_time = enqueued[0].repeated;
    assert!(enqueued.iter().all(|one| one.repeated == first_time), "all of the batch or none: {enqueued:?}");
    assert_eq!(ids_of(&bench.claim(10).await), jobs.iter().map(|job| job.id).collect::<Vec<_>>());
}
