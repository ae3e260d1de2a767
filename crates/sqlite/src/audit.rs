//! The audit: who did what by hand.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use windlass_core::Timestamp;
use windlass_store::{
    Actor, AuditEntry, AuditFilter, AuditStore, Change, Cursor, Noun, Page, PageRequest, StoreError,
};

use crate::error::During;
use crate::writer::Tx;
use crate::{SqliteStore, row, sql};

#[async_trait]
impl AuditStore for SqliteStore {
    async fn audit(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>, StoreError> {
        const NAME: &str = "read the audit";
        self.readers.run(NAME, move |connection| list(connection, &filter, page).during(NAME)).await
    }
}

fn list(
    connection: &Connection,
    filter: &AuditFilter,
    page: PageRequest,
) -> rusqlite::Result<Page<AuditEntry>> {
    let before = page.cursor().map_or(i64::MAX, Cursor::position);
    let mut statement = connection.prepare_cached(sql::audit::LIST)?;
    let values = params![
        before,
        page.limit() + 1,
        filter.actor,
        filter.verb,
        filter.noun.map(Noun::as_str),
        filter.subject,
        filter.since.map(Timestamp::as_micros),
    ];
    let entries = statement.query_map(values, entry)?;
    let mut items: Vec<AuditEntry> = entries.collect::<Result<_, _>>()?;
    let more = items.len() > page.limit() as usize;
    items.truncate(page.limit() as usize);
    let last = items.last().map(|entry| Cursor::at(entry.number.cast_signed()));
    Ok(Page { items, next: last.filter(|_| more) })
}

fn entry(found: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let via = found.get::<_, Option<String>>(7)?.map(|via| row::read_text(&via, 7)).transpose()?;
    let change = found.get::<_, Option<String>>(8)?.map(|text| row::read_text(&text, 8)).transpose()?;
    Ok(AuditEntry {
        number: row::unsigned(found, 0)?,
        at: row::instant(found, 1)?,
        verb: found.get(2)?,
        noun: row::word(found, 3, Noun::from_name)?,
        subject: found.get(4)?,
        by: Actor { name: found.get(5)?, why: found.get(6)?, via },
        change,
    })
}

/// Keeps for ever who does this.
pub(crate) fn record(tx: &Tx<'_>, verb: &str, what: (Noun, &str), by: &Actor) -> rusqlite::Result<()> {
    record_change(tx, verb, what, (by, None))
}

/// The same, with what was changed.
pub(crate) fn record_change(
    tx: &Tx<'_>,
    verb: &str,
    (noun, subject): (Noun, &str),
    (by, change): (&Actor, Option<&Change>),
) -> rusqlite::Result<()> {
    let (via, change) = (by.via.as_ref().map(ToString::to_string), change.map(ToString::to_string));
    let values = params![tx.now.as_micros(), verb, noun.as_str(), subject, by.name, by.why, via, change];
    tx.connection.prepare_cached(sql::audit::RECORD)?.execute(values)?;
    Ok(())
}
