//! Keeps the write-ahead log short, off the path of those who wait.
//!
//! SQLite's own checkpoint runs inside the commit that crosses a threshold, and everyone in that group waits for it.
//! Here the writer does it between groups, after everyone has been answered.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// From this size on the log is copied into the file after a group: large enough that a page written by many groups is
/// copied once, small enough to be read back in a blink.
const CHECKPOINT_BYTES: u64 = 16 * 1024 * 1024;

/// What is left of the log's file once it was copied and is written from its start again.
pub(crate) const KEPT_BYTES: u64 = 4 * 1024 * 1024;

/// From this size on a reader that stands in the way is worth a word.
pub(crate) const WARN_BYTES: u64 = 512 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Wal {
    path: PathBuf,
    /// The size at which to try next, past the one at which readers kept a checkpoint from having an effect.
    next_bytes: u64,
}

impl Wal {
    /// The log beside the file at `path`.
    pub(crate) fn of(path: &Path) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        Self { path: name.into(), next_bytes: CHECKPOINT_BYTES }
    }

    /// How large the log is now.
    pub(crate) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// Copies the log into the file if it has grown large.
    ///
    /// Never waits for readers: what they still need stays, and the next try is made once the log has grown some more.
    /// A log that was copied whole is written from its start again by the next commit, which also cuts its file.
    pub(crate) fn keep_short(&mut self, connection: &Connection) {
        let bytes = self.bytes();
        if bytes < CHECKPOINT_BYTES {
            self.next_bytes = CHECKPOINT_BYTES;
        } else if bytes >= self.next_bytes {
            self.next_bytes = bytes.saturating_add(CHECKPOINT_BYTES / 4);
            copy(connection);
        }
    }
}

/// Copies what no reader needs any more into the file.
pub(crate) fn copy(connection: &Connection) {
    let copied = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = copied {
        tracing::warn!(%error, "could not copy the write-ahead log into the file, will try again");
    }
}
