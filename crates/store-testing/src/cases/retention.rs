//! Finished jobs are removed when they have been kept long enough, and the store says how it is.

use std::time::Duration;

use windlass_core::{Due, JobId};
use windlass_store::{ErrorKind, JobFilter, PageRequest, Pruned, Retention};

use crate::bench::{Bench, LEASE, MICROSECOND, SECOND, failed, refused, succeeded, just_before};

cases! {
    a_finished_job_is_kept_until_its_time_is_over,
    each_final_state_has_its_own_retention,
    what_is_kept_for_ever_is_never_removed,
    an_unfinished_job_is_never_removed,
    a_cancelled_job_with_an_open_attempt_is_not_removed,
    a_prune_goes_on_until_nothing_is_left,
    time_counts_from_the_end_of_the_job,
    the_status_tells_engine_and_time,
    a_sound_store_has_nothing_to_report,
    tidying_changes_nothing_that_can_be_seen,
}

const NEVER: Retention = Retention { completed: None, cancelled: None, dead: None };
const AT_ONCE: Retention =
    Retention { completed: Some(Duration::ZERO), cancelled: Some(Duration::ZERO), dead: Some(Duration::ZERO) };

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
