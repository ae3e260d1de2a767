//! Something that is done to many jobs, one after the other.

use serde::{Deserialize, Serialize};
use windlass_core::{Invalid, JobId, Timestamp};

use crate::body::{Body, FromBody};
use crate::{ProblemShape, VerbRequest};

/// What can be done to many jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BulkVerb {
    /// Stop them on purpose.
    Cancel,
    /// Give them a new budget of attempts.
    Retry,
    /// Make them due now.
    RunNow,
    /// Enqueue further copies of them.
    Rerun,
    /// Remove them.
    Delete,
}

/// Something to be done to many jobs: the body of `POST /api/v1/operations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct OperationRequest {
    /// To which.
    pub filter: String,
    /// What.
    pub verb: BulkVerb,
    /// Whether to say only what it would be done to.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// How many in a second, at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// That it may be done to every job, where the filter is empty.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// In whose name, and why; kept with each change.
    #[serde(flatten)]
    pub by: VerbRequest,
}

impl OperationRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["filter", "verb", "dry_run", "rate", "all", "reason", "by"];
}

impl FromBody for OperationRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("an operation", text, Self::FIELDS)?;
        let rate = body.optional("rate")?;
        if rate == Some(0) {
            return Err(Invalid::new("rate", "must be 1 or more in a second"));
        }
        Ok(Self {
            filter: body.optional("filter")?.unwrap_or_default(),
            verb: body.required("verb")?,
            dry_run: body.optional("dry_run")?.unwrap_or_default(),
            rate,
            all: body.optional("all")?.unwrap_or_default(),
            by: VerbRequest::of(&body)?,
        })
    }
}

/// How far something has come that is done to many jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct OperationShape {
    /// Its number, as long as the server runs.
    pub id: String,
    /// `selecting`, `running`, `done`, `aborted` or `failed`.
    pub state: OperationState,
    /// What is done.
    pub verb: BulkVerb,
    /// To which jobs.
    pub filter: String,
    /// By whom.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was asked for: jobs that came later are left alone.
    pub as_of: Timestamp,
    /// How many were selected.
    pub selected: u64,
    /// Whether more match than one operation takes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Some of those that were selected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<JobId>,
    /// To how many it was done.
    pub done: u64,
    /// How many refused it.
    pub refused: u64,
    /// The first of those, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<RefusalShape>,
    /// What ended it before it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemShape>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl OperationShape {
    /// One that begins.
    #[must_use]
    pub fn new(id: String, request: &OperationRequest, by: String, as_of: Timestamp) -> Self {
        Self {
            id,
            state: OperationState::Selecting,
            verb: request.verb,
            filter: request.filter.clone(),
            by,
            reason: request.by.reason.clone(),
            as_of,
            selected: 0,
            cut: false,
            sample: Vec::new(),
            done: 0,
            refused: 0,
            refusals: Vec::new(),
            problem: None,
            ended_at: None,
        }
    }
}

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperationState {
    /// The jobs are being selected.
    Selecting,
    /// It is being done.
    Running,
    /// It was done to all, or, of a dry run, would be.
    Done,
    /// Somebody stopped it.
    Aborted,
    /// It could not go on.
    Failed,
}

/// A job that refused what was to be done to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct RefusalShape {
    /// The job.
    pub job: JobId,
    /// Why.
    pub problem: ProblemShape,
}

impl RefusalShape {
    /// This job, for this reason.
    #[must_use]
    pub const fn new(job: JobId, problem: ProblemShape) -> Self {
        Self { job, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_refused_by_field() {
        let refused = |text| OperationRequest::from_body(text).unwrap_err().field;

        assert_eq!(refused("{}"), "verb");
        assert_eq!(refused(r#"{"verb":"explode"}"#), "verb");
        assert_eq!(refused(r#"{"verb":"retry","rate":0}"#), "rate");
        assert_eq!(refused(r#"{"verb":"retry","dryrun":true}"#), "dryrun");
    }
}
