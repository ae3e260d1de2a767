//! Something that is done to many jobs, one after the other.

use serde::{Deserialize, Serialize};
use windlass_core::{BulkVerb, Invalid, JobId, OperationId, OperationState, Timestamp};
use windlass_store::{
    Advance, DriveToken, Driven, NewOperation, Operation, OperationProblem, OperationRefusal,
};

use crate::body::{Body, FromBody};
use crate::{ProblemShape, VerbRequest};

/// Something to be done to many jobs: the body of `POST /api/v1/operations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct OperationRequest {
    /// Its id; drawn unless said. Asking again with the same is safe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<OperationId>,
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
    pub const FIELDS: &[&str] = &["id", "filter", "verb", "dry_run", "rate", "all", "reason", "by"];

    /// This operation, also where every job is meant.
    #[must_use]
    pub fn new(operation: NewOperation, by: VerbRequest) -> Self {
        let NewOperation { id, verb, filter, rate, dry_run } = operation;
        Self { id: Some(id), filter, verb, dry_run, rate, all: true, by }
    }

    /// What the model takes; `draw` gives an id where none is said.
    #[must_use]
    pub fn into_new_operation(self, draw: impl FnOnce() -> OperationId) -> NewOperation {
        let Self { id, filter, verb, dry_run, rate, .. } = self;
        NewOperation { rate, dry_run, ..NewOperation::new(id.unwrap_or_else(draw), verb, filter) }
    }
}

impl FromBody for OperationRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("an operation", text, Self::FIELDS)?;
        Ok(Self {
            id: body.optional("id")?,
            filter: body.optional("filter")?.unwrap_or_default(),
            verb: body.required("verb")?,
            dry_run: body.optional("dry_run")?.unwrap_or_default(),
            rate: body.optional("rate")?,
            all: body.optional("all")?.unwrap_or_default(),
            by: VerbRequest::of(&body)?,
        })
    }
}

/// An operation and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct OperationShape {
    /// Its id.
    pub id: OperationId,
    /// How far it has come.
    pub state: OperationState,
    /// What is done.
    pub verb: BulkVerb,
    /// To which jobs.
    pub filter: String,
    /// How many in a second, at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// Whether it only says what it would be done to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// By whom.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was asked for: jobs that came later are left alone.
    pub began_at: Timestamp,
    /// Since when it is known which jobs are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_at: Option<Timestamp>,
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
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &[
        "id",
        "state",
        "verb",
        "filter",
        "rate",
        "dry_run",
        "by",
        "reason",
        "began_at",
        "selected_at",
        "selected",
        "cut",
        "sample",
        "done",
        "refused",
        "refusals",
        "problem",
        "ended_at",
    ];
}

impl From<Operation> for OperationShape {
    fn from(operation: Operation) -> Self {
        let Operation {
            made, by, began_at, state, selected_at, selected, cut, sample, done, refused, ..
        } = operation;
        Self {
            id: made.id,
            state,
            verb: made.verb,
            filter: made.filter,
            rate: made.rate,
            dry_run: made.dry_run,
            by: by.name,
            reason: by.why,
            began_at,
            selected_at,
            selected,
            cut,
            sample,
            done,
            refused,
            refusals: operation.refusals.into_iter().map(RefusalShape::from).collect(),
            problem: operation.problem.map(shown),
            ended_at: operation.ended_at,
        }
    }
}

/// Operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AllOperations {
    /// The last first.
    pub operations: Vec<OperationShape>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
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

impl From<OperationRefusal> for RefusalShape {
    fn from(refusal: OperationRefusal) -> Self {
        Self { job: refusal.job, problem: shown(refusal.problem) }
    }
}

pub(crate) fn shown(problem: OperationProblem) -> ProblemShape {
    ProblemShape::new(&problem.code, problem.detail)
}

/// How an operation has gone on: the body of `POST /api/v1/upkeep/operations/{operation}`. One of `selected`, `done` and
/// `failed`, or none of them: then its driver is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct AdvanceRequest {
    /// The right to carry it out, as it was given.
    pub nonce: String,
    /// How many of the next jobs to give at the most.
    pub limit: u32,
    /// The jobs that are meant, in the order in which they are dealt with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected: Option<Vec<JobId>>,
    /// Whether more match than those.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// How many jobs were dealt with before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// To how many of the next ones it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<u64>,
    /// Those of the next ones that refused it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusalShape>,
    /// Why it cannot go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<ProblemShape>,
}

impl AdvanceRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["nonce", "limit", "selected", "cut", "from", "done", "refused", "failed"];

    /// That it has gone on like this.
    #[must_use]
    pub fn new(nonce: u64, advance: Advance, limit: u32) -> Self {
        let silent = Self {
            nonce: nonce.to_string(),
            limit,
            selected: None,
            cut: false,
            from: None,
            done: None,
            refused: Vec::new(),
            failed: None,
        };
        match advance {
            Advance::Beat => silent,
            Advance::Selected { jobs, cut } => Self { selected: Some(jobs), cut, ..silent },
            Advance::Did { from, done, refused } => {
                let refused = refused.into_iter().map(RefusalShape::from).collect();
                Self { from: Some(from), done: Some(done), refused, ..silent }
            }
            Advance::Failed(problem) => Self { failed: Some(shown(problem)), ..silent },
        }
    }

    /// The right that is shown, how it has gone on, and how many jobs are asked for.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `nonce`, `from` or `done`.
    pub fn into_parts(self, operation: OperationId) -> Result<(DriveToken, Advance, u32), Invalid> {
        let nonce = self.nonce.parse().map_err(|_| Invalid::new("nonce", "is none that was given"))?;
        let advance = match (self.selected, self.done, self.failed) {
            (Some(jobs), None, None) => Advance::Selected { jobs, cut: self.cut },
            (None, Some(done), None) => {
                let from = self.from.ok_or_else(|| Invalid::new("from", "is missing: it goes with done"))?;
                Advance::Did { from, done, refused: self.refused.into_iter().map(Into::into).collect() }
            }
            (None, None, Some(problem)) => Advance::Failed(problem.into()),
            (None, None, None) => Advance::Beat,
            _ => return Err(Invalid::new("done", "cannot be given together with selected or failed")),
        };
        Ok((DriveToken { operation, nonce }, advance, self.limit))
    }
}

impl FromBody for AdvanceRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a step of an operation", text, Self::FIELDS)?;
        Ok(Self {
            nonce: body.required("nonce")?,
            limit: body.optional("limit")?.unwrap_or(1),
            selected: body.optional("selected")?,
            cut: body.optional("cut")?.unwrap_or_default(),
            from: body.optional("from")?,
            done: body.optional("done")?,
            refused: body.optional("refused")?.unwrap_or_default(),
            failed: body.optional("failed")?,
        })
    }
}

/// An operation that somebody carries out; nothing where none waits for that.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct DrivenShape {
    /// The right to carry it out, where it was taken up just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationShape>,
    /// The next jobs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<JobId>,
}

impl DrivenShape {
    /// One that was taken up, if one was.
    #[must_use]
    pub fn taken_up(taken_up: Option<(DriveToken, Operation)>) -> Self {
        let Some((token, operation)) = taken_up else { return Self::default() };
        Self { nonce: Some(token.nonce.to_string()), operation: Some(operation.into()), next: Vec::new() }
    }
}

impl From<Driven> for DrivenShape {
    fn from(driven: Driven) -> Self {
        Self { nonce: None, operation: Some(driven.operation.into()), next: driven.next }
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
        assert_eq!(refused(r#"{"verb":"retry","rate":"fast"}"#), "rate");
        assert_eq!(refused(r#"{"verb":"retry","dryrun":true}"#), "dryrun");
    }

    #[test]
    fn a_step_says_one_thing() {
        let id = OperationId::from_bytes([3; 16]);
        let refused = |text| AdvanceRequest::from_body(text).unwrap().into_parts(id).unwrap_err().field;

        assert_eq!(refused(r#"{"nonce":"x"}"#), "nonce");
        assert_eq!(refused(r#"{"nonce":"7","done":1}"#), "from");
        assert_eq!(refused(r#"{"nonce":"7","from":0,"done":1,"selected":[]}"#), "done");
    }
}
