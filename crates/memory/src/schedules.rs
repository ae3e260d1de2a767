//! Schedules: made, changed by hand, and fired.

use std::collections::BTreeMap;

use async_trait::async_trait;
use windlass_core::limits::SCHEDULE_EVENTS_KEPT;
use windlass_core::schedule::LastJob;
use windlass_core::{JobId, Limits, NewJob, NewSchedule, ProgramName, ScheduleName, Timestamp};
use windlass_store::rules::schedules::{self as rules, FIRE_JOBS_MAX, FIRE_SCHEDULES_MAX, Step};
use windlass_store::{
    Actor, Backfilled, Cursor, Declared, ErrorKind, Fired, Firing, Noun, Page, PageRequest, Schedule,
    ScheduleEvent, ScheduleOutcome, ScheduleStore, StoreError,
};

use crate::MemoryStore;
use crate::state::State;

/// Every schedule, and what was done to those that are gone.
#[derive(Debug, Default)]
pub(crate) struct Schedules {
    /// In the order in which they were made.
    kept: BTreeMap<i64, Kept>,
    events: BTreeMap<ScheduleName, Vec<ScheduleEvent>>,
    made: i64,
}

/// A schedule with its history.
#[derive(Debug)]
struct Kept {
    schedule: Schedule,
    /// By their positions.
    firings: BTreeMap<i64, Firing>,
}

#[async_trait]
impl ScheduleStore for MemoryStore {
    async fn put_schedule(&self, schedule: NewSchedule, by: Actor) -> Result<ScheduleOutcome, StoreError> {
        self.act("keep the schedule", |state, _| state.put_schedule(schedule, by, &self.limits))
    }

    async fn declare_schedules(
        &self,
        program: &ProgramName,
        schedules: Vec<NewSchedule>,
    ) -> Result<Declared, StoreError> {
        self.act("declare schedules", |state, now| {
            rules::check_declared(&schedules, &self.limits).map_err(ErrorKind::Invalid)?;
            state.declare_schedules(program, schedules, now)
        })
    }

    async fn schedule(&self, name: &ScheduleName) -> Result<Schedule, StoreError> {
        self.act("read the schedule", |state, _| Ok(state.schedules.get(name)?.schedule.clone()))
    }

    async fn schedules(&self, page: PageRequest) -> Result<Page<Schedule>, StoreError> {
        self.act("list schedules", |state, _| Ok(state.schedules.page(page)))
    }

    async fn pause_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        self.act("pause the schedule", |state, now| {
            by.validate().map_err(ErrorKind::Invalid)?;
            let kept = state.schedules.get(name)?;
            if let Some(paused) = rules::paused(kept.schedule.clone(), by.clone(), now) {
                state.schedules.get(name)?.schedule = paused;
                state.note_schedule(name, ("pause", None), by);
            }
            Ok(())
        })
    }

    async fn resume_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        self.act("resume the schedule", |state, now| {
            by.validate().map_err(ErrorKind::Invalid)?;
            let kept = state.schedules.get(name)?;
            if let Some(step) = rules::resumed(kept.schedule.clone(), now) {
                kept.keep(step);
                state.note_schedule(name, ("resume", None), by);
                state.hint_work();
            }
            Ok(())
        })
    }

    async fn delete_schedule(&self, name: &ScheduleName, by: Actor) -> Result<(), StoreError> {
        self.act("delete the schedule", |state, _| {
            by.validate().map_err(ErrorKind::Invalid)?;
            state.schedules.get(name)?;
            state.schedules.kept.retain(|_, kept| kept.schedule.name() != name);
            state.note_schedule(name, ("delete", None), by);
            Ok(())
        })
    }

    async fn run_schedule(&self, name: &ScheduleName, job: JobId, by: Actor) -> Result<(), StoreError> {
        self.act("run the schedule", |state, now| {
            by.validate().map_err(ErrorKind::Invalid)?;
            let schedule = &state.schedules.get(name)?.schedule;
            rules::running(schedule)?;
            let by_hand = schedule.asked.job_by_hand(job);
            let enqueued =
                state.enqueue(vec![by_hand], &self.limits, now).map_err(|error| error.kind().clone())?;
            if enqueued.iter().any(|enqueued| !enqueued.repeated) {
                state.note_schedule(name, ("run", Some(job)), by);
            }
            Ok(())
        })
    }

    async fn backfill(
        &self,
        name: &ScheduleName,
        range: (Timestamp, Timestamp),
        by: Actor,
    ) -> Result<Backfilled, StoreError> {
        self.act_saying("backfill the schedule", |state, now| {
            by.validate().map_err(|invalid| refusal(ErrorKind::Invalid(invalid)))?;
            let schedule = &state.schedules.get(name).map_err(refusal)?.schedule;
            let jobs = rules::backfilled(schedule, range, &self.limits, now).map_err(refusal)?;
            state.backfill(name, jobs, (by, &self.limits))
        })
    }

    async fn firings(&self, name: &ScheduleName, page: PageRequest) -> Result<Page<Firing>, StoreError> {
        self.act("read the firings", |state, _| Ok(state.schedules.get(name)?.page(page)))
    }

    async fn schedule_events(&self, name: &ScheduleName) -> Result<Vec<ScheduleEvent>, StoreError> {
        self.act("read the events", |state, _| {
            Ok(state.schedules.events.get(name).cloned().unwrap_or_default())
        })
    }
}

fn refusal(kind: ErrorKind) -> StoreError {
    StoreError::new("backfill the schedule", kind)
}

impl State {
    /// Notes a change by hand, and keeps for ever who made it.
    fn note_schedule(&mut self, name: &ScheduleName, (verb, job): (&str, Option<JobId>), by: Actor) {
        self.schedules.note(name, (verb, job), (by.clone().plain(), self.now));
        self.audited(verb, (Noun::Schedule, name), by);
    }

    fn put_schedule(
        &mut self,
        asked: NewSchedule,
        by: Actor,
        limits: &Limits,
    ) -> Result<ScheduleOutcome, ErrorKind> {
        let now = self.now;
        asked.validate(limits).map_err(ErrorKind::Invalid)?;
        by.validate().map_err(ErrorKind::Invalid)?;
        let name = asked.name.clone();
        let old = self.schedules.get(&name).ok().map(|kept| kept.schedule.clone());
        let (schedule, outcome) = rules::put(old, asked, &by, now)?;
        if let Some(schedule) = schedule {
            self.schedules.set(schedule);
            self.note_schedule(&name, ("put", None), by);
            self.hint_work();
        }
        Ok(outcome)
    }

    fn declare_schedules(
        &mut self,
        program: &ProgramName,
        asked: Vec<NewSchedule>,
        now: Timestamp,
    ) -> Result<Declared, ErrorKind> {
        let known = self.schedules.kept.values().map(|kept| kept.schedule.clone()).collect();
        let (changed, told) = rules::declared(known, program, asked, now).map_err(ErrorKind::Invalid)?;
        if !changed.is_empty() {
            self.hint_work();
        }
        for schedule in changed {
            self.schedules.set(schedule);
        }
        Ok(told)
    }

    fn backfill(
        &mut self,
        name: &ScheduleName,
        mut jobs: Vec<(Timestamp, NewJob)>,
        (by, limits): (Actor, &Limits),
    ) -> Result<Backfilled, StoreError> {
        let (now, asked) = (self.now, jobs.len());
        let kept = self.schedules.get(name).map_err(refusal)?;
        let position = |tick: &Timestamp, job: &NewJob| Firing::fired(*tick, job.id, now).position();
        jobs.retain(|(tick, job)| !kept.firings.contains_key(&position(tick, job)));
        let known = (asked - jobs.len()) as u64;
        let (ticks, jobs): (Vec<Timestamp>, Vec<NewJob>) = jobs.into_iter().unzip();
        if jobs.is_empty() {
            return Ok(Backfilled { jobs: Vec::new(), known });
        }
        let enqueued = self.enqueue(jobs, limits, now)?;
        let kept = self.schedules.get(name).map_err(refusal)?;
        for (tick, stands) in ticks.iter().zip(&enqueued) {
            let firing = Firing::fired(*tick, stands.id, now);
            kept.firings.insert(firing.position(), firing);
        }
        let (schedule, sweep) = rules::after_backfill(kept.schedule.clone(), enqueued.len() as u64);
        kept.schedule = schedule;
        kept.sweep(sweep);
        self.note_schedule(name, ("backfill", None), by);
        Ok(Backfilled { jobs: enqueued.iter().map(|stands| stands.id).collect(), known })
    }

    /// Fires what is due.
    pub(crate) fn fire(&mut self, limits: &Limits, now: Timestamp) -> Fired {
        let due = self.schedules.due(now);
        let mut fired = Fired { now, more: due.len() > FIRE_SCHEDULES_MAX, ..Fired::default() };
        for id in due.into_iter().take(FIRE_SCHEDULES_MAX) {
            if fired.jobs >= FIRE_JOBS_MAX as u64 {
                fired.more = true;
                break;
            }
            self.fire_one(id, limits, &mut fired);
        }
        fired.next_at = self.schedules.look_at();
        fired
    }

    fn fire_one(&mut self, id: i64, limits: &Limits, fired: &mut Fired) {
        let now = self.now;
        let Some(schedule) = self.schedules.kept.get(&id).map(|kept| kept.schedule.clone()) else { return };
        let last = self.last_job(&schedule);
        let mut step = rules::fired(schedule, last, limits, now);
        for (tick, job) in step.jobs.clone() {
            let made = Firing::fired(tick, job.id, now).position();
            if self.schedules.kept.get(&id).is_some_and(|kept| kept.firings.contains_key(&made)) {
                continue;
            }
            match self.enqueue(vec![job], limits, now) {
                Ok(enqueued) => {
                    fired.jobs += 1;
                    for stands in &enqueued {
                        step = rules::stood_in(step, tick, stands.id);
                        if let Some(kept) = self.schedules.kept.get_mut(&id) {
                            kept.firings.insert(made, Firing::fired(tick, stands.id, now));
                        }
                    }
                }
                Err(error) => step = rules::refused(step, tick, &error.to_string(), now),
            }
        }
        fired.count(&step);
        if let Some(kept) = self.schedules.kept.get_mut(&id) {
            kept.keep(step);
        }
    }

    /// How the job of the schedule's last tick stands.
    fn last_job(&self, schedule: &Schedule) -> LastJob {
        let record = schedule.last.and_then(|last| self.jobs.get(&last.job));
        match record.filter(|record| !record.stage.is_final()) {
            None => LastJob::Free,
            Some(record) if record.number == 0 => LastJob::Waiting,
            Some(_) => LastJob::Begun,
        }
    }
}

impl Schedules {
    /// When there is something to fire.
    pub(crate) fn look_at(&self) -> Option<Timestamp> {
        self.kept.values().filter_map(|kept| kept.schedule.look_at).min()
    }

    fn get(&mut self, name: &ScheduleName) -> Result<&mut Kept, ErrorKind> {
        self.kept.values_mut().find(|kept| kept.schedule.name() == name).ok_or(ErrorKind::NotFound)
    }

    /// Keeps a schedule, be it there or new.
    fn set(&mut self, schedule: Schedule) {
        if let Ok(kept) = self.get(schedule.name()) {
            kept.schedule = schedule;
            return;
        }
        self.made += 1;
        self.kept.insert(self.made, Kept { schedule, firings: BTreeMap::new() });
    }

    /// Those that it is time to look at, the longest due first.
    fn due(&self, now: Timestamp) -> Vec<i64> {
        let due = |schedule: &Schedule| schedule.look_at.filter(|look_at| *look_at <= now);
        let mut due: Vec<(Timestamp, i64)> =
            self.kept.iter().filter_map(|(id, kept)| Some((due(&kept.schedule)?, *id))).collect();
        due.sort_unstable();
        due.into_iter().map(|(_, id)| id).collect()
    }

    fn page(&self, page: PageRequest) -> Page<Schedule> {
        let after = page.cursor().map_or(0, Cursor::position);
        let rest = self.kept.range(after + 1..).map(|(id, kept)| (*id, kept.schedule.clone()));
        paged(rest, page)
    }

    /// Notes a change by hand.
    fn note(
        &mut self,
        name: &ScheduleName,
        (verb, job): (&str, Option<JobId>),
        (by, at): (Actor, Timestamp),
    ) {
        let events = self.events.entry(name.clone()).or_default();
        events.push(ScheduleEvent { at, verb: verb.to_owned(), by, job });
        let more = events.len().saturating_sub(SCHEDULE_EVENTS_KEPT as usize);
        events.drain(..more);
    }
}

impl Kept {
    fn keep(&mut self, step: Step) {
        self.schedule = step.schedule;
        for firing in step.skipped {
            self.firings.entry(firing.position()).or_insert(firing);
        }
        self.sweep(step.sweep);
    }

    /// Forgets what is more than is kept, if it is time to look.
    fn sweep(&mut self, sweep: bool) {
        while sweep && self.firings.len() > rules::kept() as usize {
            if let Some((position, _)) = self.firings.pop_first() {
                let (tick, _) = rules::entry_at(position);
                self.schedule = rules::forgotten(self.schedule.clone(), tick);
            }
        }
    }

    fn page(&self, page: PageRequest) -> Page<Firing> {
        let before = page.cursor().map_or(i64::MAX, Cursor::position);
        let rest = self.firings.range(..before).rev().map(|(position, firing)| (*position, *firing));
        paged(rest, page)
    }
}

fn paged<T>(rest: impl Iterator<Item = (i64, T)>, page: PageRequest) -> Page<T> {
    let limit = page.limit() as usize;
    let mut rest = rest.peekable();
    let found: Vec<(i64, T)> = rest.by_ref().take(limit).collect();
    let next = rest.peek().and(found.last()).map(|(position, _)| Cursor::at(*position));
    Page { items: found.into_iter().map(|(_, item)| item).collect(), next }
}
