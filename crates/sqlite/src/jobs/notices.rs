//! Notices: those who asked for it are told when a job has ended.

use windlass_core::JobId;
use windlass_core::notice::notices;

use super::insert::insert_all;
use crate::writer::Tx;
use crate::{row, sql};

/// Enqueues what tells of the end of a job whose row says already that it has ended.
pub(crate) fn enqueue(tx: &mut Tx<'_>, id: JobId) -> rusqlite::Result<()> {
    let job = tx
        .connection
        .prepare_cached(sql::job::READ)?
        .query_row([id.as_bytes()], |found| row::job(found, tx.now))?;
    let notices = notices(&job);
    if notices.is_empty() {
        return Ok(());
    }
    insert_all(tx, &notices).map(|_| ())
}
