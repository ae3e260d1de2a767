//! Panics of handlers: each is a failed attempt, and costs nobody else anything.

use windlass_core::{JobState, Reason};
use windlass_runtime::{Attempt, JobError};

use crate::support::{Greet, Lab, Number};

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

#[expect(clippy::panic, reason = "that is the point")]
async fn explode(job: Number) -> Result<(), JobError> {
    match job.0 {
        0 => panic!("at once, on {}", job.0),
        1 => {
            tokio::task::yield_now().await;
            panic!("after a while")
        }
        2 => {
            let _bomb = Bomb;
            tokio::task::yield_now().await;
            Ok(())
        }
        3 => std::panic::panic_any(7),
        4 => panic!("{}\u{0}\u{1b}[31m", "x".repeat(10 * 1024 * 1024)),
        _ => Ok(()),
    }
}

/// What became of a job whose handler panics in the way of that number.
async fn died(number: u64) -> windlass_core::AttemptError {
    let lab = Lab::new();
    let id = lab.enqueue_with(&Number(number), |job| job.attempts_max = 1).await;
    let worker = lab.worker().queue("default", 1).handle(explode).build().unwrap().start();
    let job = lab.until_final(id).await;
    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Exhausted)));

    let next = lab.enqueue(&Number(9)).await;
    assert_eq!(lab.until_final(next).await.state, JobState::Completed, "the worker goes on");
    worker.stop().await;
    job.error.unwrap()
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_with_its_message_and_its_place() {
    let error = died(0).await;

    assert_eq!(error.message, "panicked: at once, on 0");
    assert_eq!(error.class.as_deref(), Some("panic"));
    assert!(error.trace.unwrap().contains("tests/runtime/panics.rs:"));
}

#[tokio::test]
async fn a_panic_after_a_wait_is_told_likewise() {
    let error = died(1).await;

    assert_eq!(error.message, "panicked: after a while");
    assert!(error.trace.unwrap().contains("tests/runtime/panics.rs:"));
}

#[tokio::test]
async fn a_panic_in_a_drop_is_told_likewise() {
    assert_eq!(died(2).await.message, "panicked: in drop");
}

#[tokio::test]
async fn a_panic_without_text_is_told_likewise() {
    assert_eq!(died(3).await.message, "panicked: with something that is not text");
}

#[tokio::test]
async fn a_hostile_panic_message_is_cut_and_made_safe() {
    let message = died(4).await.message;

    assert!(message.len() <= 4 * 1024 && message.ends_with("[cut]"));
}

#[tokio::test]
async fn a_panic_in_a_blocking_handler_is_a_failed_attempt() {
    #[expect(clippy::panic, reason = "that is the point")]
    fn blocked(_: Number) {
        panic!("on another thread");
    }
    let lab = Lab::new();
    let id = lab.enqueue_with(&Number(0), |job| job.attempts_max = 1).await;

    let worker = lab.worker().handle_blocking(blocked).build().unwrap().start();
    let error = lab.until_final(id).await.error.unwrap();
    worker.stop().await;

    assert_eq!(error.message, "panicked: on another thread");
    assert!(error.trace.unwrap().contains("tests/runtime/panics.rs:"));
}

#[tokio::test]
async fn a_job_that_panics_on_one_queue_is_dead_after_its_attempts_and_the_other_queue_works() {
    #[expect(clippy::panic, reason = "that is the point")]
    async fn fails(_: Number, attempt: Attempt) {
        panic!("attempt {}", attempt.number);
    }
    let lab = Lab::new();
    let bad = lab
        .enqueue_with(&Number(0), |job| {
            job.attempts_max = 2;
            job.queue = "two".parse().unwrap();
            job.options.retry = windlass_core::RetryPolicy::Fixed(std::time::Duration::ZERO);
        })
        .await;
    let good = lab.enqueue_with(&Greet::someone(), |job| job.queue = "one".parse().unwrap()).await;

    let worker =
        lab.worker().queue("one", 1).queue("two", 1).handle(fails).handle(async |job: Greet| job.name);
    let worker = worker.build().unwrap().start();
    let (bad, good) = (lab.until_final(bad).await, lab.until_final(good).await);
    worker.stop().await;

    assert_eq!((bad.state, bad.attempt), (JobState::Dead, 2));
    assert_eq!(bad.error.unwrap().message, "panicked: attempt 2");
    assert_eq!(good.state, JobState::Completed);
}
