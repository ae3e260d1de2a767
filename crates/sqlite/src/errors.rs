//! Errors of attempts, counted in groups.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, params};
use windlass_core::fingerprint::normalised;
use windlass_core::limits::ERROR_GROUPS_KEPT;
use windlass_core::{AttemptError, AttemptOutcome, Fingerprint, KindName, Timestamp};
use windlass_store::{Cursor, ErrorFilter, ErrorGroup, ErrorKind, ErrorStore, Page, PageRequest, StoreError};

use crate::error::During;
use crate::facts::Facts;
use crate::jobs::any_of;
use crate::writer::Tx;
use crate::{SqliteStore, row, sql};

#[async_trait]
impl ErrorStore for SqliteStore {
    async fn error_groups(
        &self,
        filter: ErrorFilter,
        page: PageRequest,
    ) -> Result<Page<ErrorGroup>, StoreError> {
        const NAME: &str = "list errors";
        self.readers.run(NAME, move |connection| list(connection, &filter, page).during(NAME)).await
    }

    async fn error_group(&self, fingerprint: Fingerprint) -> Result<ErrorGroup, StoreError> {
        const NAME: &str = "read the error";
        self.readers
            .run(NAME, move |connection| {
                let mut statement = connection.prepare_cached(sql::error::READ).during(NAME)?;
                let group = statement.query_row([fingerprint.as_number()], group).optional().during(NAME)?;
                group.ok_or_else(|| StoreError::new(NAME, ErrorKind::NotFound))
            })
            .await
    }
}

fn list(
    connection: &rusqlite::Connection,
    filter: &ErrorFilter,
    page: PageRequest,
) -> rusqlite::Result<Page<ErrorGroup>> {
    let skipped = page.cursor().map_or(0, Cursor::position).max(0);
    let mut statement = connection.prepare_cached(sql::error::LIST)?;
    let since = filter.seen_since.map(Timestamp::as_micros);
    let groups =
        statement.query_map(params![skipped, page.limit() + 1, any_of(&filter.kinds)?, since], group)?;
    let mut items: Vec<ErrorGroup> = groups.collect::<Result<_, _>>()?;
    let more = items.len() > page.limit() as usize;
    items.truncate(page.limit() as usize);
    Ok(Page { items, next: more.then(|| Cursor::at(skipped + i64::from(page.limit()))) })
}

fn group(found: &Row<'_>) -> rusqlite::Result<ErrorGroup> {
    Ok(ErrorGroup {
        fingerprint: Fingerprint::from_number(found.get(0)?),
        kind: row::name(found, 1)?,
        class: found.get(2)?,
        message: found.get(3)?,
        count: row::unsigned(found, 4)?,
        first_at: row::instant(found, 5)?,
        last_at: row::instant(found, 6)?,
        example: row::job_id(found, 7)?,
    })
}

/// Counts the error of an attempt that ends so; its group, if it is one that is counted.
pub(crate) fn count(
    tx: &Tx<'_>,
    facts: &Facts,
    outcome: AttemptOutcome,
    error: Option<&AttemptError>,
) -> rusqlite::Result<Option<Fingerprint>> {
    let Some(error) = error.filter(|_| outcome.is_failure()) else { return Ok(None) };
    let mut statement = tx.connection.prepare_cached(sql::error::KIND_OF)?;
    let kind: KindName = statement.query_row([facts.seq], |found| row::name(found, 0))?;
    let fingerprint = Fingerprint::of(&kind, error);
    tx.connection.prepare_cached(sql::error::COUNT)?.execute(params![
        fingerprint.as_number(),
        kind.as_str(),
        error.class,
        normalised(&error.message),
        tx.now.as_micros(),
        facts.id.as_bytes(),
    ])?;
    Ok(Some(fingerprint))
}

/// Forgets the groups that were not seen for longest, where there are too many.
pub(crate) fn forget(tx: &Tx<'_>) -> rusqlite::Result<()> {
    tx.connection.prepare_cached(sql::error::FORGET)?.execute([ERROR_GROUPS_KEPT])?;
    Ok(())
}
