//! Why a group of operations failed, and whom that strikes.

use std::any::Any;

use windlass_store::{ErrorKind, StoreError};

use crate::error::from_sqlite;

/// Why a group failed, and when.
pub(super) struct Failure {
    pub(super) error: StoreError,
    pub(super) stage: Stage,
}

/// How far a group had come. What strikes before or after its operations strikes all of them: to try each alone would
/// make the last of many wait for as many patiences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Beginning,
    Running,
    Committing,
}

impl Failure {
    /// A commit that failed for lack of room did nothing. One whose flush failed may have reached the disk.
    pub(super) fn at_commit(error: rusqlite::Error) -> Self {
        let failed = from_sqlite("commit", error);
        let error = match failed.kind() {
            ErrorKind::Unavailable => StoreError::new("commit", ErrorKind::Unknown)
                .with_detail("the flush to disk failed")
                .with_source(failed),
            _ => failed,
        };
        Self { error, stage: Stage::Committing }
    }
}

/// What an operation did that panicked: it met what cannot be, in the file or in this program.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> StoreError {
    let said = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    StoreError::new("run the operation", ErrorKind::Corrupt)
        .with_detail(format!("it panicked, and was rolled back: {}", said.unwrap_or("it did not say why")))
}
