//! Schedules in a file: leaders that come and go, and rows that make no sense.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use windlass_core::{Args, JobTemplate, KindName, NewSchedule, Overlap, Rhythm, ScheduleName, Timestamp};
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::{
    Actor, Clock, FiringOutcome, JobFilter, JobStore, LEADER_LEASE, Maintenance, ManualClock, PageRequest,
    ScheduleState, ScheduleStore, ids,
};

const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
const SECOND: Duration = Duration::from_secs(1);

fn name(index: usize) -> ScheduleName {
    ScheduleName::new(format!("s{index}")).unwrap()
}

fn schedule(index: usize, rhythm: Rhythm) -> NewSchedule {
    let job = JobTemplate::new(KindName::new("mail").unwrap(), Args::default());
    let mut schedule = NewSchedule::new(name(index), rhythm, job);
    schedule.overlap = Overlap::Allow;
    schedule
}

async fn open(path: &Path, clock: &Arc<ManualClock>) -> SqliteStore {
    SqliteOptions::new(path).clock(Arc::clone(clock) as Arc<dyn Clock>).open().await.unwrap()
}

/// How many leaders there are, one after the other.
const LEADERS: u32 = 1_000;

/// Each leader leads for a moment and is gone without a word, some in the middle of firing; the one before may not know
/// that it leads no more, and fires as well.
#[tokio::test]
async fn g15_each_tick_makes_one_job_through_a_thousand_leaders() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let clock = Arc::new(ManualClock::at(START));
    let stores = [open(&path, &clock).await, open(&path, &clock).await];
    stores[0].put_schedule(schedule(0, Rhythm::Every(SECOND)), Actor::new("test")).await.unwrap();
    let cron = Rhythm::cron("*/5 * * * * *", "Europe/Berlin");
    stores[0].put_schedule(schedule(1, cron), Actor::new("test")).await.unwrap();

    for leader in 0..LEADERS {
        let [store, other] =
            if leader % 2 == 0 { [&stores[0], &stores[1]] } else { [&stores[1], &stores[0]] };
        let led = store.lead(ids::worker_id()).await.unwrap();
        assert_eq!(led.term, u64::from(leader) + 1, "nobody leads any more");
        // Between half a second and four seconds pass, and the lead is over when the next one asks.
        clock.advance(Duration::from_millis(500 + u64::from(leader * 7_919 % 3_500)));
        match leader % 3 {
            0 => drop(store.fire().await.unwrap()),
            1 => {
                // Whoever asked is gone before there is an answer.
                let fire = tokio::time::timeout(Duration::from_micros(50), store.fire()).await;
                drop(fire);
            }
            _ => {
                let (one, two) = tokio::join!(store.fire(), other.fire());
                drop((one.unwrap(), two.unwrap()));
            }
        }
        clock.advance(LEADER_LEASE);
    }
    while stores[0].fire().await.unwrap().more {}

    let passed = clock.now().since(START).as_secs();
    for (index, every) in [(0, 1), (1, 5)] {
        let made = made(&stores[1], &name(index)).await;
        assert_eq!(made.len() as u64, passed / every, "one for each tick of schedule {index}");
        assert!(made.values().all(|count| *count == 1), "schedule {index}");
    }
}

async fn made(store: &SqliteStore, schedule: &ScheduleName) -> BTreeMap<Timestamp, u32> {
    let (mut made, mut page) = (BTreeMap::new(), PageRequest::first(500));
    loop {
        let read = store.jobs(JobFilter::default(), page).await.unwrap();
        for fired_by in read.items.into_iter().filter_map(|job| job.options.fired_by) {
            if fired_by.schedule == *schedule {
                *made.entry(fired_by.tick.unwrap()).or_default() += 1;
            }
        }
        match read.next {
            Some(next) => page = page.after(Some(next)),
            None => return made,
        }
    }
}

#[tokio::test]
async fn a_schedule_that_cannot_be_read_says_so_and_stops_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let clock = Arc::new(ManualClock::at(START));
    let store = open(&path, &clock).await;
    for index in 0..3 {
        store.put_schedule(schedule(index, Rhythm::Every(SECOND)), Actor::new("test")).await.unwrap();
    }
    let file = Connection::open(&path).unwrap();
    let broken = "UPDATE schedule SET asked = '{\"name\":1}' WHERE name = 's0';
        UPDATE schedule SET asked = replace(asked, '\"attempts_max\":8', '\"attempts_max\":0') WHERE name = 's1'";
    file.execute_batch(broken).unwrap();
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
}
