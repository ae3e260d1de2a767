//! A job, followed from outside.

use std::time::Duration;

use windlass::model::{AttemptError, Json, LogLevel, Verdict};
use windlass::store::{CancelOutcome, JobFilter, NewLogLine};
use windlass::testing::TestQueue;
use windlass::{Actor, ErrorKind, Job, JobState, Reason, ResultError, Windlass};

use crate::hand::{Hand, SendEmail, email};

fn done(result: &impl serde::Serialize) -> Verdict {
    Verdict::Succeeded { result: Some(Json::of("result", result).unwrap()) }
}

#[tokio::test]
async fn the_result_is_what_the_handler_made() {
    let windlass = Windlass::in_memory();
    let handle = windlass.enqueue(email()).await.unwrap().handle();
    let hand = Hand::on(&windlass).await;
    let leased = hand.claim().await;

    // The wait begins before the end, and must see it.
    let (result, ()) = tokio::join!(handle.result(), hand.settle(&leased, done(&42)));

    assert_eq!(result.unwrap(), 42);
    assert_eq!(handle.state().await.unwrap(), JobState::Completed);
}

/// Time is paused, so the hour passes at once; that it passes at all shows that the wait does not give up.
#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_can_be_taken_up_again() {
    let windlass = Windlass::in_memory();
    let handle = windlass.enqueue(email()).await.unwrap().handle();

    let given_up = tokio::time::timeout(Duration::from_secs(3600), handle.result()).await;

    assert!(given_up.is_err());
    let hand = Hand::on(&windlass).await;
    hand.settle(&hand.claim().await, done(&1)).await;
    assert_eq!(handle.result().await.unwrap(), 1);
}

#[tokio::test]
async fn a_dead_job_says_why() {
    let windlass = Windlass::in_memory();
    let handle = windlass.enqueue(email()).await.unwrap().handle();
    let hand = Hand::on(&windlass).await;
    let error = AttemptError::new("no such address");
    hand.settle(&hand.claim().await, Verdict::Fatal { error: error.clone() }).await;

    let result = handle.result().await.unwrap_err();

    assert_eq!(result.to_string(), "the job is dead (fatal): no such address");
    let ResultError::Dead { reason, error: told } = result else { panic!("{result}") };
    assert_eq!((reason, told), (Reason::Fatal, Some(error)));
}

#[tokio::test]
async fn a_cancelled_job_says_so_and_tells_who_did_it() {
    let windlass = Windlass::in_memory().acting_as(Actor::new("billing").because("refunded"));
    let handle = windlass.enqueue(email()).await.unwrap().handle();

    assert_eq!(handle.cancel().await.unwrap(), CancelOutcome::Cancelled);

    let result = handle.result().await.unwrap_err();
    assert_eq!(result.to_string(), "the job was cancelled (operator)");
    let events = windlass.store().events(handle.id()).await.unwrap();
    assert_eq!(events[0].by, Actor::new("billing").because("refunded"));
}

#[tokio::test]
async fn a_retried_job_is_waited_for_anew() {
    let windlass = Windlass::in_memory();
    let handle = windlass.enqueue(email()).await.unwrap().handle();
    windlass.cancel(handle.id()).await.unwrap();

    windlass.retry(handle.id()).await.unwrap();

    assert_eq!(handle.state().await.unwrap(), JobState::Ready);
}

#[tokio::test]
async fn a_result_of_another_type_is_not_made_up() {
    let windlass = Windlass::in_memory();
    let handle = windlass.enqueue(email()).await.unwrap().handle();
    let hand = Hand::on(&windlass).await;
    hand.settle(&hand.claim().await, done(&"forty-two")).await;

    assert!(matches!(handle.result().await, Err(ResultError::NotDecodable { .. })));
}

#[derive(Debug, serde::Serialize, serde::Deserialize, Job)]
#[job(kind = "other")]
struct Other;

#[tokio::test]
async fn a_handle_of_the_wrong_kind_says_so() {
    let windlass = Windlass::in_memory();
    let id = windlass.enqueue(email()).await.unwrap().id();
    let hand = Hand::on(&windlass).await;
    hand.settle(&hand.claim().await, Verdict::Succeeded { result: None }).await;

    let error = windlass.handle::<Other>(id).result().await.unwrap_err();

    assert_eq!(error.to_string(), "could not read the job's result: it is of kind send_email, not other");
}

#[tokio::test]
async fn no_result_is_read_as_nothing() {
    let windlass = Windlass::in_memory();
    let handle = windlass.enqueue(Other).await.unwrap().handle();
    let hand = Hand::on(&windlass).await;
    hand.settle(&hand.claim().await, Verdict::Succeeded { result: None }).await;

    assert!(matches!(handle.result().await, Ok(())));
}

#[tokio::test]
async fn a_job_that_never_was_is_not_found() {
    let handle = Windlass::in_memory().handle::<SendEmail>(windlass::JobId::from_bytes([1; 16]));

    let Err(ResultError::Store(error)) = handle.result().await else { panic!("it was found") };

    assert_eq!(error.kind(), &ErrorKind::NotFound);
}

#[tokio::test]
async fn a_log_longer_than_a_page_is_read_whole() {
    const LINES: usize = 1_203;
    let windlass = Windlass::in_memory();
    let handle = windlass.enqueue(email()).await.unwrap().handle();
    let leased = Hand::on(&windlass).await.claim().await;
    let line = |n: usize| NewLogLine { level: LogLevel::Info, message: n.to_string() };
    windlass.store().log(leased.token, (0..LINES).map(line).collect()).await.unwrap();

    let lines = handle.logs().await.unwrap();

    let said: Vec<usize> = lines.iter().map(|line| line.message.parse().unwrap()).collect();
    assert_eq!(said, (0..LINES).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_list_longer_than_a_page_is_read_whole() {
    let windlass = Windlass::in_memory();
    windlass.enqueue_many((0..1_203).map(|_| email())).await.unwrap();

    let jobs = windlass.jobs(JobFilter::default()).all().await.unwrap();

    assert_eq!(jobs.len(), 1_203);
}

#[tokio::test]
async fn a_queue_is_paused_by_its_name() {
    let windlass = Windlass::in_memory();
    windlass.enqueue(email()).await.unwrap();

    windlass.pause("mail").await.unwrap();

    let queues = windlass.queues().await.unwrap();
    assert_eq!(queues[0].pause.as_ref().map(|pause| pause.by.name.as_str()), Some("program"));
    windlass.resume("mail").await.unwrap();
    assert!(windlass.queues().await.unwrap()[0].pause.is_none());
    assert!(matches!(windlass.pause("").await.unwrap_err().kind(), ErrorKind::Invalid(_)));
}

#[tokio::test]
async fn a_scheduled_job_becomes_ready_as_time_goes_on() {
    let queue = TestQueue::new();
    let handle = queue.windlass().enqueue(email()).delay(Duration::from_secs(60)).await.unwrap().handle();

    queue.advance(Duration::from_secs(60));

    assert_eq!(handle.state().await.unwrap(), JobState::Ready);
}
