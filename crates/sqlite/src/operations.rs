//! Operations: one verb on many jobs.
//!
//! What everybody sees of one is kept as it is shown, in JSON: nothing but its rules ([`KeptOperation`]) reads or changes it.

use async_trait::async_trait;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use windlass_core::{OperationId, Timestamp};
use windlass_store::operations::OPERATION_KEPT;
use windlass_store::rules::operations::{KeptOperation, Next, Selection, check_open, pieces};
use windlass_store::{
    Actor, Advance, Cursor, DriveToken, Driven, ErrorKind, NewOperation, Noun, Operation, OperationStore,
    Page, PageRequest, StoreError, ids,
};

use crate::error::During;
use crate::jobs::as_json;
use crate::writer::Tx;
use crate::{SqliteStore, audit, row, sql};

#[async_trait]
impl OperationStore for SqliteStore {
    async fn begin_operation(&self, operation: NewOperation, by: Actor) -> Result<Operation, StoreError> {
        const NAME: &str = "begin the operation";
        operation.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| begin(tx, &operation, &by, NAME)).await
    }

    async fn operation(&self, id: OperationId) -> Result<Operation, StoreError> {
        const NAME: &str = "read the operation";
        self.readers.run(NAME, move |connection| Ok(expect(connection, id, NAME)?.1.operation)).await
    }

    async fn operations(&self, page: PageRequest) -> Result<Page<Operation>, StoreError> {
        const NAME: &str = "list operations";
        self.readers.run(NAME, move |connection| list(connection, page).during(NAME)).await
    }

    async fn pause_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError> {
        self.change_operation(("pause", "pause the operation"), (id, by), |kept, _| kept.pause()).await
    }

    async fn resume_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError> {
        self.change_operation(("resume", "resume the operation"), (id, by), KeptOperation::resume).await
    }

    async fn abort_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError> {
        self.change_operation(("abort", "abort the operation"), (id, by), KeptOperation::abort).await
    }

    async fn drive_operation(&self) -> Result<Option<(DriveToken, Operation)>, StoreError> {
        const NAME: &str = "take up an operation";
        let now = self.now();
        // Mostly there is none, and to look disturbs nobody.
        let found = self.readers.run(NAME, move |connection| free(connection, now).during(NAME)).await?;
        if found.is_none() {
            return Ok(None);
        }
        self.writer.run(NAME, move |tx| drive(tx).during(NAME)).await
    }

    async fn advance_operation(
        &self,
        token: DriveToken,
        advance: Advance,
        limit: u32,
    ) -> Result<Driven, StoreError> {
        const NAME: &str = "tell of the operation";
        self.writer.run(NAME, move |tx| tell(tx, token, (&advance, limit), NAME)).await
    }
}

impl SqliteStore {
    async fn change_operation(
        &self,
        (verb, name): (&'static str, &'static str),
        (id, by): (OperationId, Actor),
        change: impl Fn(&mut KeptOperation, Timestamp) -> Result<bool, ErrorKind> + Send + 'static,
    ) -> Result<Operation, StoreError> {
        by.validate().map_err(|invalid| StoreError::invalid(name, invalid))?;
        self.writer
            .run(name, move |tx| {
                let (number, mut kept) = expect(tx.connection, id, name)?;
                if change(&mut kept, tx.now).map_err(|kind| StoreError::new(name, kind))? {
                    write(tx, number, &kept).during(name)?;
                    if kept.operation.state.is_final() {
                        drop_jobs(tx, number).during(name)?;
                    }
                    audit::record(tx, verb, (Noun::Operation, &id.to_string()), &by).during(name)?;
                }
                Ok(kept.operation)
            })
            .await
    }
}

fn begin(tx: &Tx<'_>, made: &NewOperation, by: &Actor, name: &'static str) -> Result<Operation, StoreError> {
    let id = made.id;
    if let Some((_, known)) = find(tx.connection, id).during(name)? {
        return Ok(known.operation);
    }
    let open = || tx.connection.prepare_cached(sql::operation::OPEN)?.query_row([], |row| row.get(0));
    check_open(open().during(name)?).map_err(|invalid| StoreError::invalid(name, invalid))?;
    let kept = KeptOperation::begun(made.clone(), by.clone(), tx.now);
    let insert = || {
        let values = params![id.as_bytes(), tx.now.as_micros(), as_json(&kept.operation)?];
        tx.connection.prepare_cached(sql::operation::BEGIN)?.execute(values)
    };
    insert().during(name)?;
    audit::record(tx, "begin", (Noun::Operation, &id.to_string()), by).during(name)?;
    Ok(kept.operation)
}

fn drive(tx: &Tx<'_>) -> rusqlite::Result<Option<(DriveToken, Operation)>> {
    let Some((number, mut kept)) = free(tx.connection, tx.now)? else { return Ok(None) };
    let token = kept.drive(ids::nonce(), tx.now);
    write(tx, number, &kept)?;
    Ok(Some((token, kept.operation)))
}

fn tell(
    tx: &Tx<'_>,
    token: DriveToken,
    (advance, limit): (&Advance, u32),
    name: &'static str,
) -> Result<Driven, StoreError> {
    let (number, mut kept) = expect(tx.connection, token.operation, name)?;
    let selection = kept.advance(token.nonce, advance, tx.now).map_err(|kind| StoreError::new(name, kind))?;
    write(tx, number, &kept).during(name)?;
    match (selection, advance) {
        (Selection::IsMade, Advance::Selected { jobs, .. }) => {
            let mut insert = tx.connection.prepare_cached(sql::operation::SELECT).during(name)?;
            for (piece, ids) in pieces(jobs).enumerate() {
                insert.execute(params![number, piece, ids]).during(name)?;
            }
        }
        (Selection::IsDropped, _) => drop_jobs(tx, number).during(name)?,
        _ => {}
    }
    let next = Next::of(&kept.operation, limit);
    let read = |next: Next| {
        let mut statement = tx.connection.prepare_cached(sql::operation::PIECE)?;
        statement.query_row(params![number, next.piece], |row| Ok(next.read(row.get_ref(0)?.as_blob()?)))
    };
    let next = next.map(read).transpose().during(name)?.unwrap_or_default();
    Ok(Driven { operation: kept.operation, next })
}

fn expect(
    connection: &Connection,
    id: OperationId,
    name: &'static str,
) -> Result<(i64, KeptOperation), StoreError> {
    find(connection, id).during(name)?.ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))
}

fn find(connection: &Connection, id: OperationId) -> rusqlite::Result<Option<(i64, KeptOperation)>> {
    connection.prepare_cached(sql::operation::READ)?.query_row([id.as_bytes()], kept).optional()
}

fn free(connection: &Connection, now: Timestamp) -> rusqlite::Result<Option<(i64, KeptOperation)>> {
    connection.prepare_cached(sql::operation::FREE)?.query_row([now.as_micros()], kept).optional()
}

fn list(connection: &Connection, page: PageRequest) -> rusqlite::Result<Page<Operation>> {
    let before = page.cursor().map_or(i64::MAX, Cursor::position);
    let mut statement = connection.prepare_cached(sql::operation::LIST)?;
    let values = params![before, page.limit() + 1];
    let found = statement.query_map(values, |found| Ok((shown(found)?, found.get(1)?)))?;
    let mut found: Vec<(Operation, i64)> = found.collect::<Result<_, _>>()?;
    let more = found.len() > page.limit() as usize;
    found.truncate(page.limit() as usize);
    let next = found.last().filter(|_| more).map(|(_, number)| Cursor::at(*number));
    Ok(Page { items: found.into_iter().map(|(operation, _)| operation).collect(), next })
}

fn kept(found: &Row<'_>) -> rusqlite::Result<(i64, KeptOperation)> {
    let nonce: i64 = found.get(2)?;
    let free_at = row::instant_option(found, 3)?;
    Ok((found.get(1)?, KeptOperation { operation: shown(found)?, nonce: nonce.cast_unsigned(), free_at }))
}

fn shown(found: &Row<'_>) -> rusqlite::Result<Operation> {
    row::parsed(found, 0)?
        .ok_or_else(|| rusqlite::Error::InvalidColumnType(0, "record".to_owned(), Type::Null))
}

fn write(tx: &Tx<'_>, number: i64, kept: &KeptOperation) -> rusqlite::Result<()> {
    let values = params![
        number,
        kept.nonce.cast_signed(),
        kept.free_at.map(Timestamp::as_micros),
        kept.operation.ended_at.map(Timestamp::as_micros),
        as_json(&kept.operation)?,
    ];
    tx.connection.prepare_cached(sql::operation::WRITE)?.execute(values).map(|_| ())
}

fn drop_jobs(tx: &Tx<'_>, number: i64) -> rusqlite::Result<()> {
    tx.connection.prepare_cached(sql::operation::DROP)?.execute([number]).map(|_| ())
}

/// Forgets operations that ended long ago.
pub(crate) fn forget(tx: &Tx<'_>) -> rusqlite::Result<()> {
    let before = tx.now.before(OPERATION_KEPT).as_micros();
    tx.connection.prepare_cached(sql::operation::FORGET)?.execute([before]).map(|_| ())
}
