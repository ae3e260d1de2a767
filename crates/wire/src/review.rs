//! What a person is asked to decide, as it is shown.

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use windlass_core::review::Subject;
use windlass_core::{Args, Decision, Digest, JobId, Json, KindName, QueueName, Review, Ruling, Timestamp};
use windlass_store::ReviewRecord;

/// What is or was to be decided about a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ReviewShape {
    /// The job.
    pub job: JobId,
    /// Which handler it is for.
    pub kind: KindName,
    /// Where it waits.
    pub queue: QueueName,
    /// What is decided about: whether it may start, or what it made.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub of: Subject,
    /// Whether nobody has decided yet, and the job waits for it.
    pub open: bool,
    /// The digest of what is decided about, which a decision has to name.
    pub digest: Digest,
    /// What the job works on, byte for byte; `null` where that is no JSON.
    pub args: Json,
    /// What it works on where that is no JSON, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args_base64: Option<String>,
    /// Whether they may be changed with an approval.
    pub editable: bool,
    /// What it made, where that is decided about.
    #[serde(default, deserialize_with = "crate::job::present", skip_serializing_if = "Option::is_none")]
    pub staged: Option<Json>,
    /// Who asked for the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_by: Option<String>,
    /// Whether they may decide about it.
    pub submitter_may: bool,
    /// How often the job has come into review, this time included.
    pub round: u32,
    /// When it did.
    pub asked_at: Timestamp,
    /// When `otherwise` is taken for decided, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide_by: Option<Timestamp>,
    /// What is decided if nobody decides by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Decision>,
    /// How often its reviewers were reminded.
    pub reminders: u32,
    /// When they are reminded next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Timestamp>,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<RulingShape>,
    /// The terms that the job asked for.
    pub terms: Review,
}

/// A decision that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct RulingShape {
    /// What was decided.
    pub decision: Decision,
    /// Who decided; left out where nobody had in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What they had to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether they changed the args.
    pub edited: bool,
    /// The digest of what they had before them.
    pub digest: Digest,
}

impl ReviewShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &[
        "job",
        "kind",
        "queue",
        "of",
        "open",
        "digest",
        "args",
        "args_base64",
        "editable",
        "staged",
        "submitted_by",
        "submitter_may",
        "round",
        "asked_at",
        "decide_by",
        "otherwise",
        "reminders",
        "remind_at",
        "ruling",
        "terms",
    ];
}

impl From<Ruling> for RulingShape {
    fn from(ruling: Ruling) -> Self {
        let Ruling { decision, by, comment, at, digest, edited } = ruling;
        Self { decision, by, comment, at, edited, digest }
    }
}

impl From<ReviewRecord> for ReviewShape {
    fn from(record: ReviewRecord) -> Self {
        let (args, args_base64) = match &record.args {
            Args::Json(json) => (json.clone(), None),
            Args::Bytes(bytes) => {
                (Json::null(), Some(base64::engine::general_purpose::STANDARD.encode(bytes)))
            }
        };
        Self {
            job: record.job,
            kind: record.kind,
            queue: record.queue,
            of: record.terms.of,
            open: record.open,
            digest: record.digest,
            args,
            args_base64,
            editable: record.editable,
            staged: record.staged,
            submitted_by: record.submitted_by,
            submitter_may: record.terms.submitter_may,
            round: record.round,
            asked_at: record.asked_at,
            decide_by: record.decide_by,
            otherwise: record.decide_by.map(|_| record.terms.otherwise),
            reminders: record.reminders,
            remind_at: record.remind_at,
            ruling: record.ruling.map(RulingShape::from),
            terms: record.terms,
        }
    }
}
