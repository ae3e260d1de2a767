//! Operations: one verb on many jobs.

use async_trait::async_trait;
use windlass_core::{JobId, OperationId, Timestamp};
use windlass_store::operations::OPERATION_KEPT;
use windlass_store::rules::operations::{KeptOperation, Selection, check_open, step};
use windlass_store::{
    Actor, Advance, Cursor, DriveToken, Driven, ErrorKind, NewOperation, Noun, Operation, OperationStore,
    Page, PageRequest, StoreError, ids,
};

use crate::MemoryStore;
use crate::state::State;

/// An operation, and the jobs that are meant.
#[derive(Debug)]
pub(crate) struct OperationRecord {
    kept: KeptOperation,
    jobs: Vec<JobId>,
}

#[async_trait]
impl OperationStore for MemoryStore {
    async fn begin_operation(&self, operation: NewOperation, by: Actor) -> Result<Operation, StoreError> {
        self.act("begin the operation", |state, now| state.begin_operation(operation, by, now))
    }

    async fn operation(&self, id: OperationId) -> Result<Operation, StoreError> {
        self.act("read the operation", |state, _| Ok(state.operation(id)?.kept.operation.clone()))
    }

    async fn operations(&self, page: PageRequest) -> Result<Page<Operation>, StoreError> {
        self.act("list operations", |state, _| {
            let before = page.cursor().map_or(i64::MAX, Cursor::position);
            let mut older = state.operations.range(..before).rev();
            let mut shown: Vec<_> = older.by_ref().take(page.limit() as usize).collect();
            let last = older.next().and_then(|_| shown.last().map(|(number, _)| Cursor::at(**number)));
            let items = shown.drain(..).map(|(_, record)| record.kept.operation.clone()).collect();
            Ok(Page { items, next: last })
        })
    }

    async fn pause_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError> {
        self.act("pause the operation", |state, _| {
            state.change_operation(("pause", id), by, KeptOperation::pause)
        })
    }

    async fn resume_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError> {
        self.act("resume the operation", |state, now| {
            state.change_operation(("resume", id), by, |kept| kept.resume(now))
        })
    }

    async fn abort_operation(&self, id: OperationId, by: Actor) -> Result<Operation, StoreError> {
        self.act("abort the operation", |state, now| {
            state.change_operation(("abort", id), by, |kept| kept.abort(now))
        })
    }

    async fn drive_operation(&self) -> Result<Option<(DriveToken, Operation)>, StoreError> {
        self.act("take up an operation", |state, now| {
            let free_at = |record: &OperationRecord| record.kept.free_at.filter(|free_at| *free_at <= now);
            let free =
                state.operations.iter().filter_map(|(number, record)| Some((free_at(record)?, *number)));
            let Some((_, number)) = free.min() else { return Ok(None) };
            Ok(state
                .operations
                .get_mut(&number)
                .map(|record| (record.kept.drive(ids::nonce(), now), record.kept.operation.clone())))
        })
    }

    async fn advance_operation(
        &self,
        token: DriveToken,
        advance: Advance,
        limit: u32,
    ) -> Result<Driven, StoreError> {
        self.act("tell of the operation", |state, now| {
            let record = state.operation(token.operation)?;
            match record.kept.advance(token.nonce, &advance, now)? {
                Selection::Stays => {}
                Selection::IsMade => {
                    if let Advance::Selected { jobs, .. } = advance {
                        record.jobs = jobs;
                    }
                }
                Selection::IsDropped => record.jobs = Vec::new(),
            }
            Ok(record.driven(limit))
        })
    }
}

impl OperationRecord {
    fn driven(&self, limit: u32) -> Driven {
        let operation = self.kept.operation.clone();
        let place = usize::try_from(operation.place()).unwrap_or(usize::MAX);
        let next = if operation.state == windlass_core::OperationState::Running {
            self.jobs.iter().skip(place).take(step(limit)).copied().collect()
        } else {
            Vec::new()
        };
        Driven { operation, next }
    }
}

impl State {
    fn operation(&mut self, id: OperationId) -> Result<&mut OperationRecord, ErrorKind> {
        let found = self.operations.values_mut().find(|record| record.kept.operation.made.id == id);
        found.ok_or(ErrorKind::NotFound)
    }

    fn begin_operation(
        &mut self,
        made: NewOperation,
        by: Actor,
        now: Timestamp,
    ) -> Result<Operation, ErrorKind> {
        made.validate().map_err(ErrorKind::Invalid)?;
        by.validate().map_err(ErrorKind::Invalid)?;
        if let Ok(known) = self.operation(made.id) {
            return Ok(known.kept.operation.clone());
        }
        let open = self.operations.values().filter(|one| !one.kept.operation.state.is_final()).count();
        check_open(open).map_err(ErrorKind::Invalid)?;
        let kept = KeptOperation::begun(made, by.clone(), now);
        let operation = kept.operation.clone();
        let number = self.operations.last_key_value().map_or(1, |(last, _)| last + 1);
        self.operations.insert(number, OperationRecord { kept, jobs: Vec::new() });
        self.audited("begin", (Noun::Operation, operation.made.id), by);
        Ok(operation)
    }

    fn change_operation(
        &mut self,
        (verb, id): (&str, OperationId),
        by: Actor,
        change: impl FnOnce(&mut KeptOperation) -> Result<bool, ErrorKind>,
    ) -> Result<Operation, ErrorKind> {
        by.validate().map_err(ErrorKind::Invalid)?;
        let record = self.operation(id)?;
        let changed = change(&mut record.kept)?;
        if record.kept.operation.state.is_final() {
            record.jobs = Vec::new();
        }
        let operation = record.kept.operation.clone();
        if changed {
            self.audited(verb, (Noun::Operation, id), by);
        }
        Ok(operation)
    }

    /// Forgets operations that ended long ago.
    pub(crate) fn forget_operations(&mut self, now: Timestamp) {
        let outlived = |ended_at: Timestamp| ended_at.after(OPERATION_KEPT) <= now;
        self.operations.retain(|_, record| !record.kept.operation.ended_at.is_some_and(outlived));
    }
}
