//! Why something was not done: `application/problem+json` of RFC 9457.

use serde::{Deserialize, Serialize};
use windlass_core::{Invalid, JobId};
use windlass_store::{ErrorKind, StoreError};

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ProblemShape {
    /// A name of the code as a URI, stable for ever: `urn:windlass:problem:lease_lost`.
    #[serde(rename = "type")]
    pub uri: String,
    /// The code in a few words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What happened, as a sentence for people.
    pub detail: String,
    /// What to decide by: one for each right reaction.
    pub code: String,
    /// The field at fault, as the caller wrote it: `queue`, `jobs[3].args`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The job that has the unique key, with the code `duplicate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
}

/// Every code with the status and the title that go with it.
pub const PROBLEMS: &[(&str, u16, &str)] = &[
    ("invalid", 422, "what was asked for is not valid"),
    ("unauthorized", 401, "who asks is not known"),
    ("forbidden", 403, "who asks may not do this"),
    ("not_found", 404, "there is no such thing"),
    ("not_ready", 409, "its state does not allow it"),
    ("not_running", 409, "the attempt has ended"),
    ("not_reviewable", 409, "nobody is asked to decide about it"),
    ("cancelled", 409, "it was cancelled"),
    ("finished", 409, "it is finished"),
    ("duplicate", 409, "another job has its unique key"),
    ("lease_lost", 409, "the lease is lost"),
    ("conflict", 409, "someone else changed it at the same time"),
    ("too_large", 413, "it is too large"),
    ("rate_limited", 429, "there is too much to do"),
    ("unavailable", 503, "the store is unavailable"),
    ("unknown", 504, "it is unknown whether it happened"),
    ("full", 507, "the store is full"),
    ("incompatible", 500, "the store was made by a newer version"),
    ("corrupt", 500, "the store is damaged"),
    ("internal", 500, "the server failed"),
];

impl ProblemShape {
    /// A problem of this code, which is one of [`PROBLEMS`].
    #[must_use]
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        let known = PROBLEMS.iter().find(|(known, ..)| *known == code);
        let (code, status, title) = *known.unwrap_or(&("internal", 500, "the server failed"));
        Self {
            uri: format!("urn:windlass:problem:{code}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            code: code.to_owned(),
            field: None,
            job: None,
        }
    }

    /// The same problem, with another status than the code has elsewhere.
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same problem, of this field.
    #[must_use]
    pub fn of_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// What a store answers of this kind with these particulars, for those who call it from afar. An answer of another
    /// kind, as from a proxy on the way, is that nobody knows whether it happened.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self.code.as_str() {
            "invalid" | "too_large" => {
                ErrorKind::Invalid(Invalid::new(self.field.clone().unwrap_or_default(), self.detail.clone()))
            }
            "not_found" => ErrorKind::NotFound,
            "not_ready" | "not_reviewable" => ErrorKind::NotReady,
            "not_running" => ErrorKind::NotRunning,
            "finished" => ErrorKind::Finished,
            "cancelled" => ErrorKind::Cancelled,
            "duplicate" => self.job.map_or(ErrorKind::Unknown, ErrorKind::Duplicate),
            "lease_lost" => ErrorKind::LeaseLost,
            "conflict" => ErrorKind::Conflict,
            // Who asks has to mend who they are, or what they ask: nothing comes of asking again.
            "unauthorized" | "forbidden" => {
                let field = self.field.clone().unwrap_or_else(|| "token".to_owned());
                ErrorKind::Invalid(Invalid::new(field, self.detail.clone()))
            }
            "unavailable" | "rate_limited" => ErrorKind::Unavailable,
            "full" => ErrorKind::Full,
            "incompatible" => ErrorKind::Incompatible,
            "corrupt" => ErrorKind::Corrupt,
            _ => ErrorKind::Unknown,
        }
    }

    /// The error that a store nearby would have answered; `operation` fits after "could not".
    #[must_use]
    pub fn into_error(self, operation: &'static str) -> StoreError {
        let error = StoreError::new(operation, self.kind());
        match error.kind() {
            ErrorKind::Invalid(_) => error,
            _ => error.with_detail(said(&self.detail)),
        }
    }
}

/// What was said of it, without what was tried: that is said by whoever tried.
fn said(detail: &str) -> &str {
    let tried = detail.strip_prefix("could not ").and_then(|rest| rest.split_once(": "));
    tried.map_or(detail, |(_, said)| said)
}

impl From<Invalid> for ProblemShape {
    fn from(invalid: Invalid) -> Self {
        Self::new("invalid", invalid.problem).of_field(invalid.field)
    }
}

impl From<&StoreError> for ProblemShape {
    /// What lies behind an error is for the server's log, and not for a caller.
    fn from(error: &StoreError) -> Self {
        match error.kind() {
            ErrorKind::Invalid(invalid) => invalid.clone().into(),
            kind => {
                let job = if let ErrorKind::Duplicate(job) = kind { Some(*job) } else { None };
                Self { job, ..Self::new(kind.code(), error.to_string()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_a_store_has_a_problem_that_leads_back_to_it() {
        let id = JobId::from_bytes([1; 16]);
        for kind in [
            ErrorKind::Invalid(Invalid::new("queue", "must not be empty")),
            ErrorKind::NotFound,
            ErrorKind::NotReady,
            ErrorKind::NotRunning,
            ErrorKind::Finished,
            ErrorKind::Cancelled,
            ErrorKind::Duplicate(id),
            ErrorKind::LeaseLost,
            ErrorKind::Conflict,
            ErrorKind::Unavailable,
            ErrorKind::Unknown,
            ErrorKind::Full,
            ErrorKind::Incompatible,
            ErrorKind::Corrupt,
        ] {
            let problem = ProblemShape::from(&StoreError::new("try", kind.clone()));

            assert_eq!((problem.code.as_str(), problem.kind()), (kind.code(), kind));
        }
    }

    #[test]
    fn a_code_that_nobody_knows_is_internal() {
        let problem = ProblemShape::new("surprise", "");

        assert_eq!((problem.code.as_str(), problem.status), ("internal", 500));
        assert_eq!(problem.kind(), ErrorKind::Unknown);
    }
}
