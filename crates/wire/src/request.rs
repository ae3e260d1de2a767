//! A job that is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use windlass_core::{
    Args, Due, Invalid, JobId, Json, KeyedLimit, KindName, Lock, NewJob, Notify, Priority, QueueName, Rate,
    RetryPolicy, Review, Tag, Timestamp, Unique, span,
};

use crate::fields::Fields;
use crate::flow::{AfterShape, ParentRef};
use crate::{count, nearest, notice};

mod fields;
mod model;

use fields::{attempts, due, locks, reference, review, tags, unique, value};
pub(crate) use fields::{base64_bytes, bytes};
pub use fields::{duration, instant, instant_or_span};

/// The body of `POST /api/v1/jobs`, a line of a job file, a `[[job]]` of a TOML one.
///
/// Read with [`JobRequest::from_json`], which refuses what it does not know: a field that was misspelt, or that this
/// version cannot honour yet, is never left aside in silence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// The same where it is no JSON, in base64. Excludes `args`.
    #[serde(serialize_with = "base64_bytes", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub args_base64: Option<Bytes>,
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
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub delay: Option<Duration>,
    /// When it must be finished: an instant, or a span of time from its enqueue on.
    #[serde(serialize_with = "due", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub deadline: Option<Due>,
    /// How long one attempt may take.
    #[serde(with = "span::text_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub timeout: Option<Duration>,
    /// Total starts that may end in failure: a number, or `unlimited`.
    #[serde(serialize_with = "count::optional::serialize", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::count_or_default))]
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
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::unique))]
    pub unique: Option<Unique>,
    /// Which resources it needs while it runs: their names where it needs them alone, or objects that say how.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::locks))]
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
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::review))]
    pub review: Option<Review>,
    /// Who asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_by: Option<String>,
    /// The job that it is a further copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<JobId>,
    /// What others of its batch or file call it in their `after`.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The jobs it waits for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::after))]
    pub after: Vec<AfterShape>,
}

impl JobRequest {
    /// The name of every field that is understood, in order.
    pub const FIELDS: &[&str] = &[
        "id",
        "kind",
        "version",
        "args",
        "args_base64",
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
        "rerun_of",
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
            args_base64: None,
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
            rerun_of: None,
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
        if request.args.is_some() && request.args_base64.is_some() {
            return Err(Invalid::new("args_base64", "cannot be given together with args"));
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
            "args_base64" => self.args_base64 = Some(bytes(name, raw)?),
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
            "rerun_of" => self.rerun_of = Some(value(name, raw)?),
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
        let args = match (self.args, self.args_base64) {
            (None, Some(bytes)) => Args::Bytes(bytes),
            (args, _) => args.map_or_else(Args::default, Args::Json),
        };
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
        job.options.rerun_of = self.rerun_of;
        job.after = self.after.iter().filter_map(AfterShape::edge).collect();
        job
    }
}

fn check_name(name: &str) -> Result<(), Invalid> {
    nearest::check_field("a job", name, JobRequest::FIELDS)
}

#[cfg(test)]
mod tests;
