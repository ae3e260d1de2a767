//! What a handler may look like, and what becomes of a job by what it returns.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::support::{Greet, Lab, Number};
use serde::{Deserialize, Serialize};
use windlass_core::{Args, AttemptOutcome, JobId, JobState, Reason, RetryPolicy, Verdict};
use windlass_runtime::{Attempt, Cancel, FromRef, Job, JobCx, JobError, Meta, Outcome, RawJob, State};
use windlass_store::JobStore as _;

#[derive(Clone)]
struct App {
    greeting: Greeting,
    seen: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Greeting(&'static str);

impl FromRef<App> for Greeting {
    fn from_ref(app: &App) -> Self {
        app.greeting.clone()
    }
}

async fn greet(job: Greet, State(greeting): State<Greeting>, State(app): State<App>, id: JobId) -> String {
    assert!(!id.as_uuid().is_nil());
    app.seen.fetch_add(1, Ordering::Relaxed);
    format!("{}, {}", greeting.0, job.name)
}

#[tokio::test]
async fn a_handler_gets_its_job_and_its_state_and_its_output_is_stored() {
    let lab = Lab::new();
    let app = App { greeting: Greeting("Hello"), seen: Arc::default() };
    let id = lab.enqueue(&Greet::someone()).await;

    let worker = lab.worker().state(app.clone()).handle(greet).build().unwrap().start();
    let job = lab.until_final(id).await;
    let report = worker.stop().await;

    assert_eq!((job.state, job.reason), (JobState::Completed, Some(Reason::Done)));
    assert_eq!(job.result.unwrap().as_str(), "\"Hello, Ada\"");
    assert_eq!(app.seen.load(Ordering::Relaxed), 1);
    assert_eq!(report.settled, 1);
}

#[tokio::test]
async fn a_blocking_handler_runs_beside_the_runtime() {
    fn greet(job: Greet, attempt: Attempt) -> String {
        // Would panic on a thread of the async runtime.
        tokio::runtime::Handle::current().block_on(async {});
        format!("{} at attempt {}", job.name, attempt.number)
    }
    let lab = Lab::new();
    let id = lab.enqueue(&Greet::someone()).await;

    let worker = lab.worker().handle_blocking(greet).build().unwrap().start();
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!(job.result.unwrap().as_str(), "\"Ada at attempt 1\"");
}

#[tokio::test]
async fn each_outcome_leads_where_it_says() {
    async fn number(job: Number, cancel: Cancel) -> Result<Outcome<()>, JobError> {
        assert!(!cancel.is_cancelled());
        match job.0 {
            0 => Ok(Outcome::Done(())),
            1 => Ok(Outcome::Unchanged(())),
            2 => Ok(Outcome::Snooze(Duration::from_secs(60))),
            3 => Err(JobError::fatal("never")),
            4 => Err(JobError::cancel("no need")),
            5 => Err(JobError::retry_after(Duration::from_secs(7))),
            _ => Err("x".parse::<u8>().unwrap_err())?,
        }
    }
    let lab = Lab::new();
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(lab.enqueue(&Number(n)).await);
    }

    let worker = lab.worker().handle(number).build().unwrap().start();
    let mut seen = Vec::new();
    for id in &ids {
        let job = lab.until(*id, |job| job.state != JobState::Ready && job.state != JobState::Running).await;
        seen.push((job.state, job.reason.unwrap()));
    }
    worker.stop().await;

    assert_eq!(
        seen,
        [
            (JobState::Completed, Reason::Done),
            (JobState::Completed, Reason::Unchanged),
            (JobState::Scheduled, Reason::Snoozed),
            (JobState::Dead, Reason::Fatal),
            (JobState::Cancelled, Reason::Handler),
            (JobState::Retryable, Reason::Error),
            (JobState::Retryable, Reason::Error),
        ]
    );
    assert_eq!(lab.job(ids[2]).await.attempt, 0, "a snooze costs no attempt");
    let later = lab.job(ids[5]).await;
    assert_eq!(later.run_at.since(later.started_at.unwrap()), Duration::from_secs(7));
    let failed = lab.job(ids[6]).await.error.unwrap();
    assert_eq!(failed.class.as_deref(), Some("core::num::error::ParseIntError"));
}

#[tokio::test]
async fn a_job_that_always_fails_is_run_as_often_as_it_may_and_every_attempt_is_listed() {
    async fn fails(_: Number, attempt: Attempt) -> Result<(), JobError> {
        Err(JobError::new(format!("attempt {}, last: {}", attempt.counted, attempt.is_last())))
    }
    let lab = Lab::new();
    let id = lab
        .enqueue_with(&Number(0), |job| {
            job.attempts_max = 3;
            job.options.retry = RetryPolicy::Fixed(Duration::ZERO);
        })
        .await;

    let worker = lab.worker().handle(fails).build().unwrap().start();
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Exhausted)));
    let told: Vec<String> =
        lab.attempts(id).await.into_iter().map(|attempt| attempt.error.unwrap().message).collect();
    assert_eq!(told, ["attempt 1, last: false", "attempt 2, last: false", "attempt 3, last: true"]);
}

#[tokio::test]
async fn args_that_cannot_be_read_kill_the_job_at_once() {
    let lab = Lab::new();
    let id =
        lab.enqueue_with(&Number(0), |job| job.args = Args::json("\"no number\"".to_owned()).unwrap()).await;

    let worker = lab.worker().handle(async |_: Number| {}).build().unwrap().start();
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Undecodable)));
    assert_eq!(lab.outcomes(id).await, [Some(AttemptOutcome::Failed)]);
    let message = job.error.unwrap().message;
    assert!(
        message.starts_with("the args cannot be read as version 1 of \"number\": invalid type"),
        "{message}"
    );
}

#[derive(Serialize)]
struct Touchy;

impl<'de> Deserialize<'de> for Touchy {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("cannot be touched")
    }
}

impl Job for Touchy {
    const KIND: &'static str = "touchy";
    type Output = ();
}

#[tokio::test]
async fn a_panic_while_decoding_kills_the_job_at_once() {
    let lab = Lab::new();
    let id = lab.enqueue(&Touchy).await;

    let worker = lab.worker().handle(async |_: Touchy| {}).build().unwrap().start();
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!(job.reason, Some(Reason::Undecodable));
    assert_eq!(job.error.unwrap().message, "panicked: cannot be touched");
}

/// Version 1 was a bare name, version 2 had a `name`, version 3 has a `first`.
#[derive(Serialize, Deserialize)]
struct Person {
    first: String,
}

impl Job for Person {
    const KIND: &'static str = "person";
    const VERSION: u32 = 3;
    type Output = String;

    fn upcast(version: u32, args: serde_json::Value) -> Result<serde_json::Value, String> {
        match version {
            1 => Ok(serde_json::json!({ "name": args })),
            2 => Ok(serde_json::json!({ "first": args["name"] })),
            _ => Err("unknown".to_owned()),
        }
    }
}

#[tokio::test]
async fn older_args_are_raised_step_by_step_and_newer_ones_are_left_to_others() {
    let lab = Lab::new();
    let nobody = Person { first: String::new() };
    let enqueue = |version: u32, args: &'static str| {
        lab.enqueue_with(&nobody, move |job| {
            job.version = version;
            job.args = Args::json(args).unwrap();
        })
    };
    let old = [enqueue(1, "\"Ada\"").await, enqueue(2, "{\"name\":\"Ada\"}").await];
    let newer = enqueue(4, "{}").await;
    let current = enqueue(3, "{\"first\":\"Ada\"}").await;

    let worker = lab.worker().handle(async |job: Person| job.first).build().unwrap().start();
    let last = lab.until_final(current).await;
    worker.stop().await;

    assert_eq!(last.result.unwrap().as_str(), "\"Ada\"");
    for id in old {
        assert_eq!(lab.job(id).await.result.unwrap().as_str(), "\"Ada\"");
    }
    assert_eq!(lab.state(newer).await, (JobState::Ready, None));
}

#[tokio::test]
async fn jobs_can_be_handled_without_knowing_their_type() {
    async fn known(job: RawJob) -> Verdict {
        match job.decode::<Greet>() {
            Ok(greet) => {
                Verdict::Failed { error: windlass_core::AttemptError::new(greet.name), retry_after: None }
            }
            Err(error) => error.into_verdict(),
        }
    }
    async fn any(job: RawJob) -> Verdict {
        Verdict::Succeeded { result: Some(windlass_core::Json::of("result", job.kind()).unwrap()) }
    }
    let lab = Lab::new();
    let (greet, number) = (lab.enqueue(&Greet::someone()).await, lab.enqueue(&Number(1)).await);

    let worker = lab.worker().handle_kind("greet", known).handle_any(any).build().unwrap().start();
    let number = lab.until_final(number).await;
    let greet = lab.until_state(greet, JobState::Retryable).await;
    worker.stop().await;

    assert_eq!(number.result.unwrap().as_str(), "\"number\"");
    assert_eq!(greet.error.unwrap().message, "Ada");
}

#[tokio::test]
async fn jobs_of_a_retired_kind_are_completed_and_those_of_an_unknown_one_are_left() {
    let lab = Lab::new();
    let (retired, unknown) = (lab.enqueue(&Greet::someone()).await, lab.enqueue(&Number(1)).await);

    let worker = lab.worker().retired("greet").build().unwrap().start();
    let retired = lab.until_final(retired).await;
    worker.stop().await;

    assert_eq!((retired.state, retired.result), (JobState::Completed, None));
    assert_eq!(lab.state(unknown).await, (JobState::Ready, None));
}

#[tokio::test]
async fn a_result_that_is_too_large_fails_the_attempt_and_the_job_does_not_stay_running() {
    let lab = Lab::new();
    let id = lab.enqueue_with(&Greet::someone(), |job| job.attempts_max = 1).await;

    let worker = lab.worker().handle(async |_: Greet| "x".repeat(300 * 1024)).build().unwrap().start();
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Exhausted)));
    assert!(job.error.unwrap().message.starts_with("the result is"));
}

#[tokio::test]
async fn what_travels_with_the_job_reaches_its_handler() {
    async fn meta(_: Greet, meta: Meta, cx: JobCx) -> String {
        format!("{} {} {}", meta.get("tenant").unwrap(), cx.submitted_by().unwrap(), cx.queue())
    }
    let lab = Lab::new();
    let id = lab
        .enqueue_with(&Greet::someone(), |job| {
            job.options.meta = [("tenant".to_owned(), serde_json::json!(7))].into();
            job.options.submitted_by = Some("eve".to_owned());
        })
        .await;

    let worker = lab.worker().handle(meta).build().unwrap().start();
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!(job.result.unwrap().as_str(), "\"7 eve default\"");
    assert_eq!(lab.store.attempts(id).await.unwrap()[0].worker, "test");
}
