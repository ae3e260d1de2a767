//! Jobs that a handler makes as long as its own is still its own, on every store the library opens by itself.

#![expect(clippy::unwrap_used, reason = "a test whose helpers fail has failed")]

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::sync::mpsc::{Sender, channel};
use windlass::prelude::*;
use windlass::store::{ErrorKind, JobFilter};
use windlass::{EnqueueOutcome, Error};

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "split")]
struct Split;

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "part")]
struct Part(u32);

type Shared = (Windlass, Sender<JobCx>);

/// Makes jobs in each way, and lends what it made them with to those who should not.
async fn split(_: Split, cx: JobCx, State((windlass, ended)): State<Shared>) -> Result<(), JobError> {
    assert_eq!(make(&windlass, &cx).await?, [EnqueueOutcome::Created; 5]);
    ended.send(cx).await?;
    Ok(())
}

async fn make(windlass: &Windlass, cx: &JobCx) -> Result<Vec<EnqueueOutcome>, Error> {
    let one = windlass.enqueue(Part(1)).under(cx).await?;
    let many = windlass.enqueue_many([Part(2), Part(3)]).under(cx).await?;
    let mut flow = windlass.flow();
    let first = flow.add(Part(4));
    flow.add_after(Part(5), [first]);
    let flow = flow.enqueue_under(cx).await?;
    let many = many.iter().map(Enqueued::outcome);
    let flow = flow.jobs().iter().map(Enqueued::outcome);
    Ok([one.outcome()].into_iter().chain(many).chain(flow).collect())
}

async fn every_queue() -> ([Windlass; 2], TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let in_file = Windlass::open(folder.path().join("app.db")).await.unwrap();
    ([Windlass::in_memory(), in_file], folder)
}

#[tokio::test]
async fn g06_a_handler_makes_jobs_until_its_own_has_ended() {
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        let (ended, mut attempts) = channel::<JobCx>(1);
        let shared = (windlass.clone(), ended);
        let worker =
            windlass.worker().queue("default", 1).state(shared).handle(split).build().unwrap().start();
        windlass.enqueue(Split).await.unwrap().handle().result().await.unwrap();
        let cx = attempts.recv().await.unwrap();
        worker.stop().await;

        let one = windlass.enqueue(Part(1)).under(&cx).await.map(drop);
        let many = windlass.enqueue_many([Part(2)]).under(&cx).await.map(drop);
        let mut flow = windlass.flow();
        flow.add(Part(3));
        let flow = flow.enqueue_under(&cx).await.map(drop);

        for answer in [one, many, flow] {
            assert_eq!(*answer.unwrap_err().kind(), ErrorKind::NotRunning);
        }
        let jobs = windlass.jobs(JobFilter::default()).all().await.unwrap();
        assert_eq!(jobs.len(), 1 + 5, "what was made before stays, and nothing else is there");
    }
}
