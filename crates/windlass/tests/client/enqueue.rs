//! What is asked for is what is stored, and what is asked wrongly is refused by name.

use std::time::{Duration, SystemTime};

use windlass::model::limits::{ATTEMPTS_UNLIMITED, ENQUEUE_BATCH_MAX};
use windlass::model::notice::{Notice, QUEUE, Target};
use windlass::model::{Args, Due, Invalid, KindName, NewJob, Tag};
use windlass::store::{JobFilter, ids};
use windlass::testing::TestQueue;
use windlass::{
    EnqueueOutcome, Error, ErrorKind, Job, JobState, Notify, Priority, RetryPolicy, Timestamp, Windlass,
};

use crate::hand::{SendEmail, args, email};

fn refused(error: &Error) -> &str {
    match error.kind() {
        ErrorKind::Invalid(invalid) => &invalid.field,
        other => panic!("expected a refusal, not {other:?}"),
    }
}

#[tokio::test]
async fn a_job_is_enqueued_as_its_kind_says() {
    let queue = TestQueue::new();

    let enqueued = queue.windlass().enqueue(email()).await.unwrap();

    assert_eq!(enqueued.outcome(), EnqueueOutcome::Created);
    let job = enqueued.handle().job().await.unwrap();
    assert_eq!((job.kind.as_str(), job.version, job.queue.as_str()), ("send_email", 2, "mail"));
    assert_eq!((job.priority, job.attempts_max, job.losses_max), (Priority::High, 5, 1));
    assert_eq!(job.options.timeout, Some(Duration::from_secs(90)));
    assert_eq!(job.args, args(&email()));
}

#[tokio::test]
async fn what_the_caller_says_goes_before_what_the_kind_says() {
    let queue = TestQueue::new();
    let id = ids::job_id();

    let enqueued = queue
        .windlass()
        .enqueue(email())
        .id(id)
        .queue("slow")
        .priority(Priority::Idle)
        .delay(Duration::from_secs(60))
        .deadline_in(Duration::from_secs(3600))
        .timeout(Duration::from_secs(5))
        .attempts(1)
        .losses(0)
        .retry(RetryPolicy::Fixed(Duration::from_secs(1)))
        .tag("welcome")
        .tag("tenant 7")
        .meta("tenant", 7)
        .submitted_by("ada")
        .await
        .unwrap();

    let job = enqueued.handle().job().await.unwrap();
    assert_eq!((enqueued.id(), job.id), (id, id));
    assert_eq!((job.queue.as_str(), job.priority, job.state), ("slow", Priority::Idle, JobState::Scheduled));
    assert_eq!(job.run_at, queue.now().after(Duration::from_secs(60)));
    assert_eq!(job.deadline, Some(queue.now().after(Duration::from_secs(3600))));
    assert_eq!((job.attempts_max, job.losses_max), (1, 0));
    assert_eq!(job.options.timeout, Some(Duration::from_secs(5)));
    assert_eq!(job.options.retry, RetryPolicy::Fixed(Duration::from_secs(1)));
    assert_eq!(job.options.tags, [Tag::new("welcome").unwrap(), Tag::new("tenant 7").unwrap()]);
    assert_eq!(job.options.meta["tenant"], 7);
    assert_eq!(job.options.submitted_by.as_deref(), Some("ada"));
}

#[tokio::test]
async fn an_instant_may_be_given_in_either_form() {
    let queue = TestQueue::new();
    let instant: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    let system = SystemTime::UNIX_EPOCH + instant.since(Timestamp::MIN);

    let one = queue.windlass().enqueue(email()).run_at(instant).deadline(system).await.unwrap();

    let job = one.handle().job().await.unwrap();
    assert_eq!((job.run_at, job.deadline), (instant, Some(instant)));
}

#[tokio::test]
async fn attempts_without_bound_must_be_asked_for() {
    let queue = TestQueue::new();

    let enqueued = queue.windlass().enqueue(email()).attempts_unlimited().await.unwrap();

    assert_eq!(enqueued.handle().job().await.unwrap().attempts_max, ATTEMPTS_UNLIMITED);
}

#[tokio::test]
async fn nothing_happens_until_the_wish_is_awaited() {
    let queue = TestQueue::new();

    drop(queue.windlass().enqueue(email()));

    assert_eq!(queue.enqueued::<SendEmail>().await, []);
}

#[tokio::test]
async fn what_is_wrong_is_told_by_field_when_it_is_awaited() {
    let queue = TestQueue::new();
    let ask = || queue.windlass().enqueue(email());
    let secret = std::collections::BTreeMap::from([((1, 2), 3)]);

    for (wish, field) in [
        (ask().queue("no spaces"), "queue"),
        (ask().tag(""), "tags"),
        (ask().meta("secret", &secret), "meta.secret"),
        (ask().attempts(0), "attempts_max"),
        (ask().timeout(Duration::ZERO), "timeout"),
        (ask().retry(RetryPolicy::List(vec![])), "retry.list"),
        (ask().queue("").tag(""), "queue"),
        (ask().tag("").queue(""), "tags"),
    ] {
        assert_eq!(refused(&wish.await.unwrap_err()), field);
    }
    assert_eq!(queue.enqueued::<SendEmail>().await, []);
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Misnamed;

impl Job for Misnamed {
    const KIND: &'static str = "mis named";
    type Output = ();

    fn defaults(_: &mut NewJob) -> Result<(), Invalid> {
        Err(Invalid::new("queue", "comes too late: the kind was wrong before"))
    }
}

#[tokio::test]
async fn a_kind_with_a_bad_name_is_refused() {
    let error = Windlass::in_memory().enqueue(Misnamed).await.unwrap_err();

    assert_eq!(refused(&error), "kind");
}

#[tokio::test]
async fn the_same_id_twice_makes_one_job() {
    let queue = TestQueue::new();
    let ask = || queue.windlass().enqueue(email()).id(windlass::JobId::from_bytes([7; 16]));

    let (first, second) = (ask().await.unwrap(), ask().await.unwrap());

    assert_eq!((first.id(), first.is_repeated()), (second.id(), false));
    assert_eq!((second.outcome(), second.is_repeated()), (EnqueueOutcome::Created, true));
    assert_eq!(queue.enqueued::<SendEmail>().await.len(), 1);
}

#[tokio::test]
async fn many_jobs_are_enqueued_in_order_with_the_same_options() {
    let queue = TestQueue::new();
    let jobs = ["ada", "bob", "cy"].map(|name| SendEmail { to: name.to_owned() });

    let enqueued = queue.windlass().enqueue_many(jobs).queue("bulk").await.unwrap();

    let mut stored = Vec::new();
    for one in &enqueued {
        stored.push(one.handle().job().await.unwrap());
    }
    assert!(stored.iter().all(|job| job.queue.as_str() == "bulk"));
    let names: Vec<String> = stored.iter().map(|job| job.args.decode::<SendEmail>().unwrap().to).collect();
    assert_eq!(names, ["ada", "bob", "cy"]);
}

#[tokio::test]
async fn no_jobs_are_enqueued_as_nothing() {
    let none: [SendEmail; 0] = [];

    assert!(Windlass::in_memory().enqueue_many(none).await.unwrap().is_empty());
}

#[tokio::test]
async fn more_jobs_than_one_call_may_enqueue_are_refused_before_any_is_written() {
    let queue = TestQueue::new();
    let endless = std::iter::repeat_with(email);

    let error = queue.windlass().enqueue_many(endless).await.unwrap_err();

    assert_eq!(refused(&error), "jobs");
    assert!(error.to_string().contains(&ENQUEUE_BATCH_MAX.to_string()), "{error}");
    assert_eq!(queue.enqueued::<SendEmail>().await, []);
}

#[tokio::test]
async fn a_wrong_job_among_many_is_told_by_its_place() {
    let queue = TestQueue::new();
    let jobs = [email(), SendEmail { to: "x".repeat(300 * 1024) }];

    let error = queue.windlass().enqueue_many(jobs).await.unwrap_err();

    assert_eq!(refused(&error), "jobs[1].args");
    assert_eq!(queue.enqueued::<SendEmail>().await, []);
}

#[tokio::test]
async fn a_job_without_a_type_is_enqueued_as_data() {
    let windlass = Windlass::in_memory();
    let kind = KindName::new("from_elsewhere").unwrap();
    let mut job = NewJob::new(ids::job_id(), kind.clone(), Args::json("[1]").unwrap());
    job.due = Due::In(Duration::from_secs(3600));

    let enqueued = windlass.enqueue_raw(job).await.unwrap();

    let stored = enqueued.handle().job().await.unwrap();
    assert_eq!((stored.kind, stored.state), (kind, JobState::Scheduled));
}

#[tokio::test]
async fn whom_to_tell_is_told_once_the_job_has_ended() {
    let queue = TestQueue::new();
    let when_dead = Notify::mail("ops@example.com").on_dead();
    let always = Notify::webhook("https://hooks.example.com");

    let enqueued =
        queue.windlass().enqueue(email()).notify(when_dead.clone()).notify(always.clone()).await.unwrap();

    let job = enqueued.handle().job().await.unwrap();
    assert_eq!(job.options.notify, [when_dead, always.clone()]);
    enqueued.handle().cancel().await.unwrap();
    let notices = JobFilter { queues: vec![QUEUE.clone()], ..JobFilter::default() };
    let notices = queue.windlass().jobs(notices).all().await.unwrap();
    let told: Vec<Target> = notices.iter().map(|job| job.args.decode::<Notice>().unwrap().to).collect();
    assert_eq!(told, [always.target]);
}

#[tokio::test]
async fn whom_to_tell_is_refused_by_field() {
    let queue = TestQueue::new();

    let error = queue.windlass().enqueue(email()).notify(Notify::mail("nobody")).await.unwrap_err();

    assert_eq!(refused(&error), "notify[0].mail");
}
