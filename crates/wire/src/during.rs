//! What is said of an attempt while it runs.

use serde::Serialize;
use windlass_core::{Invalid, Json, LogLevel, Progress, Timestamp};
use windlass_store::NewLogLine;

use crate::JobRequest;
use crate::body::{Body, FromBody};

/// A sign of life, and what else there is to say: the body of `POST /api/v1/leases/{token}/extend`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ExtendRequest {
    /// How far it has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::progress))]
    pub progress: Option<Progress>,
    /// Where a later attempt should go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Json>,
}

impl ExtendRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["progress", "checkpoint"];

    /// That it has come so far.
    #[must_use]
    pub fn progress(progress: Progress) -> Self {
        Self { progress: Some(progress), ..Self::default() }
    }

    /// That a later attempt should go on here.
    #[must_use]
    pub fn checkpoint(checkpoint: Json) -> Self {
        Self { checkpoint: Some(checkpoint), ..Self::default() }
    }
}

impl FromBody for ExtendRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a beat", text, Self::FIELDS)?;
        let progress = body.raw("progress").map(|raw| progress(raw.get())).transpose()?;
        Ok(Self { progress, checkpoint: body.json("checkpoint")? })
    }
}

/// A number is a percentage without a message.
fn progress(text: &str) -> Result<Progress, Invalid> {
    if let Ok(percent) = serde_json::from_str::<u8>(text) {
        return Progress::new(percent, None);
    }
    let inside = |invalid: Invalid| match invalid.field.as_str() {
        "body" => Invalid { field: "progress".to_owned(), ..invalid },
        _ => invalid.inside("progress"),
    };
    let body = Body::read("progress", text, &["percent", "message"]).map_err(inside)?;
    let message: Option<String> = body.optional("message").map_err(inside)?;
    Progress::new(body.required("percent").map_err(inside)?, message.as_deref())
}

/// Log lines of an attempt: the body of `POST /api/v1/leases/{token}/logs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LogRequest {
    /// The lines, in order.
    pub lines: Vec<LogLineRequest>,
}

/// A log line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LogLineRequest {
    /// How grave it is; `info` unless said.
    pub level: LogLevel,
    /// What it says. Made safe, and cut where it is too long.
    pub message: String,
    /// When it was written, by the worker's clock. The log has the time at which it was stored; this one is for those who
    /// keep their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl LogRequest {
    /// These lines.
    #[must_use]
    pub fn new(lines: Vec<NewLogLine>) -> Self {
        let line = |line: NewLogLine| LogLineRequest { level: line.level, message: line.message, at: None };
        Self { lines: lines.into_iter().map(line).collect() }
    }

    /// What the model takes.
    #[must_use]
    pub fn into_lines(self) -> Vec<NewLogLine> {
        let line = |line: LogLineRequest| NewLogLine { level: line.level, message: line.message };
        self.lines.into_iter().map(line).collect()
    }
}

impl FromBody for LogRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("log lines", text, &["lines"])?;
        if body.raw("lines").is_none() {
            return Err(Invalid::new("lines", "is missing: the lines that are to be stored"));
        }
        let line = |text: &str| {
            let body = Body::read("a log line", text, &["level", "message", "at"])?;
            let level = body.optional("level")?.unwrap_or(LogLevel::Info);
            Ok(LogLineRequest { level, message: body.required("message")?, at: body.instant("at")? })
        };
        Ok(Self { lines: body.each("lines", line)? })
    }
}

/// Jobs that an attempt enqueues while it holds its lease: one job, or `{"jobs":[…]}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum ChildrenRequest {
    /// One job.
    One(Box<JobRequest>),
    /// Several, all or none.
    Batch(crate::BatchRequest),
}

impl FromBody for ChildrenRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let fields = crate::Fields::read("body", text)?;
        if fields.get("jobs").is_some() {
            crate::BatchRequest::from_body(text).map(Self::Batch)
        } else {
            JobRequest::from_body(text).map(|job| Self::One(Box::new(job)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_refused_by_field() {
        let extend = |text| ExtendRequest::from_body(text).unwrap_err().field;
        let log = |text| LogRequest::from_body(text).unwrap_err().field;

        assert_eq!(extend(r#"{"progress":{"percent":101}}"#), "progress.percent");
        assert_eq!(extend(r#"{"progress":{"percnt":1}}"#), "progress.percnt");
        assert_eq!(extend(r#"{"progress":[]}"#), "progress");
        assert_eq!(extend(r#"{"progres":1}"#), "progres");
        assert_eq!(log("{}"), "lines");
        assert_eq!(log(r#"{"lines":[{"level":"loud","message":""}]}"#), "lines[0].level");
        assert_eq!(log(r#"{"lines":[{"message":"a"},{}]}"#), "lines[1].message");
    }

    #[test]
    fn what_is_said_reads_back_from_its_json() {
        let beat = ExtendRequest {
            progress: Some(Progress::new(40, Some("resizing")).unwrap()),
            checkpoint: Some(Json::null()),
        };

        assert_eq!(ExtendRequest::from_body(&serde_json::to_string(&beat).unwrap()), Ok(beat));
        assert_eq!(ExtendRequest::from_body(r#"{"progress":40}"#).unwrap().progress.unwrap().percent, 40);
    }
}
