//! What the end of a job enqueues: notices for those who asked for it, and what cleans up behind it.

use windlass_core::notice::notices;
use windlass_core::{Job, JobId, cleanup};

use super::insert::insert_all;
use crate::writer::Tx;
use crate::{row, sql};

/// Enqueues what tells of the end of a job whose row says already that it has ended.
pub(crate) fn enqueue(tx: &mut Tx<'_>, id: JobId) -> rusqlite::Result<()> {
    let notices = notices(&ended(tx, id)?);
    if notices.is_empty() {
        return Ok(());
    }
    insert_all(tx, &notices).map(|_| ())
}

/// Enqueues what cleans up behind a job whose row says already that it has ended.
pub(crate) fn clean_up(tx: &mut Tx<'_>, id: JobId) -> rusqlite::Result<()> {
    let behind = cleanup::behind(&ended(tx, id)?);
    insert_all(tx, &[behind]).map(|_| ())
}

fn ended(tx: &Tx<'_>, id: JobId) -> rusqlite::Result<Job> {
    tx.connection.prepare_cached(sql::job::READ)?.query_row([id.as_bytes()], |found| row::job(found, tx.now))
}
