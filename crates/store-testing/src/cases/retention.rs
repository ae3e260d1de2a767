//! Finished jobs are removed when they have been kept long enough, and the store says how it is.

use std::time::Duration;

use windlass_core::{Due, JobId};
use windlass_store::{ErrorKind, JobFilter, Keep, PageRequest, Pruned, QueueRetention, Retention};

use crate::bench::{
    Bench, LEASE, MICROSECOND, SECOND, failed, field_of, just_before, operator, queue, refused, succeeded,
};

cases! {
    a_finished_job_is_kept_until_its_time_is_over,
    each_final_state_has_its_own_retention,
    what_is_kept_for_ever_is_never_removed,
    an_unfinished_job_is_never_removed,
    a_cancelled_job_with_an_open_attempt_is_not_removed,
    a_prune_goes_on_until_nothing_is_left,
    time_counts_from_the_end_of_the_job,
    a_queue_keeps_its_jobs_for_a_time_of_its_own,
    a_queue_keeps_its_jobs_for_ever_if_it_says_so,
    what_a_queue_says_holds_for_the_states_it_names,
    what_a_queue_says_survives_the_store_and_can_be_taken_back,
    a_retention_that_is_too_long_is_refused_by_field,
    a_prune_with_retentions_goes_on_until_nothing_is_left,
    the_status_tells_engine_and_time,
    a_sound_store_has_nothing_to_report,
    tidying_changes_nothing_that_can_be_seen,
}

const NEVER: Retention = Retention { completed: None, cancelled: None, dead: None };
const AT_ONCE: Retention = Retention {
    completed: Some(Duration::ZERO),
    cancelled: Some(Duration::ZERO),
    dead: Some(Duration::ZERO),
};

async fn prune(bench: &Bench, retention: Retention) -> Pruned {
    bench.store.prune(retention).await.unwrap()
}

async fn ids(bench: &Bench) -> Vec<JobId> {
    let page = bench.store.jobs(JobFilter::default(), PageRequest::first(500)).await.unwrap();
    page.items.iter().map(|job| job.id).collect()
}

/// One completed, one cancelled and one dead job.
async fn finished(bench: &Bench) -> [JobId; 3] {
    let completed = bench.start_one().await;
    bench.settle(&completed, succeeded()).await;
    let cancelled = bench.enqueue_one().await;
    bench.cancel(cancelled).await;
    let dead = bench.start_with(|job| job.attempts_max = 1).await;
    bench.settle(&dead, failed("x")).await;
    [completed.id(), cancelled, dead.id()]
}

async fn a_finished_job_is_kept_until_its_time_is_over(bench: Bench) {
    let job = bench.start_one().await;
    bench.settle(&job, succeeded()).await;
    let retention = Retention { completed: Some(SECOND), ..NEVER };

    bench.advance(just_before(SECOND));
    assert_eq!(prune(&bench, retention).await, Pruned { removed: 0, more: false });
    assert_eq!(ids(&bench).await, [job.id()]);

    bench.advance(MICROSECOND);
    assert_eq!(prune(&bench, retention).await.removed, 1);
    assert_eq!(refused(bench.store.job(job.id()).await), ErrorKind::NotFound);
    assert_eq!(refused(bench.store.attempts(job.id()).await), ErrorKind::NotFound);
    assert_eq!(prune(&bench, retention).await, Pruned { removed: 0, more: false });
}

async fn each_final_state_has_its_own_retention(bench: Bench) {
    let [completed, cancelled, dead] = finished(&bench).await;
    let now = Some(Duration::ZERO);

    assert_eq!(prune(&bench, Retention { cancelled: now, ..NEVER }).await.removed, 1);
    assert_eq!(ids(&bench).await, [dead, completed]);
    assert_eq!(prune(&bench, Retention { dead: now, ..NEVER }).await.removed, 1);
    assert_eq!(ids(&bench).await, [completed]);
    assert_eq!(prune(&bench, Retention { completed: now, ..NEVER }).await.removed, 1);
    assert_eq!(refused(bench.store.job(cancelled).await), ErrorKind::NotFound);
}

async fn what_is_kept_for_ever_is_never_removed(bench: Bench) {
    finished(&bench).await;
    bench.advance(Duration::from_secs(100 * 366 * 24 * 60 * 60));

    assert_eq!(prune(&bench, NEVER).await, Pruned { removed: 0, more: false });

    assert_eq!(ids(&bench).await.len(), 3);
}

async fn an_unfinished_job_is_never_removed(bench: Bench) {
    bench.enqueue_with(|job| job.due = Due::In(LEASE)).await;
    bench.enqueue_one().await;
    bench.start_one().await;
    let retryable = bench.start_one().await;
    bench.settle(&retryable, failed("x")).await;
    bench.advance(Duration::from_secs(100 * 366 * 24 * 60 * 60));

    assert_eq!(prune(&bench, AT_ONCE).await, Pruned { removed: 0, more: false });

    assert_eq!(ids(&bench).await.len(), 4);
}

async fn a_cancelled_job_with_an_open_attempt_is_not_removed(bench: Bench) {
    let job = bench.start_one().await;
    bench.cancel(job.id()).await;
    bench.advance(LEASE);
    assert_eq!(prune(&bench, AT_ONCE).await.removed, 0);

    bench.rescue().await;

    assert_eq!(prune(&bench, AT_ONCE).await.removed, 1);
}

async fn a_prune_goes_on_until_nothing_is_left(bench: Bench) {
    let mut jobs = Vec::new();
    for _ in 0..20 {
        jobs.push(bench.enqueue_one().await);
    }
    let kept = jobs.pop().unwrap();
    for id in jobs {
        bench.cancel(id).await;
    }

    let mut removed = 0;
    loop {
        let pruned = prune(&bench, AT_ONCE).await;
        removed += pruned.removed;
        assert!(pruned.removed > 0 || !pruned.more, "a prune that does nothing has nothing left to do");
        if !pruned.more {
            break;
        }
    }

    assert_eq!(removed, 19);
    assert_eq!(ids(&bench).await, [kept]);
}

async fn time_counts_from_the_end_of_the_job(bench: Bench) {
    let id = bench.enqueue_one().await;
    bench.advance(LEASE);
    bench.cancel(id).await;

    assert_eq!(prune(&bench, Retention { cancelled: Some(SECOND), ..NEVER }).await.removed, 0);
}

/// A completed, a cancelled and a dead job of a queue.
async fn finished_in(bench: &Bench, name: &str) -> [JobId; 3] {
    let completed = bench.start_with(|job| job.queue = queue(name)).await;
    bench.settle(&completed, succeeded()).await;
    let cancelled = bench.enqueue_with(|job| job.queue = queue(name)).await;
    bench.cancel(cancelled).await;
    let dead = bench
        .start_with(|job| {
            job.queue = queue(name);
            job.attempts_max = 1;
        })
        .await;
    bench.settle(&dead, failed("x")).await;
    [completed.id(), cancelled, dead.id()]
}

async fn keep(bench: &Bench, name: &str, change: impl FnOnce(&mut QueueRetention)) -> QueueRetention {
    let mut retention = QueueRetention::default();
    change(&mut retention);
    bench.store.keep(&queue(name), retention, operator()).await.unwrap();
    retention
}

/// Prunes until nothing is left to be pruned. How many were removed.
async fn prune_all(bench: &Bench, retention: Retention) -> u64 {
    let mut removed = 0;
    loop {
        let pruned = prune(bench, retention).await;
        removed += pruned.removed;
        if !pruned.more {
            return removed;
        }
    }
}

async fn a_queue_keeps_its_jobs_for_a_time_of_its_own(bench: Bench) {
    let [completed, ..] = finished_in(&bench, "short").await;
    let [other, ..] = finished_in(&bench, "other").await;
    let (second, minute) = (Some(SECOND), Some(SECOND * 60));
    keep(&bench, "short", |own| own.completed = Some(Keep::For(SECOND))).await;
    keep(&bench, "long", |own| own.completed = Some(Keep::For(SECOND * 60))).await;
    let [long, ..] = finished_in(&bench, "long").await;

    bench.advance(just_before(SECOND));
    assert_eq!(prune(&bench, Retention { completed: minute, ..NEVER }).await.removed, 0);
    bench.advance(MICROSECOND);
    assert_eq!(prune(&bench, Retention { completed: minute, ..NEVER }).await.removed, 1);
    assert_eq!(refused(bench.store.job(completed).await), ErrorKind::NotFound);

    assert_eq!(prune(&bench, Retention { completed: second, ..NEVER }).await.removed, 1);
    assert_eq!(refused(bench.store.job(other).await), ErrorKind::NotFound);
    bench.job(long).await;
    bench.advance(SECOND * 60);
    assert_eq!(prune(&bench, Retention { completed: second, ..NEVER }).await.removed, 1);
}

async fn a_queue_keeps_its_jobs_for_ever_if_it_says_so(bench: Bench) {
    let kept = finished_in(&bench, "books").await;
    finished_in(&bench, "other").await;
    keep(&bench, "books", |own| {
        (own.completed, own.cancelled, own.dead) =
            (Some(Keep::Forever), Some(Keep::Forever), Some(Keep::Forever));
    })
    .await;
    bench.advance(Duration::from_secs(100 * 366 * 24 * 60 * 60));

    assert_eq!(prune_all(&bench, AT_ONCE).await, 3);

    let mut left = ids(&bench).await;
    left.reverse();
    assert_eq!(left, kept);
}

async fn what_a_queue_says_holds_for_the_states_it_names(bench: Bench) {
    let [completed, cancelled, dead] = finished_in(&bench, "q").await;
    keep(&bench, "q", |own| own.dead = Some(Keep::For(SECOND * 60))).await;
    bench.advance(SECOND);

    assert_eq!(prune_all(&bench, Retention { completed: Some(SECOND), ..NEVER }).await, 1);
    assert_eq!(refused(bench.store.job(completed).await), ErrorKind::NotFound);
    assert_eq!(prune_all(&bench, AT_ONCE).await, 1);
    assert_eq!(refused(bench.store.job(cancelled).await), ErrorKind::NotFound);
    assert_eq!(ids(&bench).await, [dead]);
    bench.advance(SECOND * 60);
    assert_eq!(prune_all(&bench, NEVER).await, 1);
}

async fn what_a_queue_says_survives_the_store_and_can_be_taken_back(bench: Bench) {
    assert_eq!(bench.store.retentions().await.unwrap(), []);
    let own = keep(&bench, "b", |own| {
        own.completed = Some(Keep::For(SECOND));
        own.dead = Some(Keep::Forever);
    })
    .await;
    let other = keep(&bench, "a", |own| own.cancelled = Some(Keep::For(Duration::ZERO))).await;
    let expected = vec![(queue("a"), other), (queue("b"), own)];

    assert_eq!(bench.store.retentions().await.unwrap(), expected);
    assert_eq!(bench.store.queues().await.unwrap(), [], "it makes no queue");
    if let Some(reopened) = bench.reopened().await {
        assert_eq!(reopened.retentions().await.unwrap(), expected);
    }
    keep(&bench, "b", |_| {}).await;
    assert_eq!(bench.store.retentions().await.unwrap(), [(queue("a"), other)]);
}

async fn a_retention_that_is_too_long_is_refused_by_field(bench: Bench) {
    let mut retention = QueueRetention::default();
    retention.cancelled = Some(Keep::For(Duration::MAX));

    assert_eq!(field_of(bench.store.keep(&queue("q"), retention, operator()).await), "retention.cancelled");
    assert_eq!(bench.store.retentions().await.unwrap(), []);
}

async fn a_prune_with_retentions_goes_on_until_nothing_is_left(bench: Bench) {
    for index in 0..30 {
        let id = bench.enqueue_with(|job| job.queue = queue(["a", "b", "c"][index % 3])).await;
        bench.cancel(id).await;
    }
    keep(&bench, "a", |own| own.cancelled = Some(Keep::Forever)).await;
    keep(&bench, "b", |own| own.cancelled = Some(Keep::For(Duration::ZERO))).await;

    assert_eq!(prune_all(&bench, AT_ONCE).await, 20);
    assert_eq!(ids(&bench).await.len(), 10);
}

async fn the_status_tells_engine_and_time(bench: Bench) {
    bench.enqueue_one().await;
    bench.advance(SECOND);

    let status = bench.store.status().await.unwrap();

    assert_eq!(status.now, bench.now());
    assert!(!status.engine.is_empty());
    assert!(!status.location.is_empty());
    assert!(status.schema_version > 0);
    assert!(status.size_bytes > 0);
    assert_eq!(status.warnings, Vec::<String>::new());
}

async fn a_sound_store_has_nothing_to_report(bench: Bench) {
    finished(&bench).await;
    bench.start_one().await;
    let cancelled = bench.start_one().await;
    bench.cancel(cancelled.id()).await;
    bench.enqueue_many(3).await;

    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

async fn tidying_changes_nothing_that_can_be_seen(bench: Bench) {
    let [completed, ..] = finished(&bench).await;
    let before = bench.job(completed).await;

    bench.store.tidy().await.unwrap();
    bench.store.tidy().await.unwrap();

    assert_eq!(bench.job(completed).await, before);
    assert_eq!(ids(&bench).await.len(), 3);
}
