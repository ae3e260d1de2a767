//! Schedules that cases are about, and what is asked of them.

use std::time::Duration;

use windlass_core::schedule::SkipReason;
use windlass_core::{
    Args, Job, JobId, JobTemplate, NewSchedule, Overlap, ProgramName, Rhythm, ScheduleName, Timestamp,
};
use windlass_store::{
    Declared, Fired, Firing, FiringOutcome, JobFilter, PageRequest, Schedule, ScheduleOutcome,
};

use crate::bench::{Bench, kind, operator, succeeded};

pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);

pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn named(name: &str) -> ScheduleName {
    ScheduleName::new(name).expect("the names in cases are valid")
}

pub(super) fn program(name: &str) -> ProgramName {
    ProgramName::new(name).expect("the names in cases are valid")
}

pub(super) fn template() -> JobTemplate {
    JobTemplate::new(kind("mail"), Args::default())
}

/// A schedule that ticks at every full hour; the clock of a bench begins at one.
pub(super) fn hourly(name: &str) -> NewSchedule {
    NewSchedule::new(named(name), Rhythm::cron("0 * * * *", "UTC"), template())
}

pub(super) fn overlapping(name: &str) -> NewSchedule {
    let mut schedule = hourly(name);
    schedule.overlap = Overlap::Allow;
    schedule
}

pub(super) async fn put(bench: &Bench, schedule: NewSchedule) -> ScheduleOutcome {
    bench.store.put_schedule(schedule, operator()).await.unwrap()
}

pub(super) async fn declare(bench: &Bench, by: &str, schedules: Vec<NewSchedule>) -> Declared {
    bench.store.declare_schedules(&program(by), schedules).await.unwrap()
}

pub(super) async fn schedule(bench: &Bench, name: &str) -> Schedule {
    bench.store.schedule(&named(name)).await.unwrap()
}

/// Fires until nothing is left: how much one call does is the store's business.
pub(super) async fn fire(bench: &Bench) -> Fired {
    let mut sum = Fired::default();
    loop {
        let one = bench.store.fire().await.unwrap();
        assert_eq!(one.now, bench.now());
        sum = Fired { jobs: sum.jobs + one.jobs, skipped: sum.skipped + one.skipped, ..one };
        if !sum.more {
            return Fired { now: Timestamp::MIN, ..sum };
        }
    }
}

/// Lets time pass, then fires. How many jobs that made.
pub(super) async fn after(bench: &Bench, span: Duration) -> u64 {
    bench.advance(span);
    fire(bench).await.jobs
}

/// Every job there is, the first enqueued first.
pub(super) async fn jobs(bench: &Bench) -> Vec<Job> {
    let mut jobs = Vec::new();
    let mut page = PageRequest::first(500);
    loop {
        let read = bench.store.jobs(JobFilter::default(), page).await.unwrap();
        jobs.extend(read.items);
        match read.next {
            Some(next) => page = page.after(Some(next)),
            None => break,
        }
    }
    jobs.reverse();
    jobs
}

/// The ticks that made the jobs there are.
pub(super) async fn ticks(bench: &Bench) -> Vec<Timestamp> {
    let tick = |job: Job| job.options.fired_by.and_then(|fired| fired.tick);
    let mut ticks: Vec<Timestamp> = jobs(bench).await.into_iter().filter_map(tick).collect();
    ticks.sort_unstable();
    ticks
}

pub(super) async fn firings(bench: &Bench, name: &str) -> Vec<Firing> {
    let mut firings = Vec::new();
    let mut page = PageRequest::first(500);
    loop {
        let read = bench.store.firings(&named(name), page).await.unwrap();
        firings.extend(read.items);
        match read.next {
            Some(next) => page = page.after(Some(next)),
            None => return firings,
        }
    }
}

/// Why the newest ticks were skipped, and how many.
pub(super) fn skipped(firing: &Firing) -> (SkipReason, u32) {
    match firing.outcome {
        FiringOutcome::Skipped { reason, count, .. } => (reason, count),
        FiringOutcome::Fired(job) => panic!("the tick made job {job}"),
    }
}

/// Finishes the one job that is to be had.
pub(super) async fn finish_one(bench: &Bench) -> JobId {
    let job = bench.claim_one().await;
    bench.settle(&job, succeeded()).await;
    job.id()
}
