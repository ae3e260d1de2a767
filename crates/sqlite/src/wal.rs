//! Keeps the write-ahead log short, off the path of those who wait.
//!
//! SQLite's own checkpoint runs inside the commit that crosses a threshold, and everyone in that group waits for it.
//! Here the writer does it between groups, after everyone has been answered.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::open::wait_for_writer;

/// From this many bytes on, the log is copied into the file after a group that added little: short, because writing over
/// what is there is a third quicker to flush than making the log's file longer, and a lone caller waits for each flush.
const CHECKPOINT_BYTES: u64 = 4 * 1024 * 1024;

/// From this many bytes on it is copied after a group that added much: long, because then a page that many groups wrote
/// is copied once.
const CHECKPOINT_BYTES_IN_BULK: u64 = 16 * 1024 * 1024;

/// What a group adds that is much.
const MUCH_BYTES: u64 = 128 * 1024;

/// From this size on the last of it is copied with others kept from writing. A log is written from its start again only
/// if nothing is added between the end of a copy and the next commit, and where several processes write all the time,
/// something always is.
const ALONE_BYTES: u64 = 2 * CHECKPOINT_BYTES_IN_BULK;

/// How much of the log's file is kept when it is written from its start again: all that one round takes.
pub(crate) const KEPT_BYTES: u64 = CHECKPOINT_BYTES_IN_BULK + CHECKPOINT_BYTES;

/// From this size on a reader that stands in the way is worth a word.
pub(crate) const WARN_BYTES: u64 = 512 * 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Wal {
    /// How long it was at the last look.
    bytes: u64,
    /// How long the log must be for the next try.
    next_bytes: u64,
}

impl Wal {
    /// Copies the log into the file if it has grown long.
    ///
    /// Never waits for readers: what they still need stays, and the next try is made once the log has grown some more.
    /// A log that was copied whole is written from its start again by the next commit.
    pub(crate) fn keep_short(&mut self, connection: &mut Connection) {
        let bytes = match used(connection) {
            Ok(bytes) => bytes,
            Err(error) => {
                return tracing::warn!(%error, "could not look at the write-ahead log, will try again");
            }
        };
        let added = bytes.saturating_sub(std::mem::replace(&mut self.bytes, bytes));
        let enough = if added < MUCH_BYTES { CHECKPOINT_BYTES } else { CHECKPOINT_BYTES_IN_BULK };
        if bytes < enough {
            self.next_bytes = enough;
        } else if bytes >= self.next_bytes {
            self.next_bytes = bytes.saturating_add(CHECKPOINT_BYTES / 4);
            let copied = copy(connection, PASSIVE).and_then(|()| {
                if bytes < ALONE_BYTES { Ok(()) } else { without_patience(connection, |c| copy(c, FULL)) }
            });
            if let Err(error) = copied {
                tracing::warn!(%error, "could not copy the write-ahead log into the file, will try again");
            }
        }
    }
}

/// How large the file of the log is that belongs to the store at `path`.
pub(crate) fn file_bytes(path: &Path) -> u64 {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(PathBuf::from(name)).map_or(0, |metadata| metadata.len())
}

/// How many bytes of the log are in use, which may be less than its file has.
fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let mut look = connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
    let frames: i64 = look.query_row([], |row| row.get(1))?;
    // Pages are of the default size: nothing here ever asks for another.
    Ok(u64::try_from(frames).unwrap_or(0) * 4096)
}

/// Copies while others write.
const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// Copies while others wait, if it gets hold of the write lock; otherwise like [`PASSIVE`].
const FULL: &str = "PRAGMA wal_checkpoint(FULL)";

/// Copies what no reader needs any more into the file.
fn copy(connection: &Connection, how: &str) -> rusqlite::Result<()> {
    connection.query_row(how, [], |_| Ok(()))
}

/// Runs `act` so that it takes what locks there are and waits for none: it would wait for readers too.
fn without_patience(
    connection: &mut Connection,
    act: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::ZERO)?;
    let acted = act(connection);
    connection.busy_handler(Some(wait_for_writer))?;
    acted
}
