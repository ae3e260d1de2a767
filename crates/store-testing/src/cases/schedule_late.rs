//! Ticks that come too early for the last job, or that nobody fired in time.

use std::time::Duration;

use windlass_core::limits::LATE_MAX;
use windlass_core::schedule::SkipReason;
use windlass_core::{JobState, Missed, Overlap, Rhythm};
use windlass_store::{FiringOutcome, Retention};

use super::schedule_scene::{
    DAY, HOUR, after, finish_one, fire, firings, hourly, jobs, overlapping, put, schedule, skipped, ticks,
};
use crate::bench::{Bench, LEASE, MICROSECOND, SECOND, failed, operator, succeeded};

cases! {
    a_tick_is_skipped_while_the_last_job_is_not_finished,
    a_schedule_waits_for_the_retry_of_its_last_job,
    a_job_that_was_given_a_new_budget_is_waited_for,
    a_last_job_that_is_gone_leaves_the_way_free,
    a_last_job_whose_worker_died_does_not_stop_its_schedule,
    jobs_may_overlap_where_the_schedule_allows_it,
    one_tick_waits_for_the_last_job_and_no_more_than_one,
    of_ticks_that_were_missed_the_newest_is_fired,
    missed_ticks_are_made_up_for_as_far_as_is_asked,
    missed_ticks_are_skipped_where_that_is_asked,
    a_schedule_of_every_second_that_slept_for_a_year_is_woken_at_once,
}

async fn a_tick_is_skipped_while_the_last_job_is_not_finished(bench: Bench) {
    put(&bench, hourly("h")).await;
    after(&bench, HOUR).await;
    assert_eq!(after(&bench, HOUR).await, 0, "it has not begun");
    let job = bench.claim_one().await;
    bench.advance(HOUR.saturating_sub(SECOND));
    bench.store.beat(bench.worker().await).await.ok();
    assert_eq!(after(&bench, SECOND).await, 0, "it runs");

    assert_eq!(skipped(&firings(&bench, "h").await[0]), (SkipReason::Overlap, 1));
    bench.rescue().await;
    let job =
        if bench.job(job.id()).await.state == JobState::Running { job } else { bench.claim_one().await };
    bench.settle(&job, succeeded()).await;
    assert_eq!(fire(&bench).await.jobs, 0, "a tick that was skipped stays so");
    assert_eq!(after(&bench, HOUR).await, 1);
}

async fn a_schedule_waits_for_the_retry_of_its_last_job(bench: Bench) {
    let mut asked = hourly("h");
    asked.job.attempts_max = 2;
    put(&bench, asked).await;
    after(&bench, HOUR).await;
    let job = bench.claim_one().await;
    bench.settle(&job, failed("no")).await;

    assert_eq!(after(&bench, HOUR).await, 0, "it is to be tried again");
    let job = bench.claim_one().await;
    bench.settle(&job, failed("no")).await;
    assert_eq!(bench.job(job.id()).await.state, JobState::Dead);
    assert_eq!(after(&bench, HOUR).await, 1, "it has failed for good");
}

async fn a_job_that_was_given_a_new_budget_is_waited_for(bench: Bench) {
    put(&bench, hourly("h")).await;
    after(&bench, HOUR).await;
    let id = jobs(&bench).await[0].id;
    bench.cancel(id).await;
    bench.store.retry(id, operator()).await.unwrap();

    assert_eq!(after(&bench, HOUR).await, 0);
    finish_one(&bench).await;
    assert_eq!(after(&bench, HOUR).await, 1);
}

async fn a_last_job_that_is_gone_leaves_the_way_free(bench: Bench) {
    put(&bench, hourly("h")).await;
    after(&bench, HOUR).await;
    let id = finish_one(&bench).await;
    bench.advance(SECOND);
    let none = Some(Duration::ZERO);
    let pruned = bench.store.prune(Retention { completed: none, cancelled: none, dead: none }).await.unwrap();
    assert_eq!(pruned.removed, 1);

    assert_eq!(after(&bench, HOUR.saturating_sub(SECOND)).await, 1);
    let second = jobs(&bench).await[0].id;
    bench.store.delete(second, operator()).await.unwrap();
    assert_eq!(after(&bench, HOUR).await, 1);
    assert_eq!(firings(&bench, "h").await[2].outcome, FiringOutcome::Fired(id), "the history names it still");
}

async fn a_last_job_whose_worker_died_does_not_stop_its_schedule(bench: Bench) {
    let mut asked = hourly("h");
    asked.job.losses_max = 0;
    put(&bench, asked).await;
    after(&bench, HOUR).await;
    let job = bench.claim_one().await;
    bench.advance(LEASE);
    bench.rescue().await;
    assert_eq!(bench.job(job.id()).await.state, JobState::Dead);

    assert_eq!(after(&bench, HOUR.saturating_sub(LEASE)).await, 1);
}

async fn jobs_may_overlap_where_the_schedule_allows_it(bench: Bench) {
    put(&bench, overlapping("h")).await;

    for _ in 0..3 {
        assert_eq!(after(&bench, HOUR).await, 1);
    }
    assert_eq!(bench.claim(9).await.len(), 3);
}

async fn one_tick_waits_for_the_last_job_and_no_more_than_one(bench: Bench) {
    let mut asked = hourly("h");
    asked.overlap = Overlap::QueueOne;
    asked.rhythm = Rhythm::cron("* * * * * *", "UTC");
    put(&bench, asked).await;
    assert_eq!(after(&bench, SECOND).await, 1);
    let first = bench.claim_one().await;
    let held = bench.now().after(SECOND);
    assert_eq!(after(&bench, SECOND).await, 0);

    assert_eq!(schedule(&bench, "h").await.held, Some(held));
    assert_eq!(after(&bench, SECOND).await, 0);
    assert_eq!(skipped(&firings(&bench, "h").await[0]), (SkipReason::Overlap, 1));
    bench.settle(&first, succeeded()).await;
    assert_eq!(after(&bench, SECOND).await, 1, "the one that waited");
    assert_eq!(ticks(&bench).await.last(), Some(&held));
    assert_eq!(schedule(&bench, "h").await.held, None, "it has not begun, so nothing waits behind it");
}

async fn of_ticks_that_were_missed_the_newest_is_fired(bench: Bench) {
    put(&bench, overlapping("h")).await;
    let start = bench.now();

    assert_eq!(after(&bench, HOUR * 5 + HOUR / 2).await, 1);

    assert_eq!(ticks(&bench).await, [start.after(HOUR * 5)]);
    let missed = firings(&bench, "h").await[1];
    assert_eq!((missed.tick, skipped(&missed)), (start.after(HOUR), (SkipReason::Missed, 4)));
    let kept = schedule(&bench, "h").await;
    assert_eq!((kept.fired, kept.skipped, kept.next_tick), (1, 4, Some(start.after(HOUR * 6))));
}

async fn missed_ticks_are_made_up_for_as_far_as_is_asked(bench: Bench) {
    let mut asked = overlapping("h");
    asked.missed = Missed::All(3);
    put(&bench, asked).await;
    let start = bench.now();

    assert_eq!(after(&bench, HOUR * 5 + HOUR / 2).await, 3);

    assert_eq!(ticks(&bench).await, [3, 4, 5].map(|hours| start.after(HOUR * hours)));
}

async fn missed_ticks_are_skipped_where_that_is_asked(bench: Bench) {
    let mut asked = overlapping("h");
    asked.missed = Missed::Skip;
    put(&bench, asked).await;

    assert_eq!(after(&bench, HOUR + LATE_MAX + MICROSECOND).await, 0);
    assert_eq!(after(&bench, HOUR.saturating_sub(MICROSECOND)).await, 1, "so late is in time");
}

async fn a_schedule_of_every_second_that_slept_for_a_year_is_woken_at_once(bench: Bench) {
    let mut asked = overlapping("s");
    asked.rhythm = Rhythm::cron("* * * * * *", "Europe/Berlin");
    put(&bench, asked).await;
    let mut all = overlapping("all");
    all.rhythm = Rhythm::Every(SECOND);
    all.missed = Missed::All(5);
    put(&bench, all).await;

    assert_eq!(after(&bench, DAY * 366).await, 6);
    assert_eq!(fire(&bench).await.jobs, 0);
    assert_eq!(schedule(&bench, "s").await.next_tick, Some(bench.now().after(SECOND)));
}
