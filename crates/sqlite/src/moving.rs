//! A file whose jobs are moved to another store: marked with the new address, and held still.
//!
//! What copies the jobs is not here. This only sees to it that none of them changes in the file meanwhile, and that
//! nobody takes the file for the queue afterwards: neither who opens it later, nor who had it open all along.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use windlass_store::{ErrorKind, StoreError};

use crate::error::{During, opening};
use crate::{SqliteStore, sql};

mod beside;

/// Makes the guards, and drops them.
const RAISE: &str = include_str!("../migrations/guards/raise.sql");
const LOWER: &str = include_str!("../migrations/guards/lower.sql");

/// Where the jobs of a file were moved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The new address, without secrets.
    pub address: String,
    /// Whether all of them are there. If not, the move was begun and not finished.
    pub done: bool,
}

impl SqliteStore {
    /// Where the jobs were moved to, if they were.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn moved(&self) -> Result<Option<Moved>, StoreError> {
        const NAME: &str = "read where the jobs were moved to";
        self.readers.run(NAME, |connection| read(connection).during(NAME)).await
    }

    /// Begins to move the jobs to `address`, which must have no secrets in it: it is stored, and shown to whoever opens
    /// the file.
    ///
    /// Once this returns, no process can enqueue, claim or change a job in this file, or change a queue or a schedule. Beginning once
    /// more changes nothing, whatever the address is then.
    ///
    /// # Errors
    ///
    /// `NotReady` while an attempt is open, and then nothing was changed.
    pub async fn begin_move(&self, address: &str) -> Result<(), StoreError> {
        const NAME: &str = "begin to move the jobs";
        let address = address.to_owned();
        self.writer
            .run(NAME, move |tx| {
                // In the transaction that closes the door, so no claim slips through it.
                let held: u64 =
                    tx.connection.query_row(sql::moved::HELD, [], |row| row.get(0)).during(NAME)?;
                if held > 0 {
                    let detail = format!("{held} attempts are still open");
                    return Err(StoreError::new(NAME, ErrorKind::NotReady).with_detail(detail));
                }
                tx.connection.execute(sql::moved::BEGIN, [&address]).during(NAME)?;
                tx.connection.execute_batch(RAISE).during(NAME)
            })
            .await
    }

    /// Says that all jobs are at the new address.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Full`.
    pub async fn finish_move(&self) -> Result<(), StoreError> {
        const NAME: &str = "finish the move";
        self.writer
            .run(NAME, |tx| tx.connection.execute(sql::moved::FINISH, []).during(NAME).map(|_| ()))
            .await
    }

    /// Makes the file a queue again, with the jobs as they were when the move began. Those at the new address stay there
    /// too: it is for the caller to see that they do not run in both places.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Full`.
    pub async fn undo_move(&self) -> Result<(), StoreError> {
        const NAME: &str = "undo the move";
        self.writer
            .run(NAME, |tx| {
                tx.connection.execute_batch(LOWER).during(NAME)?;
                tx.connection.execute(sql::moved::CLEAR, []).during(NAME)?;
                tx.hint_work();
                Ok(())
            })
            .await
    }
}

/// Refuses an answer from a file that is no queue any more, where giving it would change nothing that the guards hold: that
/// another job stands for the one that is asked for may be true no more where that one is now.
pub(crate) fn refuse_answer(connection: &Connection, operation: &'static str) -> Result<(), StoreError> {
    let Some(Moved { address, .. }) = read(connection).during(operation)? else { return Ok(()) };
    let why = format!("its jobs were moved to {address}; open that instead");
    Err(StoreError::new(operation, ErrorKind::Unavailable).with_detail(why))
}

/// Refuses a file that is no queue any more.
pub(crate) fn refuse_moved(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let Some(Moved { address, done }) = read(connection).during("open the store")? else { return Ok(()) };
    let why = if done {
        format!("its jobs were moved to {address}; open that instead")
    } else {
        format!(
            "its jobs are being moved to {address}; finish that with `windlass promote`, or give it up with --undo"
        )
    };
    Err(opening(path, ErrorKind::Incompatible, why))
}

fn read(connection: &Connection) -> rusqlite::Result<Option<Moved>> {
    let moved = |row: &rusqlite::Row<'_>| Ok(Moved { address: row.get(0)?, done: row.get(1)? });
    connection.prepare_cached(sql::moved::READ)?.query_row([], moved).optional()
}
