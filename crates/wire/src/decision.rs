//! A decision of a person, as it is asked for.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use windlass_core::{Args, Decision, Digest, Invalid, Json, span};

use crate::body::{Body, FromBody};
use crate::request::{base64_bytes, bytes};

/// A decision about a job in review: the body of `POST /api/v1/jobs/{id}/review`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct DecisionRequest {
    /// What is decided.
    pub decision: Decision,
    /// What there is to say about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The digest of what the reviewer had before them; whatever there is now, unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The args that the job is to start with, where they are changed with an approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Json>,
    /// The same where they are no JSON, in base64. Excludes `args`.
    #[serde(serialize_with = "base64_bytes", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub args_base64: Option<Bytes>,
    /// How long to wait until the decision has been carried out.
    #[serde(with = "span::text_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub wait: Option<Duration>,
    /// In whose name, for callers that may speak for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl DecisionRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["decision", "comment", "digest", "args", "args_base64", "wait", "by"];

    /// This decision, and nothing else said.
    #[must_use]
    pub const fn new(decision: Decision) -> Self {
        Self { decision, comment: None, digest: None, args: None, args_base64: None, wait: None, by: None }
    }

    /// The other args that the job is to start with.
    #[must_use]
    pub fn new_args(&self) -> Option<Args> {
        let bytes = self.args_base64.clone().map(Args::Bytes);
        bytes.or_else(|| self.args.clone().map(Args::Json))
    }
}

impl FromBody for DecisionRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a decision", text, Self::FIELDS)?;
        let args_base64 = body.raw("args_base64").map(|raw| bytes("args_base64", raw)).transpose()?;
        let args = body.json("args")?;
        if args.is_some() && args_base64.is_some() {
            return Err(Invalid::new("args_base64", "cannot be given together with args"));
        }
        Ok(Self {
            decision: body.required("decision")?,
            comment: body.optional("comment")?,
            digest: body.optional("digest")?,
            args,
            args_base64,
            wait: body.span("wait")?,
            by: body.optional("by")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_reads_back_from_its_json() {
        let text =
            r#"{"decision":"accept","comment":"ok","args":{"a":9007199254740993},"wait":"5s","by":"ada"}"#;

        let request = DecisionRequest::from_body(text).unwrap();

        assert_eq!(serde_json::to_string(&request).unwrap(), text);
    }

    #[test]
    fn what_is_wrong_is_refused_by_field() {
        let refused = |text| DecisionRequest::from_body(text).unwrap_err().field;

        assert_eq!(refused("{}"), "decision");
        assert_eq!(refused(r#"{"decision":"perhaps"}"#), "decision");
        assert_eq!(refused(r#"{"decision":"accept","digest":"x"}"#), "digest");
        assert_eq!(refused(r#"{"decision":"accept","wait":5}"#), "wait");
    }
}
