//! The schedules of random sequences: few, quick, and of many kinds.

use std::time::Duration;

use windlass_core::schedule::FiredBy;
use windlass_core::{
    Args, JobTemplate, Missed, NewSchedule, Overlap, ProgramName, QueueName, Rhythm, ScheduleName, Timestamp,
};
use windlass_store::{Fired, Firing, Page, PageRequest, Schedule, SharedStore, StoreError};

use super::op::{KINDS, QUEUES};
use crate::bench::{kind, queue};

/// How many schedules there are.
pub(crate) const SCHEDULES: u64 = 3;

/// How many programs declare some.
pub(crate) const PROGRAMS: u64 = 2;

/// Most jobs that a sequence can come to by its schedules, and more.
pub(crate) const FIRED_MAX: usize = 5_000;

/// A schedule to be asked for, by numbers that say its terms.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ScheduleOf {
    pub(crate) name: u8,
    pub(crate) rhythm: u8,
    pub(crate) overlap: u8,
    pub(crate) missed: u8,
    pub(crate) queue: u8,
    pub(crate) kind: u8,
    /// Seconds until it ends.
    pub(crate) ends: Option<u16>,
    pub(crate) paused: bool,
}

pub(crate) fn name(index: u8) -> ScheduleName {
    ScheduleName::new(format!("s{index}")).expect("a letter and a digit are a name")
}

pub(crate) fn program(index: u8) -> ProgramName {
    ProgramName::new(format!("p{index}")).expect("a letter and a digit are a name")
}

fn queue_of(index: u8) -> QueueName {
    queue(QUEUES[usize::from(index) % QUEUES.len()])
}

pub(crate) fn asked(of: ScheduleOf, now: Timestamp) -> NewSchedule {
    let args = Args::json(of.name.to_string()).expect("a number is JSON");
    let mut job = JobTemplate::new(kind(KINDS[usize::from(of.kind) % KINDS.len()]), args);
    job.queue = queue_of(of.queue);
    if of.rhythm == 6 {
        // Refused before anything is written.
        job.options.fired_by = Some(FiredBy { schedule: name(0), tick: None });
    }
    let mut schedule = NewSchedule::new(name(of.name), rhythm(of.rhythm), job);
    schedule.overlap = [Overlap::Skip, Overlap::Allow, Overlap::QueueOne][usize::from(of.overlap) % 3];
    schedule.missed = [Missed::One, Missed::Skip, Missed::All(3)][usize::from(of.missed) % 3];
    schedule.jitter = Duration::from_secs(u64::from(of.missed) * 2);
    schedule.ends_at = of.ends.map(|seconds| now.after(Duration::from_secs(seconds.into())));
    schedule.paused = of.paused;
    schedule
}

fn rhythm(index: u8) -> Rhythm {
    match index {
        0 => Rhythm::Every(Duration::from_secs(10)),
        1 => Rhythm::cron("*/20 * * * * *", "UTC"),
        2 => Rhythm::cron("* * * * *", "Asia/Kathmandu"),
        3 => Rhythm::Every(Duration::from_secs(47)),
        4 => Rhythm::cron("0 0 30 2 *", "UTC"),
        _ => Rhythm::cron("0 */15 * * * *", "Europe/Berlin"),
    }
}

/// Fires until nothing is left: how much one call does is the store's business.
pub(crate) async fn fire(store: &SharedStore) -> Result<Fired, StoreError> {
    let mut sum = Fired::default();
    loop {
        let one = store.fire().await?;
        sum.jobs += one.jobs;
        sum.skipped += one.skipped;
        sum.ended.extend(one.ended);
        sum.failed.extend(one.failed);
        (sum.now, sum.next_at) = (one.now, one.next_at);
        if !one.more {
            return Ok(sum);
        }
    }
}

/// Every schedule, page by page.
pub(crate) async fn list(store: &SharedStore, limit: u32) -> Result<Vec<Schedule>, StoreError> {
    let mut schedules = Vec::new();
    let mut request = PageRequest::first(limit);
    loop {
        let Page { items, next } = store.schedules(request).await?;
        schedules.extend(items);
        assert!(schedules.len() <= usize::try_from(SCHEDULES).unwrap_or_default(), "a list shows one twice");
        match next {
            Some(next) => request = request.after(Some(next)),
            None => return Ok(schedules),
        }
    }
}

/// Everything that became of its ticks, page by page.
pub(crate) async fn firings(store: &SharedStore, index: u8, limit: u32) -> Result<Vec<Firing>, StoreError> {
    let mut firings = Vec::new();
    let mut request = PageRequest::first(limit);
    loop {
        let Page { items, next } = store.firings(&name(index), request).await?;
        firings.extend(items);
        assert!(firings.len() <= FIRED_MAX, "the history never ends");
        match next {
            Some(next) => request = request.after(Some(next)),
            None => return Ok(firings),
        }
    }
}
