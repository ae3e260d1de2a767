//! What every store decides alike about schedules: each function takes a schedule as it is kept and answers with what is
//! to be kept instead. A store reads, asks, and writes, and none of it can be done by another in between.

mod declare;
mod history;

use windlass_core::limits::{FIRINGS_KEPT, TICKS_MAX};
use windlass_core::schedule::{FAULT_LOOK, LastJob, Plan, SkipReason, Skipped, Source, Standing, Timing};
use windlass_core::{Invalid, JobId, Limits, NewJob, NewSchedule, Timestamp};

pub use declare::{check_declared, declared};
pub use history::entry_at;

use super::check_batch;
use crate::schedules::{Firing, FiringOutcome, LastFiring, Schedule, ScheduleOutcome, ScheduleState};
use crate::{Actor, ErrorKind, Fired, Pause};

/// How many firings are written between two looks whether there are more than are kept.
const SWEEP_EVERY: u64 = 1_000;

/// Most schedules that one call of [`fire`](crate::Maintenance::fire) looks at.
pub const FIRE_SCHEDULES_MAX: usize = 200;

/// How many jobs one call of [`fire`](crate::Maintenance::fire) makes before it leaves the other schedules to the next call.
/// One schedule may make as many again.
pub const FIRE_JOBS_MAX: usize = 1_000;

/// What is to be written of a schedule that fires.
#[derive(Debug, Clone)]
pub struct Step {
    /// The schedule from now on.
    pub schedule: Schedule,
    /// The jobs to be made, each unless its tick has made one.
    pub jobs: Vec<(Timestamp, NewJob)>,
    /// Ticks that make none.
    pub skipped: Vec<Firing>,
    /// Whether to look if there is more history than is kept: see [`forgotten`].
    pub sweep: bool,
}

/// A schedule that did not exist before.
///
/// # Errors
///
/// `Invalid` where its rhythm cannot be understood.
pub fn made(asked: NewSchedule, source: Source, now: Timestamp) -> Result<Schedule, Invalid> {
    let plan = asked.begin(now)?;
    let pause = asked.paused.then(|| Pause { since: now, by: Actor::new(maker(&source)) });
    let made = Schedule {
        source,
        created_at: now,
        changed_at: now,
        anchor: now,
        next_tick: None,
        held: None,
        look_at: None,
        pause,
        removed_at: None,
        last: None,
        fired: 0,
        skipped: 0,
        forgotten_until: None,
        error: None,
        revision: 0,
        asked: at_large(asked),
    };
    Ok(made.with_course(&plan))
}

/// What is asked for, but for how it begins, which is over: its pause is its own.
fn at_large(asked: NewSchedule) -> NewSchedule {
    let mut asked = asked;
    asked.paused = false;
    asked
}

/// Who made a schedule, where nobody in particular did.
fn maker(source: &Source) -> &str {
    match source {
        Source::Code(program) => program.as_str(),
        Source::Operator => "operator",
    }
}

/// What is to be kept where somebody asks for a schedule by hand; none where nothing changes.
///
/// # Errors
///
/// `Invalid`; `NotReady` for a schedule that a program declares.
pub fn put(
    old: Option<Schedule>,
    asked: NewSchedule,
    by: &Actor,
    now: Timestamp,
) -> Result<(Option<Schedule>, ScheduleOutcome), ErrorKind> {
    let Some(old) = old else {
        let mut made = made(asked, Source::Operator, now).map_err(ErrorKind::Invalid)?;
        if let Some(pause) = &mut made.pause {
            pause.by = by.clone().plain();
        }
        return Ok((Some(made), ScheduleOutcome::Created));
    };
    if matches!(old.source, Source::Code(_)) && old.removed_at.is_none() {
        return Err(ErrorKind::NotReady);
    }
    let changed = changed(old, asked, Source::Operator, now).map_err(ErrorKind::Invalid)?;
    let outcome = if changed.is_some() { ScheduleOutcome::Changed } else { ScheduleOutcome::Unchanged };
    Ok((changed, outcome))
}

/// A schedule of which something else is asked for now; none where that is what it is.
fn changed(
    old: Schedule,
    asked: NewSchedule,
    source: Source,
    now: Timestamp,
) -> Result<Option<Schedule>, Invalid> {
    let is_there = old.removed_at.is_none();
    if is_there && old.source == source && old.asked.asks_the_same_as(&asked) {
        return Ok(None);
    }
    let keeps_time = is_there && old.asked.keeps_time_with(&asked);
    let plan = if keeps_time { None } else { Some(asked.begin(now)?) };
    let asked = at_large(asked);
    let schedule = Schedule { asked, source, changed_at: now, removed_at: None, error: None, ..old };
    Ok(Some(match plan {
        None => schedule.with_revision(),
        Some(plan) => Schedule { anchor: now, ..schedule }.with_course(&plan),
    }))
}

/// The schedule with a pause; none where it has one.
#[must_use]
pub fn paused(schedule: Schedule, by: Actor, now: Timestamp) -> Option<Schedule> {
    if schedule.pause.is_some() {
        return None;
    }
    Some(
        Schedule { pause: Some(Pause { since: now, by: by.plain() }), look_at: None, ..schedule }
            .with_revision(),
    )
}

/// What is to be written of a schedule that goes on; none where it was not paused.
#[must_use]
pub fn resumed(schedule: Schedule, now: Timestamp) -> Option<Step> {
    schedule.pause.as_ref()?;
    let schedule = Schedule { pause: None, ..schedule };
    if schedule.removed_at.is_some() {
        return Some(Step {
            schedule: schedule.with_revision(),
            jobs: Vec::new(),
            skipped: Vec::new(),
            sweep: false,
        });
    }
    Some(match schedule.asked.resume(&schedule.standing(LastJob::Free), now) {
        Ok(plan) => schedule.step(&plan, &Limits::default(), now),
        Err(invalid) => schedule.at_fault(&invalid, now),
    })
}

/// What is to be written of a schedule that it is time to look at; `last` is how the job of its last tick stands.
///
/// A schedule that cannot be understood, or whose job cannot be enqueued, says so, and is no reason to stop.
#[must_use]
pub fn fired(schedule: Schedule, last: LastJob, limits: &Limits, now: Timestamp) -> Step {
    match schedule.asked.plan(&schedule.standing(last), now) {
        Ok(plan) => schedule.step(&plan, limits, now),
        Err(invalid) => schedule.at_fault(&invalid, now),
    }
}

/// The same step of a schedule whose job could not be enqueued after all: its tick has made none.
#[must_use]
pub fn refused(mut step: Step, tick: Timestamp, problem: &str, now: Timestamp) -> Step {
    let before = step.jobs.len();
    step.jobs.retain(|(fired, _)| *fired != tick);
    if step.jobs.len() < before {
        step.skipped.push(Firing::skipped(Skipped::one(tick, SkipReason::Refused), now));
        step.schedule.fired -= 1;
        step.schedule.skipped += 1;
    }
    step.schedule.error = Some(problem.to_owned());
    step
}

/// The same step where another job stands for that of a tick, because it has its unique key.
#[must_use]
pub fn stood_in(mut step: Step, tick: Timestamp, job: JobId) -> Step {
    if let Some(last) = step.schedule.last.as_mut().filter(|last| last.tick == tick) {
        last.job = job;
    }
    step
}

/// Whether a job of the schedule may be made by hand.
///
/// # Errors
///
/// `NotReady` for a schedule that was removed.
pub fn running(schedule: &Schedule) -> Result<(), ErrorKind> {
    if schedule.removed_at.is_some() { Err(ErrorKind::NotReady) } else { Ok(()) }
}

/// The jobs of a range of ticks, each to be made unless its tick has made one.
///
/// # Errors
///
/// `NotReady` for a schedule that was removed; `Invalid` with the field `from`, `until`, or one of the job.
pub fn backfilled(
    schedule: &Schedule,
    (from, until): (Timestamp, Timestamp),
    limits: &Limits,
    now: Timestamp,
) -> Result<Vec<(Timestamp, NewJob)>, ErrorKind> {
    running(schedule)?;
    check_range(schedule, (from, until), now).map_err(ErrorKind::Invalid)?;
    // What is due and not fired is left to whoever fires.
    let undecided = schedule.next_tick.filter(|_| schedule.state() == ScheduleState::Active).unwrap_or(until);
    let range = (from, until.min(undecided.max(from)));
    let ticks =
        schedule.asked.ticks_between(schedule.anchor, range, TICKS_MAX).map_err(ErrorKind::Invalid)?;
    let ticks = ticks.ok_or_else(|| {
        ErrorKind::Invalid(Invalid::new(
            "until",
            format!("is more than {TICKS_MAX} ticks after the beginning: ask for a shorter range at a time"),
        ))
    })?;
    let job =
        |tick: Timestamp| (tick, schedule.asked.job_of(tick, Timing::AtOnce, (schedule.created_at, now)));
    let jobs: Vec<(Timestamp, NewJob)> = ticks.into_iter().map(job).collect();
    if let Some((_, first)) = jobs.first() {
        check_batch(std::slice::from_ref(first), limits)
            .map_err(|invalid| ErrorKind::Invalid(invalid.inside("job")))?;
    }
    Ok(jobs)
}

fn check_range(
    schedule: &Schedule,
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<(), Invalid> {
    if until < from {
        return Err(Invalid::new("until", format!("is {until}, before the beginning, {from}")));
    }
    if until > now {
        return Err(Invalid::new(
            "until",
            format!("is {until}, in the future: what is to come is fired in its time"),
        ));
    }
    match schedule.forgotten_until {
        Some(forgotten) if from <= forgotten => Err(Invalid::new(
            "from",
            format!("is {from}: whether ticks up to {forgotten} have made their jobs is forgotten"),
        )),
        _ => Ok(()),
    }
}

/// The schedule once `made` of its ticks were backfilled, and whether to look if there is more history than is kept.
#[must_use]
pub fn after_backfill(schedule: Schedule, made: u64) -> (Schedule, bool) {
    let before = schedule.written();
    let schedule = Schedule { fired: schedule.fired + made, ..schedule };
    let sweep = schedule.is_to_be_swept(before);
    (schedule.with_revision(), sweep)
}

/// How many of the newest entries of a history stay, where a [`Step`] says to look.
#[must_use]
pub const fn kept() -> u32 {
    FIRINGS_KEPT
}

/// The schedule once its history up to `tick` was removed.
#[must_use]
pub fn forgotten(schedule: Schedule, tick: Timestamp) -> Schedule {
    let forgotten_until = schedule.forgotten_until.max(Some(tick));
    Schedule { forgotten_until, ..schedule }
}

impl Schedule {
    fn standing(&self, last: LastJob) -> Standing {
        Standing { anchor: self.anchor, next_tick: self.next_tick, held: self.held, last }
    }

    /// The same, going where `plan` says. A paused schedule goes nowhere until it is resumed.
    fn with_course(self, plan: &Plan) -> Self {
        let look_at = plan.look_at.filter(|_| self.pause.is_none());
        Self { next_tick: plan.next_tick, held: plan.held, look_at, ..self }.with_revision()
    }

    fn with_revision(self) -> Self {
        Self { revision: self.revision + 1, ..self }
    }

    fn written(&self) -> u64 {
        self.fired + self.skipped
    }

    fn is_to_be_swept(&self, before: u64) -> bool {
        self.written() / SWEEP_EVERY != before / SWEEP_EVERY
    }

    fn step(self, plan: &Plan, limits: &Limits, now: Timestamp) -> Step {
        let before = self.written();
        let job =
            |tick: &Timestamp| (*tick, self.asked.job_of(*tick, Timing::OnTick, (self.created_at, now)));
        let jobs: Vec<(Timestamp, NewJob)> = plan.fire.iter().map(job).collect();
        let skipped: Vec<Firing> = plan.skipped.iter().map(|run| Firing::skipped(*run, now)).collect();
        let skipped_count: u64 = plan.skipped.iter().map(|run| u64::from(run.count)).sum();
        let last = jobs.last().map(|(tick, job)| LastFiring { tick: *tick, job: job.id }).or(self.last);
        let error = if jobs.is_empty() { self.error.clone() } else { None };
        let (fired, all_skipped) = (self.fired + jobs.len() as u64, self.skipped + skipped_count);
        let fault = jobs.first().and_then(|(_, job)| check_batch(std::slice::from_ref(job), limits).err());
        let previous = self.last;
        let schedule = Self { last, error, fired, skipped: all_skipped, ..self }.with_course(plan);
        let sweep = schedule.is_to_be_swept(before);
        let step = Step { schedule, jobs, skipped, sweep };
        match fault {
            Some(invalid) => step.without_jobs(&invalid, previous, now),
            None => step,
        }
    }

    /// What is to be written of a schedule whose rhythm cannot be understood: it is looked at again later.
    fn at_fault(self, invalid: &Invalid, now: Timestamp) -> Step {
        let look_at = Some(now.after(FAULT_LOOK));
        let schedule = Self { error: Some(invalid.to_string()), look_at, ..self }.with_revision();
        Step { schedule, jobs: Vec::new(), skipped: Vec::new(), sweep: false }
    }
}

impl Step {
    /// The same of a schedule whose job cannot be enqueued, each of them for the same reason.
    fn without_jobs(self, invalid: &Invalid, last: Option<LastFiring>, now: Timestamp) -> Self {
        let ticks: Vec<Timestamp> = self.jobs.iter().map(|(tick, _)| *tick).collect();
        let problem = invalid.clone().inside("job").to_string();
        let mut step = ticks.into_iter().fold(self, |step, tick| refused(step, tick, &problem, now));
        step.schedule.last = last;
        step
    }
}

impl Fired {
    /// Takes account of a step, but for its jobs, which are counted as they are made.
    pub fn count(&mut self, step: &Step) {
        let skipped = step.skipped.iter().map(|firing| match firing.outcome {
            FiringOutcome::Skipped { count, .. } => u64::from(count),
            FiringOutcome::Fired(_) => 0,
        });
        self.skipped += skipped.sum::<u64>();
        let name = step.schedule.name();
        if step.schedule.state() == ScheduleState::Ended {
            self.ended.push(name.clone());
        }
        if let Some(error) = &step.schedule.error {
            self.failed.push((name.clone(), error.clone()));
        }
    }
}
