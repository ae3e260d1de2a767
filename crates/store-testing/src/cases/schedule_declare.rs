//! Schedules that programs declare in their code.

use windlass_core::Rhythm;
use windlass_core::schedule::Source;
use windlass_store::{Declared, ErrorKind, PageRequest, ScheduleOutcome, ScheduleState};

use super::schedule_scene::{HOUR, after, declare, fire, hourly, named, program, put, schedule};
use crate::bench::{Bench, SECOND, field_of, kind, operator, refused};

cases! {
    a_declaration_makes_changes_and_removes,
    a_declaration_that_changes_nothing_touches_nothing,
    a_declared_schedule_stays_paused,
    a_removed_schedule_is_shown_fires_no_more_and_can_come_back,
    a_name_that_is_taken_cannot_be_declared,
    a_declared_schedule_is_not_changed_by_hand,
    a_faulty_declaration_changes_nothing,
}

async fn a_declaration_makes_changes_and_removes(bench: Bench) {
    let told = declare(&bench, "app", vec![hourly("a"), hourly("b")]).await;
    assert_eq!((told.created, told.changed, told.removed), (vec![named("a"), named("b")], vec![], vec![]));
    let mut changed = hourly("b");
    changed.job.kind = kind("report");

    let told = declare(&bench, "app", vec![changed, hourly("c")]).await;

    assert_eq!(told.created, [named("c")]);
    assert_eq!((told.changed, told.removed), (vec![named("b")], vec![named("a")]));
    assert_eq!(schedule(&bench, "a").await.state(), ScheduleState::Removed);
    assert_eq!(schedule(&bench, "b").await.source, Source::Code(program("app")));
    assert_eq!(after(&bench, HOUR).await, 2);
}

async fn a_declaration_that_changes_nothing_touches_nothing(bench: Bench) {
    declare(&bench, "app", vec![hourly("a")]).await;
    put(&bench, hourly("by-hand")).await;
    declare(&bench, "other", vec![hourly("o")]).await;
    let before = schedule(&bench, "a").await;
    bench.advance(SECOND);

    let told = declare(&bench, "app", vec![hourly("a")]).await;

    assert_eq!(told, Declared::default());
    assert_eq!(schedule(&bench, "a").await, before);
    assert_eq!(
        schedule(&bench, "by-hand").await.state(),
        ScheduleState::Active,
        "nor what is not the program's"
    );
    assert_eq!(schedule(&bench, "o").await.state(), ScheduleState::Active);
}

async fn a_declared_schedule_stays_paused(bench: Bench) {
    declare(&bench, "app", vec![hourly("a")]).await;
    bench.store.pause_schedule(&named("a"), operator()).await.unwrap();
    let mut changed = hourly("a");
    changed.rhythm = Rhythm::cron("*/5 * * * *", "UTC");

    declare(&bench, "app", vec![changed]).await;

    assert_eq!(schedule(&bench, "a").await.state(), ScheduleState::Paused);
    assert_eq!(after(&bench, HOUR).await, 0);
}

async fn a_removed_schedule_is_shown_fires_no_more_and_can_come_back(bench: Bench) {
    declare(&bench, "app", vec![hourly("a")]).await;
    bench.advance(HOUR);
    declare(&bench, "app", vec![]).await;

    assert_eq!(fire(&bench).await.jobs, 0, "not even what was due");
    let removed = schedule(&bench, "a").await;
    assert_eq!((removed.state(), removed.removed_at), (ScheduleState::Removed, Some(bench.now())));
    assert_eq!(declare(&bench, "app", vec![]).await, Declared::default(), "once is enough");
    let run = bench.store.run_schedule(&named("a"), bench.fresh_id(), operator()).await;
    assert_eq!(refused(run), ErrorKind::NotReady);

    assert_eq!(declare(&bench, "renamed", vec![hourly("a")]).await.changed, [named("a")]);
    assert_eq!(after(&bench, HOUR).await, 1);
}

async fn a_name_that_is_taken_cannot_be_declared(bench: Bench) {
    put(&bench, hourly("a")).await;
    declare(&bench, "app", vec![hourly("b")]).await;
    let declare = |names: &[&str]| {
        let schedules = names.iter().map(|name| hourly(name)).collect();
        let store = bench.store.clone();
        async move { field_of(store.declare_schedules(&program("other"), schedules).await) }
    };

    assert_eq!(declare(&["c", "a"]).await, "schedules[1].name");
    assert_eq!(declare(&["b"]).await, "schedules[0].name");
    assert_eq!(declare(&["c", "c"]).await, "schedules[1].name");
    assert_eq!(refused(bench.store.schedule(&named("c")).await), ErrorKind::NotFound);
}

async fn a_declared_schedule_is_not_changed_by_hand(bench: Bench) {
    declare(&bench, "app", vec![hourly("a")]).await;

    assert_eq!(refused(bench.store.put_schedule(hourly("a"), operator()).await), ErrorKind::NotReady);
    declare(&bench, "app", vec![]).await;
    assert_eq!(put(&bench, hourly("a")).await, ScheduleOutcome::Changed, "once it is removed, it is free");
    assert_eq!(schedule(&bench, "a").await.source, Source::Operator);
}

async fn a_faulty_declaration_changes_nothing(bench: Bench) {
    declare(&bench, "app", vec![hourly("a")]).await;
    let mut bad = hourly("b");
    bad.rhythm = Rhythm::cron("nonsense", "UTC");

    let declared = bench.store.declare_schedules(&program("app"), vec![hourly("c"), bad]).await;

    assert_eq!(field_of(declared), "schedules[1].cron");
    let names = bench.store.schedules(PageRequest::first(9)).await.unwrap().items;
    assert_eq!(names.iter().map(|one| one.name().as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(schedule(&bench, "a").await.state(), ScheduleState::Active);
}
