//! Jobs that wait for one another, from the builder to the handler, on every store the library opens by itself.

#![expect(clippy::unwrap_used, reason = "a test whose helpers fail has failed")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use windlass::extract::Parents;
use windlass::model::{JobId, JobState, Reason};
use windlass::prelude::*;
use windlass::store::ErrorKind;
use windlass::worker::RunningWorker;

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "number", output = u64)]
struct Number(u64);

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "sum", output = u64)]
struct Sum;

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "report", output = Vec<String>)]
struct Report;

/// There is no zero.
async fn number(Number(number): Number) -> Result<u64, JobError> {
    if number == 0 { Err(JobError::fatal("nothing")) } else { Ok(number) }
}

async fn sum(_: Sum, parents: Parents) -> Result<u64, JobError> {
    Ok(parents.results::<u64>().await?.into_iter().sum())
}

async fn report(_: Report, parents: Parents) -> Result<Vec<String>, JobError> {
    let parents = parents.all().await?;
    Ok(parents.iter().map(|parent| format!("{} {}", parent.kind(), parent.state())).collect())
}

/// A queue of each kind, and the folder one of them is in.
async fn every_queue() -> ([Windlass; 2], TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let in_file = Windlass::open(folder.path().join("app.db")).await.unwrap();
    ([Windlass::in_memory(), in_file], folder)
}

fn start(windlass: &Windlass) -> RunningWorker {
    windlass.worker().queue("default", 4).handle(number).handle(sum).handle(report).build().unwrap().start()
}

#[tokio::test]
async fn results_come_together_in_the_order_of_the_edges() {
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        let mut flow = windlass.flow();
        let numbers: Vec<_> = [3, 4, 5].map(Number).into_iter().map(|number| flow.add(number)).collect();
        let total = flow.add_after(Sum, &numbers);
        let told = flow.add_when_finished(Report);
        let flow = flow.enqueue().await.unwrap();
        let worker = start(&windlass);

        assert_eq!(flow.jobs().len(), 5);
        assert_eq!(flow.handle(total).result().await.unwrap(), 12);
        let told = flow.handle(told).result().await.unwrap();
        assert_eq!(told, ["number completed", "number completed", "number completed", "sum completed"]);
        worker.stop().await;
    }
}

#[tokio::test]
async fn what_a_parent_broke_is_told_down_to_its_root() {
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        let broken = windlass.enqueue(Number(0)).await.unwrap();
        let closed = windlass.enqueue(Sum).after(&broken).await.unwrap();
        let told = windlass.enqueue(Sum).after_finish(&broken).await.unwrap();
        let report =
            windlass.enqueue(Report).after_finish(&closed.handle()).after_finish(told.id()).await.unwrap();
        let worker = start(&windlass);

        assert_eq!(report.handle().result().await.unwrap(), ["sum cancelled", "sum dead"]);

        assert_eq!(closed.handle().job().await.unwrap().reason, Some(Reason::DependencyFailed));
        let tree = told.handle().error_tree().await.unwrap();
        assert!(tree.error.unwrap().message.ends_with("is dead: nothing"));
        assert_eq!(tree.causes[0].id, broken.id());
        assert_eq!(tree.causes[0].error.as_ref().unwrap().message, "nothing");
        let flow = report.handle().flow().await.unwrap();
        assert_eq!((flow.jobs.len(), flow.edges.len()), (4, 4));
        assert_eq!(report.handle().retry_flow().await.unwrap().len(), 3);
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_flow_is_enqueued_as_a_whole_or_not_at_all() {
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        let mut flow = windlass.flow();
        let first = flow.add(Number(1));
        flow.add_with(Sum, |job| job.after(first).queue("no such name"));
        let error = flow.enqueue().await.unwrap_err();
        assert!(error.to_string().contains("jobs[1].queue"), "{error}");

        let mut flow = windlass.flow();
        let first = flow.add(Number(1));
        flow.add_with(Sum, |job| job.after(windlass::store::ids::job_id()));
        assert_eq!(flow.enqueue().await.unwrap_err().kind(), &ErrorKind::NotFound);
        let handle = windlass.handle::<Number>(first.id());
        assert_eq!(handle.job().await.unwrap_err().kind(), &ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_flow_is_cancelled_as_a_whole() {
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        let mut flow = windlass.flow();
        let numbers: Vec<_> = (1..=3).map(|number| flow.add(Number(number))).collect();
        let total = flow.add_after(Sum, numbers);
        let flow = flow.enqueue().await.unwrap();

        assert_eq!(flow.handle(total).cancel_flow().await.unwrap().len(), 4);

        assert_eq!(flow.handle(total).state().await.unwrap(), JobState::Cancelled);
    }
}

#[tokio::test]
async fn diamonds_in_many_levels_are_worked_off_and_fail_as_one() {
    const LEVELS: usize = 20;
    const WIDTH: usize = 10;
    let (queues, _folder) = every_queue().await;
    for windlass in queues {
        for root in [1, 0] {
            let mut flow = windlass.flow();
            let mut level: Vec<JobId> = (0..WIDTH).map(|_| flow.add(Number(root)).id()).collect();
            for _ in 1..LEVELS {
                level = (0..WIDTH)
                    .map(|place| flow.add_after(Sum, [level[place], level[(place + 1) % WIDTH]]).id())
                    .collect();
            }
            let flow = flow.enqueue().await.unwrap();
            let worker = start(&windlass);

            let mut ends: BTreeMap<JobState, usize> = BTreeMap::new();
            for job in flow.jobs() {
                *ends.entry(job.handle().wait().await.unwrap().state).or_default() += 1;
            }

            let failed = [(JobState::Cancelled, WIDTH * (LEVELS - 1)), (JobState::Dead, WIDTH)];
            let expected =
                if root == 0 { failed.into() } else { [(JobState::Completed, WIDTH * LEVELS)].into() };
            assert_eq!(ends, expected);
            worker.stop().await;
        }
    }
}
