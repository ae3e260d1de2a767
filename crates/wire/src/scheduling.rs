//! Schedules, as they are asked for.

use std::time::Duration;

use serde_json::value::RawValue;
use windlass_core::{
    Invalid, JobId, JobTemplate, Missed, NewSchedule, Overlap, Rhythm, ScheduleName, Timestamp,
};

use crate::body::{Body, FromBody};
use crate::{JobRequest, VerbRequest};

mod writing;

/// A schedule that is asked for: the body of `PUT /api/v1/schedules/{name}`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ScheduleRequest {
    /// When it ticks.
    pub rhythm: Rhythm,
    /// The job that each tick makes: the fields of a job, but those that say when it is due.
    pub job: JobTemplate,
    /// What becomes of a tick that comes too early for the last job.
    pub overlap: Overlap,
    /// What becomes of ticks that come too late.
    pub missed: Missed,
    /// How far jobs may be due after their ticks.
    pub jitter: Duration,
    /// No tick before this instant.
    pub starts_at: Option<Timestamp>,
    /// No tick at this instant or later.
    pub ends_at: Option<Timestamp>,
    /// Whether it begins paused.
    pub paused: bool,
    /// In whose name, and why.
    pub verb: VerbRequest,
}

const UTC: &str = "UTC";

impl ScheduleRequest {
    /// The name of every field, in order. `zone` is short for `time_zone`.
    pub const FIELDS: &[&str] = &[
        "cron",
        "every",
        "time_zone",
        "zone",
        "job",
        "overlap",
        "missed",
        "jitter",
        "starts_at",
        "ends_at",
        "paused",
        "reason",
        "by",
    ];

    fn of(body: &Body) -> Result<Self, Invalid> {
        Ok(Self {
            rhythm: rhythm(body)?,
            job: job(body.raw("job"))?,
            overlap: body.optional("overlap")?.unwrap_or_default(),
            missed: body.optional("missed")?.unwrap_or_default(),
            jitter: body.span("jitter")?.unwrap_or_default(),
            starts_at: body.instant("starts_at")?,
            ends_at: body.instant("ends_at")?,
            paused: body.optional("paused")?.unwrap_or_default(),
            verb: VerbRequest::of(body)?,
        })
    }

    /// What the model takes.
    ///
    /// # Errors
    ///
    /// None that the model has not; it is checked there.
    pub fn into_new_schedule(self, name: ScheduleName) -> Result<NewSchedule, Invalid> {
        let mut schedule = NewSchedule::new(name, self.rhythm, self.job);
        schedule.overlap = self.overlap;
        schedule.missed = self.missed;
        schedule.jitter = self.jitter;
        schedule.starts_at = self.starts_at;
        schedule.ends_at = self.ends_at;
        schedule.paused = self.paused;
        Ok(schedule)
    }
}

fn rhythm(body: &Body) -> Result<Rhythm, Invalid> {
    let cron: Option<String> = body.optional("cron")?;
    let zone: Option<String> = body.optional("time_zone")?;
    let zone = zone.or(body.optional("zone")?);
    match (cron, body.span("every")?) {
        (Some(_), Some(_)) => Err(Invalid::new("every", "cannot be given together with cron")),
        (Some(cron), None) => Ok(Rhythm::cron(cron, zone.unwrap_or_else(|| UTC.to_owned()))),
        (None, Some(_)) if zone.is_some() => Err(Invalid::new("time_zone", "goes with cron alone")),
        (None, Some(every)) => Ok(Rhythm::Every(every)),
        (None, None) => Err(Invalid::new("cron", "is missing, and so is every: when does it tick?")),
    }
}

fn job(raw: Option<&RawValue>) -> Result<JobTemplate, Invalid> {
    let raw = raw.ok_or_else(|| Invalid::new("job", "is missing: the job that each tick makes"))?;
    let inside = |invalid: Invalid| match invalid.field.as_str() {
        "body" => Invalid { field: "job".to_owned(), ..invalid },
        _ => invalid.inside("job"),
    };
    let mut request = JobRequest::from_body(raw.get()).map_err(inside)?;
    request.resolve(|_| None).map_err(inside)?;
    if request.id.is_some() {
        return Err(Invalid::new("job.id", "is another one for each tick"));
    }
    // The id of a template is never used.
    JobTemplate::of(request.into_new_job(JobId::from_bytes([1; 16]))).map_err(inside)
}

impl FromBody for ScheduleRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        Self::of(&Body::read("a schedule", text, Self::FIELDS)?)
    }
}

/// All schedules of a program: the body of `PUT /api/v1/programs/{program}/schedules`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DeclareRequest {
    /// The schedules, by their names.
    pub schedules: Vec<(ScheduleName, ScheduleRequest)>,
}

impl DeclareRequest {
    /// What the model takes.
    ///
    /// # Errors
    ///
    /// None that the model has not; it is checked there.
    pub fn into_new_schedules(self) -> Result<Vec<NewSchedule>, Invalid> {
        self.schedules.into_iter().map(|(name, request)| request.into_new_schedule(name)).collect()
    }
}

impl FromBody for DeclareRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a declaration", text, &["schedules"])?;
        if body.raw("schedules").is_none() {
            return Err(Invalid::new("schedules", "is missing: all that the program has, be it none"));
        }
        let names: Vec<&str> = [&["name"], ScheduleRequest::FIELDS].concat();
        let one = |text: &str| {
            let body = Body::read("a schedule", text, &names)?;
            Ok((body.required("name")?, ScheduleRequest::of(&body)?))
        };
        Ok(Self { schedules: body.each("schedules", one)? })
    }
}

/// A range of ticks whose jobs are to be made: the body of `POST /api/v1/schedules/{name}/backfill`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct BackfillRequest {
    /// The first instant of the range.
    pub from: Timestamp,
    /// The first instant behind it.
    pub until: Timestamp,
    /// In whose name, and why.
    #[serde(flatten)]
    pub verb: VerbRequest,
}

impl BackfillRequest {
    /// The name of every field, in order. `to` is short for `until`.
    pub const FIELDS: &[&str] = &["from", "until", "to", "reason", "by"];

    /// This range.
    #[must_use]
    pub const fn new((from, until): (Timestamp, Timestamp), verb: VerbRequest) -> Self {
        Self { from, until, verb }
    }
}

impl FromBody for BackfillRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a backfill", text, Self::FIELDS)?;
        let missing = |name: &str| Invalid::new(name, "is missing: a range of ticks has two ends");
        let until = body.instant("until")?.or(body.instant("to")?);
        Ok(Self {
            from: body.instant("from")?.ok_or_else(|| missing("from"))?,
            until: until.ok_or_else(|| missing("until"))?,
            verb: VerbRequest::of(&body)?,
        })
    }
}

/// Requests as they are written, which is not how they are kept: for whoever describes them.
#[cfg(feature = "openapi")]
mod written {
    use std::borrow::Cow;

    use utoipa::openapi::{RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};
    use windlass_core::{Missed, Overlap, ScheduleName, Timestamp};

    use super::{DeclareRequest, ScheduleRequest};
    use crate::JobRequest;

    /// A schedule: `cron` with `time_zone`, or `every`.
    #[derive(ToSchema)]
    #[expect(dead_code, reason = "described, and never made")]
    struct Schedule {
        cron: Option<String>,
        time_zone: Option<String>,
        every: Option<String>,
        job: JobRequest,
        overlap: Option<Overlap>,
        missed: Option<Missed>,
        jitter: Option<String>,
        starts_at: Option<Timestamp>,
        ends_at: Option<Timestamp>,
        paused: Option<bool>,
        reason: Option<String>,
        by: Option<String>,
    }

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "described, and never made")]
    struct NamedSchedule {
        name: ScheduleName,
        cron: Option<String>,
        time_zone: Option<String>,
        every: Option<String>,
        job: JobRequest,
        overlap: Option<Overlap>,
        missed: Option<Missed>,
        jitter: Option<String>,
        starts_at: Option<Timestamp>,
        ends_at: Option<Timestamp>,
        paused: Option<bool>,
    }

    /// All schedules that a program has.
    #[derive(ToSchema)]
    #[expect(dead_code, reason = "described, and never made")]
    struct Declaration {
        schedules: Vec<NamedSchedule>,
    }

    macro_rules! as_written {
        ($($request:ident $written:ident),+) => {
            $(
                impl PartialSchema for $request {
                    fn schema() -> RefOr<Schema> {
                        $written::schema()
                    }
                }

                impl ToSchema for $request {
                    fn name() -> Cow<'static, str> {
                        Cow::Borrowed(stringify!($request))
                    }

                    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                        $written::schemas(schemas);
                    }
                }
            )+
        };
    }

    as_written!(ScheduleRequest Schedule, DeclareRequest Declaration);
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIGHTLY: &str = r#"{"cron":"0 3 * * *","time_zone":"Europe/Berlin","job":{"kind":"clean","args":{"days":30},"deadline":"1h"},"overlap":"allow","missed":{"all":3},"jitter":"5m","paused":true}"#;

    #[test]
    fn a_schedule_is_asked_for_with_the_fields_of_a_job() {
        let request = ScheduleRequest::from_body(NIGHTLY).unwrap();

        let schedule = request.into_new_schedule(ScheduleName::new("nightly").unwrap()).unwrap();

        assert_eq!(schedule.rhythm, Rhythm::cron("0 3 * * *", "Europe/Berlin"));
        assert_eq!(schedule.job.deadline_in, Some(Duration::from_secs(3600)));
        assert_eq!(
            (schedule.overlap, schedule.missed, schedule.paused),
            (Overlap::Allow, Missed::All(3), true)
        );
    }

    #[test]
    fn what_is_wrong_is_refused_by_field() {
        for (text, field) in [
            ("{}", "cron"),
            (r#"{"cron":"* * * * *","every":"1m","job":{"kind":"a"}}"#, "every"),
            (r#"{"every":"1m","zone":"UTC","job":{"kind":"a"}}"#, "time_zone"),
            (r#"{"every":"1m"}"#, "job"),
            (r#"{"every":"1m","job":[]}"#, "job"),
            (r#"{"every":"1m","job":{"knd":"a"}}"#, "job.knd"),
            (r#"{"every":"1m","job":{"kind":"a","run_at":"2026-01-01T00:00:00Z"}}"#, "job.due"),
            (r#"{"every":"1m","job":{"kind":"a"},"overlap":"maybe"}"#, "overlap"),
            (r#"{"evry":"1m"}"#, "evry"),
        ] {
            assert_eq!(ScheduleRequest::from_body(text).unwrap_err().field, field, "{text}");
        }
    }

    #[test]
    fn a_program_says_all_that_it_has() {
        let text = r#"{"schedules":[{"name":"a","every":"1m","job":{"kind":"a"}},{"every":"1m"}]}"#;

        assert_eq!(DeclareRequest::from_body(text).unwrap_err().field, "schedules[1].name");
        assert_eq!(DeclareRequest::from_body("{}").unwrap_err().field, "schedules");
        assert!(DeclareRequest::from_body(r#"{"schedules":[]}"#).unwrap().schedules.is_empty());
    }
}
