//! Client, worker and store together, on every store the library opens.

#![expect(clippy::unwrap_used, reason = "a test whose helpers fail has failed")]

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempDir;
use windlass::model::{Args, JobState, KindName, NewJob};
use windlass::prelude::*;
use windlass::store::ids;
use windlass::worker::RunningWorker;
use windlass::{Reason, ResultError, RetryPolicy};

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "divide", version = 2, upcast = from_pair, output = u32)]
struct Divide {
    dividend: u32,
    divisor: u32,
}

/// Version 1 was a pair.
fn from_pair(version: u32, args: Value) -> Result<Value, String> {
    match serde_json::from_value::<(u32, u32)>(args) {
        Ok((dividend, divisor)) if version == 1 => {
            Ok(serde_json::json!({"dividend": dividend, "divisor": divisor}))
        }
        _ => Err("no pair".to_owned()),
    }
}

async fn divide(job: Divide, log: JobLog) -> Result<u32, JobError> {
    log.info("dividing");
    job.dividend.checked_div(job.divisor).ok_or_else(|| JobError::fatal("by zero"))
}

/// A queue of each kind, and the folder one of them is in.
async fn every_queue() -> ([Windlass; 2], TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let in_file = Windlass::open(folder.path().join("app.db")).await.unwrap();
    ([Windlass::in_memory(), in_file], folder)
}

fn start(windlass: &Windlass) -> RunningWorker {
    windlass.worker().queue("default", 4).handle(divide).build().unwrap().start()
}

#[tokio::test]
async fn a_result_comes_back_from_every_store() {
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        let worker = start(&windlass);

        let handle = windlass.enqueue(Divide { dividend: 42, divisor: 6 }).await.unwrap().handle();

        assert_eq!(handle.result().await.unwrap(), 7);
        assert_eq!(handle.logs().await.unwrap()[0].message, "dividing");
        assert_eq!(worker.stop().await.settled, 1);
    }
}

#[tokio::test]
async fn a_failure_comes_back_from_every_store() {
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        let worker = start(&windlass);

        let handle = windlass.enqueue(Divide { dividend: 1, divisor: 0 }).await.unwrap().handle();

        let Err(ResultError::Dead { reason, error }) = handle.result().await else { panic!("it was done") };
        assert_eq!((reason, error.unwrap().message.as_str()), (Reason::Fatal, "by zero"));
        worker.stop().await;
    }
}

#[tokio::test]
async fn many_results_come_back_in_order() {
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        let worker = start(&windlass);

        let jobs = (0..100).map(|n| Divide { dividend: n * 3, divisor: 3 });
        let enqueued = windlass.enqueue_many(jobs).await.unwrap();

        for (n, one) in (0..).zip(&enqueued) {
            assert_eq!(one.handle().result().await.unwrap(), n);
        }
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_cancel_wakes_who_waits_for_the_result() {
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        let handle = windlass.enqueue(Divide { dividend: 1, divisor: 1 }).await.unwrap().handle();

        let (result, cancelled) = tokio::join!(handle.result(), handle.cancel());

        cancelled.unwrap();
        assert!(matches!(result, Err(ResultError::Cancelled { reason: Reason::Operator, .. })));
    }
}

#[tokio::test]
async fn an_older_version_is_raised_by_the_function_the_derive_names() {
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        let worker = start(&windlass);
        let old = NewJob::new(ids::job_id(), KindName::new("divide").unwrap(), Args::json("[42,6]").unwrap());

        let id = windlass.enqueue_raw(old).await.unwrap().id();

        assert_eq!(windlass.handle::<Divide>(id).result().await.unwrap(), 7);
        worker.stop().await;
    }
}

#[tokio::test]
async fn what_is_in_the_file_is_there_after_it_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let windlass = Windlass::open(&path).await.unwrap();
    let id = windlass.enqueue(Divide { dividend: 8, divisor: 2 }).await.unwrap().id();
    drop(windlass);

    let windlass = Windlass::open(&path).await.unwrap();
    let worker = start(&windlass);

    assert_eq!(windlass.handle::<Divide>(id).result().await.unwrap(), 4);
    worker.stop().await;
}

#[tokio::test]
async fn a_job_enqueued_through_one_opening_of_a_file_is_done_through_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let (producer, consumer) = (Windlass::open(&path).await.unwrap(), Windlass::open(&path).await.unwrap());
    let worker = start(&consumer);

    let handle = producer.enqueue(Divide { dividend: 9, divisor: 3 }).await.unwrap().handle();

    assert_eq!(handle.result().await.unwrap(), 3);
    worker.stop().await;
}

#[tokio::test]
async fn a_file_in_a_folder_that_is_missing_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();

    let error = Windlass::open(folder.path().join("missing").join("app.db")).await.unwrap_err();

    assert_eq!(error.kind(), &windlass::ErrorKind::Unavailable);
}

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "flaky", attempts = 3, output = u64)]
struct Flaky;

#[tokio::test]
async fn a_wait_for_a_result_lasts_through_retries() {
    #[windlass::debug_handler]
    async fn flaky(_: Flaky, attempt: Attempt) -> Result<u64, JobError> {
        if attempt.is_last() { Ok(attempt.number) } else { Err(JobError::new("not yet")) }
    }
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        let worker = windlass.worker().handle(flaky).build().unwrap().start();

        let at_once = RetryPolicy::Fixed(Duration::ZERO);
        let handle = windlass.enqueue(Flaky).retry(at_once).await.unwrap().handle();

        assert_eq!(handle.result().await.unwrap(), 3);
        assert_eq!(handle.state().await.unwrap(), JobState::Completed);
        worker.stop().await;
    }
}
