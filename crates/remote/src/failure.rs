//! Why a request has no answer, and what that says of whether it was done.

use std::fmt;
use std::time::Duration;

use hyper::StatusCode;
use windlass_core::Invalid;
use windlass_store::{ErrorKind, StoreError};
use windlass_wire::ProblemShape;

use crate::ask::Twice;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The request never left.
    NeverSent(Box<dyn std::error::Error + Send + Sync>),
    /// It may have arrived, and been done.
    Unanswered(Box<dyn std::error::Error + Send + Sync>),
}

/// Nothing came for so long.
#[derive(Debug)]
pub(crate) struct TooLate(pub(crate) Duration);

impl fmt::Display for TooLate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there was no answer within {}", windlass_core::span::format(self.0))
    }
}

impl std::error::Error for TooLate {}

impl Lost {
    /// Whether the request may be sent once more.
    pub(crate) const fn may_repeat(&self, twice: Twice) -> bool {
        matches!(self, Self::NeverSent(_)) || !matches!(twice, Twice::Never)
    }

    /// What it comes to, for a call that `operation` names.
    pub(crate) fn into_error(self, (operation, at): (&'static str, &str), twice: Twice) -> StoreError {
        let (kind, detail, source) = match self {
            Self::NeverSent(source) => (ErrorKind::Unavailable, format!("{at} was not reached"), source),
            Self::Unanswered(source) if twice == Twice::Reads => {
                (ErrorKind::Unavailable, format!("{at} did not answer"), source)
            }
            Self::Unanswered(source) => {
                let detail = format!("{at} did not answer; it is unknown whether it happened");
                (ErrorKind::Unknown, detail, source)
            }
        };
        StoreError::new(operation, kind).with_detail(detail).with_source(source)
    }
}

/// What an answer says that is no success.
pub(crate) fn refused(
    operation: &'static str,
    (status, body): (StatusCode, &[u8]),
    twice: Twice,
) -> StoreError {
    match serde_json::from_slice::<ProblemShape>(body) {
        Ok(problem) => problem.into_error(operation),
        Err(_) => of_another(operation, status, twice),
    }
}

/// What is answered by something that is no server of Windlass: by a proxy on the way, or at another address.
fn of_another(operation: &'static str, status: StatusCode, twice: Twice) -> StoreError {
    let kind = match status.as_u16() {
        401 | 403 | 407 => ErrorKind::Invalid(Invalid::new("token", format!("was answered by {status}"))),
        500..=599 if twice == Twice::Reads => ErrorKind::Unavailable,
        500..=599 => ErrorKind::Unknown,
        _ => ErrorKind::Incompatible,
    };
    let what = "is no answer of Windlass: something else is at that address, or before it";
    let error = StoreError::new(operation, kind);
    match error.kind() {
        ErrorKind::Invalid(_) => error,
        _ => error.with_detail(format!("\"{status}\" {what}")),
    }
}

/// An answer that this version cannot read.
pub(crate) fn unreadable(operation: &'static str, why: impl fmt::Display) -> StoreError {
    let detail = format!("the server's answer cannot be read by this version: {why}");
    StoreError::new(operation, ErrorKind::Incompatible).with_detail(detail)
}
