//! What a worker does when a person has decided, and behind an attempt that is not tried again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use windlass_core::{
    Decision, Job as JobRecord, JobId, JobState, Json, LogLine, NewJob, Phase, Reason, Review, Ruling,
};
use windlass_runtime::{JobCx, JobError, JobLog, Outcome, Staged, State};
use windlass_store::{Actor, Clock as _, JobStore as _, NewRuling, PageRequest, ReviewStore as _};

use crate::support::{Greet, Lab};

/// What was called, in order.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn push(&self, call: impl Into<String>) {
        self.0.lock().unwrap().push(call.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn reviewed(job: &mut NewJob) {
    job.options.review = Some(Review::outcome());
}

fn once(job: &mut NewJob) {
    job.attempts_max = 1;
}

async fn greet(job: Greet, State(calls): State<Calls>, log: JobLog) -> String {
    calls.push("work");
    log.info("greeting");
    format!("hello {}", job.name)
}

#[expect(clippy::too_many_arguments, reason = "a handler takes what it asks for")]
async fn publish(
    job: Greet,
    Staged(text): Staged<String>,
    ruling: Ruling,
    log: JobLog,
    State(calls): State<Calls>,
) -> Result<(), JobError> {
    assert_eq!(text, format!("hello {}", job.name));
    log.warn("publishing");
    calls.push(format!("accepted by {}", ruling.by.unwrap_or_default()));
    Ok(())
}

async fn forget(_: Greet, ruling: Ruling, State(calls): State<Calls>) {
    calls.push(format!("declined: {}", ruling.comment.unwrap_or_default()));
}

async fn tidy(_: Greet, cx: JobCx, State(calls): State<Calls>) {
    calls.push(format!("clean up after {}", cx.phase().as_str()));
}

async fn tidy_badly(_: Greet) -> Result<(), JobError> {
    Err(JobError::new("the folder is busy"))
}

impl Lab {
    async fn decide(&self, id: JobId, decision: Decision) {
        let review = self.store.inner.review(id).await.unwrap().expect("it is in review");
        let by = Actor::new("bob").because("no good");
        let ruling = NewRuling { decision, by, digest: review.digest, args: None };
        self.store.inner.decide(id, ruling).await.unwrap();
    }

    async fn until_in_review(&self, id: JobId) -> JobRecord {
        self.until_state(id, JobState::InReview).await
    }

    async fn log(&self, id: JobId) -> Vec<LogLine> {
        self.store.inner.logs(id, PageRequest::first(100)).await.unwrap().items
    }
}

#[tokio::test]
async fn an_accepted_result_is_published_and_all_of_it_is_in_one_log() {
    let (lab, calls) = (Lab::new(), Calls::default());
    let worker = lab.worker().state(calls.clone()).handle(greet).accepted(publish).declined(forget);
    let worker = worker.build().unwrap().start();
    let id = lab.enqueue_with(&Greet::someone(), reviewed).await;
    lab.until_in_review(id).await;

    lab.decide(id, Decision::Accept).await;

    let job = lab.until_final(id).await;
    assert_eq!((job.state, job.reason), (JobState::Completed, Some(Reason::Accepted)));
    assert_eq!(job.result, Some(Json::of("result", "hello Ada").unwrap()));
    assert_eq!(calls.all(), ["work", "accepted by bob"]);
    let lines: Vec<String> = lab.log(id).await.into_iter().map(|line| line.message).collect();
    assert_eq!(lines, ["greeting", "publishing"]);
    worker.stop().await;
}

#[tokio::test]
async fn a_declined_result_is_removed_and_never_published() {
    let (lab, calls) = (Lab::new(), Calls::default());
    let worker = lab.worker().state(calls.clone()).handle(greet).accepted(publish).declined(forget);
    let worker = worker.build().unwrap().start();
    let id = lab.enqueue_with(&Greet::someone(), reviewed).await;
    lab.until_in_review(id).await;

    lab.decide(id, Decision::Decline).await;

    let job = lab.until_final(id).await;
    assert_eq!((job.state, job.reason, job.result), (JobState::Cancelled, Some(Reason::Declined), None));
    assert_eq!(calls.all(), ["work", "declined: no good"]);
    worker.stop().await;
}

#[tokio::test]
async fn a_worker_with_nothing_to_do_for_a_decision_carries_it_out_at_once() {
    let (lab, calls) = (Lab::new(), Calls::default());
    let worker = lab.worker().state(calls.clone()).handle(greet).build().unwrap().start();
    for (decision, state) in
        [(Decision::Accept, JobState::Completed), (Decision::Decline, JobState::Cancelled)]
    {
        let id = lab.enqueue_with(&Greet::someone(), reviewed).await;
        lab.until_in_review(id).await;

        lab.decide(id, decision).await;

        assert_eq!(lab.until_final(id).await.state, state);
    }
    assert_eq!(calls.all(), ["work", "work"]);
    worker.stop().await;
}

#[tokio::test]
async fn what_could_not_be_published_is_tried_again() {
    async fn away(_: Greet) -> Result<(), JobError> {
        Err(JobError::new("the site is away"))
    }
    let (lab, calls) = (Lab::new(), Calls::default());
    let worker = lab.worker().state(calls.clone()).handle(greet).accepted(away).build().unwrap().start();
    let id = lab.enqueue_with(&Greet::someone(), reviewed).await;
    lab.until_in_review(id).await;

    lab.decide(id, Decision::Accept).await;

    let job = lab.until_state(id, JobState::Retryable).await;
    assert_eq!((job.phase, job.attempt), (Phase::Settle, 1));
    assert_eq!(job.run_at, lab.clock.now().after(Duration::from_secs(600)));
    assert_eq!(job.error.unwrap().message, "the site is away");
    worker.stop().await;
}

#[tokio::test]
async fn what_is_cleaned_up_is_so_after_the_work_and_once_more_at_the_end() {
    let (lab, calls) = (Lab::new(), Calls::default());
    let worker = lab.worker().state(calls.clone()).handle(greet).declined(forget).cleanup(tidy);
    let worker = worker.build().unwrap().start();
    let id = lab.enqueue_with(&Greet::someone(), reviewed).await;
    lab.until_in_review(id).await;
    assert_eq!(calls.all(), ["work", "clean up after run"]);

    lab.decide(id, Decision::Decline).await;

    lab.until_final(id).await;
    assert_eq!(calls.all()[2..], ["declined: no good", "clean up after settle"]);
    worker.stop().await;
}

#[tokio::test]
async fn a_cleanup_that_fails_is_told_and_makes_no_success_a_failure() {
    async fn unchanged(_: Greet) -> Outcome<String> {
        Outcome::Unchanged("as before".to_owned())
    }
    async fn panic(_: Greet) {
        panic!("no such folder");
    }
    let lab = Lab::new();
    let run = async |worker: windlass_runtime::WorkerBuilder<Calls>, problem: &str| {
        let worker = worker.build().unwrap().start();
        let id = lab.enqueue(&Greet::someone()).await;
        let job = lab.until_final(id).await;
        let line = lab.log(id).await.pop().unwrap();
        assert!(
            line.message.starts_with("could not clean up: ") && line.message.contains(problem),
            "{line:?}"
        );
        assert_eq!(lab.attempts(id).await.len(), 1);
        worker.stop().await;
        job.reason
    };
    let worker = || lab.worker().state(Calls::default());

    let success = run(worker().handle(greet).cleanup(tidy_badly), "the folder is busy").await;
    assert_eq!(success, Some(Reason::Done));
    let success = run(worker().handle(greet).cleanup(panic), "no such folder").await;
    assert_eq!(success, Some(Reason::Done));
    let nothing_new = run(worker().handle(unchanged).cleanup(tidy_badly), "the folder is busy").await;
    assert_eq!(nothing_new, Some(Reason::Unchanged));
}

#[tokio::test]
async fn only_the_last_failure_is_cleaned_up_behind() {
    async fn fail(_: Greet, State(calls): State<Calls>) -> Result<String, JobError> {
        calls.push("work");
        Err(JobError::new("boom").into_retry_after(Duration::ZERO))
    }
    let (lab, calls) = (Lab::new(), Calls::default());
    let worker = lab.worker().state(calls.clone()).handle(fail).cleanup(tidy).build().unwrap().start();

    let id = lab.enqueue_with(&Greet::someone(), |job| job.attempts_max = 2).await;

    assert_eq!(lab.until_final(id).await.state, JobState::Dead);
    assert_eq!(calls.all(), ["work", "work", "clean up after run"]);
    worker.stop().await;
}

#[tokio::test]
async fn an_attempt_that_took_too_long_is_cleaned_up_behind_if_it_was_the_last() {
    async fn hang(_: Greet, cx: JobCx) -> Result<String, JobError> {
        cx.cancel().cancelled().await;
        Ok("too late".to_owned())
    }
    let (lab, calls) = (Lab::new(), Calls::default());
    let worker = lab.worker().state(calls.clone()).handle(hang).cleanup(tidy).build().unwrap().start();

    let last = lab
        .enqueue_with(&Greet::someone(), |job| {
            once(job);
            job.options.timeout = Some(Duration::from_millis(20));
        })
        .await;

    assert_eq!(lab.until_final(last).await.reason, Some(Reason::Exhausted));
    assert_eq!(calls.all(), ["clean up after run"]);
    worker.stop().await;
}

#[test]
fn the_kinds_of_a_worker_are_listed_in_order_with_their_reviews() {
    let lab = Lab::new();
    let worker = lab.worker().state(Calls::default());
    let worker = worker.handle(greet).declined(forget).cleanup(tidy).retired("zoo").retired("archive");

    let kinds = worker.build().unwrap().kinds();

    assert_eq!(kinds, ["archive", "greet", "greet#review", "zoo"]);
}

#[test]
fn functions_beside_no_handler_are_refused() {
    let lab = Lab::new();
    let field = |builder: windlass_runtime::WorkerBuilder<Calls>| {
        let error = builder.build().expect_err("it must be refused");
        (error.field().to_owned(), error.problem().to_owned())
    };
    let worker = || lab.worker().state(Calls::default());

    let (at, problem) = field(worker().retired("zoo").cleanup(tidy));
    assert!(at == "kind" && problem.contains("no handler"), "{problem}");
    let (at, problem) = field(worker().handle(greet).accepted(publish).accepted(publish));
    assert!(at == "kind" && problem.contains("more than one function for `accepted`"), "{problem}");
}

#[tokio::test]
async fn a_job_cancelled_in_review_is_cleaned_up_behind_once_more() {
    async fn tidy_by_id(_: Greet, id: JobId, cx: JobCx, State(calls): State<Calls>) {
        calls.push(format!("clean up behind {id} after {}", cx.phase().as_str()));
    }
    let (lab, calls) = (Lab::new(), Calls::default());
    let worker = lab.worker().state(calls.clone()).handle(greet).declined(forget).cleanup(tidy_by_id);
    let worker = worker.build().unwrap().start();
    let id = lab.enqueue_with(&Greet::someone(), reviewed).await;
    lab.until_in_review(id).await;

    lab.store.inner.cancel(id, Actor::new("ada")).await.unwrap();

    let ended = lab.until_final(id).await;
    let cleanup = lab.until_final(windlass_core::cleanup::id(&ended)).await;
    assert_eq!((cleanup.state, cleanup.reason), (JobState::Completed, Some(Reason::Done)));
    let (run, cleaned) =
        (format!("clean up behind {id} after run"), format!("clean up behind {id} after cleanup"));
    assert_eq!(calls.all(), ["work".to_owned(), run, cleaned]);
    worker.stop().await;
}

#[tokio::test]
async fn a_cleanup_behind_an_ended_job_that_fails_is_recorded_and_tried_again() {
    async fn tidy_late(_: Greet, cx: JobCx) -> Result<(), JobError> {
        match (cx.phase(), cx.attempt().number) {
            (Phase::Cleanup, 1) => Err(JobError::new("the folder is busy").into_retry_after(Duration::ZERO)),
            _ => Ok(()),
        }
    }
    let lab = Lab::new();
    let worker =
        lab.worker().state(Calls::default()).handle(greet).cleanup(tidy_late).build().unwrap().start();
    let id = lab.enqueue_with(&Greet::someone(), reviewed).await;
    lab.until_in_review(id).await;

    lab.store.inner.cancel(id, Actor::new("ada")).await.unwrap();

    let ended = lab.until_final(id).await;
    let cleanup = lab.until_final(windlass_core::cleanup::id(&ended)).await;
    assert_eq!((ended.state, ended.reason), (JobState::Cancelled, Some(Reason::Operator)));
    assert_eq!(cleanup.state, JobState::Completed);
    let attempts = lab.attempts(cleanup.id).await;
    assert_eq!(attempts[0].error.as_ref().unwrap().message, "the folder is busy");
    worker.stop().await;
}

#[tokio::test]
async fn a_worker_with_nothing_to_clean_up_never_does_the_work_instead() {
    let (lab, calls) = (Lab::new(), Calls::default());
    let worker = lab.worker().state(calls.clone()).handle(greet).build().unwrap().start();
    let id = lab.enqueue_with(&Greet::someone(), reviewed).await;
    lab.until_in_review(id).await;

    lab.store.inner.cancel(id, Actor::new("ada")).await.unwrap();

    let ended = lab.until_final(id).await;
    let cleanup = lab.until_final(windlass_core::cleanup::id(&ended)).await;
    assert_eq!((cleanup.state, cleanup.result), (JobState::Completed, None));
    assert_eq!(calls.all(), ["work"]);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_decision_may_block() {
    fn publish_blocking(
        _: Greet,
        Staged(text): Staged<String>,
        State(calls): State<Calls>,
    ) -> Result<(), JobError> {
        if text.is_empty() {
            return Err(JobError::new("there is nothing to publish"));
        }
        calls.push(format!("publish {text}"));
        Ok(())
    }
    fn forget_blocking(_: Greet, ruling: Ruling, State(calls): State<Calls>) {
        calls.push(format!("declined by {}", ruling.by.unwrap_or_default()));
    }
    fn tidy_blocking(_: Greet, cx: JobCx, State(calls): State<Calls>) {
        calls.push(format!("clean up after {}", cx.phase().as_str()));
    }
    for (decision, call) in [(Decision::Accept, "publish hello Ada"), (Decision::Decline, "declined by bob")]
    {
        let (lab, calls) = (Lab::new(), Calls::default());
        let worker = lab.worker().state(calls.clone()).handle(greet);
        let worker = worker.accepted_blocking(publish_blocking).declined_blocking(forget_blocking);
        let worker = worker.cleanup_blocking(tidy_blocking).build().unwrap().start();
        let id = lab.enqueue_with(&Greet::someone(), reviewed).await;
        lab.until_in_review(id).await;

        lab.decide(id, decision).await;

        lab.until_final(id).await;
        assert_eq!(calls.all(), ["work", "clean up after run", call, "clean up after settle"]);
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_blocking_function_that_panics_fails_its_attempt_alone() {
    fn publish_badly(_: Greet) {
        panic!("the press is jammed");
    }
    let lab = Lab::new();
    let worker = lab.worker().state(Calls::default()).handle(greet).accepted_blocking(publish_badly);
    let worker = worker.build().unwrap().start();
    let id = lab.enqueue_with(&Greet::someone(), reviewed).await;
    lab.until_in_review(id).await;

    lab.decide(id, Decision::Accept).await;

    let job = lab.until_state(id, JobState::Retryable).await;
    assert!(job.error.unwrap().message.contains("the press is jammed"));
    worker.stop().await;
}
