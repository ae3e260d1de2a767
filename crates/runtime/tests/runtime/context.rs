//! What a handler may say while it runs: progress, checkpoints, log lines.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use windlass_core::{JobState, Json, LogLevel, Reason};
use windlass_runtime::{Checkpoint, JobCx, JobError, JobLog, Progress, State};
use windlass_store::{ErrorKind, JobStore as _, PageRequest};

use crate::faulty::Fault;
use crate::support::{Lab, Number, until};

async fn lines(lab: &Lab, id: windlass_core::JobId) -> Vec<(u64, LogLevel, String)> {
    let page = lab.store.logs(id, PageRequest::first(500)).await.unwrap();
    page.items.into_iter().map(|line| (line.attempt, line.level, line.message)).collect()
}

#[tokio::test]
async fn progress_and_a_checkpoint_survive_a_failed_attempt() {
    async fn count(_: Number, at: Checkpoint<u64>, progress: Progress) -> Result<(), JobError> {
        match at.get() {
            None => {
                progress.set(40, "two of five").await?;
                at.save(&2).await?;
                Err(JobError::retry_after(Duration::ZERO))
            }
            Some(2) => Ok(()),
            Some(other) => Err(JobError::fatal(format!("went on at {other}"))),
        }
    }
    let lab = Lab::new();
    let id = lab.enqueue(&Number(0)).await;

    let worker = lab.worker().handle(count).build().unwrap().start();
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!((job.state, job.attempt), (JobState::Completed, 2));
    assert_eq!(job.checkpoint, Some(Json::of("checkpoint", &2).unwrap()));
    let progress = job.progress.unwrap();
    assert_eq!((progress.percent, progress.message.as_deref()), (40, Some("two of five")));
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_read_kills_the_job() {
    async fn save(_: Number, cx: JobCx) -> Result<(), JobError> {
        if cx.attempt().number == 1 {
            cx.checkpoint::<serde_json::Value>()?.save(&serde_json::json!("text")).await?;
            return Err(JobError::retry_after(Duration::ZERO));
        }
        cx.checkpoint::<u64>().map(|_| ())
    }
    let lab = Lab::new();
    let id = lab.enqueue(&Number(0)).await;

    let worker = lab.worker().handle(save).build().unwrap().start();
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Fatal)));
    assert_eq!(job.error.unwrap().message, "the checkpoint of an earlier attempt cannot be read");
}

#[tokio::test]
async fn an_impossible_progress_is_an_error_of_the_handler() {
    async fn too_far(_: Number, progress: Progress) -> Result<(), JobError> {
        Ok(progress.set(101, "").await?)
    }
    let lab = Lab::new();
    let id = lab.enqueue(&Number(0)).await;

    let worker = lab.worker().handle(too_far).build().unwrap().start();
    let job = lab.until_state(id, JobState::Retryable).await;
    worker.stop().await;

    let message = job.error.unwrap().message;
    assert_eq!(message, "could not store progress: progress.percent: is 101; it runs from 0 to 100");
}

#[tokio::test]
async fn log_lines_are_stored_in_order_before_the_attempt_ends_also_when_it_fails() {
    async fn talk(_: Number, log: JobLog) -> Result<(), JobError> {
        log.debug("one");
        log.info("two");
        tokio::task::yield_now().await;
        log.warn("three");
        log.error("four");
        Err(JobError::fatal("no"))
    }
    let lab = Lab::new();
    let id = lab.enqueue(&Number(0)).await;

    let worker = lab.worker().handle(talk).build().unwrap().start();
    lab.until_final(id).await;
    worker.stop().await;

    let expected = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error].into_iter();
    let expected =
        expected.zip(["one", "two", "three", "four"]).map(|(level, text)| (1, level, text.to_owned()));
    assert_eq!(lines(&lab, id).await, expected.collect::<Vec<_>>());
    assert!(lab.store.calls("log") <= 2, "they are stored together");
}

#[tokio::test(start_paused = true)]
async fn log_lines_can_be_read_while_the_job_runs() {
    async fn talk(_: Number, log: JobLog, State(gate): State<Arc<Semaphore>>) {
        log.info("started");
        gate.acquire().await.unwrap().forget();
        log.info("done");
    }
    let (lab, gate) = (Lab::new(), Arc::new(Semaphore::new(0)));
    let id = lab.enqueue(&Number(0)).await;

    let worker = lab.worker().state(Arc::clone(&gate)).handle(talk).build().unwrap().start();
    until(|| lab.store.calls("log") == 1).await;
    assert_eq!(lines(&lab, id).await, [(1, LogLevel::Info, "started".to_owned())]);
    gate.add_permits(1);
    lab.until_final(id).await;
    worker.stop().await;

    assert_eq!(lines(&lab, id).await.len(), 2);
}

#[tokio::test]
async fn a_blocking_handler_can_say_as_much() {
    fn talk(_: Number, log: JobLog, progress: Progress) -> Result<(), JobError> {
        log.info("from a thread");
        Ok(progress.set_blocking(50, "half")?)
    }
    let lab = Lab::new();
    let id = lab.enqueue(&Number(0)).await;

    let worker = lab.worker().handle_blocking(talk).build().unwrap().start();
    let job = lab.until_final(id).await;
    worker.stop().await;

    assert_eq!(job.progress.unwrap().percent, 50);
    assert_eq!(lines(&lab, id).await, [(1, LogLevel::Info, "from a thread".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn log_lines_outlive_a_short_outage_and_do_not_keep_an_attempt_from_ending() {
    let lab = Lab::new();
    lab.store.next("log", [Fault::Fail(ErrorKind::Unavailable), Fault::Fail(ErrorKind::Unavailable)]);
    let kept = lab.enqueue(&Number(0)).await;
    let worker = lab.worker().queue("default", 1).handle(async |_: Number, log: JobLog| log.info("hello"));
    let worker = worker.build().unwrap().start();

    lab.until_state(kept, JobState::Completed).await;
    lab.store.always("log", Fault::Fail(ErrorKind::Unavailable));
    let dropped = lab.enqueue(&Number(0)).await;
    lab.until_state(dropped, JobState::Completed).await;
    worker.stop().await;

    assert_eq!(lines(&lab, kept).await.len(), 1);
    assert_eq!(lines(&lab, dropped).await.len(), 0);
}
