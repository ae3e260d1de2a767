//! Who changes something, and why.

use serde::Serialize;
use windlass_core::{Invalid, JobId};

use crate::body::{Body, FromBody};

/// Why something is changed, and in whose name: the body of every verb of an operator. Nothing of it has to be said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct VerbRequest {
    /// Why; kept with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In whose name, for callers that may speak for others; their own unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl VerbRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["reason", "by"];

    /// By this one, for this reason.
    #[must_use]
    pub const fn new(by: Option<String>, reason: Option<String>) -> Self {
        Self { reason, by }
    }

    pub(crate) fn of(body: &Body) -> Result<Self, Invalid> {
        Ok(Self { reason: body.optional("reason")?, by: body.optional("by")? })
    }
}

impl FromBody for VerbRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        Self::of(&Body::read("a change", text, Self::FIELDS)?)
    }
}

/// A further copy of a job, or a job of a schedule, that is made by hand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct CopyRequest {
    /// The id of the job that is made; drawn unless said. Asking again with the same is safe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<JobId>,
    /// In whose name, and why.
    #[serde(flatten)]
    pub verb: VerbRequest,
}

impl CopyRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["id", "reason", "by"];

    /// A job of this id.
    #[must_use]
    pub const fn new(id: Option<JobId>, verb: VerbRequest) -> Self {
        Self { id, verb }
    }
}

impl FromBody for CopyRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a copy", text, Self::FIELDS)?;
        Ok(Self { id: body.optional("id")?, verb: VerbRequest::of(&body)? })
    }
}

/// Dead jobs that are to be given a new budget, a page of them: the body of `POST /api/v1/jobs/redrive`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct RedriveRequest {
    /// Which of the dead jobs; all of them unless said.
    pub filter: String,
    /// In whose name, and why.
    #[serde(flatten)]
    pub verb: VerbRequest,
}

impl RedriveRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["filter", "reason", "by"];

    /// Those that match.
    #[must_use]
    pub const fn new(filter: String, verb: VerbRequest) -> Self {
        Self { filter, verb }
    }
}

impl FromBody for RedriveRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a redrive", text, Self::FIELDS)?;
        Ok(Self { filter: body.optional("filter")?.unwrap_or_default(), verb: VerbRequest::of(&body)? })
    }
}
