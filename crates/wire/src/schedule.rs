//! A schedule, and what became of its ticks, as they are shown.

use std::time::Duration;

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use windlass_core::schedule::Source;
use windlass_core::{
    Args, JobId, JobOptions, Json, KindName, Missed, Overlap, Priority, ProgramName, QueueName, Rhythm,
    ScheduleName, Timestamp, span,
};
use windlass_store::{Firing, FiringOutcome, Schedule, ScheduleEvent};

use crate::{PauseShape, count};

/// A schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ScheduleShape {
    /// Its name.
    pub name: ScheduleName,
    /// What it is doing: `active`, `paused`, `removed` or `ended`.
    pub state: String,
    /// The cron expression it ticks by, if it ticks by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The zone of the expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The time between two ticks, if that is what it ticks by.
    #[serde(default, with = "span::text_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub every: Option<Duration>,
    /// Its next tick, unless it fires no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Its first tick that nothing has been decided about; `next_at` is left out while it is paused, and this is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_tick: Option<Timestamp>,
    /// When it is looked at; left out while it fires nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
    /// From when its intervals are counted.
    pub anchor: Timestamp,
    /// Up to which tick its history has been forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten_until: Option<Timestamp>,
    /// The tick that waits for the last job to finish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Timestamp>,
    /// The last tick that made a job, and the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastShape>,
    /// How many jobs its ticks have made.
    pub fired: u64,
    /// How many of its ticks made none.
    pub skipped: u64,
    /// What becomes of a tick that comes too early for the last job.
    pub overlap: Overlap,
    /// What becomes of ticks that come too late.
    pub missed: Missed,
    /// How far jobs may be due after their ticks.
    #[serde(default, with = "span::text", skip_serializing_if = "Duration::is_zero")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub jitter: Duration,
    /// No tick before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// No tick at this instant or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// The job that each tick makes.
    pub job: TemplateShape,
    /// The program that declares it in its code; none for one that was made by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramName>,
    /// Its pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseShape>,
    /// Since when its program does not declare it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
    /// Why nothing more comes of it, once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// What went wrong when it was last to fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When what was asked for changed last.
    pub changed_at: Timestamp,
    /// 1 when it is made, and raised by one with every change.
    pub revision: u64,
}

/// The last tick that made a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastShape {
    /// The tick.
    pub tick: Timestamp,
    /// Its job, which may be gone.
    pub job: JobId,
}

/// The job that each tick makes. Fields that are left at their defaults are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct TemplateShape {
    /// Which handler it is for.
    pub kind: KindName,
    /// The version of its args.
    pub version: u32,
    /// Where it waits.
    pub queue: QueueName,
    /// What it is to work on; none where it is no JSON.
    #[serde(default, deserialize_with = "crate::job::present", skip_serializing_if = "Option::is_none")]
    pub args: Option<Json>,
    /// How urgent it is.
    pub priority: Priority,
    /// Total starts that may end in failure.
    #[serde(with = "count")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::count))]
    pub attempts_max: u32,
    /// Lost attempts that are forgiven.
    pub losses_max: u32,
    /// How long after it is due it must be finished.
    #[serde(default, with = "span::text_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub deadline_in: Option<Duration>,
    /// What it is to work on where that is no JSON, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args_base64: Option<String>,
    /// The rest of what each job asks for, under the names that it is asked for by.
    #[serde(flatten)]
    pub options: JobOptions,
}

impl ScheduleShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &[
        "name",
        "state",
        "cron",
        "zone",
        "every",
        "next_at",
        "next_tick",
        "look_at",
        "anchor",
        "forgotten_until",
        "held",
        "last",
        "fired",
        "skipped",
        "overlap",
        "missed",
        "jitter",
        "starts_at",
        "ends_at",
        "job",
        "program",
        "pause",
        "removed_at",
        "report",
        "error",
        "created_at",
        "changed_at",
        "revision",
    ];
}

impl From<Schedule> for ScheduleShape {
    fn from(schedule: Schedule) -> Self {
        let (state, report) = (schedule.state().as_str().to_owned(), schedule.report());
        let asked = schedule.asked;
        let (cron, zone, every) = match asked.rhythm {
            Rhythm::Cron { expression, zone } => (Some(expression), Some(zone), None),
            Rhythm::Every(span) => (None, None, Some(span)),
        };
        let (args, args_base64) = match asked.job.args {
            Args::Json(json) => (Some(json), None),
            Args::Bytes(bytes) => (None, Some(base64::engine::general_purpose::STANDARD.encode(bytes))),
        };
        let job = TemplateShape {
            kind: asked.job.kind,
            version: asked.job.version,
            queue: asked.job.queue,
            args,
            priority: asked.job.priority,
            attempts_max: asked.job.attempts_max,
            losses_max: asked.job.losses_max,
            deadline_in: asked.job.deadline_in,
            args_base64,
            options: asked.job.options,
        };
        let program = match schedule.source {
            Source::Code(program) => Some(program),
            Source::Operator => None,
        };
        Self {
            name: asked.name,
            state,
            cron,
            zone,
            every,
            next_at: schedule.next_tick.filter(|_| schedule.removed_at.is_none() && schedule.pause.is_none()),
            next_tick: schedule.next_tick,
            look_at: schedule.look_at,
            anchor: schedule.anchor,
            forgotten_until: schedule.forgotten_until,
            held: schedule.held,
            last: schedule.last.map(|last| LastShape { tick: last.tick, job: last.job }),
            fired: schedule.fired,
            skipped: schedule.skipped,
            overlap: asked.overlap,
            missed: asked.missed,
            jitter: asked.jitter,
            starts_at: asked.starts_at,
            ends_at: asked.ends_at,
            job,
            program,
            pause: schedule.pause.map(PauseShape::from),
            removed_at: schedule.removed_at,
            report,
            error: schedule.error,
            created_at: schedule.created_at,
            changed_at: schedule.changed_at,
            revision: schedule.revision,
        }
    }
}

/// What became of a tick, or of several in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct FiringShape {
    /// The tick; the first of them.
    pub tick: Timestamp,
    /// When it was decided.
    pub at: Timestamp,
    /// The job that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// Why there is none: `missed`, `overlap`, `paused` or `refused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// The last of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How many they are; 1,000 for that many or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

impl FiringShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["tick", "at", "job", "skipped", "until", "count"];
}

impl From<Firing> for FiringShape {
    fn from(firing: Firing) -> Self {
        let Firing { tick, at, outcome } = firing;
        match outcome {
            FiringOutcome::Fired(job) => {
                Self { tick, at, job: Some(job), skipped: None, until: None, count: None }
            }
            FiringOutcome::Skipped { until, count, reason } => {
                let skipped = Some(reason.as_str().to_owned());
                Self { tick, at, job: None, skipped, until: Some(until), count: Some(count) }
            }
        }
    }
}

/// A change that somebody made to a schedule by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ScheduleEventShape {
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub verb: String,
    /// Who did it.
    pub by: String,
    /// Why, if they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The job that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
}

impl From<ScheduleEvent> for ScheduleEventShape {
    fn from(event: ScheduleEvent) -> Self {
        let ScheduleEvent { at, verb, by, job } = event;
        Self { at, verb, by: by.name, reason: by.why, job }
    }
}

#[cfg(test)]
mod tests {
    use windlass_core::{JobTemplate, NewSchedule};
    use windlass_store::rules::schedules::made;

    use super::*;

    fn schedule() -> Schedule {
        let job = JobTemplate::new(KindName::new("clean").unwrap(), Args::json("{\"days\":30}").unwrap());
        let rhythm = Rhythm::cron("0 3 * * *", "Europe/Berlin");
        let asked = NewSchedule::new(ScheduleName::new("nightly").unwrap(), rhythm, job);
        made(asked, Source::Operator, Timestamp::MIN).unwrap()
    }

    #[test]
    fn a_schedule_says_when_it_ticks_and_what_it_makes() {
        let json = serde_json::to_string(&ScheduleShape::from(schedule())).unwrap();

        assert_eq!(
            json,
            concat!(
                r#"{"name":"nightly","state":"active","cron":"0 3 * * *","zone":"Europe/Berlin","#,
                r#""next_at":"1970-01-01T02:00:00Z","next_tick":"1970-01-01T02:00:00Z","#,
                r#""look_at":"1970-01-01T02:00:00Z","anchor":"1970-01-01T00:00:00Z","#,
                r#""fired":0,"skipped":0,"overlap":"skip","missed":"one","#,
                r#""job":{"kind":"clean","version":1,"queue":"default","args":{"days":30},"priority":"normal","#,
                r#""attempts_max":8,"losses_max":2},"created_at":"1970-01-01T00:00:00Z","#,
                r#""changed_at":"1970-01-01T00:00:00Z","revision":1}"#
            )
        );
    }

    #[test]
    fn every_field_is_listed() {
        let mut full = schedule();
        full.pause =
            Some(windlass_store::Pause { since: Timestamp::MIN, by: windlass_store::Actor::new("ada") });
        let serde_json::Value::Object(shown) = serde_json::to_value(ScheduleShape::from(full)).unwrap()
        else {
            panic!("a schedule is an object");
        };

        assert!(shown.keys().all(|field| ScheduleShape::FIELDS.contains(&field.as_str())), "{shown:?}");
    }
}
