//! Operations: one verb on many jobs.
//!
//! What everybody sees of one is kept as it is shown, in JSON: nothing but its rules ([`KeptOperation`]) reads or changes it.

use async_trait::async_trait;
use tokio_postgres::Row;
use windlass_core::{OperationId, Timestamp};
use windlass_store::operations::OPERATION_KEPT;
use windlass_store::rules::operations::{KeptOperation, Next, Selection, check_open, pieces};
use windlass_store::{
    Actor, Advance, Cursor, DriveToken, Driven, ErrorKind, NewOperation, Noun, Operation, OperationStore,
    Page, PageRequest, StoreError, ids,
};

use crate::database::{Session, Values};
use crate::error::During;
use crate::value::{Instant, instant};
use crate::workers::micros;
use crate::{Core, PostgresStore, audit, row, sql};

#[async_trait]
impl OperationStore for PostgresStore {
    async fn begin_operation(&self, operation: NewOperation, by: Actor) -> Result<Operation, StoreError> {
        const NAME: &str = "begin the operation";
        operation.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = begin((&self.core, &transaction), operation, &by, NAME).await;
        transaction.end(outcome, NAME).await
    }

    async fn operation(&self, id: OperationId) -> Result<Operation, StoreError> {
        const NAME: &str = "read the operation";
        let session = self.core.database.call(NAME).await?;
        read(&session, id, NAME).await?.ok_or_else(|| StoreError::new(NAME, ErrorKind::NotFound))
    }

    async fn operations(&self, page: PageRequest) -> Result<Page<Operation>, StoreError> {
        const NAME: &str = "list operations";
        let session = self.core.database.call(NAME).await?;
        let before = page.cursor().map_or(i64::MAX, Cursor::position);
        let limit = page.limit() as usize;
        let values: Values<'_> = &[&before, &(i64::from(page.limit()) + 1)];
        let found = session.query(sql::operation::LIST, values).await.during(NAME)?;
        let last = found.get(limit.saturating_sub(1)).map(|last| Cursor::at(last.get(1)));
        let items = found.iter().take(limit).map(shown).collect::<Result<_, _>>()?;
        Ok(Page { items, next: last.filter(|_| found.len() > limit) })
    }

    async fn pause_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError> {
        self.change_operation(("pause", "pause the operation"), (id, &by), |kept, _| kept.pause()).await
    }

    async fn resume_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError> {
        self.change_operation(("resume", "resume the operation"), (id, &by), KeptOperation::resume).await
    }

    async fn abort_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError> {
        self.change_operation(("abort", "abort the operation"), (id, &by), KeptOperation::abort).await
    }

    async fn drive_operation(&self) -> Result<Option<(DriveToken, Operation)>, StoreError> {
        const NAME: &str = "take up an operation";
        let session = self.core.database.call(NAME).await?;
        // Mostly there is none, and one statement says so.
        if session.query_opt(sql::operation::FREE, &[&session.now]).await.during(NAME)?.is_none() {
            return Ok(None);
        }
        drop(session);
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = drive(&transaction, NAME).await;
        transaction.end(outcome, NAME).await
    }

    async fn advance_operation(
        &self,
        token: DriveToken,
        advance: Advance,
        limit: u32,
    ) -> Result<Driven, StoreError> {
        const NAME: &str = "tell of the operation";
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = tell(&transaction, token, (&advance, limit), NAME).await;
        transaction.end(outcome, NAME).await
    }
}

impl PostgresStore {
    async fn change_operation(
        &self,
        (verb, name): (&'static str, &'static str),
        (id, by): (OperationId, &Actor),
        change: impl FnOnce(&mut KeptOperation, Timestamp) -> Result<bool, ErrorKind> + Send,
    ) -> Result<Operation, StoreError> {
        by.validate().map_err(|invalid| StoreError::invalid(name, invalid))?;
        let transaction = self.core.database.begin(name).await?;
        let outcome = changed(&transaction, (verb, name), (id, by), change).await;
        transaction.end(outcome, name).await
    }
}

/// An operation that is locked.
struct Locked {
    number: i64,
    kept: KeptOperation,
    now: Timestamp,
}

async fn begin(
    (core, session): (&Core, &Session),
    made: NewOperation,
    by: &Actor,
    name: &'static str,
) -> Result<Operation, StoreError> {
    let id = made.id;
    let values: Values<'_> = &[&session.now, &core.schema];
    let guarded = session.query_opt(sql::operation::GUARD, values).await.during(name)?;
    let now =
        guarded.map(|told| row::instant(&told, 0)).ok_or_else(|| row::damaged("the time is not told"))?;
    if let Some(known) = read(session, id, name).await? {
        return Ok(known);
    }
    let open: i64 =
        session.query_opt(sql::operation::OPEN, &[]).await.during(name)?.map_or(0, |count| count.get(0));
    let open = usize::try_from(open).unwrap_or(usize::MAX);
    check_open(open).map_err(|invalid| StoreError::invalid(name, invalid))?;
    let kept = KeptOperation::begun(made, by.clone(), now);
    let values: Values<'_> = &[&id.as_uuid(), &Instant(now), &record(&kept)?];
    session.execute(sql::operation::BEGIN, values).await.during(name)?;
    audit::record(session, "begin", (Noun::Operation, vec![id.to_string()]), (by, name)).await?;
    Ok(kept.operation)
}

async fn changed(
    session: &Session,
    (verb, name): (&'static str, &'static str),
    (id, by): (OperationId, &Actor),
    change: impl FnOnce(&mut KeptOperation, Timestamp) -> Result<bool, ErrorKind>,
) -> Result<Operation, StoreError> {
    let mut locked = lock(session, id, name).await?;
    if change(&mut locked.kept, locked.now).map_err(|kind| StoreError::new(name, kind))? {
        write(session, &locked, name).await?;
        if locked.kept.operation.state.is_final() {
            session.execute(sql::operation::DROP, &[&locked.number]).await.during(name)?;
        }
        audit::record(session, verb, (Noun::Operation, vec![id.to_string()]), (by, name)).await?;
    }
    Ok(locked.kept.operation)
}

async fn drive(session: &Session, name: &'static str) -> Result<Option<(DriveToken, Operation)>, StoreError> {
    let found = session.query_opt(sql::operation::FREE, &[&session.now]).await.during(name)?;
    let Some(mut locked) = found.as_ref().map(Locked::of).transpose()? else { return Ok(None) };
    let token = locked.kept.drive(ids::nonce(), locked.now);
    write(session, &locked, name).await?;
    Ok(Some((token, locked.kept.operation)))
}

async fn tell(
    session: &Session,
    token: DriveToken,
    (advance, limit): (&Advance, u32),
    name: &'static str,
) -> Result<Driven, StoreError> {
    let mut locked = lock(session, token.operation, name).await?;
    let selection = locked.kept.advance(token.nonce, advance, locked.now);
    let selection = selection.map_err(|kind| StoreError::new(name, kind))?;
    write(session, &locked, name).await?;
    match (selection, advance) {
        (Selection::IsMade, Advance::Selected { jobs, .. }) => {
            let pieces: Vec<Vec<u8>> = pieces(jobs).collect();
            session.execute(sql::operation::SELECT, &[&locked.number, &pieces]).await.during(name)?;
        }
        (Selection::IsDropped, _) => {
            session.execute(sql::operation::DROP, &[&locked.number]).await.during(name)?;
        }
        _ => {}
    }
    let operation = locked.kept.operation;
    let Some(next) = Next::of(&operation, limit) else { return Ok(Driven { operation, next: Vec::new() }) };
    let values: Values<'_> = &[&locked.number, &next.piece];
    let found = session.query_opt(sql::operation::PIECE, values).await.during(name)?;
    let next = found.map(|found| next.read(found.get(0)));
    let next = next.ok_or_else(|| row::damaged("the jobs of an operation are missing"))?;
    Ok(Driven { operation, next })
}

async fn read(
    session: &Session,
    id: OperationId,
    name: &'static str,
) -> Result<Option<Operation>, StoreError> {
    let found = session.query_opt(sql::operation::READ, &[&id.as_uuid()]).await.during(name)?;
    found.as_ref().map(shown).transpose()
}

async fn lock(session: &Session, id: OperationId, name: &'static str) -> Result<Locked, StoreError> {
    let values: Values<'_> = &[&session.now, &id.as_uuid()];
    let found = session.query_opt(sql::operation::LOCK, values).await.during(name)?;
    found.as_ref().map(Locked::of).ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))?
}

impl Locked {
    fn of(found: &Row) -> Result<Self, StoreError> {
        let nonce: i64 = found.get(2);
        let free_at = row::instant_option(found, 3);
        let kept = KeptOperation { operation: shown(found)?, nonce: nonce.cast_unsigned(), free_at };
        Ok(Self { number: found.get(1), kept, now: row::instant(found, 4) })
    }
}

fn shown(found: &Row) -> Result<Operation, StoreError> {
    row::parsed(found, 0)?.ok_or_else(|| row::damaged("an operation has no record"))
}

fn record(kept: &KeptOperation) -> Result<String, StoreError> {
    serde_json::to_string(&kept.operation).map_err(row::damaged)
}

async fn write(session: &Session, locked: &Locked, name: &'static str) -> Result<(), StoreError> {
    let Locked { number, kept, .. } = locked;
    let (free_at, ended_at) = (instant(kept.free_at), instant(kept.operation.ended_at));
    let values: Values<'_> = &[number, &kept.nonce.cast_signed(), &free_at, &ended_at, &record(kept)?];
    session.execute(sql::operation::WRITE, values).await.during(name).map(|_| ())
}

/// Forgets operations that ended long ago.
pub(crate) async fn forget(session: &Session, name: &'static str) -> Result<(), StoreError> {
    let values: Values<'_> = &[&session.now, &micros(OPERATION_KEPT)];
    session.execute(sql::operation::FORGET, values).await.during(name).map(|_| ())
}
