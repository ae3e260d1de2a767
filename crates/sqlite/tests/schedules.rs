//! Schedules in a file: rows that make no sense.

#![expect(clippy::unwrap_used, reason = "tests: a failure is a panic")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use windlass_core::{Args, JobTemplate, KindName, NewSchedule, Overlap, Rhythm, ScheduleName, Timestamp};
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::{
    Actor, Clock, FiringOutcome, Maintenance, ManualClock, PageRequest, ScheduleState, ScheduleStore,
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
