//! Schedules on a server: many who fire at once, and rows that make no sense.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_postgres::NoTls;
use windlass_core::{Args, JobTemplate, KindName, NewSchedule, Overlap, Rhythm, ScheduleName, Timestamp};
use windlass_store::{
    Actor, Clock, FiringOutcome, JobFilter, ManualClock, PageRequest, ScheduleState, SharedStore,
};

const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
const SECOND: Duration = Duration::from_secs(1);

/// How many processes fire.
const STORES: usize = 8;

/// How many schedules they fire.
const SCHEDULES: usize = 20;

/// How many ticks each of them has.
const TICKS: u32 = 15;

fn name(index: usize) -> ScheduleName {
    ScheduleName::new(format!("s{index}")).unwrap()
}

fn every_second(index: usize) -> NewSchedule {
    let job = JobTemplate::new(KindName::new("mail").unwrap(), Args::default());
    let mut schedule = NewSchedule::new(name(index), Rhythm::Every(SECOND), job);
    schedule.overlap = Overlap::Allow;
    schedule
}

/// How many jobs each tick of each schedule has made.
async fn made(store: &SharedStore) -> BTreeMap<(ScheduleName, Timestamp), u32> {
    let (mut made, mut page) = (BTreeMap::new(), PageRequest::first(500));
    loop {
        let read = store.jobs(JobFilter::default(), page).await.unwrap();
        for job in read.items {
            let fired_by = job.options.fired_by.unwrap();
            *made.entry((fired_by.schedule, fired_by.tick.unwrap())).or_default() += 1;
        }
        match read.next {
            Some(next) => page = page.after(Some(next)),
            None => return made,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g15_eight_stores_that_fire_at_once_make_one_job_for_each_tick() {
    let (schema, clock) = (common::fresh_schema(), Arc::new(ManualClock::at(START)));
    let mut stores = Vec::new();
    for _ in 0..STORES {
        stores.push(common::open(&schema, Arc::clone(&clock)).await);
    }
    for index in 0..SCHEDULES {
        stores[0].put_schedule(every_second(index), Actor::new("test")).await.unwrap();
    }

    let (mut jobs, mut rounds) = (0, 0);
    for tick in 1..=TICKS {
        // Some ticks come alone, and some with others.
        clock.advance(SECOND);
        if tick % 3 == 1 {
            continue;
        }
        let mut firing = JoinSet::new();
        for store in &stores {
            let store = store.clone();
            firing.spawn(async move { store.fire().await.unwrap().jobs });
        }
        while let Some(fired) = firing.join_next().await {
            jobs += fired.unwrap();
        }
        rounds += 1;
    }
    while stores[0].fire().await.unwrap().more {}

    let made = made(&stores[0]).await;
    assert!(rounds > 5 && jobs > 0);
    assert_eq!(made.len(), SCHEDULES * TICKS as usize, "each tick of each schedule");
    assert!(made.values().all(|count| *count == 1), "{made:?}");
    for index in 0..SCHEDULES {
        let told = stores[1].firings(&name(index), PageRequest::first(100)).await.unwrap().items;
        assert!(told.iter().all(|one| matches!(one.outcome, FiringOutcome::Fired(_))), "{told:?}");
        assert_eq!(told.len(), TICKS as usize);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_that_cannot_be_read_says_so_and_stops_no_other() {
    let (schema, clock) = (common::fresh_schema(), Arc::new(ManualClock::at(START)));
    let store = common::open(&schema, Arc::clone(&clock)).await;
    for index in 0..3 {
        store.put_schedule(every_second(index), Actor::new("test")).await.unwrap();
    }
    let url = windlass_postgres_testing::shared().unwrap();
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let broken = format!(
        "UPDATE {schema}.schedule SET asked = '{{\"name\":1}}' WHERE name = 's0';
         UPDATE {schema}.schedule SET asked = replace(asked, '\"attempts_max\":8', '\"attempts_max\":0') WHERE name = 's1'"
    );
    client.batch_execute(&broken).await.unwrap();
    clock.advance(SECOND);

    let fired = store.fire().await.unwrap();

    assert_eq!((fired.jobs, fired.failed.len()), (1, 2), "{fired:?}");
    let refused = store.schedule(&name(1)).await.unwrap();
    assert_eq!(refused.state(), ScheduleState::Active);
    assert!(refused.error.unwrap().contains("job.attempts_max"));
    let told = store.firings(&name(1), PageRequest::first(9)).await.unwrap().items;
    assert!(matches!(told[0].outcome, FiringOutcome::Skipped { .. }), "{told:?}");
    clock.advance(SECOND);
    assert_eq!(
        store.fire().await.unwrap().jobs,
        1,
        "the one that can, and the broken one is not looked at so soon"
    );
    assert!(clock.now() > START);
}
