//! Schedules: one job for each tick, for ever, whoever fires.

use std::time::Duration;

use windlass_core::schedule::SkipReason;
use windlass_core::{Args, JobState, Json, Missed, NewSchedule, OnConflict, Priority, Review, Rhythm, Unique};
use windlass_store::{Actor, ErrorKind, Fired, FiringOutcome, PageRequest, ScheduleOutcome, ScheduleState};

use super::schedule_scene::{
    DAY, HOUR, after, declare, finish_one, fire, firings, hourly, jobs, named, overlapping, put, schedule,
    skipped, ticks,
};
use crate::bench::{
    Bench, MICROSECOND, SECOND, at_once, field_of, just_before, kind, operator, queue, refused, succeeded,
};

cases! {
    a_new_schedule_waits_for_its_next_tick_and_repeating_the_duty_adds_nothing,
    a_tick_makes_its_job_at_its_very_instant,
    the_job_of_a_tick_is_an_ordinary_one_that_says_where_it_comes_from,
    the_job_of_a_tick_is_what_the_schedule_asks_for,
    a_job_is_due_up_to_the_jitter_after_its_tick,
    two_schedules_of_the_same_rhythm_both_fire,
    the_next_time_to_fire_is_told,
    g15_a_tick_makes_one_job_whoever_fires,
    g15_a_tick_that_has_fired_fires_no_more_in_a_store_that_is_opened_anew,
    a_changed_rhythm_holds_from_the_next_computation,
    what_else_is_changed_leaves_the_next_tick_alone,
    a_schedule_ends_when_no_tick_is_left_and_says_so,
    what_is_asked_wrongly_is_refused_by_field_and_nothing_is_kept,
    many_schedules_fire_in_calls_of_bounded_size,
    args_of_a_schedule_come_back_byte_for_byte,
    a_job_that_has_the_key_stands_for_that_of_a_tick,
    a_tick_whose_key_is_taken_is_refused_and_the_others_are_fired,
    a_job_that_a_person_decides_about_waits_for_that,
}

/// A schedule whose jobs all have one key.
fn keyed(name: &str, on_conflict: OnConflict) -> NewSchedule {
    let mut schedule = overlapping(name);
    let mut unique = Unique::key("one");
    unique.on_conflict = on_conflict;
    schedule.job.options.unique = Some(unique);
    schedule
}

async fn a_new_schedule_waits_for_its_next_tick_and_repeating_the_duty_adds_nothing(bench: Bench) {
    assert_eq!(put(&bench, hourly("h")).await, ScheduleOutcome::Created);
    let next = bench.now().after(HOUR);

    for _ in 0..3 {
        assert_eq!(fire(&bench).await, Fired { next_at: Some(next), ..Fired::default() });
    }
    assert_eq!(schedule(&bench, "h").await.next_tick, Some(next));
    assert_eq!(after(&bench, HOUR).await, 1);
    assert_eq!(fire(&bench).await, Fired { next_at: Some(next.after(HOUR)), ..Fired::default() });
    assert_eq!(ticks(&bench).await, [next]);
}

async fn a_tick_makes_its_job_at_its_very_instant(bench: Bench) {
    put(&bench, hourly("h")).await;

    assert_eq!(after(&bench, just_before(HOUR)).await, 0);
    assert_eq!(after(&bench, MICROSECOND).await, 1);
}

async fn the_job_of_a_tick_is_an_ordinary_one_that_says_where_it_comes_from(bench: Bench) {
    put(&bench, hourly("h")).await;
    after(&bench, HOUR + SECOND).await;
    let tick = bench.now().before(SECOND);

    let leased = bench.claim_one().await;
    let job = bench.job(leased.id()).await;

    let fired_by = job.options.fired_by.as_ref().unwrap();
    assert_eq!((fired_by.schedule.as_str(), fired_by.tick), ("h", Some(tick)));
    assert_eq!(leased.options.as_ref().unwrap().fired_by, job.options.fired_by);
    assert_eq!((job.state, job.run_at, job.created_at), (JobState::Running, tick, bench.now()));
    bench.settle(&leased, succeeded()).await;
    assert_eq!(bench.job(leased.id()).await.state, JobState::Completed);
}

async fn the_job_of_a_tick_is_what_the_schedule_asks_for(bench: Bench) {
    let mut asked = hourly("h");
    asked.job.version = 1;
    asked.job.queue = queue("nights");
    asked.job.args = Args::json("{\"a\":1}").unwrap();
    asked.job.priority = Priority::High;
    asked.job.attempts_max = 3;
    asked.job.losses_max = 1;
    asked.job.deadline_in = Some(HOUR);
    asked.job.options.timeout = Some(SECOND);
    put(&bench, asked.clone()).await;
    after(&bench, HOUR).await;

    let job = jobs(&bench).await.remove(0);

    assert_eq!((&job.kind, &job.queue, &job.args), (&asked.job.kind, &asked.job.queue, &asked.job.args));
    assert_eq!((job.priority, job.attempts_max, job.losses_max), (asked.job.priority, 3, 1));
    assert_eq!((job.deadline, job.options.timeout), (Some(bench.now().after(HOUR)), Some(SECOND)));
    assert_eq!(schedule(&bench, "h").await.asked, asked);
}

async fn a_job_is_due_up_to_the_jitter_after_its_tick(bench: Bench) {
    let mut asked = overlapping("h");
    asked.jitter = Duration::from_secs(1_000);
    put(&bench, asked).await;
    for _ in 0..8 {
        after(&bench, HOUR).await;
    }

    let late = jobs(&bench).await.into_iter().map(|job| {
        let tick = job.options.fired_by.unwrap().tick.unwrap();
        assert!(job.run_at >= tick);
        job.run_at.since(tick)
    });
    let late: Vec<Duration> = late.collect();

    assert!(late.iter().all(|late| *late <= Duration::from_secs(1_000)), "{late:?}");
    assert!(late.iter().any(|late| *late > Duration::from_secs(100)), "{late:?}");
}

async fn two_schedules_of_the_same_rhythm_both_fire(bench: Bench) {
    let mut other = hourly("other");
    other.job.kind = kind("report");
    put(&bench, hourly("h")).await;
    put(&bench, other).await;

    assert_eq!(after(&bench, HOUR).await, 2);

    let mut kinds: Vec<String> = jobs(&bench).await.iter().map(|job| job.kind.to_string()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["mail", "report"]);
}

async fn the_next_time_to_fire_is_told(bench: Bench) {
    assert_eq!(fire(&bench).await.next_at, None);
    put(&bench, hourly("h")).await;
    let mut daily = hourly("d");
    daily.rhythm = Rhythm::cron("0 0 * * *", "UTC");
    put(&bench, daily).await;

    assert_eq!(fire(&bench).await.next_at, Some(bench.now().after(HOUR)));
    bench.store.pause_schedule(&named("h"), operator()).await.unwrap();
    assert_eq!(fire(&bench).await.next_at, Some(bench.now().after(DAY)));
}

async fn g15_a_tick_makes_one_job_whoever_fires(bench: Bench) {
    for index in 0..5 {
        put(&bench, overlapping(&format!("s{index}"))).await;
    }
    let mut expected = Vec::new();
    for _ in 0..3 {
        bench.advance(HOUR);
        expected.extend([bench.now(); 5]);
        let store = bench.store.clone();
        let made = at_once(8, move |_| {
            let store = store.clone();
            async move { store.fire().await.unwrap().jobs }
        });

        assert_eq!(made.await.iter().sum::<u64>(), 5);
    }
    assert_eq!(ticks(&bench).await, expected);
}

async fn g15_a_tick_that_has_fired_fires_no_more_in_a_store_that_is_opened_anew(bench: Bench) {
    put(&bench, overlapping("h")).await;
    after(&bench, HOUR).await;
    let Some(reopened) = bench.reopened().await else { return };

    assert_eq!(reopened.fire().await.unwrap().jobs, 0);
    bench.advance(HOUR);
    let made = reopened.fire().await.unwrap().jobs + fire(&bench).await.jobs;
    assert_eq!(made, 1);
}

async fn a_changed_rhythm_holds_from_the_next_computation(bench: Bench) {
    put(&bench, hourly("h")).await;
    let mut changed = hourly("h");
    changed.rhythm = Rhythm::cron("30 * * * *", "UTC");
    bench.advance(just_before(HOUR));

    assert_eq!(put(&bench, changed).await, ScheduleOutcome::Changed);

    assert_eq!(after(&bench, MICROSECOND).await, 0, "the old rhythm says nothing any more");
    assert_eq!(after(&bench, HOUR / 2).await, 1);
    let mut changed = hourly("h");
    changed.rhythm = Rhythm::Every(SECOND * 7);
    put(&bench, changed).await;
    assert_eq!(schedule(&bench, "h").await.next_tick, Some(bench.now().after(SECOND * 7)));
}

async fn what_else_is_changed_leaves_the_next_tick_alone(bench: Bench) {
    let mut asked = hourly("h");
    asked.rhythm = Rhythm::Every(HOUR);
    put(&bench, asked.clone()).await;
    let next = schedule(&bench, "h").await.next_tick;
    bench.advance(HOUR / 2);
    asked.job.kind = kind("report");

    assert_eq!(put(&bench, asked).await, ScheduleOutcome::Changed);

    let kept = schedule(&bench, "h").await;
    assert_eq!((kept.next_tick, kept.changed_at, kept.revision), (next, bench.now(), 2));
    assert_eq!(after(&bench, HOUR / 2).await, 1);
    assert_eq!(jobs(&bench).await[0].kind, kind("report"));
}

async fn a_schedule_ends_when_no_tick_is_left_and_says_so(bench: Bench) {
    let mut asked = hourly("h");
    asked.ends_at = Some(bench.now().after(HOUR + HOUR));
    put(&bench, asked).await;
    bench.advance(HOUR);

    let fired = fire(&bench).await;

    assert_eq!((fired.jobs, fired.ended, fired.next_at), (1, vec![named("h")], None));
    let ended = schedule(&bench, "h").await;
    assert_eq!((ended.state(), ended.next_tick), (ScheduleState::Ended, None));
    assert!(ended.report().is_some());
    assert_eq!(after(&bench, HOUR * 9).await, 0);
    let mut over = hourly("over");
    over.ends_at = Some(bench.now());
    put(&bench, over).await;
    assert_eq!(schedule(&bench, "over").await.state(), ScheduleState::Ended, "it never began");
}

async fn what_is_asked_wrongly_is_refused_by_field_and_nothing_is_kept(bench: Bench) {
    let bad = |change: fn(&mut NewSchedule)| {
        let mut schedule = hourly("h");
        change(&mut schedule);
        let put = bench.store.put_schedule(schedule, operator());
        async move { field_of(put.await) }
    };

    assert_eq!(bad(|schedule| schedule.rhythm = Rhythm::cron("0 25 * * *", "UTC")).await, "cron");
    assert_eq!(bad(|schedule| schedule.rhythm = Rhythm::cron("0 0 30 2 *", "UTC")).await, "cron");
    assert_eq!(bad(|schedule| schedule.rhythm = Rhythm::cron("@daily", "Nowhere")).await, "zone");
    assert_eq!(bad(|schedule| schedule.rhythm = Rhythm::Every(Duration::ZERO)).await, "every");
    assert_eq!(bad(|schedule| schedule.job.attempts_max = 0).await, "job.attempts_max");
    assert_eq!(bad(|schedule| schedule.missed = Missed::All(0)).await, "missed");
    assert_eq!(bad(|schedule| schedule.jitter = DAY * 2).await, "jitter");
    let nobody = bench.store.put_schedule(hourly("h"), Actor::new("")).await;
    assert_eq!(field_of(nobody), "by.name");
    assert!(bench.store.schedules(PageRequest::first(9)).await.unwrap().items.is_empty());
}

async fn many_schedules_fire_in_calls_of_bounded_size(bench: Bench) {
    let schedules: Vec<NewSchedule> = (0..450).map(|index| overlapping(&format!("s{index}"))).collect();
    declare(&bench, "app", schedules).await;
    bench.advance(HOUR);

    let first = bench.store.fire().await.unwrap();

    assert!(first.more && first.jobs > 0 && first.jobs < 450, "{first:?}");
    assert_eq!(first.jobs + fire(&bench).await.jobs, 450);
}

async fn args_of_a_schedule_come_back_byte_for_byte(bench: Bench) {
    let hostile = ["{\"b\\u0000\":1,\"a\": 9007199254740993}", " [-0 ] ", "\"\\ud800\""];
    for (index, text) in hostile.iter().enumerate() {
        let mut asked = hourly(&format!("s{index}"));
        asked.job.args = Args::json(*text).unwrap();
        put(&bench, asked).await;
    }
    let mut bytes = hourly("bytes");
    bytes.job.args = Args::Bytes(vec![0, 255, 7].into());
    put(&bench, bytes.clone()).await;
    after(&bench, HOUR).await;

    let mut args: Vec<Args> = jobs(&bench).await.into_iter().map(|job| job.args).collect();
    let kept = |text: &&str| Args::Json(bench.kept(&Json::new("args", (*text).to_owned()).unwrap()));
    let mut expected: Vec<Args> = hostile.iter().map(kept).collect();
    expected.push(bytes.job.args);
    let order = |args: &Args| args.as_bytes().to_vec();
    args.sort_by_key(order);
    expected.sort_by_key(order);

    assert_eq!(args, expected);
}

async fn a_job_that_has_the_key_stands_for_that_of_a_tick(bench: Bench) {
    put(&bench, keyed("h", OnConflict::Existing)).await;
    after(&bench, HOUR).await;
    let first = jobs(&bench).await[0].id;

    after(&bench, HOUR).await;

    assert_eq!(jobs(&bench).await.len(), 1);
    let told = firings(&bench, "h").await;
    assert!(told.iter().all(|one| one.outcome == FiringOutcome::Fired(first)), "{told:?}");
    assert_eq!(schedule(&bench, "h").await.last.unwrap().job, first);
    finish_one(&bench).await;
    after(&bench, HOUR).await;
    assert_eq!(jobs(&bench).await.len(), 2);
}

async fn a_tick_whose_key_is_taken_is_refused_and_the_others_are_fired(bench: Bench) {
    put(&bench, keyed("a", OnConflict::Reject)).await;
    put(&bench, keyed("b", OnConflict::Reject)).await;
    put(&bench, overlapping("c")).await;
    bench.advance(HOUR);

    let fired = fire(&bench).await;

    assert_eq!((fired.jobs, fired.skipped, fired.failed.len()), (2, 1, 1), "{fired:?}");
    let kept = schedule(&bench, "b").await;
    assert!(kept.error.is_some());
    assert_eq!(skipped(&firings(&bench, "b").await[0]), (SkipReason::Refused, 1));
    finish_one(&bench).await;
    finish_one(&bench).await;
    let range = (bench.now().before(HOUR * 2), bench.now());
    let taken = bench.store.backfill(&named("b"), range, operator()).await;
    let kind = refused(taken);
    assert!(matches!(kind, ErrorKind::Duplicate(_)), "two of its own at once: {kind:?}");
    assert_eq!(jobs(&bench).await.len(), 2);
}

async fn a_job_that_a_person_decides_about_waits_for_that(bench: Bench) {
    let mut asked = hourly("h");
    asked.job.options.review = Some(Review::start());
    put(&bench, asked).await;
    after(&bench, HOUR).await;

    assert_eq!(jobs(&bench).await[0].state, JobState::InReview);
    assert_eq!(after(&bench, HOUR).await, 0, "and its schedule waits for it");
}
