//! What SQLite reports, as the kinds of the port.

use std::path::Path;

use rusqlite::ErrorCode;
use windlass_store::{ErrorKind, StoreError};

/// Turns a driver's error into the store's.
pub(crate) trait During<T> {
    /// Names the operation that failed, as a fragment that fits after "could not".
    fn during(self, operation: &'static str) -> Result<T, StoreError>;
}

impl<T> During<T> for rusqlite::Result<T> {
    fn during(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| from_sqlite(operation, error))
    }
}

/// The kind of a failed statement. Nothing it did is kept: the transaction around it is rolled back.
pub(crate) fn from_sqlite(operation: &'static str, error: rusqlite::Error) -> StoreError {
    StoreError::new(operation, kind_of(&error)).with_source(error)
}

fn kind_of(error: &rusqlite::Error) -> ErrorKind {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ErrorKind::Full,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OperationInterrupted
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory
            // Too many processes opened the log at the same moment, for all its patience.
            | ErrorCode::FileLockingProtocolFailed,
        ) => ErrorKind::Unavailable,
        // The jobs were moved away: they are well, but not here.
        Some(ErrorCode::ConstraintViolation) if is_refusal(error) => ErrorKind::Unavailable,
        _ => ErrorKind::Corrupt,
    }
}

/// Whether it was a trigger that said no. The only ones there are stand in `migrations/guards`.
fn is_refusal(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER)
}

/// Whether the error is the database's, rather than an answer the caller must expect. After one of these nothing of
/// the transaction is kept.
pub(crate) fn is_fault(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unavailable
            | ErrorKind::Unknown
            | ErrorKind::Full
            | ErrorKind::Corrupt
            | ErrorKind::Incompatible
    )
}

/// A failure to open the file at `path`.
pub(crate) fn opening(path: &Path, kind: ErrorKind, why: impl std::fmt::Display) -> StoreError {
    StoreError::new("open the store", kind).with_detail(format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn what_passes_by_itself_is_not_taken_for_damage() {
        let kind = |code| kind_of(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));

        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_PROTOCOL, ffi::SQLITE_IOERR, ffi::SQLITE_NOMEM] {
            assert_eq!(kind(code), ErrorKind::Unavailable, "{code}");
        }
        assert_eq!(kind(ffi::SQLITE_CONSTRAINT_TRIGGER), ErrorKind::Unavailable);
        assert_eq!(kind(ffi::SQLITE_CONSTRAINT_CHECK), ErrorKind::Corrupt);
        assert_eq!(kind(ffi::SQLITE_FULL), ErrorKind::Full);
        assert_eq!(kind(ffi::SQLITE_CORRUPT), ErrorKind::Corrupt);
        assert_eq!(kind_of(&rusqlite::Error::QueryReturnedNoRows), ErrorKind::Corrupt);
    }
}
