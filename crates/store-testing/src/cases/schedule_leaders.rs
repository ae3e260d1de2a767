//! Leaders that come and go: each tick makes one job, for ever, whatever becomes of whoever fires it.

use std::collections::BTreeMap;
use std::time::Duration;

use windlass_core::{NewSchedule, Overlap, Rhythm, Timestamp};
use windlass_store::{LEADER_LEASE, SharedStore, ids};

use super::schedule_scene::{jobs, named, put, template};
use crate::bench::{Bench, SECOND};

cases! {
    g15_each_tick_makes_one_job_through_a_thousand_leaders,
}

/// How many leaders there are, one after the other.
const LEADERS: u32 = 1_000;

/// How long a call is waited for that is given up, or not: short enough to be given up in the middle by most stores.
const MOMENT: Duration = Duration::from_micros(50);

fn every(name: &str, rhythm: Rhythm) -> NewSchedule {
    let mut schedule = NewSchedule::new(named(name), rhythm, template());
    schedule.overlap = Overlap::Allow;
    schedule
}

/// What becomes of a leader. The one before may not know that it leads no more, and do the same.
async fn fire([store, other]: [&SharedStore; 2], leader: u32) {
    match leader % 3 {
        0 => drop(store.fire().await.unwrap()),
        // It is gone before there is an answer.
        1 => drop(tokio::time::timeout(MOMENT, store.fire()).await),
        _ => {
            let (one, two) = tokio::join!(store.fire(), other.fire());
            drop((one.unwrap(), two.unwrap()));
        }
    }
}

async fn g15_each_tick_makes_one_job_through_a_thousand_leaders(bench: Bench) {
    let again = bench.reopened().await.unwrap_or_else(|| bench.store.clone());
    put(&bench, every("period", Rhythm::Every(3 * SECOND))).await;
    put(&bench, every("cron", Rhythm::cron("*/20 * * * * *", "Europe/Berlin"))).await;
    let begun = bench.now();

    for leader in 0..LEADERS {
        let pair = [&bench.store, &again];
        let [store, other] = if leader % 2 == 0 { pair } else { [pair[1], pair[0]] };
        let id = ids::worker_id();
        let led = store.lead(id).await.unwrap();
        assert_eq!((led.leader, led.term), (id, u64::from(leader) + 1), "nobody leads any more");
        // Between half a second and four seconds pass while it leads.
        bench.advance(Duration::from_millis(500 + u64::from(leader * 7_919 % 3_500)));
        fire([store, other], leader).await;
        if leader % 5 == 0 {
            store.resign(id).await.unwrap();
        } else {
            bench.advance(LEADER_LEASE);
        }
    }
    while bench.store.fire().await.unwrap().more {}

    let passed = bench.now().since(begun).as_secs();
    let mut made: BTreeMap<(String, Option<Timestamp>), u32> = BTreeMap::new();
    for job in jobs(&bench).await {
        let fired_by = job.options.fired_by.unwrap();
        *made.entry((fired_by.schedule.to_string(), fired_by.tick)).or_default() += 1;
    }
    assert!(made.values().all(|count| *count == 1), "{made:?}");
    for (schedule, seconds) in [("period", 3), ("cron", 20)] {
        let ticks = made.keys().filter(|(by, _)| by == schedule).count();
        assert_eq!(ticks as u64, passed / seconds, "one for each tick of {schedule}");
    }
}
