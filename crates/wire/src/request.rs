//! A job that is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use windlass_core::limits::{ATTEMPTS_UNLIMITED, NAME_BYTES_MAX};
use windlass_core::{
    Args, Due, Invalid, JobId, Json, KeyedLimit, KindName, Lock, NewJob, Notify, Priority, QueueName, Rate,
    RetryPolicy, Review, Tag, Timestamp, Unique, span,
};

use crate::fields::{Fields, problem};
use crate::flow::{AfterShape, ParentRef};
use crate::{count, nearest, notice};

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
    /// Who is told when it ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Notify>,
    /// That there is to be no second job like it: `true` for one of its kind with its args, a text for one with that key, or an
    /// object that says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<Unique>,
    /// Which resources it needs while it runs: their names where it needs them alone, or objects that say how.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<Lock>,
    /// How many jobs with the same keys may run beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<KeyedLimit>,
    /// How often jobs with the same keys may start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<Rate>,
    /// Jobs with the same one run one at a time, in the order of their enqueue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_key: Option<String>,
    /// That a person decides about it: `start` or `outcome`, or an object that says on which terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// Who asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_by: Option<String>,
    /// What others of its batch or file call it in their `after`.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The jobs it waits for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<AfterShape>,
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
        "notify",
        "unique",
        "locks",
        "limits",
        "rates",
        "order_key",
        "review",
        "submitted_by",
        "ref",
        "after",
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
            notify: Vec::new(),
            unique: None,
            locks: Vec::new(),
            limits: Vec::new(),
            rates: Vec::new(),
            order_key: None,
            review: None,
            submitted_by: None,
            name: None,
            after: Vec::new(),
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
            "locks" => self.locks = locks(name, raw)?,
            "limits" => self.limits = value(name, raw)?,
            "rates" => self.rates = value(name, raw)?,
            "order_key" => self.order_key = Some(value(name, raw)?),
            "notify" => self.notify = notice::targets(raw)?,
            "unique" => self.unique = unique(raw)?,
            "review" => self.review = Some(review(raw)?),
            "submitted_by" => self.submitted_by = Some(value(name, raw)?),
            "ref" => self.name = Some(reference(&value::<String>(name, raw)?)?),
            "after" => self.after = AfterShape::read_all(raw)?,
            _ => {}
        }
        Ok(())
    }

    /// Puts ids in place of the names in `after`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `after[k]` for a name that `known` does not know.
    pub fn resolve(&mut self, known: impl Fn(&str) -> Option<JobId>) -> Result<(), Invalid> {
        for (index, after) in self.after.iter_mut().enumerate() {
            if let ParentRef::Ref(name) = &after.parent {
                let unknown =
                    || Invalid::new(format!("after[{index}]"), format!("{name:?} is the ref of no job"));
                after.parent = ParentRef::Job(known(name).ok_or_else(unknown)?);
            }
        }
        Ok(())
    }

    /// What the model takes; `id` is used if the caller chose none. The names in `after` must have been
    /// [resolved](Self::resolve).
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
        job.options.locks = self.locks;
        job.options.limits = self.limits;
        job.options.rates = self.rates;
        job.options.order_key = self.order_key;
        job.options.notify = self.notify;
        job.options.unique = self.unique;
        job.options.review = self.review;
        job.options.submitted_by = self.submitted_by;
        job.after = self.after.iter().filter_map(AfterShape::edge).collect();
        job
    }
}

fn check_name(name: &str) -> Result<(), Invalid> {
    if JobRequest::FIELDS.contains(&name) {
        return Ok(());
    }
    let meant = nearest::suggestion(name, JobRequest::FIELDS.iter().copied());
    let meant = meant.unwrap_or_else(|| format!("the fields are {}", JobRequest::FIELDS.join(", ")));
    Err(Invalid::new(name, format!("is not a field of a job: {meant}")))
}

fn value<T: DeserializeOwned>(name: &str, raw: &RawValue) -> Result<T, Invalid> {
    serde_json::from_str(raw.get()).map_err(|error| Invalid::new(name, problem(&error)))
}

/// `true` and a text are short for what is asked for most.
fn unique(raw: &RawValue) -> Result<Option<Unique>, Invalid> {
    match raw.get() {
        "true" => Ok(Some(Unique::by_args())),
        "false" => Ok(None),
        text if text.starts_with('"') => value::<String>("unique", raw).map(|key| Some(Unique::key(key))),
        _ => value("unique", raw).map(Some),
    }
}

/// A word is short for what is asked for most.
fn review(raw: &RawValue) -> Result<Review, Invalid> {
    match raw.get() {
        "\"start\"" => Ok(Review::start()),
        "\"outcome\"" => Ok(Review::outcome()),
        _ => value("review", raw),
    }
}

/// A name that others use for the job.
fn reference(text: &str) -> Result<String, Invalid> {
    if text.is_empty() || text.len() > NAME_BYTES_MAX || text.chars().any(char::is_control) {
        let problem = format!("must have 1 to {NAME_BYTES_MAX} bytes and no control character");
        return Err(Invalid::new("ref", problem));
    }
    Ok(text.to_owned())
}

/// A name alone is a resource that is needed alone.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum LockShape {
    Name(String),
    Lock(Lock),
}

fn locks(name: &str, raw: &RawValue) -> Result<Vec<Lock>, Invalid> {
    let shapes: Vec<LockShape> = value(name, raw).map_err(|_| {
        Invalid::new(
            name,
            "must be names of resources, or objects such as {\"resource\": \"r\", \"mode\": \"shared\"}",
        )
    })?;
    let lock = |shape| match shape {
        LockShape::Name(resource) => Lock::exclusive(resource),
        LockShape::Lock(lock) => lock,
    };
    Ok(shapes.into_iter().map(lock).collect())
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
    use windlass_core::{Edge, Limits};

    use super::*;

    fn refused(text: &str) -> (String, String) {
        let Invalid { field, problem } = JobRequest::from_json(text).unwrap_err();
        (field, problem)
    }

    const FULL: &str = concat!(
        r#"{"id":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11","kind":"mail","version":2,"#,
        r#""args":{"n":9007199254740993},"queue":"out","priority":"high","run_at":"2026-11-21T08:00:00Z","#,
        r#""deadline":"48h","timeout":"30s","attempts_max":"unlimited","losses_max":0,"#,
        r#""retry":{"fixed":"5s"},"tags":["a","b"],"meta":{"tenant":7},"#,
        r#""notify":[{"mail":"ops@example.com","on":["dead"]},{"webhook":"https://hooks.example.com/x"}]}"#
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
    fn a_review_is_asked_for_in_one_word_or_in_many() {
        let asked = |review: &str| {
            JobRequest::from_json(&format!(r#"{{"kind":"mail","review":{review},"submitted_by":"ada"}}"#))
                .unwrap()
        };

        assert_eq!(asked(r#""start""#).review, Some(Review::start()));
        assert_eq!(asked(r#"{"of":"outcome"}"#).review, Some(Review::outcome()));
        let job = asked(r#""outcome""#).into_new_job(JobId::from_bytes([9; 16]));
        assert_eq!(
            (job.options.review, job.options.submitted_by.as_deref()),
            (Some(Review::outcome()), Some("ada"))
        );
        for wrong in [r#""end""#, r#"{"of":"start","within":"1h"}"#, "true"] {
            assert_eq!(refused(&format!(r#"{{"kind":"mail","review":{wrong}}}"#)).0, "review");
        }
    }

    #[test]
    fn a_job_waits_for_others_by_id_or_by_name() {
        let id = JobId::from_bytes([7; 16]);
        let text = format!(
            r#"{{"kind":"mail","ref":"me","after":["first",{{"ref":"second","on":"on_finish"}},{{"job":"{id}"}}]}}"#
        );
        let mut request = JobRequest::from_json(&text).unwrap();
        let named =
            |name: &str| (name != "nobody").then(|| JobId::from_bytes([name.len().try_into().unwrap(); 16]));

        assert_eq!(request.name.as_deref(), Some("me"));
        assert_eq!(request.clone().resolve(|_| None).unwrap_err().field, "after[0]");
        request.resolve(named).unwrap();
        let after = request.into_new_job(id).after;
        let expected = [
            Edge::on_success(JobId::from_bytes([5; 16])),
            Edge::on_finish(JobId::from_bytes([6; 16])),
            Edge::on_success(id),
        ];
        assert_eq!(after, expected);
        for bad in ["7", "[7]", "[{}]", r#"[{"ref":"a","job":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11"}]"#] {
            assert!(refused(&format!(r#"{{"kind":"m","after":{bad}}}"#)).0.starts_with("after"), "{bad}");
        }
        assert_eq!(refused(r#"{"kind":"m","ref":""}"#).0, "ref");
    }

    #[test]
    fn a_unique_key_is_asked_for_in_one_word_or_in_many() {
        let asked = |unique: &str| {
            JobRequest::from_json(&format!(r#"{{"kind":"mail","unique":{unique}}}"#)).unwrap().unique
        };

        assert_eq!(asked("true"), Some(Unique::by_args()));
        assert_eq!(asked("false"), None);
        assert_eq!(asked(r#""k""#), Some(Unique::key("k")));
        let day = Duration::from_secs(24 * 60 * 60);
        let many = r#"{"key":"k","within":"queue","scope":{"for":"24h"},"on_conflict":"replace"}"#;
        assert_eq!(asked(many), Some(Unique::key("k").within_queue().for_span(day).replace()));
        assert_eq!(refused(r#"{"kind":"mail","unique":{"ky":"k"}}"#).0, "unique");
        assert_eq!(refused(r#"{"kind":"mail","unique":7}"#).0, "unique");
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
            (r#"{"kind":"m","notify":"ops@example.com"}"#, "notify"),
            (r#"{"kind":"m","notify":[{}]}"#, "notify[0]"),
            (r#"{"kind":"m","notify":[{"mail":"a@b","webhook":"https://b"}]}"#, "notify[0]"),
            (r#"{"kind":"m","notify":[{"mail":"a@b","on":[]}]}"#, "notify[0].on"),
            (r#"{"kind":"m","notify":[{"mail":"a@b","on":["ready"]}]}"#, "notify[0].on"),
            (r#"{"kind":"m","notify":[{"mail":"a@b"},{"webhook":"b"}]}"#, "notify[1].webhook"),
            (r#"{"kind":"m","notify":[{"mial":"a@b"}]}"#, "notify[0]"),
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
