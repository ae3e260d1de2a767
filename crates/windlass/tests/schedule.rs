//! Schedules, as a program makes and declares them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use windlass::prelude::*;
use windlass::schedule::{self, FiringOutcome, Missed, Overlap, ScheduleOutcome, ScheduleState};
use windlass::testing::TestQueue;
use windlass::{ErrorKind, JobState, Priority, assert_enqueued};

#[derive(Debug, PartialEq, Serialize, Deserialize, Job)]
#[job(kind = "cleanup", queue = "nights", attempts = 3)]
struct Cleanup {
    days: u32,
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn field(error: &windlass::Error) -> &str {
    match error.kind() {
        ErrorKind::Invalid(invalid) => &invalid.field,
        other => panic!("refused as {other:?}"),
    }
}

#[tokio::test]
async fn a_schedule_makes_its_job_as_the_kind_wants_it_at_each_tick() {
    let queue = TestQueue::new();
    let nightly = queue.windlass().schedule("nightly").cron("0 3 * * *").zone("Europe/Berlin");
    let nightly = nightly.overlap(Overlap::Allow).job_with(|job| job.priority = Priority::Low);

    assert_eq!(nightly.enqueue(Cleanup { days: 30 }).await.unwrap(), ScheduleOutcome::Created);
    queue.advance(DAY * 3);

    assert_eq!(queue.enqueued::<Cleanup>().await.len(), 3);
    assert_enqueued!(queue, Cleanup { days: 30 });
    let jobs = queue.windlass().jobs(windlass::store::JobFilter::default()).all().await.unwrap();
    let ticks: Vec<String> = jobs.iter().rev().map(|job| job.run_at.to_string()).collect();
    assert_eq!(ticks, ["2026-01-01T02:00:00Z", "2026-01-02T02:00:00Z", "2026-01-03T02:00:00Z"]);
    assert!(jobs.iter().all(|job| job.queue.as_str() == "nights" && job.attempts_max == 3));
    assert!(jobs.iter().all(|job| job.priority == Priority::Low && job.created_at == job.run_at));
}

#[tokio::test]
async fn a_tick_is_skipped_while_nobody_has_done_the_last_job() {
    let queue = TestQueue::new();
    queue.windlass().schedule("h").every(HOUR).enqueue(Cleanup { days: 1 }).await.unwrap();
    queue.advance(HOUR * 3);
    assert_eq!(queue.enqueued::<Cleanup>().await.len(), 1);

    queue.drain(queue.windlass().worker().queue("nights", 1).handle(async |_: Cleanup| {})).await;
    queue.advance(HOUR);

    let told = queue.windlass().firings("h", 10).await.unwrap();
    let fired = told.iter().map(|one| matches!(one.outcome, FiringOutcome::Fired(_)));
    assert_eq!(fired.collect::<Vec<_>>(), [true, false, false, true]);
}

#[tokio::test]
async fn what_is_said_wrongly_is_told_when_it_is_awaited() {
    let windlass = TestQueue::new().windlass().clone();
    let job = || Cleanup { days: 1 };

    let refused = |error: windlass::Error| field(&error).to_owned();
    let cron = windlass.schedule("s").cron("0 25 * * *").enqueue(job()).await.unwrap_err();
    assert!(cron.to_string().contains("the hour \"25\""), "{cron}");
    assert_eq!(refused(cron), "cron");
    let missing = windlass.schedule("s").enqueue(job()).await.unwrap_err();
    assert_eq!(refused(missing), "cron");
    assert_eq!(refused(windlass.schedule("s").cron("@daily").await.unwrap_err()), "job");
    let both = windlass.schedule("s").cron("@daily").every(HOUR).enqueue(job()).await.unwrap_err();
    assert_eq!(refused(both), "every");
    let zone = windlass.schedule("s").every(HOUR).zone("UTC").enqueue(job()).await.unwrap_err();
    assert_eq!(refused(zone), "zone");
    assert_eq!(
        refused(windlass.schedule("no such").cron("@daily").enqueue(job()).await.unwrap_err()),
        "schedule"
    );
    assert!(windlass.schedules().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_operator_pauses_resumes_runs_backfills_and_deletes() {
    let queue = TestQueue::new();
    let windlass = queue.windlass();
    let start = queue.now();
    let hourly = windlass.schedule("h").every(HOUR).overlap(Overlap::Allow).missed(Missed::All(5));
    hourly.enqueue(Cleanup { days: 1 }).await.unwrap();

    windlass.pause_schedule("h").await.unwrap();
    queue.advance(HOUR * 3);
    assert_eq!(windlass.schedules().await.unwrap()[0].state(), ScheduleState::Paused);
    assert!(queue.enqueued::<Cleanup>().await.is_empty());
    windlass.resume_schedule("h").await.unwrap();
    queue.advance(Duration::from_secs(1));
    assert!(queue.enqueued::<Cleanup>().await.is_empty(), "a pause leaves out what it leaves out");

    let job = windlass.run_schedule("h").await.unwrap();
    assert_eq!(job.state().await.unwrap(), JobState::Ready);
    assert_eq!(windlass.backfill("h", start, queue.now()).await.unwrap().jobs.len(), 3);
    windlass.delete_schedule("h").await.unwrap();
    queue.advance(DAY);
    assert_eq!(queue.enqueued::<Cleanup>().await.len(), 4);
}

#[tokio::test]
async fn a_worker_declares_what_the_code_says() {
    let queue = TestQueue::new();
    let worker = |names: &[&str]| {
        let worker = queue.windlass().worker().program("billing").queue("nights", 1);
        let declared = names.iter().fold(worker, |worker, name| {
            worker.schedule(schedule::named(name).cron("@daily").enqueue(Cleanup { days: 7 }))
        });
        declared.handle(async |_: Cleanup| {})
    };

    queue.drain(worker(&["a", "b"])).await;
    queue.drain(worker(&["b"])).await;

    let schedules = queue.windlass().schedules().await.unwrap();
    let states: Vec<_> = schedules.iter().map(|one| (one.name().as_str(), one.state())).collect();
    assert_eq!(states, [("a", ScheduleState::Removed), ("b", ScheduleState::Active)]);
    let error = worker(&["c"]).schedule(schedule::named("d").cron("x").enqueue(Cleanup { days: 7 })).build();
    assert_eq!(error.unwrap_err().field(), "schedules[1].cron");
}
