//! What PostgreSQL reports, as the kinds of the port.

use std::error::Error;

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;
use windlass_store::{ErrorKind, StoreError};

/// Raised by `windlass.refuse_ended`: a job of the batch has ended already.
pub(crate) const ENDED: &str = "WL001";

/// What it says then, for drivers that tell nothing else.
#[cfg(feature = "diesel")]
pub(crate) const ENDED_MESSAGE: &str = "a job of this batch has ended already";

/// What another driver was told by the server, of something that has no effect unless a later commit succeeds.
#[cfg(feature = "sqlx")]
pub(crate) fn from_code(operation: &'static str, code: &str, message: &str) -> StoreError {
    let code = SqlState::from_code(code);
    let refused = StoreError::new(operation, kind_of(&code, ErrorKind::Unavailable));
    match help(&code) {
        Some(help) => refused.with_detail(format!("{message}: {help}")),
        None => refused,
    }
}

/// Turns a driver's error into the store's.
pub(crate) trait During<T> {
    /// Names the operation that failed, as a fragment that fits after "could not". Of something that has no effect
    /// unless a later commit succeeds.
    fn during(self, operation: &'static str) -> Result<T, StoreError>;

    /// The same, of what takes effect by itself: if the connection broke, it may have.
    fn committing(self, operation: &'static str) -> Result<T, StoreError>;
}

impl<T> During<T> for Result<T, tokio_postgres::Error> {
    fn during(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| from_postgres(operation, error, ErrorKind::Unavailable))
    }

    fn committing(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| from_postgres(operation, error, ErrorKind::Unknown))
    }
}

/// Why no connection was to be had.
pub(crate) fn from_pool(operation: &'static str, error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => from_postgres(operation, error, ErrorKind::Unavailable),
        PoolError::Timeout(_) => StoreError::new(operation, ErrorKind::Unavailable).with_detail(
            "no connection was free in time: raise the number of connections, or ask for less at a time",
        ),
        other => StoreError::new(operation, ErrorKind::Unavailable).with_source(other),
    }
}

/// `broken` is what a lost connection means.
fn from_postgres(operation: &'static str, error: tokio_postgres::Error, broken: ErrorKind) -> StoreError {
    let Some(reported) = error.as_db_error() else {
        // What cannot be encoded or decoded was never sent, or is not what we wrote.
        let local = error.source().is_some_and(|source| source.downcast_ref::<std::io::Error>().is_none());
        let kind = if local && !error.is_closed() { ErrorKind::Corrupt } else { broken };
        return StoreError::new(operation, kind).with_source(error);
    };
    let kind = kind_of(reported.code(), broken);
    let detail = help(reported.code()).map(|help| format!("{}: {help}", reported.message()));
    let refused = StoreError::new(operation, kind);
    match detail {
        Some(detail) => refused.with_detail(detail),
        None => refused.with_source(error),
    }
}

/// Whether the connection is of no use any more.
pub(crate) fn is_broken(error: &tokio_postgres::Error) -> bool {
    let io = || error.source().is_some_and(|source| source.downcast_ref::<std::io::Error>().is_some());
    error.is_closed()
        || error.code().map_or_else(io, |code| kind_of(code, ErrorKind::Unknown) == ErrorKind::Unknown)
}

fn kind_of(code: &SqlState, broken: ErrorKind) -> ErrorKind {
    let class = code.code().get(..2).unwrap_or_default();
    match code.code() {
        // Ended by an operator or by the server's own end: the answer to a commit may be what is missing.
        "57P01" | "57P02" | "57P05" => broken,
        "40001" | "40P01" | ENDED => ErrorKind::Conflict,
        "53100" => ErrorKind::Full,
        "XX001" | "XX002" => ErrorKind::Corrupt,
        "42P01" | "3F000" | "42883" => ErrorKind::Incompatible,
        _ => match class {
            "08" => broken,
            // Values that do not fit, and constraints that do not hold: the store is not what we left it.
            "22" | "23" | "42" if code != &SqlState::INSUFFICIENT_PRIVILEGE => ErrorKind::Corrupt,
            _ => ErrorKind::Unavailable,
        },
    }
}

/// What to do about it, where a person can do something.
fn help(code: &SqlState) -> Option<&'static str> {
    Some(match code.code() {
        "25006" => "this server only reads; connect to the primary",
        "42501" => {
            "grant the role USAGE on the schema, SELECT, INSERT, UPDATE and DELETE on its tables, and USAGE and SELECT on \
             its sequences"
        }
        "42P01" | "3F000" | "42883" => {
            "the schema is missing or older than this program; run `windlass migrate up`"
        }
        "53300" => "raise max_connections on the server, or let this program use fewer",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_not_taken_for_damage() {
        let kind = |code| kind_of(&SqlState::from_code(code), ErrorKind::Unknown);

        assert_eq!(kind("57014"), ErrorKind::Unavailable);
        assert_eq!(kind("55P03"), ErrorKind::Unavailable);
        assert_eq!(kind("42501"), ErrorKind::Unavailable);
        assert_eq!(kind("40P01"), ErrorKind::Conflict);
        assert_eq!(kind("53100"), ErrorKind::Full);
        assert_eq!(kind("57P01"), ErrorKind::Unknown);
        assert_eq!(kind("08006"), ErrorKind::Unknown);
        assert_eq!(kind("23505"), ErrorKind::Corrupt);
    }
}
