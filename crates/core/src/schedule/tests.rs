//! What becomes of ticks, and what is refused.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::limits::{CATCH_UP_MAX, JITTER_MAX, LATE_MAX, SKIPPED_COUNT_MAX};
use crate::{Args, Due, Invalid, JobId, KindName, Limits, NewJob};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn template() -> JobTemplate {
    JobTemplate::new(KindName::new("clean").unwrap(), Args::default())
}

fn schedule(rhythm: Rhythm) -> NewSchedule {
    NewSchedule::new(ScheduleName::new("nightly").unwrap(), rhythm, template())
}

fn cron(expression: &str) -> NewSchedule {
    schedule(Rhythm::cron(expression, "UTC"))
}

fn ticks(expression: &str, zone: &str, now: &str, count: u32) -> Vec<String> {
    let now = at(now);
    let ticks = Rhythm::cron(expression, zone).preview(now, now, count).unwrap();
    ticks.iter().map(ToString::to_string).collect()
}

fn standing(next_tick: &str, last: LastJob) -> Standing {
    Standing { anchor: at("2026-01-01T00:00:00Z"), next_tick: Some(at(next_tick)), held: None, last }
}

#[test]
fn expressions_mean_what_they_say() {
    for (expression, expected) in [
        ("0 3 * * *", ["2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z"]),
        ("*/20 30 12 * * *", ["2026-01-01T12:30:00Z", "2026-01-01T12:30:20Z"]),
        ("0 0 L * *", ["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"]),
        // The 15th of February is a Sunday, that of March too.
        ("0 0 15W 2,3 *", ["2026-02-16T00:00:00Z", "2026-03-16T00:00:00Z"]),
        ("0 0 LW * *", ["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z"]),
        ("0 0 * * 5#2", ["2026-01-09T00:00:00Z", "2026-02-13T00:00:00Z"]),
        ("0 0 * * 5L", ["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z"]),
        ("0 0 * * FRI", ["2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z"]),
        ("0 0 1 JAN,jul *", ["2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
        // One of the two is enough, unless both are asked for.
        ("0 0 13 * 5", ["2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z"]),
        ("0 0 13 * +5", ["2026-02-13T00:00:00Z", "2026-03-13T00:00:00Z"]),
        ("0 0 29 2 *", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
        ("@hourly", ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"]),
        ("@midnight", ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]),
        ("@daily", ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]),
        ("@weekly", ["2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"]),
        ("@monthly", ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"]),
        ("@yearly", ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]),
    ] {
        assert_eq!(ticks(expression, "UTC", "2026-01-01T00:00:00Z", 2), expected, "{expression}");
    }
}

#[test]
fn a_time_that_is_skipped_comes_after_the_gap_and_one_that_is_repeated_once() {
    assert_eq!(
        ticks("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
    assert_eq!(
        ticks("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
}

#[test]
fn every_hour_goes_on_through_a_change_of_the_clock() {
    assert_eq!(
        ticks("30 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 4),
        ["2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"]
    );
}

#[test]
fn a_day_that_a_zone_leaves_out_is_made_up_for_when_the_next_begins() {
    assert_eq!(
        ticks("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 3),
        ["2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"]
    );
}

fn refused(change: impl FnOnce(&mut NewSchedule)) -> Invalid {
    let mut schedule = cron("0 3 * * *");
    change(&mut schedule);
    schedule.validate(&Limits::default()).unwrap_err()
}

#[test]
fn what_cannot_be_read_is_refused_with_the_field_and_what_is_wrong() {
    for (expression, told) in [
        ("", "has 0 fields"),
        ("0 3 * *", "has 4 fields"),
        ("0 0 3 * * * 2026", "has 7 fields"),
        ("0 25 * * *", "the hour \"25\""),
        ("61 0 3 * * *", "the second \"61\""),
        ("0 3 * 13 *", "the month \"13\""),
        ("0 3 32 * *", "the day of the month \"32\""),
        ("0 3 * * 8", "the day of the week \"8\""),
        ("5/10 3 * * *", "the minute \"5/10\""),
        ("x 3 * * *", "the minute \"x\""),
        ("@noon", "is not known"),
        ("0 0 30 2 *", "never comes"),
        (", 3 * * *", "never comes"),
    ] {
        let invalid = refused(|schedule| schedule.rhythm = Rhythm::cron(expression, "UTC"));
        assert_eq!(invalid.field, "cron", "{expression}");
        assert!(invalid.problem.contains(told), "{expression}: {invalid}");
    }
    assert_eq!(refused(|schedule| schedule.rhythm = Rhythm::cron("0,".repeat(300), "UTC")).field, "cron");
}

#[test]
fn what_could_never_work_is_refused_by_field() {
    assert_eq!(refused(|schedule| schedule.rhythm = Rhythm::cron("0 3 * * *", "Mars/Olympus")).field, "zone");
    assert_eq!(refused(|schedule| schedule.rhythm = Rhythm::Every(SECOND / 2)).field, "every");
    assert_eq!(refused(|schedule| schedule.rhythm = Rhythm::Every(HOUR * 10_000)).field, "every");
    assert_eq!(refused(|schedule| schedule.missed = Missed::All(0)).field, "missed");
    assert_eq!(refused(|schedule| schedule.missed = Missed::All(CATCH_UP_MAX + 1)).field, "missed");
    assert_eq!(refused(|schedule| schedule.jitter = JITTER_MAX + SECOND).field, "jitter");
    assert_eq!(refused(|schedule| schedule.job.version = 0).field, "job.version");
    assert_eq!(refused(|schedule| schedule.job.attempts_max = 0).field, "job.attempts_max");
    assert_eq!(refused(|schedule| schedule.job.deadline_in = Some(Duration::MAX)).field, "job.deadline_in");
    let instant = Some(at("2026-01-01T00:00:00Z"));
    assert_eq!(
        refused(|schedule| (schedule.starts_at, schedule.ends_at) = (instant, instant)).field,
        "ends_at"
    );
    let forged = FiredBy { schedule: ScheduleName::new("other").unwrap(), tick: None };
    assert_eq!(refused(|schedule| schedule.job.options.fired_by = Some(forged)).field, "job.fired_by");
}

#[test]
fn intervals_are_counted_from_their_beginning() {
    let (made, now) = (at("2026-01-01T00:00:07Z"), at("2026-01-01T02:00:07Z"));
    let ticks = |schedule: &NewSchedule| schedule.preview(made, now, 2).unwrap();
    let mut every = schedule(Rhythm::Every(HOUR));

    assert_eq!(ticks(&every), [at("2026-01-01T03:00:07Z"), at("2026-01-01T04:00:07Z")]);
    every.starts_at = Some(at("2026-01-02T00:00:00Z"));
    assert_eq!(ticks(&every), [at("2026-01-02T00:00:00Z"), at("2026-01-02T01:00:00Z")]);
}

#[test]
fn no_tick_comes_before_the_start_nor_at_the_end() {
    let mut hourly = cron("0 * * * *");
    (hourly.starts_at, hourly.ends_at) = (Some(at("2026-01-02T00:00:00Z")), Some(at("2026-01-02T02:00:00Z")));

    let ticks = hourly.preview(Timestamp::MIN, at("2026-01-01T00:00:00Z"), 9).unwrap();

    assert_eq!(ticks, [at("2026-01-02T00:00:00Z"), at("2026-01-02T01:00:00Z")]);
}

#[test]
fn a_new_schedule_begins_with_its_next_tick() {
    let plan = cron("0 3 * * *").begin(at("2026-01-01T03:00:00Z")).unwrap();

    assert_eq!((plan.fire, plan.next_tick), (vec![], Some(at("2026-01-02T03:00:00Z"))));
    assert_eq!(plan.look_at, plan.next_tick);
}

#[test]
fn a_tick_is_fired_at_its_very_instant_and_not_a_moment_before() {
    let hourly = cron("0 * * * *");
    let standing = standing("2026-01-01T03:00:00Z", LastJob::Free);
    let plan = |now: &str| hourly.plan(&standing, at(now)).unwrap();

    assert_eq!(plan("2026-01-01T02:59:59.999999Z").fire, []);
    let plan = plan("2026-01-01T03:00:00Z");
    assert_eq!(plan.fire, [at("2026-01-01T03:00:00Z")]);
    assert_eq!(plan.look_at, Some(at("2026-01-01T04:00:00Z")));
}

#[test]
fn ticks_that_are_a_little_late_are_all_fired() {
    let mut every = cron("* * * * * *");
    every.overlap = Overlap::Allow;
    let first = at("2026-01-01T03:00:00Z");

    let plan = every.plan(&standing("2026-01-01T03:00:00Z", LastJob::Free), first.after(LATE_MAX)).unwrap();

    assert_eq!((plan.fire.len(), plan.skipped.len()), (61, 0));
}

#[test]
fn of_missed_ticks_the_newest_stands_for_all_or_some_or_none_are_made_up_for() {
    let now = at("2026-01-01T05:30:00Z");
    let plan = |missed: Missed| {
        let schedule = NewSchedule { missed, overlap: Overlap::Allow, ..cron("0 * * * *") };
        schedule.plan(&standing("2026-01-01T01:00:00Z", LastJob::Free), now).unwrap()
    };

    let one = plan(Missed::One);
    assert_eq!(one.fire, [at("2026-01-01T05:00:00Z")]);
    let missed = Skipped {
        tick: at("2026-01-01T01:00:00Z"),
        until: at("2026-01-01T04:00:00Z"),
        count: 4,
        reason: SkipReason::Missed,
    };
    assert_eq!(one.skipped, [missed]);
    let none = plan(Missed::Skip);
    assert_eq!((none.fire.len(), none.skipped[0].count), (0, 5));
    let some = plan(Missed::All(2));
    assert_eq!(some.fire, [at("2026-01-01T04:00:00Z"), at("2026-01-01T05:00:00Z")]);
    assert_eq!(some.skipped[0].count, 3);
    let all = plan(Missed::All(9));
    assert_eq!((all.fire.len(), all.skipped.len()), (5, 0));
}

#[test]
fn missed_ticks_are_skipped_up_to_the_one_that_is_in_time() {
    let schedule = NewSchedule { missed: Missed::Skip, ..cron("0 * * * *") };

    let plan =
        schedule.plan(&standing("2026-01-01T01:00:00Z", LastJob::Free), at("2026-01-01T05:00:30Z")).unwrap();

    assert_eq!(plan.fire, [at("2026-01-01T05:00:00Z")]);
    assert_eq!((plan.skipped[0].until, plan.skipped[0].count), (at("2026-01-01T04:00:00Z"), 4));
}

#[test]
fn a_tick_that_comes_too_early_is_skipped_or_waits_as_the_schedule_says() {
    let plan = |overlap: Overlap, last: LastJob| {
        let schedule = NewSchedule { overlap, ..cron("0 * * * *") };
        let plan =
            schedule.plan(&standing("2026-01-01T03:00:00Z", last), at("2026-01-01T03:00:01Z")).unwrap();
        (plan.fire.len(), plan.skipped.len(), plan.held.is_some())
    };

    for overlap in [Overlap::Skip, Overlap::Allow, Overlap::QueueOne] {
        assert_eq!(plan(overlap, LastJob::Free), (1, 0, false), "{overlap:?}");
    }
    assert_eq!(plan(Overlap::Skip, LastJob::Waiting), (0, 1, false));
    assert_eq!(plan(Overlap::Skip, LastJob::Begun), (0, 1, false));
    assert_eq!(plan(Overlap::Allow, LastJob::Begun), (1, 0, false));
    assert_eq!(plan(Overlap::QueueOne, LastJob::Begun), (0, 0, true));
    assert_eq!(plan(Overlap::QueueOne, LastJob::Waiting), (0, 1, false), "one waits already");
}

#[test]
fn a_tick_that_waits_is_looked_after_every_second_and_fired_when_the_way_is_free() {
    let schedule = NewSchedule { overlap: Overlap::QueueOne, ..cron("0 * * * *") };
    let (held, now) = (at("2026-01-01T03:00:00Z"), at("2026-01-01T03:10:00Z"));
    let waits = |last| Standing { held: Some(held), ..standing("2026-01-01T04:00:00Z", last) };

    let still = schedule.plan(&waits(LastJob::Begun), now).unwrap();
    assert_eq!((still.fire.len(), still.held, still.look_at), (0, Some(held), Some(now.after(SECOND))));
    let free = schedule.plan(&waits(LastJob::Free), now).unwrap();
    assert_eq!((free.fire, free.held, free.look_at), (vec![held], None, Some(at("2026-01-01T04:00:00Z"))));
    let later = schedule.plan(&waits(LastJob::Begun), at("2026-01-01T04:00:00Z")).unwrap();
    assert_eq!((later.held, later.skipped.len()), (Some(held), 1), "no more than one waits");
}

#[test]
fn a_schedule_without_a_further_tick_has_ended() {
    let schedule = NewSchedule { ends_at: Some(at("2026-01-01T03:30:00Z")), ..cron("0 * * * *") };

    let plan =
        schedule.plan(&standing("2026-01-01T03:00:00Z", LastJob::Free), at("2026-01-01T03:00:00Z")).unwrap();

    assert!(plan.is_end() && plan.fire.len() == 1, "{plan:?}");
}

#[test]
fn a_pause_leaves_out_what_it_leaves_out() {
    let hourly = cron("0 * * * *");

    let plan =
        hourly.resume(&standing("2026-01-01T03:00:00Z", LastJob::Free), at("2026-01-01T05:30:00Z")).unwrap();

    assert_eq!((plan.fire.len(), plan.skipped[0].count, plan.skipped[0].reason), (0, 3, SkipReason::Paused));
    assert_eq!(plan.next_tick, Some(at("2026-01-01T06:00:00Z")));
}

/// Far more ticks have passed than could be looked at one by one in the time a test has.
#[test]
fn the_work_is_bounded_however_long_nobody_has_looked() {
    for missed in [Missed::One, Missed::Skip, Missed::All(CATCH_UP_MAX)] {
        let every = NewSchedule { missed, overlap: Overlap::Allow, ..cron("* * * * * *") };
        let standing = Standing { anchor: Timestamp::MIN, ..standing("1970-01-01T00:00:01Z", LastJob::Free) };

        let plan = every.plan(&standing, Timestamp::MAX.before(HOUR)).unwrap();

        assert!(plan.fire.len() <= CATCH_UP_MAX as usize);
        assert_eq!(plan.skipped[0].count, SKIPPED_COUNT_MAX);
    }
}

#[test]
fn the_job_of_a_tick_is_the_same_whoever_makes_it() {
    let mut hourly = cron("0 * * * *");
    hourly.jitter = HOUR;
    hourly.job.deadline_in = Some(HOUR);
    let (tick, made_at) = (at("2026-01-01T03:00:00Z"), at("2026-01-01T00:00:00Z"));
    let job = |tick: Timestamp, now: Timestamp| hourly.job_of(tick, Timing::OnTick, (made_at, now));
    let due = |job: &NewJob| job.due.instant(tick);

    let (first, second) = (job(tick, tick), job(tick, tick.after(SECOND)));

    assert_eq!((first.id, &first.due), (second.id, &second.due));
    assert_eq!(first.options.fired_by.as_ref().and_then(|fired| fired.tick), Some(tick));
    assert!(due(&first) >= tick && due(&first) <= tick.after(HOUR));
    assert_eq!(first.deadline, Some(Due::At(due(&first).after(HOUR))));
    let spread: std::collections::BTreeSet<_> = (0..100)
        .map(|hour| due(&job(tick.after(HOUR * hour), tick)).since(tick.after(HOUR * hour)))
        .collect();
    assert!(spread.len() > 90 && spread.last().unwrap().as_secs() > 3_000, "{spread:?}");
    assert_ne!(
        first.id,
        hourly.job_of(tick, Timing::OnTick, (made_at.after(SECOND), tick)).id,
        "another of its name"
    );
    assert_ne!(first.id, job(tick.after(HOUR), tick).id);
}

#[test]
fn args_are_kept_byte_for_byte() {
    for text in ["{\"b\":1,\"a\": 9007199254740993,\"b\":-0}", " [1 ]\n", "\"\\u0000\\ud800\"", "null"] {
        let mut schedule = cron("@daily");
        schedule.job.args = Args::json(text).unwrap();
        let kept: NewSchedule = serde_json::from_str(&serde_json::to_string(&schedule).unwrap()).unwrap();
        assert_eq!(kept.job.args.as_bytes(), text.as_bytes());
        assert_eq!(kept, schedule);
    }
    let mut schedule = cron("@daily");
    schedule.job.args = Args::Bytes(vec![0, 255, 7].into());
    let kept: NewSchedule = serde_json::from_str(&serde_json::to_string(&schedule).unwrap()).unwrap();
    assert_eq!(kept, schedule);
}

#[test]
fn a_job_becomes_a_template_unless_it_has_a_time_of_its_own() {
    let job = || NewJob::new(JobId::from_bytes([1; 16]), KindName::new("clean").unwrap(), Args::default());
    let mut dated = job();
    dated.due = Due::In(SECOND);
    let mut ending = job();
    ending.deadline = Some(Due::At(Timestamp::MAX));

    assert_eq!(JobTemplate::of(job()), Ok(template()));
    assert_eq!(JobTemplate::of(dated).unwrap_err().field, "due");
    assert_eq!(JobTemplate::of(ending).unwrap_err().field, "deadline");
}

proptest! {
    /// Whatever is written, it is read or refused, and what is read says when it comes.
    #[test]
    fn no_expression_brings_the_search_down(expression in "[0-9*/,LW#?@A-Z+ -]{0,24}", zone in "[A-Za-z/]{0,12}", micros in 0..4_000_000_000_000_000_i64) {
        let now = Timestamp::from_micros(micros);
        let _ = Rhythm::cron(&expression, &zone).validate();
        if let Ok(ticks) = Rhythm::cron(&expression, "Europe/Berlin").preview(now, now, 3) {
            prop_assert!(!ticks.is_empty());
            prop_assert!(ticks.iter().all(|tick| *tick > now) && ticks.is_sorted());
        }
    }

    /// Forwards and backwards tell of the same ticks. Some weeks after the beginning of time, which has nothing before it.
    #[test]
    fn a_tick_is_the_last_one_until_itself(minute in 0..60_u32, hour in 0..24_u32, day in 1..29_u32, micros in 5_000_000_000_000_i64..4_000_000_000_000_000) {
        let now = Timestamp::from_micros(micros);
        for expression in [format!("{minute} {hour} {day} * *"), format!("{minute} * * * *"), format!("{minute} {hour} * * 1-5")] {
            let ticks = Rhythm::cron(expression, "America/New_York").ticks(now).unwrap();
            let next = ticks.after(now).unwrap();
            prop_assert_eq!(ticks.until(next), Some(next));
            let last = ticks.until(now).unwrap();
            prop_assert_eq!(ticks.after(last), Some(next));
            prop_assert_eq!(ticks.until(next.before(Duration::from_micros(1))), Some(last));
        }
    }
}
