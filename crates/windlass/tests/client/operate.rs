//! What operators do and ask through the client: all that the port can is to be had here, too.

use std::time::Duration;

use windlass::model::{AttemptError, AttemptOutcome, Verdict};
use windlass::store::{ErrorFilter, JobFilter, Keep, QueueRetention, Retention};
use windlass::testing::TestQueue;
use windlass::{ErrorKind, JobState, Unique, Windlass};

use crate::hand::{Hand, email};

const HOUR: Duration = Duration::from_secs(3600);

fn fatal(message: &str) -> Verdict {
    Verdict::Fatal { error: AttemptError::new(message) }
}

/// A job of this kind that has died so.
async fn dead(windlass: &Windlass, message: &str) -> windlass::JobHandle {
    let handle = windlass.enqueue(email()).await.unwrap().handle();
    let hand = Hand::on(windlass).await;
    hand.settle(&hand.claim().await, fatal(message)).await;
    windlass.handle(handle.id())
}

#[tokio::test]
async fn errors_are_grouped_and_the_dead_of_one_group_are_redriven() {
    let windlass = Windlass::in_memory();
    let gone = [dead(&windlass, "user 1 is gone").await, dead(&windlass, "user 22 is gone").await];
    let full = dead(&windlass, "disk full").await;

    let groups = windlass.error_groups(ErrorFilter::default()).await.unwrap();

    let twice = groups.iter().find(|group| group.count == 2).unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(windlass.error_group(twice.fingerprint).await.unwrap(), *twice);
    let filter = JobFilter { fingerprint: Some(twice.fingerprint), ..JobFilter::default() };
    let mut redriven = windlass.redrive(filter).await.unwrap();
    redriven.jobs.sort();
    assert_eq!((redriven.jobs, redriven.refused.len()), (gone.map(|job| job.id()).to_vec(), 0));
    assert_eq!(full.state().await.unwrap(), JobState::Dead);
}

#[tokio::test]
async fn a_redrive_tells_whom_it_was_refused() {
    let windlass = Windlass::in_memory();
    let keyed = windlass.enqueue(email()).unique(Unique::key("k")).await.unwrap().handle();
    let hand = Hand::on(&windlass).await;
    hand.settle(&hand.claim().await, fatal("x")).await;
    let other = windlass.enqueue(email()).unique(Unique::key("k")).await.unwrap().id();

    let redriven = windlass.redrive(JobFilter::default()).await.unwrap();

    assert_eq!(redriven.jobs, []);
    let (job, error) = &redriven.refused[0];
    assert_eq!((*job, error.kind()), (keyed.id(), &ErrorKind::Duplicate(other)));
}

#[tokio::test]
async fn a_redrive_goes_on_over_all_pages() {
    let windlass = Windlass::in_memory();
    let jobs: Vec<_> = (0..501).map(|_| email()).collect();
    windlass.enqueue_many(jobs).await.unwrap();
    let hand = Hand::on(&windlass).await;
    for _ in 0..501 {
        hand.settle(&hand.claim().await, fatal("x")).await;
    }

    let redriven = windlass.redrive(JobFilter::default()).await.unwrap();

    assert_eq!((redriven.jobs.len(), redriven.refused.len()), (501, 0));
}

#[tokio::test]
async fn a_copy_of_a_job_is_a_job_of_its_own() {
    let windlass = Windlass::in_memory();
    let job = dead(&windlass, "x").await;

    let copy = job.rerun().await.unwrap();

    let record = copy.job().await.unwrap();
    assert_eq!((record.state, record.options.rerun_of), (JobState::Ready, Some(job.id())));
    assert_eq!(job.state().await.unwrap(), JobState::Dead);
    assert_eq!(copy.rerun().await.unwrap_err().kind(), &ErrorKind::NotReady);
}

#[tokio::test]
async fn a_queue_keeps_what_has_ended_for_a_time_of_its_own() {
    let queue = TestQueue::new();
    let windlass = queue.windlass();
    let own = QueueRetention::default().dead(Keep::For(HOUR));
    windlass.keep("mail", own).await.unwrap();
    let job = dead(windlass, "x").await;

    assert_eq!(windlass.retentions().await.unwrap(), [("mail".parse().unwrap(), own)]);
    assert_eq!(windlass.prune(Retention::default()).await.unwrap(), 0);
    queue.advance(HOUR);
    assert_eq!(windlass.prune(Retention::default()).await.unwrap(), 1);

    assert_eq!(job.job().await.unwrap_err().kind(), &ErrorKind::NotFound);
    let too_long = QueueRetention::default().dead(Keep::For(Duration::MAX));
    let refused = windlass.keep("mail", too_long).await.unwrap_err();
    assert!(refused.to_string().contains("retention.dead"), "{refused}");
    assert!(windlass.keep("", own).await.unwrap_err().to_string().contains("queue"));
}

#[tokio::test]
async fn what_has_happened_to_a_job_is_told() {
    let windlass = Windlass::in_memory();
    let job = windlass.enqueue(email()).delay(HOUR).await.unwrap().handle();

    job.run_now().await.unwrap();
    let hand = Hand::on(&windlass).await;
    hand.settle(&hand.claim().await, fatal("no such address")).await;

    let (attempts, events) = (job.attempts().await.unwrap(), job.events().await.unwrap());
    assert_eq!(attempts.iter().map(|one| one.outcome).collect::<Vec<_>>(), [Some(AttemptOutcome::Failed)]);
    assert_eq!(events.iter().map(|event| event.verb.as_str()).collect::<Vec<_>>(), ["run_now"]);
    job.delete().await.unwrap();
    assert_eq!(job.attempts().await.unwrap_err().kind(), &ErrorKind::NotFound);
}

#[tokio::test]
async fn the_relatives_of_a_job_are_told_and_go_with_it() {
    let windlass = Windlass::in_memory();
    let parent = windlass.enqueue(email()).await.unwrap().handle();
    let child = windlass.enqueue(email()).after(&parent).await.unwrap().handle();
    let hand = Hand::on(&windlass).await;
    hand.settle(&hand.claim().await, Verdict::Succeeded { result: None }).await;

    let (parents, children) = (child.parents().await.unwrap(), parent.children().await.unwrap());
    let inputs = child.inputs().await.unwrap();

    assert_eq!((parents[0].id, children[0].id), (parent.id(), child.id()));
    assert_eq!((inputs[0].parent, inputs[0].state), (parent.id(), JobState::Completed));
    assert_eq!(child.delete_flow().await.unwrap(), [parent.id(), child.id()]);
}

#[tokio::test]
async fn the_queue_tells_who_works_on_it_and_how_it_is() {
    let windlass = Windlass::in_memory();
    windlass.enqueue(email()).await.unwrap();
    let hand = Hand::on(&windlass).await;
    let running = hand.claim().await;
    windlass.queue("mail").limit(3).await.unwrap();

    let (workers, leases) = (windlass.workers(Duration::ZERO).await, windlass.leases(Duration::ZERO).await);

    assert_eq!(workers.unwrap()[0].running, 1);
    assert_eq!(leases.unwrap()[0].token, running.token);
    assert_eq!(windlass.bounds().await.unwrap()[0].1.limit, Some(3));
    assert_eq!(windlass.check().await.unwrap(), Vec::<String>::new());
    assert!(windlass.status().await.unwrap().engine.starts_with("memory"));
}

#[tokio::test]
async fn a_schedule_is_read_with_what_was_done_to_it() {
    let windlass = Windlass::in_memory();
    windlass.schedule("nightly").cron("@daily").enqueue(email()).await.unwrap();
    windlass.pause_schedule("nightly").await.unwrap();

    let (schedule, events) = (
        windlass.schedule_named("nightly").await.unwrap(),
        windlass.schedule_events("nightly").await.unwrap(),
    );

    assert!(schedule.pause.is_some());
    assert!(events.iter().any(|event| event.verb == "pause"), "{events:?}");
    assert_eq!(windlass.schedule_named("daily").await.unwrap_err().kind(), &ErrorKind::NotFound);
}
