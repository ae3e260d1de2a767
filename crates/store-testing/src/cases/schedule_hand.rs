//! What people do to schedules, and what they are told of them.

use windlass_core::limits::{FIRINGS_KEPT, TICKS_MAX};
use windlass_core::schedule::SkipReason;
use windlass_core::{JobState, Timestamp};
use windlass_store::{Actor, Backfilled, ErrorKind, PageRequest, ScheduleOutcome, ScheduleState};

use super::schedule_scene::{
    HOUR, after, fire, firings, hourly, jobs, named, overlapping, put, schedule, skipped, ticks,
};
use crate::bench::{Bench, MICROSECOND, SECOND, field_of, operator, refused};

cases! {
    a_paused_schedule_fires_nothing_and_goes_on_with_its_next_tick,
    pausing_twice_keeps_the_first_pause,
    a_schedule_may_begin_paused,
    a_put_that_changes_nothing_says_so,
    a_schedule_that_is_deleted_fires_no_more_and_leaves_its_trace,
    a_job_by_hand_leaves_the_ticks_alone,
    a_job_by_hand_is_made_once_for_an_id,
    a_backfill_makes_what_was_not_made_and_repeating_it_adds_nothing,
    a_backfill_may_begin_before_there_was_a_schedule,
    a_backfill_leaves_what_is_due_to_the_schedule,
    a_backfill_is_bounded_and_refused_by_field,
    the_history_tells_of_every_tick_newest_first,
    the_history_is_bounded_and_nothing_of_it_fires_again,
    what_is_done_by_hand_is_kept_with_who_did_it,
    schedules_are_listed_page_by_page_in_the_order_they_were_made,
    a_schedule_and_its_history_survive_the_store_that_kept_them,
    an_unknown_schedule_is_not_found,
}

async fn backfill(bench: &Bench, from: Timestamp, until: Timestamp) -> Backfilled {
    bench.store.backfill(&named("h"), (from, until), operator()).await.unwrap()
}

async fn a_paused_schedule_fires_nothing_and_goes_on_with_its_next_tick(bench: Bench) {
    put(&bench, hourly("h")).await;
    bench.store.pause_schedule(&named("h"), operator().because("too loud")).await.unwrap();
    assert_eq!(after(&bench, HOUR * 3 + SECOND).await, 0);
    let paused = schedule(&bench, "h").await;
    assert_eq!((paused.state(), paused.look_at), (ScheduleState::Paused, None));
    assert_eq!(paused.pause.unwrap().by, operator().because("too loud"));

    bench.store.resume_schedule(&named("h"), operator()).await.unwrap();

    assert_eq!(fire(&bench).await.jobs, 0);
    assert_eq!(skipped(&firings(&bench, "h").await[0]), (SkipReason::Paused, 3));
    assert_eq!(after(&bench, HOUR.saturating_sub(SECOND)).await, 1);
}

async fn pausing_twice_keeps_the_first_pause(bench: Bench) {
    put(&bench, hourly("h")).await;
    bench.store.pause_schedule(&named("h"), operator()).await.unwrap();
    bench.store.pause_schedule(&named("h"), Actor::new("bob")).await.unwrap();

    assert_eq!(schedule(&bench, "h").await.pause.unwrap().by, operator());
    bench.store.resume_schedule(&named("h"), operator()).await.unwrap();
    bench.store.resume_schedule(&named("h"), operator()).await.unwrap();
    let events = bench.store.schedule_events(&named("h")).await.unwrap();
    assert_eq!(
        events.iter().map(|event| event.verb.as_str()).collect::<Vec<_>>(),
        ["put", "pause", "resume"]
    );
}

async fn a_schedule_may_begin_paused(bench: Bench) {
    let mut asked = hourly("h");
    asked.paused = true;
    put(&bench, asked.clone()).await;

    assert_eq!(after(&bench, HOUR).await, 0);
    bench.store.resume_schedule(&named("h"), operator()).await.unwrap();
    assert_eq!(put(&bench, asked).await, ScheduleOutcome::Unchanged, "it is there, and stays as it is");
    assert_eq!(after(&bench, HOUR).await, 1);
}

async fn a_put_that_changes_nothing_says_so(bench: Bench) {
    put(&bench, hourly("h")).await;
    let before = schedule(&bench, "h").await;
    bench.advance(SECOND);

    assert_eq!(put(&bench, hourly("h")).await, ScheduleOutcome::Unchanged);

    assert_eq!(schedule(&bench, "h").await, before);
    assert_eq!(bench.store.schedule_events(&named("h")).await.unwrap().len(), 1);
}

async fn a_schedule_that_is_deleted_fires_no_more_and_leaves_its_trace(bench: Bench) {
    put(&bench, overlapping("h")).await;
    after(&bench, HOUR).await;

    bench.store.delete_schedule(&named("h"), operator()).await.unwrap();

    assert_eq!(after(&bench, HOUR).await, 0);
    assert_eq!(refused(bench.store.schedule(&named("h")).await), ErrorKind::NotFound);
    assert_eq!(refused(bench.store.firings(&named("h"), PageRequest::first(1)).await), ErrorKind::NotFound);
    let events = bench.store.schedule_events(&named("h")).await.unwrap();
    assert_eq!(events.iter().map(|event| event.verb.as_str()).collect::<Vec<_>>(), ["put", "delete"]);
    assert_eq!(jobs(&bench).await.len(), 1, "its jobs are left alone");
    put(&bench, overlapping("h")).await;
    assert!(firings(&bench, "h").await.is_empty(), "another of its name begins anew");
    assert_eq!(after(&bench, HOUR).await, 1);
}

async fn a_job_by_hand_leaves_the_ticks_alone(bench: Bench) {
    put(&bench, hourly("h")).await;
    let before = schedule(&bench, "h").await;
    let id = bench.fresh_id();

    bench.store.run_schedule(&named("h"), id, operator()).await.unwrap();

    let job = bench.job(id).await;
    assert_eq!((job.state, job.options.fired_by.unwrap().tick), (JobState::Ready, None));
    assert_eq!(schedule(&bench, "h").await, before);
    assert_eq!(after(&bench, HOUR).await, 1, "the tick does not wait for it");
    bench.store.pause_schedule(&named("h"), operator()).await.unwrap();
    bench.store.run_schedule(&named("h"), bench.fresh_id(), operator()).await.unwrap();
    assert_eq!(jobs(&bench).await.len(), 3);
}

async fn a_job_by_hand_is_made_once_for_an_id(bench: Bench) {
    put(&bench, hourly("h")).await;
    let id = bench.fresh_id();

    for _ in 0..2 {
        bench.store.run_schedule(&named("h"), id, operator()).await.unwrap();
    }

    assert_eq!(jobs(&bench).await.len(), 1);
    let events = bench.store.schedule_events(&named("h")).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.job == Some(id)).count(), 1);
}

async fn a_backfill_makes_what_was_not_made_and_repeating_it_adds_nothing(bench: Bench) {
    put(&bench, hourly("h")).await;
    let start = bench.now();
    after(&bench, HOUR * 5).await;
    let until = bench.now().after(MICROSECOND);
    bench.advance(SECOND);

    let told = backfill(&bench, start, until).await;

    assert_eq!((told.jobs.len(), told.known), (5, 1), "the hour of the start, and the four that were missed");
    assert_eq!(ticks(&bench).await, [0, 1, 2, 3, 4, 5].map(|hours| start.after(HOUR * hours)));
    let again = backfill(&bench, start, until).await;
    assert_eq!((again.jobs.len(), again.known), (0, 6));
    assert_eq!(jobs(&bench).await.len(), 6);
    let made = bench.job(told.jobs[0]).await;
    assert_eq!((made.run_at, made.options.fired_by.unwrap().tick), (bench.now(), Some(start)));
    let fired = firings(&bench, "h").await.iter().filter(|one| one.form() == 0).count();
    assert_eq!((fired, schedule(&bench, "h").await.fired), (6, 6));
}

async fn a_backfill_may_begin_before_there_was_a_schedule(bench: Bench) {
    put(&bench, hourly("h")).await;
    let now = bench.now();

    assert_eq!(backfill(&bench, now.before(HOUR * 3), now).await.jobs.len(), 3);
    assert_eq!(after(&bench, HOUR).await, 1, "no tick waits for them");
}

async fn a_backfill_leaves_what_is_due_to_the_schedule(bench: Bench) {
    put(&bench, hourly("h")).await;
    let start = bench.now();
    bench.advance(HOUR);

    assert_eq!(backfill(&bench, start, bench.now()).await.jobs.len(), 1);
    bench.advance(SECOND);
    assert_eq!(backfill(&bench, start, bench.now()).await.jobs.len(), 0);
    assert_eq!(fire(&bench).await.jobs, 1);
    assert_eq!(ticks(&bench).await, [start, start.after(HOUR)]);
}

async fn a_backfill_is_bounded_and_refused_by_field(bench: Bench) {
    put(&bench, hourly("h")).await;
    let now = bench.now();
    let backfill = |from: Timestamp, until: Timestamp| {
        let store = bench.store.clone();
        async move { field_of(store.backfill(&named("h"), (from, until), operator()).await) }
    };

    assert_eq!(backfill(now.before(HOUR), now.after(MICROSECOND)).await, "until", "in the future");
    assert_eq!(backfill(now, now.before(HOUR)).await, "until", "before it begins");
    assert_eq!(backfill(now.before(HOUR * (TICKS_MAX + 1)), now).await, "until", "too long");
    let most = bench.store.backfill(&named("h"), (now.before(HOUR * TICKS_MAX), now), operator()).await;
    assert_eq!(most.unwrap().jobs.len(), TICKS_MAX as usize);
}

async fn the_history_tells_of_every_tick_newest_first(bench: Bench) {
    put(&bench, hourly("h")).await;
    let start = bench.now();
    after(&bench, HOUR).await;
    after(&bench, HOUR).await;
    backfill(&bench, start, bench.now()).await;

    let told = firings(&bench, "h").await;

    let seen: Vec<(Timestamp, bool)> = told.iter().map(|one| (one.tick, one.form() == 0)).collect();
    assert_eq!(seen, [(start.after(HOUR * 2), false), (start.after(HOUR), true), (start, true)]);
    let mut paged = Vec::new();
    let mut page = PageRequest::first(1);
    loop {
        let one = bench.store.firings(&named("h"), page).await.unwrap();
        paged.extend(one.items);
        let Some(next) = one.next else { break };
        page = page.after(Some(next));
    }
    assert_eq!(paged, told);
}

async fn the_history_is_bounded_and_nothing_of_it_fires_again(bench: Bench) {
    put(&bench, hourly("h")).await;
    let end = bench.now();
    let calls = FIRINGS_KEPT / TICKS_MAX + 2;
    let start = end.before(HOUR * (calls * TICKS_MAX));
    for call in 0..calls {
        let from = start.after(HOUR * (call * TICKS_MAX));
        let made = backfill(&bench, from, from.after(HOUR * TICKS_MAX)).await.jobs.len();
        assert_eq!(made, TICKS_MAX as usize);
    }

    let kept = schedule(&bench, "h").await;
    let forgotten = kept.forgotten_until.unwrap();
    let again = bench.store.backfill(&named("h"), (start, start.after(HOUR)), operator()).await;

    assert_eq!(field_of(again), "from");
    assert!(forgotten >= start.after(HOUR * TICKS_MAX).before(HOUR));
    let told = firings(&bench, "h").await.len();
    assert!(told >= FIRINGS_KEPT as usize && told <= (FIRINGS_KEPT + TICKS_MAX) as usize, "{told} are kept");
    let known = backfill(&bench, forgotten.after(MICROSECOND), forgotten.after(HOUR * 3)).await;
    assert_eq!((known.jobs.len(), known.known), (0, 2));
}

async fn what_is_done_by_hand_is_kept_with_who_did_it(bench: Bench) {
    put(&bench, hourly("h")).await;
    let (name, id) = (named("h"), bench.fresh_id());
    bench.store.pause_schedule(&name, operator().because("a visit")).await.unwrap();
    bench.store.resume_schedule(&name, Actor::new("bob")).await.unwrap();
    bench.store.run_schedule(&name, id, operator()).await.unwrap();
    backfill(&bench, bench.now().before(HOUR), bench.now()).await;
    bench.store.delete_schedule(&name, operator()).await.unwrap();

    let events = bench.store.schedule_events(&name).await.unwrap();

    let verbs: Vec<&str> = events.iter().map(|event| event.verb.as_str()).collect();
    assert_eq!(verbs, ["put", "pause", "resume", "run", "backfill", "delete"]);
    assert_eq!((&events[1].by, &events[2].by), (&operator().because("a visit"), &Actor::new("bob")));
    assert_eq!((events[3].job, events[3].at), (Some(id), bench.now()));
}

async fn schedules_are_listed_page_by_page_in_the_order_they_were_made(bench: Bench) {
    for name in ["b", "a", "d", "c"] {
        put(&bench, hourly(name)).await;
    }
    let mut names = Vec::new();
    let mut page = PageRequest::first(3);
    loop {
        let read = bench.store.schedules(page).await.unwrap();
        names.extend(read.items.into_iter().map(|one| one.name().to_string()));
        let Some(next) = read.next else { break };
        page = page.after(Some(next));
    }

    assert_eq!(names, ["b", "a", "d", "c"]);
}

async fn a_schedule_and_its_history_survive_the_store_that_kept_them(bench: Bench) {
    put(&bench, hourly("h")).await;
    after(&bench, HOUR).await;
    after(&bench, HOUR).await;
    let (kept, told) = (schedule(&bench, "h").await, firings(&bench, "h").await);
    let Some(reopened) = bench.reopened().await else { return };

    assert_eq!(reopened.schedule(&named("h")).await.unwrap(), kept);
    assert_eq!(reopened.firings(&named("h"), PageRequest::first(9)).await.unwrap().items, told);
}

async fn an_unknown_schedule_is_not_found(bench: Bench) {
    let (name, store) = (named("nowhere"), &bench.store);
    let range = (bench.now(), bench.now());

    assert_eq!(refused(store.schedule(&name).await), ErrorKind::NotFound);
    assert_eq!(refused(store.pause_schedule(&name, operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.resume_schedule(&name, operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.delete_schedule(&name, operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.run_schedule(&name, bench.fresh_id(), operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.backfill(&name, range, operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.firings(&name, PageRequest::first(1)).await), ErrorKind::NotFound);
    assert!(store.schedule_events(&name).await.unwrap().is_empty());
}
