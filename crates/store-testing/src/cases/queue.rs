//! Queues are paused, resumed and counted.

use windlass_core::{Due, JobState};
use windlass_store::{Actor, ErrorKind, Pause, QueueSummary, StateCounts};

use crate::bench::{Bench, SECOND, failed, operator, queue, refused, succeeded};

cases! {
    a_queue_exists_once_it_was_used_or_paused,
    queues_are_listed_by_name,
    a_queue_counts_its_jobs_by_state,
    the_oldest_ready_job_is_the_one_longest_due,
    a_pause_tells_since_when_by_whom_and_why,
    pausing_again_keeps_the_first_pause,
    a_resumed_queue_is_claimed_from_again,
    resuming_a_queue_that_is_not_paused_changes_nothing,
    an_unknown_queue_cannot_be_resumed,
    what_runs_goes_on_while_its_queue_is_paused,
    a_paused_queue_takes_jobs,
    names_are_matched_exactly,
    a_pause_survives_the_store_that_took_it,
    a_queue_stays_when_its_last_job_is_gone,
}

fn empty(name: &str) -> QueueSummary {
    QueueSummary { name: queue(name), pause: None, counts: StateCounts::default(), oldest_ready_at: None }
}

async fn a_queue_exists_once_it_was_used_or_paused(bench: Bench) {
    assert_eq!(bench.store.queues().await.unwrap(), []);

    bench.enqueue_with(|job| job.queue = queue("used")).await;
    bench.store.pause(&queue("paused"), operator()).await.unwrap();

    let names: Vec<_> = bench.store.queues().await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, [queue("paused"), queue("used")]);
}

async fn queues_are_listed_by_name(bench: Bench) {
    for name in ["b", "a/2", "B", "a", "a.1"] {
        bench.enqueue_with(|job| job.queue = queue(name)).await;
    }

    let names: Vec<_> = bench.store.queues().await.unwrap().into_iter().map(|one| one.name).collect();

    assert_eq!(names, ["B", "a", "a.1", "a/2", "b"].map(queue));
}

async fn a_queue_counts_its_jobs_by_state(bench: Bench) {
    bench.enqueue_with(|job| job.due = Due::In(SECOND * 100)).await;
    let retryable = bench.start_one().await;
    bench.settle(&retryable, failed("x")).await;
    for _ in 0..2 {
        let completed = bench.start_one().await;
        bench.settle(&completed, succeeded()).await;
    }
    let cancelled = bench.start_one().await;
    bench.cancel(cancelled.id()).await;
    let dead = bench.start_with(|job| job.attempts_max = 1).await;
    bench.settle(&dead, failed("x")).await;
    bench.start_one().await;
    bench.enqueue_many(3).await;

    let summary = bench.store.queues().await.unwrap().remove(0);

    let expected = [
        (JobState::Scheduled, 1),
        (JobState::Ready, 3),
        (JobState::Retryable, 1),
        (JobState::Blocked, 0),
        (JobState::InReview, 0),
        (JobState::Running, 1),
        (JobState::Completed, 2),
        (JobState::Cancelled, 1),
        (JobState::Dead, 1),
    ];
    assert_eq!(
        JobState::ALL.iter().map(|state| (*state, summary.counts.of(*state))).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(summary.counts.total(), 10);
    bench.advance(SECOND * 10);
    let later = bench.store.queues().await.unwrap().remove(0).counts;
    assert_eq!((later.of(JobState::Ready), later.of(JobState::Retryable)), (4, 0), "time alone makes ready");
}

async fn the_oldest_ready_job_is_the_one_longest_due(bench: Bench) {
    let now = bench.now();
    bench.enqueue_with(|job| job.due = Due::At(now.before(SECOND))).await;
    bench.enqueue_with(|job| job.due = Due::At(now.before(SECOND * 2))).await;
    bench.enqueue_with(|job| (job.queue, job.due) = (queue("later"), Due::In(SECOND))).await;

    let oldest = async || -> Vec<_> {
        bench.store.queues().await.unwrap().into_iter().map(|one| one.oldest_ready_at).collect()
    };

    assert_eq!(oldest().await, [Some(now.before(SECOND * 2)), None]);
    bench.claim_one().await;
    assert_eq!(oldest().await, [Some(now.before(SECOND)), None]);
}

async fn a_pause_tells_since_when_by_whom_and_why(bench: Bench) {
    let by = Actor::new("ada").because("the mail server is down");

    bench.store.pause(&queue("mail"), by.clone()).await.unwrap();

    let expected = QueueSummary { pause: Some(Pause { since: bench.now(), by }), ..empty("mail") };
    assert_eq!(bench.store.queues().await.unwrap(), [expected]);
}

async fn pausing_again_keeps_the_first_pause(bench: Bench) {
    bench.store.pause(&queue("mail"), operator()).await.unwrap();
    let before = bench.store.queues().await.unwrap();
    bench.advance(SECOND);

    bench.store.pause(&queue("mail"), Actor::new("grace").because("me too")).await.unwrap();

    assert_eq!(bench.store.queues().await.unwrap(), before);
}

async fn a_resumed_queue_is_claimed_from_again(bench: Bench) {
    let id = bench.enqueue_one().await;
    bench.store.pause(&queue("default"), operator()).await.unwrap();
    assert_eq!(bench.claim(1).await, []);
    let mut work = bench.store.signals().work();

    bench.store.resume(&queue("default"), operator()).await.unwrap();

    work.next().await;
    assert_eq!(bench.store.queues().await.unwrap()[0].pause, None);
    assert_eq!(bench.claim_one().await.id(), id);
}

async fn resuming_a_queue_that_is_not_paused_changes_nothing(bench: Bench) {
    bench.enqueue_one().await;
    let before = bench.store.queues().await.unwrap();

    bench.store.resume(&queue("default"), operator()).await.unwrap();

    assert_eq!(bench.store.queues().await.unwrap(), before);
}

async fn an_unknown_queue_cannot_be_resumed(bench: Bench) {
    assert_eq!(refused(bench.store.resume(&queue("nowhere"), operator()).await), ErrorKind::NotFound);
    assert_eq!(bench.store.queues().await.unwrap(), []);
}

async fn what_runs_goes_on_while_its_queue_is_paused(bench: Bench) {
    let job = bench.start_one().await;
    bench.store.pause(&queue("default"), operator()).await.unwrap();

    bench.store.extend(job.token).await.unwrap();

    assert_eq!(bench.settle(&job, succeeded()).await.state, JobState::Completed);
}

async fn a_paused_queue_takes_jobs(bench: Bench) {
    bench.store.pause(&queue("default"), operator()).await.unwrap();

    let id = bench.enqueue_one().await;

    assert_eq!(bench.state_of(id).await, (JobState::Ready, None));
    bench.store.resume(&queue("default"), operator()).await.unwrap();
    assert_eq!(bench.claim_one().await.id(), id);
}

async fn names_are_matched_exactly(bench: Bench) {
    bench.enqueue_with(|job| job.queue = queue("Mail")).await;
    bench.store.pause(&queue("mail"), operator()).await.unwrap();

    assert_eq!(bench.claim(1).await.len(), 1);
    assert_eq!(bench.store.queues().await.unwrap().len(), 2);
}

async fn a_pause_survives_the_store_that_took_it(bench: Bench) {
    bench.enqueue_one().await;
    bench.store.pause(&queue("default"), operator()).await.unwrap();
    let queues = bench.store.queues().await.unwrap();

    let store = bench.reopened().await.unwrap_or_else(|| bench.store.clone());

    assert_eq!(store.queues().await.unwrap(), queues);
}

async fn a_queue_stays_when_its_last_job_is_gone(bench: Bench) {
    let id = bench.enqueue_one().await;

    bench.store.delete(id, operator()).await.unwrap();

    assert_eq!(bench.store.queues().await.unwrap(), [empty("default")]);
}
