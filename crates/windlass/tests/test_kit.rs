//! The test kit, tested as its users use it.

#![expect(clippy::unwrap_used, reason = "a test whose helpers fail has failed")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use windlass::prelude::*;
use windlass::testing::{Drained, TestQueue, context, leased};
use windlass::worker::WorkerBuilder;
use windlass::{JobState, RetryPolicy, assert_enqueued, assert_not_enqueued};

#[derive(Debug, PartialEq, Serialize, Deserialize, Job)]
#[job(kind = "send_email", attempts = 2)]
struct SendEmail {
    to: String,
    copies: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Job)]
#[job(kind = "note")]
struct Note(String);

type Sent = Arc<Mutex<Vec<String>>>;

/// Refuses addresses without an at sign, puts those of `later` off, and notes the others.
async fn send_email(job: SendEmail, State(sent): State<Sent>) -> Result<Outcome, JobError> {
    match job.to.split_once('@') {
        None => Err(JobError::new(format!("{} is no address", job.to))),
        Some(("later", _)) => Ok(Outcome::Snooze(Duration::from_secs(60))),
        Some(("never", _)) => Err(JobError::cancel("unsubscribed")),
        Some(_) => {
            sent.lock().unwrap().push(job.to);
            Ok(Outcome::Done(()))
        }
    }
}

fn to(address: &str) -> SendEmail {
    SendEmail { to: address.to_owned(), copies: 1 }
}

fn worker(queue: &TestQueue, sent: &Sent) -> WorkerBuilder<Sent> {
    queue.windlass().worker().state(Arc::clone(sent)).queue("default", 1).handle(send_email)
}

#[tokio::test]
async fn a_drain_runs_what_is_ready_in_order_and_ends() {
    let (queue, sent) = (TestQueue::new(), Sent::default());
    for address in ["c@x", "a@x", "b@x"] {
        queue.windlass().enqueue(to(address)).await.unwrap();
    }
    queue.windlass().enqueue(to("urgent@x")).priority(Priority::High).await.unwrap();
    queue.windlass().enqueue(to("scheduled@x")).delay(Duration::from_secs(1)).await.unwrap();

    let drained = queue.drain(worker(&queue, &sent)).await;

    assert_eq!(drained, Drained { ran: 4, completed: 4, ..Drained::default() });
    assert_eq!(*sent.lock().unwrap(), ["urgent@x", "c@x", "a@x", "b@x"]);
    assert_eq!(queue.enqueued::<SendEmail>().await, [to("scheduled@x")]);
}

#[tokio::test]
async fn a_drain_of_nothing_ends_at_once() {
    let (queue, sent) = (TestQueue::new(), Sent::default());

    assert_eq!(queue.drain(worker(&queue, &sent)).await, Drained::default());
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_while_the_time_of_tokio_is_paused() {
    let (queue, sent) = (TestQueue::new(), Sent::default());
    queue.windlass().enqueue_many((0..50).map(|n| to(&format!("{n}@x")))).await.unwrap();

    let drained = queue.drain(worker(&queue, &sent)).await;

    assert_eq!(drained, Drained { ran: 50, completed: 50, ..Drained::default() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_works_on_many_threads() {
    let (queue, sent) = (TestQueue::new(), Sent::default());
    queue.windlass().enqueue_many((0..200).map(|n| to(&format!("{n}@x")))).await.unwrap();

    let drained = queue.drain(worker(&queue, &sent)).await;

    assert_eq!((drained.completed, sent.lock().unwrap().len()), (200, 200));
}

#[tokio::test]
async fn what_is_not_done_is_counted_by_what_became_of_it() {
    let (queue, sent) = (TestQueue::new(), Sent::default());
    let retry = RetryPolicy::Fixed(Duration::from_secs(60));
    for address in ["nobody", "later@x", "never@x", "ada@x"] {
        queue.windlass().enqueue(to(address)).retry(retry.clone()).await.unwrap();
    }

    let first = queue.drain(worker(&queue, &sent)).await;
    queue.advance(Duration::from_secs(60));
    let second = queue.drain(worker(&queue, &sent)).await;

    let counts = (first.ran, first.completed, first.retryable, first.snoozed, first.cancelled);
    assert_eq!(counts, (4, 1, 1, 1, 1));
    let told: Vec<&str> = first.errors.iter().map(|error| error.message.as_str()).collect();
    assert!(told.contains(&"nobody is no address"), "{told:?}");
    assert_eq!((second.ran, second.dead, second.snoozed), (2, 1, 1));
}

#[tokio::test]
async fn what_a_handler_enqueues_is_run_too() {
    async fn twice(note: Note, State(windlass): State<Windlass>) -> Result<(), JobError> {
        if note.0.len() < 3 {
            windlass.enqueue(Note(note.0 + "x")).await?;
        }
        Ok(())
    }
    let queue = TestQueue::new();
    queue.windlass().enqueue(Note(String::new())).await.unwrap();

    let worker = queue.windlass().worker().state(queue.windlass().clone()).handle(twice);
    let drained = queue.drain(worker).await;

    assert_eq!((drained.ran, drained.completed), (4, 4));
}

#[tokio::test]
async fn a_drain_leaves_what_its_worker_cannot_do() {
    let (queue, sent) = (TestQueue::new(), Sent::default());
    queue.windlass().enqueue(Note("of another kind".to_owned())).await.unwrap();
    queue.windlass().enqueue(to("ada@x")).queue("elsewhere").await.unwrap();
    let paused = queue.windlass().enqueue(to("bob@x")).await.unwrap().handle();
    queue.windlass().pause("default").await.unwrap();

    let drained = queue.drain(worker(&queue, &sent)).await;

    assert_eq!(drained, Drained::default());
    assert_eq!(paused.state().await.unwrap(), JobState::Ready);
}

#[tokio::test]
#[should_panic(expected = "asks to be run at once again, without end")]
async fn a_drain_that_would_never_end_says_so() {
    async fn again(_: Note) -> Outcome {
        Outcome::Snooze(Duration::ZERO)
    }
    let queue = TestQueue::new();
    queue.windlass().enqueue(Note(String::new())).await.unwrap();

    queue.drain(queue.windlass().worker().handle(again)).await;
}

#[tokio::test]
async fn an_assertion_finds_a_job_by_some_of_its_fields() {
    let queue = TestQueue::new();
    queue.windlass().enqueue(to("ada@x")).await.unwrap();

    assert_enqueued!(queue, SendEmail);
    assert_enqueued!(queue, SendEmail { to: "ada@x", .. });
    assert_enqueued!(queue, SendEmail { copies: 1, to: "ada@x" });
    assert_enqueued!(queue, SendEmail { .. });
    assert_enqueued!(queue, SendEmail, |job| job.copies == 1);
    assert_not_enqueued!(queue, SendEmail { to: "bob@x", .. });
    assert_not_enqueued!(queue, Note);
}

#[tokio::test]
#[should_panic(
    expected = "no job that waits is `SendEmail { to: \"bob@x\", .. }`; 1 of kind send_email wait:\n  {\"to\":\"ada@x\""
)]
async fn a_failed_assertion_shows_what_waits() {
    let queue = TestQueue::new();
    queue.windlass().enqueue(to("ada@x")).await.unwrap();

    assert_enqueued!(queue, SendEmail { to: "bob@x", .. });
}

#[tokio::test]
async fn a_handler_is_called_with_parts_of_a_made_up_context() {
    async fn count(job: SendEmail, attempt: Attempt, progress: Progress) -> Result<u32, JobError> {
        progress.set(50, "half").await?;
        Ok(job.copies + u32::try_from(attempt.number)?)
    }
    let cx = context(&to("ada@x"));

    assert_eq!(count(to("ada@x"), cx.attempt(), cx.progress()).await.unwrap(), 2);
}

#[test]
fn a_made_up_attempt_is_that_of_a_job_with_its_own_defaults() {
    let mut leased = leased(&to("ada@x"));
    leased.attempt = 2;

    assert!(windlass::JobCx::detached(leased).attempt().is_last());
}
