//! One error for all stores, with a kind per right reaction.

use std::error::Error;
use std::fmt;

use windlass_core::{Invalid, JobId};

/// What went wrong, as far as it matters to whoever has to react.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller asked wrongly; nothing was written. Mend the field and ask again.
    Invalid(Invalid),
    /// There is no such job, worker, queue or schedule.
    NotFound,
    /// The job is not in a state in which this can be done to it.
    NotReady,
    /// The attempt is closed, and it was this token that closed it.
    NotRunning,
    /// The job is final.
    Finished,
    /// The job was cancelled while it ran; what the attempt says of it changes nothing.
    Cancelled,
    /// Another job holds the unique key.
    Duplicate(JobId),
    /// The token is not that of the job's open attempt, or its lease expired. Stop working, drop the result.
    LeaseLost,
    /// Someone else changed the same thing at the same time. Ask again, a bounded number of times.
    Conflict,
    /// The store could not be reached, and nothing happened. Try later.
    Unavailable,
    /// It may have happened. Ask again with the same id.
    Unknown,
    /// There is no room. Stop enqueueing; what is stored is safe.
    Full,
    /// The store was made by a newer version; nothing was written. Upgrade this program.
    Incompatible,
    /// The store holds what it cannot hold. Stop; a person must look.
    Corrupt,
}

impl ErrorKind {
    /// The code of the kind, the same in the HTTP API and the CLI.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::NotFound => "not_found",
            Self::NotReady => "not_ready",
            Self::NotRunning => "not_running",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::Duplicate(_) => "duplicate",
            Self::LeaseLost => "lease_lost",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
            Self::Full => "full",
            Self::Incompatible => "incompatible",
            Self::Corrupt => "corrupt",
        }
    }

    const fn sentence(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::NotFound => "there is no such thing",
            Self::NotReady => "its state does not allow it",
            Self::NotRunning => "the attempt has ended",
            Self::Finished => "it is finished",
            Self::Cancelled => "it was cancelled",
            Self::Duplicate(_) => "another job has its unique key",
            Self::LeaseLost => "the lease is lost",
            Self::Conflict => "someone else changed it at the same time",
            Self::Unavailable => "the store is unavailable",
            Self::Unknown => "it is unknown whether it happened",
            Self::Full => "the store is full",
            Self::Incompatible => "the store was made by a newer version",
            Self::Corrupt => "the store is damaged",
        }
    }
}

/// Why a store did not do what it was asked.
///
/// Reads "could not …: …". The cause, if another library gave one, is its [`source`](Error::source), never part of
/// its own text.
pub struct StoreError(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    detail: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error of this kind; `operation` fits after "could not", as in `claim jobs`.
    #[must_use]
    pub fn new(operation: &'static str, kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, operation, detail: None, source: None }))
    }

    /// The same error, saying `detail` instead of the general sentence of its kind.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// The same error, caused by `source`.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// A refusal of what the caller asked.
    #[must_use]
    pub fn invalid(operation: &'static str, invalid: Invalid) -> Self {
        Self::new(operation, ErrorKind::Invalid(invalid))
    }

    /// What kind of error it is; the only thing to decide by.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What was tried, as a fragment that fits after "could not".
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Whether the same call may succeed later without anything being mended.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Conflict | ErrorKind::Unavailable | ErrorKind::Unknown | ErrorKind::Full
        )
    }

    /// The same error once more, for another caller whose operation shared its fate. The source stays behind.
    #[must_use]
    pub fn share(&self, operation: &'static str) -> Self {
        let detail = match (&self.0.detail, &self.0.source) {
            (Some(detail), _) => Some(detail.clone()),
            (None, Some(source)) => Some(format!("{}: {source}", self.0.kind.sentence())),
            (None, None) => None,
        };
        Self(Box::new(Inner { kind: self.0.kind.clone(), operation, detail, source: None }))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}: ", self.0.operation)?;
        match (&self.0.detail, &self.0.kind) {
            (Some(detail), _) => f.write_str(detail),
            (None, ErrorKind::Invalid(invalid)) => invalid.fmt(f),
            (None, ErrorKind::Duplicate(id)) => write!(f, "job {id} has its unique key"),
            (None, kind) => f.write_str(kind.sentence()),
        }
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({self}", self.0.kind)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        f.write_str(")")
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_tried_and_leaves_the_cause_to_its_source() {
        let cause = std::io::Error::other("no space left");

        let error = StoreError::new("enqueue jobs", ErrorKind::Full).with_source(cause);

        assert_eq!(error.to_string(), "could not enqueue jobs: the store is full");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("no space left"));
    }

    #[test]
    fn a_refusal_names_the_field() {
        let error = StoreError::invalid("enqueue jobs", Invalid::new("queue", "must not be empty"));

        assert_eq!(error.to_string(), "could not enqueue jobs: queue: must not be empty");
    }
}
