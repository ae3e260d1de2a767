//! What is changed by hand of a job that waits.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use windlass_core::{Args, Due, Invalid, Json, Priority, QueueName, Tag, Timestamp, span};
use windlass_store::JobEdit;

use crate::VerbRequest;
use crate::body::{Body, FromBody};
use crate::request::{base64_bytes, bytes};

/// What of a waiting job is to be changed: the body of `PATCH /api/v1/jobs/{id}`. What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct EditRequest {
    /// Where it is to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueName>,
    /// How urgent it is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// When it is to be due. Excludes `delay`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Timestamp>,
    /// How long from now on it is to be due. Excludes `run_at`.
    #[serde(with = "span::text_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub delay: Option<Duration>,
    /// What it is to work on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Json>,
    /// The same where it is no JSON, in base64. Excludes `args`.
    #[serde(serialize_with = "base64_bytes", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub args_base64: Option<Bytes>,
    /// The words to find it by: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    /// What travels with it: all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<BTreeMap<String, serde_json::Value>>,
    /// In whose name, and why.
    #[serde(flatten)]
    pub verb: VerbRequest,
}

impl EditRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] =
        &["queue", "priority", "run_at", "delay", "args", "args_base64", "tags", "meta", "reason", "by"];

    /// What asks for this edit, in whose name and why.
    #[must_use]
    pub fn new(edit: JobEdit, verb: VerbRequest) -> Self {
        let (run_at, delay) = match edit.due {
            Some(Due::At(instant)) => (Some(instant), None),
            Some(Due::In(span)) => (None, Some(span)),
            Some(Due::Now) => (None, Some(Duration::ZERO)),
            None => (None, None),
        };
        let (args, args_base64) = match edit.args {
            Some(Args::Json(json)) => (Some(json), None),
            Some(Args::Bytes(bytes)) => (None, Some(bytes)),
            None => (None, None),
        };
        let JobEdit { queue, priority, tags, meta, .. } = edit;
        Self { queue, priority, run_at, delay, args, args_base64, tags, meta, verb }
    }

    /// The edit that is asked for, and in whose name.
    #[must_use]
    pub fn into_edit(self) -> (JobEdit, VerbRequest) {
        let edit = JobEdit {
            queue: self.queue,
            priority: self.priority,
            due: self.run_at.map(Due::At).or(self.delay.map(Due::In)),
            args: self.args.map(Args::Json).or(self.args_base64.map(Args::Bytes)),
            tags: self.tags,
            meta: self.meta,
            snoozes: false,
        };
        (edit, self.verb)
    }
}

impl FromBody for EditRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("an edit", text, Self::FIELDS)?;
        let (run_at, delay) = (body.instant("run_at")?, body.span("delay")?);
        if run_at.is_some() && delay.is_some() {
            return Err(Invalid::new("delay", "says the same as run_at: give one of them"));
        }
        let args = body.json("args")?;
        let args_base64 = body.raw("args_base64").map(|raw| bytes("args_base64", raw)).transpose()?;
        if args.is_some() && args_base64.is_some() {
            return Err(Invalid::new("args_base64", "says the same as args: give one of them"));
        }
        Ok(Self {
            queue: body.optional("queue")?,
            priority: body.optional("priority")?,
            run_at,
            delay,
            args,
            args_base64,
            tags: body.optional("tags")?,
            meta: body.optional("meta")?,
            verb: VerbRequest::of(&body)?,
        })
    }
}

/// Until when a waiting job is put off: the body of `POST /api/v1/jobs/{id}/snooze`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct SnoozeRequest {
    /// Until this instant. Excludes `delay`; one of them has to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// For this long from now on. Excludes `until`.
    #[serde(with = "span::text_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub delay: Option<Duration>,
    /// In whose name, and why.
    #[serde(flatten)]
    pub verb: VerbRequest,
}

impl SnoozeRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["until", "delay", "reason", "by"];

    /// Until then.
    #[must_use]
    pub const fn new(until: Due, verb: VerbRequest) -> Self {
        let (until, delay) = match until {
            Due::At(instant) => (Some(instant), None),
            Due::In(span) => (None, Some(span)),
            Due::Now => (None, Some(Duration::ZERO)),
        };
        Self { until, delay, verb }
    }

    /// Until when.
    #[must_use]
    pub fn due(&self) -> Due {
        self.until.map_or(Due::In(self.delay.unwrap_or_default()), Due::At)
    }
}

impl FromBody for SnoozeRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a snooze", text, Self::FIELDS)?;
        let (until, delay) = (body.instant("until")?, body.span("delay")?);
        match (until, delay) {
            (None, None) => Err(Invalid::new("until", "is missing: say until when, or how long in delay")),
            (Some(_), Some(_)) => Err(Invalid::new("delay", "says the same as until: give one of them")),
            _ => Ok(Self { until, delay, verb: VerbRequest::of(&body)? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_reads_back_as_it_was_asked_for() {
        let text = r#"{"queue":"mail","priority":"high","delay":"5m","args":{"a":-0},"tags":["x"],"meta":{"k":1},"by":"ada"}"#;

        let (edit, verb) = EditRequest::from_body(text).unwrap().into_edit();

        assert_eq!(verb.by.as_deref(), Some("ada"));
        assert_eq!(edit.due, Some(Due::In(Duration::from_secs(300))));
        assert_eq!(edit.args.as_ref().unwrap().as_bytes(), br#"{"a":-0}"#);
        assert_eq!(serde_json::to_string(&EditRequest::new(edit, verb)).unwrap(), text);
        assert_eq!(EditRequest::from_body("").unwrap().into_edit().0, JobEdit::default());
    }

    #[test]
    fn what_is_wrong_is_refused_by_field() {
        let edit = |text| EditRequest::from_body(text).unwrap_err().field;
        let snooze = |text| SnoozeRequest::from_body(text).unwrap_err().field;

        assert_eq!(edit(r#"{"kind":"mail"}"#), "kind");
        assert_eq!(edit(r#"{"run_at":"2026-11-21T08:00:00Z","delay":"1s"}"#), "delay");
        assert_eq!(edit(r#"{"args":1,"args_base64":"AA=="}"#), "args_base64");
        assert_eq!(edit(r#"{"queue":"a b"}"#), "queue");
        assert_eq!(snooze("{}"), "until");
        assert_eq!(snooze(r#"{"until":"soon"}"#), "until");
        assert_eq!(snooze(r#"{"until":"2026-11-21T08:00:00Z","delay":"1s"}"#), "delay");
    }
}
