//! A job, as it is shown: to whoever asks for it, and to the handler that runs it.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use serde::{Deserialize, Deserializer, Serialize};
use windlass_core::{
    Args, AttemptError, FiredBy, Job, JobId, JobOptions, JobState, Json, KeyedLimit, KindName, Lock, Notify,
    Phase, Priority, Progress, QueueName, Rate, Reason, RetryPolicy, Review, Tag, Timestamp, Unique, span,
};

use crate::count;

/// A job and what became of it so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct JobShape {
    /// Its id.
    pub id: JobId,
    /// Which handler it is for.
    pub kind: KindName,
    /// The version of its args.
    pub version: u32,
    /// Where it waits.
    pub queue: QueueName,
    /// What it is doing.
    pub state: JobState,
    /// Why, where there is a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What its attempts are for, where that is what a person decided and not the work: `settle`.
    #[serde(default, skip_serializing_if = "is_run")]
    pub phase: Phase,
    /// How urgent it is.
    pub priority: Priority,
    /// What it works on, byte for byte; `null` where that is no JSON.
    pub args: Json,
    /// What it works on where that is no JSON, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args_base64: Option<String>,
    /// Counted starts so far, the running one included.
    pub attempt: u32,
    /// Total starts that may end in failure, or `unlimited`.
    #[serde(with = "count")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::count))]
    pub attempts_max: u32,
    /// Lost attempts so far.
    pub losses: u32,
    /// Lost attempts that are forgiven.
    pub losses_max: u32,
    /// From when on it may run.
    pub run_at: Timestamp,
    /// When it must be finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// How long one attempt may take.
    #[serde(default, with = "span::text_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub timeout: Option<Duration>,
    /// How long it waits after a failure.
    pub retry: RetryPolicy,
    /// Words to find it by.
    pub tags: Vec<Tag>,
    /// What travels with it.
    pub meta: BTreeMap<String, serde_json::Value>,
    /// That there is to be no second job like it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<Unique>,
    /// Which resources it needs while it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<Lock>,
    /// How many jobs with the same keys may run beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<KeyedLimit>,
    /// How often jobs with the same keys may start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<Rate>,
    /// Jobs with the same one run one at a time, in the order of their enqueue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_key: Option<String>,
    /// Who is told when it ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Notify>,
    /// How far its last attempt said it had come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Where an attempt wants the next one to go on.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Json>,
    /// What it made.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub result: Option<Json>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
    /// That a person decides about it, and on which terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_by: Option<String>,
    /// Which schedule made it, and for which tick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_by: Option<FiredBy>,
    /// The job that it is a further copy of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<JobId>,
    /// The job that it cleans up behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleans: Option<JobId>,
    /// The name of the worker of its last attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When its last attempt was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it became final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Raised with every change.
    pub revision: u64,
}

/// Nearly every job does nothing but its work, and says nothing of it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about by reference")]
fn is_run(phase: &Phase) -> bool {
    *phase == Phase::Run
}

impl JobShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &[
        "id",
        "kind",
        "version",
        "queue",
        "state",
        "reason",
        "phase",
        "priority",
        "args",
        "args_base64",
        "attempt",
        "attempts_max",
        "losses",
        "losses_max",
        "run_at",
        "deadline",
        "timeout",
        "retry",
        "tags",
        "meta",
        "unique",
        "locks",
        "limits",
        "rates",
        "order_key",
        "notify",
        "progress",
        "checkpoint",
        "result",
        "error",
        "review",
        "submitted_by",
        "fired_by",
        "rerun_of",
        "cleans",
        "worker",
        "created_at",
        "started_at",
        "finished_at",
        "revision",
    ];
}

impl From<Job> for JobShape {
    fn from(job: Job) -> Self {
        let JobOptions {
            review,
            timeout,
            retry,
            tags,
            meta,
            submitted_by,
            notify,
            unique,
            locks,
            limits,
            rates,
            order_key,
            fired_by,
            rerun_of,
            cleans,
            ..
        } = job.options;
        let (args, args_base64) = shown(&job.args);
        Self {
            id: job.id,
            kind: job.kind,
            version: job.version,
            queue: job.queue,
            state: job.state,
            reason: job.reason,
            phase: job.phase,
            priority: job.priority,
            args,
            args_base64,
            attempt: job.attempt,
            attempts_max: job.attempts_max,
            losses: job.losses,
            losses_max: job.losses_max,
            run_at: job.run_at,
            deadline: job.deadline,
            timeout,
            retry,
            tags,
            meta,
            unique,
            locks,
            limits,
            rates,
            order_key,
            notify,
            progress: job.progress,
            checkpoint: job.checkpoint,
            result: job.result,
            error: job.error,
            review,
            submitted_by,
            fired_by,
            rerun_of,
            cleans,
            worker: job.worker,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            revision: job.revision,
        }
    }
}

/// A value that is there, be it `null`: a job that made nothing and one that made `null` are not the same.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

pub(crate) fn shown(args: &Args) -> (Json, Option<String>) {
    match args {
        Args::Json(json) => (json.clone(), None),
        Args::Bytes(bytes) => (Json::null(), Some(base64::engine::general_purpose::STANDARD.encode(bytes))),
    }
}

#[cfg(test)]
mod tests {
    use windlass_core::limits::ATTEMPTS_UNLIMITED;

    use super::*;
    use crate::Fields;

    /// A job that has every field.
    fn full() -> Job {
        let at = Timestamp::from_micros;
        Job {
            id: JobId::from_bytes([1; 16]),
            kind: KindName::new("mail").unwrap(),
            version: 2,
            queue: QueueName::default(),
            state: JobState::Dead,
            reason: Some(Reason::Exhausted),
            phase: Phase::Settle,
            priority: Priority::High,
            args: Args::Bytes(vec![0xff, 0x00].into()),
            attempt: 3,
            attempts_max: ATTEMPTS_UNLIMITED,
            losses: 1,
            losses_max: 2,
            run_at: at(1_000_000),
            deadline: Some(at(9_000_000)),
            options: options(),
            progress: Some(Progress { percent: 40, message: None }),
            checkpoint: Some(Json::null()),
            result: Some(Json::null()),
            error: Some(AttemptError::new("boom")),
            worker: Some("w1".to_owned()),
            created_at: at(0),
            started_at: Some(at(2_000_000)),
            finished_at: Some(at(3_000_000)),
            revision: 7,
        }
    }

    fn options() -> JobOptions {
        let text = concat!(
            r#"{"timeout":"1h30m","tags":["a"],"meta":{"k":1},"submitted_by":"ada","review":{"of":"outcome"},"#,
            r#""unique":{"key":"k"},"locks":[{"resource":"disk"}],"limits":[{"key":"host","max":2}],"#,
            r#""rates":[{"key":"api","starts":5,"per":"1m"}],"order_key":"o","#,
            r#""rerun_of":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11","#,
            r#""cleans":"0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a12","#,
            r#""fired_by":{"schedule":"nightly","tick":"1970-01-01T00:00:00Z"},"#,
            r#""notify":[{"mail":"ops@example.com","on":["dead"]}]}"#
        );
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_field_is_listed_in_order() {
        let fields = Fields::of(&JobShape::from(full())).unwrap();

        assert_eq!(fields.iter().map(|(name, _)| name).collect::<Vec<_>>(), JobShape::FIELDS);
    }

    #[test]
    fn a_job_reads_back_from_its_json() {
        let shape = JobShape::from(full());

        let json = serde_json::to_string(&shape).unwrap();

        assert!(
            json.contains(r#""args":null,"args_base64":"/wA=","attempt":3,"attempts_max":"unlimited""#),
            "{json}"
        );
        assert!(json.contains(r#""timeout":"1h30m""#), "{json}");
        assert_eq!(serde_json::from_str::<JobShape>(&json).unwrap(), shape);
    }

    #[test]
    fn args_are_shown_byte_for_byte() {
        let text = r#"{"b":9007199254740993,"a":-0,"z":"\u0000"}"#;
        let job = Job { args: Args::json(text).unwrap(), ..full() };

        let json = serde_json::to_string(&JobShape::from(job)).unwrap();

        assert!(json.contains(&format!(r#""args":{text},"#)), "{json}");
    }
}
