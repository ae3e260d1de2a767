//! A job that is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use windlass_core::limits::ATTEMPTS_UNLIMITED;
use windlass_core::{
    Args, Due, Invalid, JobId, Json, KindName, NewJob, Priority, QueueName, RetryPolicy, Tag, Timestamp, span,
};

use crate::fields::{Fields, problem};
use crate::{count, nearest};

/// The body of `POST /api/v1/jobs`, a line of a job file, a `[[job]]` of a TOML one.
///
/// Read with [`JobRequest::from_json`], which refuses what it does not know: a field that was misspelt, or that this
/// version cannot honour yet, is never left aside in silence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct JobRequest {
    /// Its id, if the caller chose one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<JobId>,
    /// Which handler it is for.
    pub kind: KindName,
    /// The version of its args; 1 unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// What it is to work on; `null` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Json>,
    /// Where it waits; `default` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueName>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Not before this instant. Excludes `delay`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Timestamp>,
    /// Not before this long after it is enqueued. Excludes `run_at`.
    #[serde(with = "span::text_option", skip_serializing_if = "Option::is_none")]
    pub delay: Option<Duration>,
    /// When it must be finished: an instant, or a span of time from its enqueue on.
    #[serde(serialize_with = "due", skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Due>,
    /// How long one attempt may take.
    #[serde(with = "span::text_option", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// Total starts that may end in failure: a number, or `unlimited`.
    #[serde(serialize_with = "count::optional::serialize", skip_serializing_if = "Option::is_none")]
    pub attempts_max: Option<u32>,
    /// Lost attempts that are forgiven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub losses_max: Option<u32>,
    /// How long it waits after a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// What travels with it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub meta: BTreeMap<String, serde_json::Value>,
}

impl JobRequest {
    /// The name of every field that is understood, in order.
    pub const FIELDS: &[&str] = &[
        "id",
        "kind",
        "version",
        "args",
        "queue",
        "priority",
        "run_at",
        "delay",
        "deadline",
        "timeout",
        "attempts_max",
        "losses_max",
        "retry",
        "tags",
        "meta",
    ];

    /// Fields of the contract that this version cannot honour, and therefore refuses.
    const LATER: &[&str] = &[
        "unique",
        "after",
        "locks",
        "limits",
        "rate",
        "order_key",
        "review",
        "notify",
        "ref",
        "submitted_by",
    ];

    /// A job of this kind, and the default of everything else.
    #[must_use]
    pub const fn new(kind: KindName) -> Self {
        Self {
            id: None,
            kind,
            version: None,
            args: None,
            queue: None,
            priority: None,
            run_at: None,
            delay: None,
            deadline: None,
            timeout: None,
            attempts_max: None,
            losses_max: None,
            retry: None,
            tags: Vec::new(),
            meta: BTreeMap::new(),
        }
    }

    /// Reads a job that is asked for.
    ///
    /// Checks names, types and what excludes what. Bounds that a store may have raised are the store's to check.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the first field at fault; `job` when the text is no JSON object at all.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        let fields = Fields::read("job", text)?;
        // Names before values: of a misspelt `kind`, one hears that, and not that there is none.
        fields.iter().try_for_each(|(name, _)| check_name(name))?;
        let kind =
            fields.get("kind").ok_or_else(|| Invalid::new("kind", "is missing: every job needs one"))?;
        let mut request = Self::new(KindName::new(value::<String>("kind", kind)?)?);
        fields.iter().try_for_each(|(name, value)| request.set(name, value))?;
        if request.run_at.is_some() && request.delay.is_some() {
            return Err(Invalid::new("delay", "cannot be given together with run_at"));
        }
        Ok(request)
    }

    fn set(&mut self, name: &str, raw: &RawValue) -> Result<(), Invalid> {
        // `null` is a value for args alone; anywhere else it says what leaving the field out says.
        if raw.get() == "null" && name != "args" && name != "kind" {
            return Ok(());
        }
        match name {
            "id" => self.id = Some(value::<String>(name, raw)?.parse()?),
            "version" => self.version = Some(value(name, raw)?),
            "args" => self.args = Some(Json::new(name, raw.get().as_bytes().to_vec())?),
            "queue" => self.queue = Some(QueueName::new(value::<String>(name, raw)?)?),
            "priority" => self.priority = Some(value::<String>(name, raw)?.parse()?),
            "run_at" => self.run_at = Some(instant(name, &value::<String>(name, raw)?)?),
            "delay" => self.delay = Some(duration(name, &value::<String>(name, raw)?)?),
            "deadline" => self.deadline = Some(instant_or_span(name, &value::<String>(name, raw)?)?),
            "timeout" => self.timeout = Some(duration(name, &value::<String>(name, raw)?)?),
            "attempts_max" => self.attempts_max = Some(attempts(name, raw)?),
            "losses_max" => self.losses_max = Some(value(name, raw)?),
            "retry" => self.retry = Some(value(name, raw)?),
            "tags" => self.tags = tags(name, raw)?,
            "meta" => self.meta = value(name, raw)?,
            _ => {}
        }
        Ok(())
    }

    /// What the model takes; `id` is used if the caller chose none.
    #[must_use]
    pub fn into_new_job(self, id: JobId) -> NewJob {
        let args = self.args.map_or_else(Args::default, Args::Json);
        let mut job = NewJob::new(self.id.unwrap_or(id), self.kind, args);
        job.version = self.version.unwrap_or(job.version);
        job.queue = self.queue.unwrap_or_default();
        job.priority = self.priority.unwrap_or_default();
        job.due = match (self.run_at, self.delay) {
            (Some(instant), _) => Due::At(instant),
            (None, Some(delay)) => Due::In(delay),
            (None, None) => Due::Now,
        };
        job.deadline = self.deadline;
        job.attempts_max = self.attempts_max.unwrap_or(job.attempts_max);
        job.losses_max = self.losses_max.unwrap_or(job.losses_max);
        job.options.timeout = self.timeout;
        job.options.retry = self.retry.unwrap_or_default();
        job.options.tags = self.tags;
        job.options.meta = self.meta;
        job
    }
}

fn check_name(name: &str) -> Result<(), Invalid> {
    if JobRequest::FIELDS.contains(&name) {
        return Ok(());
    }
    if JobRequest::LATER.contains(&name) {
        return Err(Invalid::new(name, "is not supported by this version"));
    }
    let meant = nearest::suggestion(name, JobRequest::FIELDS.iter().copied());
    let meant = meant.unwrap_or_else(|| format!("the fields are {}", JobRequest::FIELDS.join(", ")));
    Err(Invalid::new(name, format!("is not a field of a job: {meant}")))
}

fn value<T: DeserializeOwned>(name: &str, raw: &RawValue) -> Result<T, Invalid> {
    serde_json::from_str(raw.get()).map_err(|error| Invalid::new(name, problem(&error)))
}

fn tags(name: &str, raw: &RawValue) -> Result<Vec<Tag>, Invalid> {
    value::<Vec<String>>(name, raw)?.into_iter().map(Tag::new).collect()
}

fn attempts(name: &str, raw: &RawValue) -> Result<u32, Invalid> {
    let expected =
        || Invalid::new(name, format!("must be a whole number from 1 on, or {:?}", count::UNLIMITED));
    match serde_json::from_str::<u32>(raw.get()) {
        // What stands for "no bound" is asked for by name, so that no large number means it by accident.
        Ok(ATTEMPTS_UNLIMITED) => Err(expected()),
        Ok(number) => Ok(number),
        Err(_) if value::<String>(name, raw).is_ok_and(|word| word == count::UNLIMITED) => {
            Ok(ATTEMPTS_UNLIMITED)
        }
        Err(_) => Err(expected()),
    }
}

/// Reads a span of time, naming `field` where it is none.
///
/// # Errors
///
/// [`Invalid`].
pub fn duration(field: &str, text: &str) -> Result<Duration, Invalid> {
    span::parse(text).map_err(|invalid| Invalid { field: field.to_owned(), ..invalid })
}

/// Reads an instant, naming `field` where it is none.
///
/// # Errors
///
/// [`Invalid`].
pub fn instant(field: &str, text: &str) -> Result<Timestamp, Invalid> {
    text.parse().map_err(|invalid| Invalid { field: field.to_owned(), ..invalid })
}

/// Reads an instant, or a span of time from now on, naming `field` where it is neither.
///
/// # Errors
///
/// [`Invalid`].
pub fn instant_or_span(field: &str, text: &str) -> Result<Due, Invalid> {
    let neither = |_| {
        Invalid::new(
            field,
            format!("{text:?} is neither a time such as 2026-11-21T08:00:00Z nor a duration such as 1h30m"),
        )
    };
    text.parse().map(Due::At).or_else(|_: Invalid| span::parse(text).map(Due::In)).map_err(neither)
}

#[expect(clippy::ref_option, reason = "the shape serde asks for")]
fn due<S: Serializer>(due: &Option<Due>, serializer: S) -> Result<S::Ok, S::Error> {
    match due {
        Some(Due::At(instant)) => serializer.collect_str(instant),
        Some(Due::In(span)) => serializer.serialize_str(&span::format(*span)),
        Some(Due::Now) => serializer.serialize_str("0s"),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use windlass_core::Limits;

    use super::*;

    fn refused(text: &str) -> (String, String) {
        let Invalid { field, problem } = JobRequest::from_json(text).unwrap_err();
        (field, problem)
    }

    const FULL: &str = concat!(
        r#"{"id":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11","kind":"mail","version":2,"#,
        r#""args":{"n":9007199254740993},"queue":"out","priority":"high","run_at":"2026-11-21T08:00:00Z","#,
        r#""deadline":"48h","timeout":"30s","attempts_max":"unlimited","losses_max":0,"#,
        r#""retry":{"fixed":"5s"},"tags":["a","b"],"meta":{"tenant":7}}"#
    );

    #[test]
    fn a_request_says_everything_a_job_can_be_asked_for() {
        let request = JobRequest::from_json(FULL).unwrap();

        assert_eq!(serde_json::to_string(&request).unwrap(), FULL);
        let job = request.into_new_job(JobId::from_bytes([9; 16]));
        assert_eq!(job.id.to_string(), "0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11");
        assert_eq!(job.args.as_bytes(), br#"{"n":9007199254740993}"#);
        assert_eq!(job.attempts_max, ATTEMPTS_UNLIMITED);
        assert_eq!(job.deadline, Some(Due::In(Duration::from_secs(48 * 60 * 60))));
        assert_eq!(job.validate(&Limits::default()), Ok(()));
    }

    #[test]
    fn what_is_left_out_is_the_default() {
        let id = JobId::from_bytes([9; 16]);

        let job = JobRequest::from_json(r#"{"kind":"mail","queue":null}"#).unwrap().into_new_job(id);

        assert_eq!(job, NewJob::new(id, KindName::new("mail").unwrap(), Args::default()));
    }

    #[test]
    fn an_unknown_field_is_refused_with_the_nearest_name() {
        assert_eq!(
            refused(r#"{"kind":"mail","que":"out"}"#),
            ("que".into(), "is not a field of a job: did you mean `queue`?".into())
        );
        assert!(refused(r#"{"knd":"mail"}"#).1.ends_with("did you mean `kind`?"));
        assert!(refused(r#"{"kind":"mail","colour":1}"#).1.contains("the fields are id, kind,"));
    }

    #[test]
    fn what_cannot_be_honoured_yet_is_refused_by_name() {
        for field in ["unique", "after", "locks", "limits", "rate", "order_key", "review", "notify"] {
            let refusal = refused(&format!(r#"{{"kind":"mail","{field}":null}}"#));
            assert_eq!(refusal, (field.to_owned(), "is not supported by this version".to_owned()));
        }
    }

    #[test]
    fn a_bad_value_is_refused_by_field() {
        for (text, field) in [
            ("[]", "job"),
            ("{\"kind\"", "job"),
            ("{}", "kind"),
            (r#"{"kind":null}"#, "kind"),
            (r#"{"kind":7}"#, "kind"),
            (r#"{"kind":"a b"}"#, "kind"),
            (r#"{"kind":"m","kind":"n"}"#, "kind"),
            (r#"{"kind":"m","id":"42"}"#, "id"),
            (r#"{"kind":"m","queue":""}"#, "queue"),
            (r#"{"kind":"m","priority":3}"#, "priority"),
            (r#"{"kind":"m","priority":"urgent"}"#, "priority"),
            (r#"{"kind":"m","run_at":"tomorrow"}"#, "run_at"),
            (r#"{"kind":"m","run_at":"2026-11-21T08:00:00Z","delay":"1s"}"#, "delay"),
            (r#"{"kind":"m","delay":5}"#, "delay"),
            (r#"{"kind":"m","delay":"-5s"}"#, "delay"),
            (r#"{"kind":"m","deadline":"soon"}"#, "deadline"),
            (r#"{"kind":"m","timeout":"5"}"#, "timeout"),
            (r#"{"kind":"m","attempts_max":"many"}"#, "attempts_max"),
            (r#"{"kind":"m","attempts_max":4294967295}"#, "attempts_max"),
            (r#"{"kind":"m","losses_max":-1}"#, "losses_max"),
            (r#"{"kind":"m","retry":{"fixd":"5s"}}"#, "retry"),
            (r#"{"kind":"m","tags":["a",1]}"#, "tags"),
            (r#"{"kind":"m","tags":[""]}"#, "tags"),
            (r#"{"kind":"m","meta":[]}"#, "meta"),
        ] {
            assert_eq!(refused(text).0, field, "{text}");
        }
    }

    #[test]
    fn a_refusal_does_not_speak_of_lines() {
        assert_eq!(refused(r#"{"kind":7}"#).1, "invalid type: integer `7`, expected a string");
    }

    #[test]
    fn deep_args_are_refused_and_not_recursed_into() {
        let deep = format!(r#"{{"kind":"m","args":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));

        assert!(JobRequest::from_json(&deep).is_err());
    }
}
