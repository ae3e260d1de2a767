//! Schedules and what became of their ticks.

use windlass_core::schedule::{SkipReason, Source};
use windlass_core::{Due, Invalid, JobId, JobTemplate, Json, NewJob, NewSchedule, Rhythm};
use windlass_store::{Actor, Firing, FiringOutcome, LastFiring, Pause, Schedule, ScheduleEvent};

use super::job::args;
use super::unknown;
use crate::schedule::TemplateShape;
use crate::{FiringShape, ScheduleEventShape, ScheduleShape};

impl TryFrom<ScheduleShape> for Schedule {
    type Error = Invalid;

    fn try_from(shape: ScheduleShape) -> Result<Self, Invalid> {
        let job = JobTemplate::try_from(shape.job).map_err(|invalid| invalid.inside("job"))?;
        let rhythm = match (shape.cron, shape.zone, shape.every) {
            (Some(expression), Some(zone), None) => Rhythm::Cron { expression, zone },
            (None, None, Some(span)) => Rhythm::Every(span),
            _ => return Err(Invalid::new("cron", "and every: one of them is to be given")),
        };
        let mut asked = NewSchedule::new(shape.name, rhythm, job);
        asked.overlap = shape.overlap;
        asked.missed = shape.missed;
        asked.jitter = shape.jitter;
        asked.starts_at = shape.starts_at;
        asked.ends_at = shape.ends_at;
        Ok(Self {
            asked,
            source: shape.program.map_or(Source::Operator, Source::Code),
            created_at: shape.created_at,
            changed_at: shape.changed_at,
            anchor: shape.anchor,
            next_tick: shape.next_tick,
            held: shape.held,
            look_at: shape.look_at,
            pause: shape.pause.map(Pause::from),
            removed_at: shape.removed_at,
            last: shape.last.map(|last| LastFiring { tick: last.tick, job: last.job }),
            fired: shape.fired,
            skipped: shape.skipped,
            forgotten_until: shape.forgotten_until,
            error: shape.error,
            revision: shape.revision,
        })
    }
}

impl TryFrom<TemplateShape> for JobTemplate {
    type Error = Invalid;

    fn try_from(shape: TemplateShape) -> Result<Self, Invalid> {
        let args = args(shape.args.unwrap_or_else(Json::null), shape.args_base64)?;
        // The id of a template is never used.
        let mut job = NewJob::new(JobId::from_bytes([1; 16]), shape.kind, args);
        job.version = shape.version;
        job.queue = shape.queue;
        job.priority = shape.priority;
        job.attempts_max = shape.attempts_max;
        job.losses_max = shape.losses_max;
        job.deadline = shape.deadline_in.map(Due::In);
        job.options = shape.options;
        Self::of(job)
    }
}

impl TryFrom<FiringShape> for Firing {
    type Error = Invalid;

    fn try_from(shape: FiringShape) -> Result<Self, Invalid> {
        let FiringShape { tick, at, job, skipped, until, count } = shape;
        let outcome = match (job, skipped) {
            (Some(job), _) => FiringOutcome::Fired(job),
            (None, Some(word)) => {
                let reason = SkipReason::ALL.iter().find(|reason| reason.as_str() == word);
                let reason = *reason.ok_or_else(|| unknown("skipped", &word))?;
                FiringOutcome::Skipped { until: until.unwrap_or(tick), count: count.unwrap_or(1), reason }
            }
            (None, None) => return Err(Invalid::new("job", "and skipped: one of them is to be given")),
        };
        Ok(Self { tick, at, outcome })
    }
}

impl From<ScheduleEventShape> for ScheduleEvent {
    fn from(shape: ScheduleEventShape) -> Self {
        let ScheduleEventShape { at, verb, by, reason, job } = shape;
        Self { at, verb, by: Actor { name: by, why: reason, via: None }, job }
    }
}
