//! The audit: who did what by hand.

use async_trait::async_trait;
use tokio_postgres::Row;
use windlass_store::{
    Actor, AuditEntry, AuditFilter, AuditStore, Change, Cursor, Noun, Page, PageRequest, StoreError,
};

use crate::database::{Session, Values};
use crate::error::During;
use crate::value::Instant;
use crate::{PostgresStore, row, sql};

#[async_trait]
impl AuditStore for PostgresStore {
    async fn audit(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>, StoreError> {
        const NAME: &str = "read the audit";
        let session = self.core.database.call(NAME).await?;
        let before = page.cursor().map_or(i64::MAX, Cursor::position);
        let limit = i64::from(page.limit()) + 1;
        let (noun, since) = (filter.noun.map(Noun::as_str), filter.since.map(Instant));
        let values: Values<'_> =
            &[&before, &limit, &filter.actor, &filter.verb, &noun, &filter.subject, &since];
        let found = session.query(sql::audit::LIST, values).await.during(NAME)?;
        let more = found.len() > page.limit() as usize;
        let items: Vec<AuditEntry> =
            found.iter().take(page.limit() as usize).map(entry).collect::<Result<_, _>>()?;
        let last = items.last().map(|entry| Cursor::at(entry.number.cast_signed()));
        Ok(Page { items, next: last.filter(|_| more) })
    }
}

fn entry(found: &Row) -> Result<AuditEntry, StoreError> {
    let noun: &str = found.get(3);
    let via = found.get::<_, Option<&str>>(7).map(str::parse).transpose().map_err(row::damaged)?;
    let change = found.get::<_, Option<&str>>(8).map(str::parse).transpose().map_err(row::damaged)?;
    Ok(AuditEntry {
        number: row::unsigned(found, 0),
        at: row::instant(found, 1),
        verb: found.get(2),
        noun: Noun::from_name(noun).ok_or_else(|| row::damaged(format!("{noun:?} has no meaning")))?,
        subject: found.get(4),
        by: Actor { name: found.get(5), why: found.get(6), via },
        change,
    })
}

/// Keeps for ever who does this to each of these.
pub(crate) async fn record(
    session: &Session,
    verb: &str,
    (noun, subjects): (Noun, Vec<String>),
    who: (&Actor, &'static str),
) -> Result<(), StoreError> {
    let untold = vec![None; subjects.len()];
    record_changes(session, verb, (noun, subjects, untold), who).await
}

/// The same, with what was changed of each.
pub(crate) async fn record_changes(
    session: &Session,
    verb: &str,
    (noun, subjects, changes): (Noun, Vec<String>, Vec<Option<Change>>),
    (by, name): (&Actor, &'static str),
) -> Result<(), StoreError> {
    if subjects.is_empty() {
        return Ok(());
    }
    let via = by.via.as_ref().map(ToString::to_string);
    let changes: Vec<Option<String>> =
        changes.iter().map(|change| change.as_ref().map(ToString::to_string)).collect();
    let values: Values<'_> =
        &[&session.now, &verb, &noun.as_str(), &subjects, &by.name, &by.why, &via, &changes];
    session.execute(sql::audit::RECORD, values).await.during(name).map(|_| ())
}
