//! Claims: how work is asked for.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use windlass_core::{Invalid, JobId, KindName, QueueName, WorkerId, span};
use windlass_store::{KindSupport, Kinds, Queues};

use crate::body::{Body, FromBody};

/// Who asks for work: a worker that has registered, by its id, or anybody, by a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum WorkerRef {
    /// A registered worker.
    Id(WorkerId),
    /// What people call it. It is registered as it asks.
    Name(String),
}

/// How long a claim holds between beats: a span of time, or as long as the worker's process beats (`process`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermShape {
    /// As long as the registered worker beats.
    Process,
    /// This long from each claim and extension.
    Own(Duration),
}

/// A claim: the body of `POST /api/v1/leases`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LeaseRequest {
    /// Who asks.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub worker: WorkerRef,
    /// From which queues; every one unless said otherwise, which is `*`.
    #[serde(serialize_with = "queues")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::queues, required = false))]
    pub queues: Queues,
    /// Of which kinds, and up to which version of their args; every one unless said otherwise, which is `*`.
    #[serde(serialize_with = "kinds")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::kinds, required = false))]
    pub kinds: Kinds,
    /// At most this many jobs; 1 unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// This job and no other, whatever its place in line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// How long to wait for a job if there is none; not at all unless said.
    #[serde(with = "span::text_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub wait: Option<Duration>,
    /// How long it holds the jobs between beats.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub lease: Option<TermShape>,
    /// Whether to tell with each job what the jobs made that it waited for. A look for each job; `true` unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parents: Option<bool>,
}

impl LeaseRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["worker", "queues", "kinds", "limit", "job", "wait", "lease", "parents"];

    /// Asks for any job there is, in the name of `worker`.
    #[must_use]
    pub const fn new(worker: WorkerRef) -> Self {
        Self {
            worker,
            queues: Queues::Any,
            kinds: Kinds::Any,
            limit: None,
            job: None,
            wait: None,
            lease: None,
            parents: None,
        }
    }
}

impl FromBody for LeaseRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a claim", text, Self::FIELDS)?;
        let worker: String = body.required("worker")?;
        Ok(Self {
            worker: worker.parse().map_or(WorkerRef::Name(worker), WorkerRef::Id),
            queues: read_queues(&body)?,
            kinds: read_kinds(&body)?.unwrap_or(Kinds::Any),
            limit: body.optional("limit")?,
            job: body.optional("job")?,
            wait: body.span("wait")?,
            lease: body.optional("lease")?,
            parents: body.optional("parents")?,
        })
    }
}

const ANY: &str = "\"*\"";

/// `*`, or names; every queue where nothing is said.
pub(crate) fn read_queues(body: &Body) -> Result<Queues, Invalid> {
    if body.raw("queues").is_none_or(|raw| raw.get() == ANY) {
        return Ok(Queues::Any);
    }
    let names = body.each("queues", |text| {
        let name: String = serde_json::from_str(text).map_err(|_| Invalid::new("body", "is no name"))?;
        if name == "*" {
            return Ok(None);
        }
        QueueName::new(name).map(Some).map_err(|invalid| Invalid { field: "body".to_owned(), ..invalid })
    })?;
    Ok(names.into_iter().collect::<Option<_>>().map_or(Queues::Any, Queues::Only))
}

/// A kind by its name alone, or with the newest version that is understood.
#[derive(Deserialize)]
#[serde(untagged)]
enum Support {
    Name(String),
    Object(SupportObject),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SupportObject {
    kind: String,
    version_max: Option<u32>,
}

/// `*`, or kinds; none where nothing is said.
pub(crate) fn read_kinds(body: &Body) -> Result<Option<Kinds>, Invalid> {
    let Some(raw) = body.raw("kinds") else { return Ok(None) };
    if raw.get() == ANY {
        return Ok(Some(Kinds::Any));
    }
    let kinds = body.each("kinds", |text| {
        let wrong = "is neither a kind nor an object with kind and version_max";
        let (kind, version) = match serde_json::from_str(text).map_err(|_| Invalid::new("body", wrong))? {
            Support::Name(kind) => (kind, None),
            Support::Object(SupportObject { kind, version_max }) => (kind, version_max),
        };
        if kind == "*" {
            return Ok(None);
        }
        let kind = KindName::new(kind).map_err(|invalid| Invalid { field: "body".to_owned(), ..invalid })?;
        // Who names no version means that of the jobs it knows; one who counts versions says so.
        Ok(Some(KindSupport { kind, version_max: version.unwrap_or(u32::MAX) }))
    })?;
    Ok(Some(kinds.into_iter().collect::<Option<_>>().map_or(Kinds::Any, Kinds::Only)))
}

fn queues<S: Serializer>(queues: &Queues, serializer: S) -> Result<S::Ok, S::Error> {
    match queues {
        Queues::Any => serializer.serialize_str("*"),
        Queues::Only(names) => names.serialize(serializer),
    }
}

#[derive(Serialize)]
struct SupportShape<'a> {
    kind: &'a KindName,
    version_max: u32,
}

fn kinds<S: Serializer>(kinds: &Kinds, serializer: S) -> Result<S::Ok, S::Error> {
    match kinds {
        Kinds::Any => serializer.serialize_str("*"),
        Kinds::Only(kinds) => serializer.collect_seq(
            kinds.iter().map(|known| SupportShape { kind: &known.kind, version_max: known.version_max }),
        ),
    }
}

impl Serialize for TermShape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Process => serializer.serialize_str("process"),
            Self::Own(lease) => span::text::serialize(lease, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for TermShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "process" {
            return Ok(Self::Process);
        }
        span::parse(&text).map(Self::Own).map_err(|invalid| serde::de::Error::custom(invalid.problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        LeaseRequest::from_body(text).unwrap_err().field
    }

    #[test]
    fn a_claim_reads_back_from_its_json() {
        let text = concat!(
            r#"{"worker":"w1","queues":["mail"],"kinds":[{"kind":"send","version_max":2}],"limit":3,"#,
            r#""wait":"30s","lease":"process","parents":false}"#
        );

        let request = LeaseRequest::from_body(text).unwrap();

        assert_eq!(serde_json::to_string(&request).unwrap(), text);
        assert_eq!(request.lease, Some(TermShape::Process));
    }

    #[test]
    fn a_claim_of_anything_needs_no_more_than_a_name() {
        let request = LeaseRequest::from_body(r#"{"worker":"w1","queues":"*","kinds":["*"]}"#).unwrap();

        assert_eq!(request, LeaseRequest::new(WorkerRef::Name("w1".to_owned())));
    }

    #[test]
    fn what_is_wrong_is_refused_by_field() {
        for (text, field) in [
            ("{}", "worker"),
            (r#"{"worker":7}"#, "worker"),
            (r#"{"worker":"a","queues":["a b"]}"#, "queues[0]"),
            (r#"{"worker":"a","queues":"mail"}"#, "queues"),
            (r#"{"worker":"a","kinds":["a",{"knd":"b"}]}"#, "kinds[1]"),
            (r#"{"worker":"a","limit":-1}"#, "limit"),
            (r#"{"worker":"a","wait":"soon"}"#, "wait"),
            (r#"{"worker":"a","lease":"long"}"#, "lease"),
            (r#"{"worker":"a","wiat":"30s"}"#, "wiat"),
        ] {
            assert_eq!(refused(text), field, "{text}");
        }
    }
}
