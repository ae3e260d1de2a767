//! What every store decides alike about operations: who carries one out, and what telling of it changes.

use windlass_core::{Invalid, JobId, OperationState, Timestamp};

use crate::operations::{
    Advance, DriveToken, NewOperation, OPERATION_JOBS_MAX, OPERATION_LEASE, OPERATION_SHOWN_MAX,
    OPERATION_STEP_MAX, OPERATIONS_OPEN_MAX, Operation, OperationProblem, OperationRefusal,
};
use crate::{Actor, ErrorKind};

/// What is kept of an operation beside the ids of its jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOperation {
    /// What everybody sees.
    pub operation: Operation,
    /// Which time that it was taken up; 0 if nobody ever did.
    pub nonce: u64,
    /// From when on somebody may take it up; none while it stands still, and once it has ended.
    pub free_at: Option<Timestamp>,
}

/// What becomes of the ids of its jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// They stay.
    Stays,
    /// Those that were told are written down.
    IsMade,
    /// They are not needed any more.
    IsDropped,
}

/// Refuses one more operation where `open` have not ended.
///
/// # Errors
///
/// [`Invalid`] with the field `operation`.
pub fn check_open(open: usize) -> Result<(), Invalid> {
    if open < OPERATIONS_OPEN_MAX {
        return Ok(());
    }
    let problem =
        format!("would be one more than {OPERATIONS_OPEN_MAX}: wait until one has ended, or abort one");
    Err(Invalid::new("operation", problem))
}

/// How many jobs a driver is given that asks for so many.
#[must_use]
pub fn step(limit: u32) -> usize {
    limit.clamp(1, OPERATION_STEP_MAX) as usize
}

/// Ids of jobs that are kept in one row: a row is read for every few of them, and none is ever changed.
const PIECE: usize = 1_000;

/// Bytes of an id.
const ID_BYTES: usize = 16;

/// The ids of jobs as databases keep them: pieces, each one id behind the other.
pub fn pieces(jobs: &[JobId]) -> impl Iterator<Item = Vec<u8>> + '_ {
    jobs.chunks(PIECE).map(|piece| piece.iter().flat_map(|id| *id.as_bytes()).collect())
}

/// Where the next jobs of an operation stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// In which of the [`pieces`].
    pub piece: i64,
    /// How many of it were before.
    skipped: usize,
    limit: usize,
}

impl Next {
    /// The next jobs for who asks for `limit`; none of what is not running.
    #[must_use]
    pub fn of(operation: &Operation, limit: u32) -> Option<Self> {
        let place = usize::try_from(operation.place()).ok()?;
        let piece = i64::try_from(place / PIECE).ok()?;
        let is_running = operation.state == OperationState::Running;
        is_running.then_some(Self { piece, skipped: place % PIECE, limit: step(limit) })
    }

    /// The jobs, out of the piece they stand in.
    #[must_use]
    pub fn read(self, piece: &[u8]) -> Vec<JobId> {
        let ids = piece.chunks_exact(ID_BYTES).filter_map(|id| id.try_into().ok());
        ids.map(JobId::from_bytes).skip(self.skipped).take(self.limit).collect()
    }
}

impl KeptOperation {
    /// One that begins.
    #[must_use]
    pub const fn begun(made: NewOperation, by: Actor, now: Timestamp) -> Self {
        let operation = Operation {
            made,
            by,
            began_at: now,
            state: OperationState::Selecting,
            selected_at: None,
            selected: 0,
            cut: false,
            sample: Vec::new(),
            done: 0,
            refused: 0,
            refusals: Vec::new(),
            problem: None,
            ended_at: None,
        };
        Self { operation, nonce: 0, free_at: Some(now) }
    }

    /// Somebody takes it up who may.
    #[must_use]
    pub fn drive(&mut self, nonce: u64, now: Timestamp) -> DriveToken {
        self.nonce = nonce;
        self.free_at = Some(now.after(OPERATION_LEASE));
        DriveToken { operation: self.operation.made.id, nonce }
    }

    /// Lets it stand still. Whether that changed anything.
    ///
    /// # Errors
    ///
    /// `Finished`.
    pub fn pause(&mut self) -> Result<bool, ErrorKind> {
        match self.operation.state {
            OperationState::Paused => Ok(false),
            state if state.is_final() => Err(ErrorKind::Finished),
            _ => {
                self.operation.state = OperationState::Paused;
                self.free_at = None;
                Ok(true)
            }
        }
    }

    /// Lets it go on. Whether that changed anything.
    ///
    /// # Errors
    ///
    /// `Finished`.
    pub fn resume(&mut self, now: Timestamp) -> Result<bool, ErrorKind> {
        match self.operation.state {
            OperationState::Paused => {
                let selected = self.operation.selected_at.is_some();
                self.operation.state =
                    if selected { OperationState::Running } else { OperationState::Selecting };
                self.free_at = Some(now);
                Ok(true)
            }
            state if state.is_final() => Err(ErrorKind::Finished),
            _ => Ok(false),
        }
    }

    /// Ends it. Whether that changed anything.
    ///
    /// # Errors
    ///
    /// `Finished`.
    pub fn abort(&mut self, now: Timestamp) -> Result<bool, ErrorKind> {
        match self.operation.state {
            OperationState::Aborted => Ok(false),
            state if state.is_final() => Err(ErrorKind::Finished),
            _ => {
                self.end(OperationState::Aborted, now);
                Ok(true)
            }
        }
    }

    /// Takes down how it has gone on, as who has `nonce` tells.
    ///
    /// # Errors
    ///
    /// `LeaseLost`, `Invalid(jobs)`, `Invalid(from)`, `Invalid(done)`; nothing is taken down then.
    pub fn advance(&mut self, nonce: u64, advance: &Advance, now: Timestamp) -> Result<Selection, ErrorKind> {
        if self.nonce != nonce {
            return Err(ErrorKind::LeaseLost);
        }
        let was_final = self.operation.state.is_final();
        let made = match advance {
            Advance::Beat => false,
            Advance::Selected { jobs, cut } => self.selected(jobs, *cut, now)?,
            Advance::Did { from, done, refused } => {
                self.did((*from, *done), refused)?;
                false
            }
            Advance::Failed(problem) => {
                self.failed(problem, now);
                false
            }
        };
        if self.operation.state == OperationState::Running
            && self.operation.place() == self.operation.selected
        {
            self.end(OperationState::Done, now);
        }
        let is_final = self.operation.state.is_final();
        if !is_final && self.operation.state != OperationState::Paused {
            self.free_at = Some(now.after(OPERATION_LEASE));
        }
        Ok(match (made && !is_final, is_final && !was_final) {
            (true, _) => Selection::IsMade,
            (_, true) => Selection::IsDropped,
            _ => Selection::Stays,
        })
    }

    /// Whether they are the first that were told of.
    fn selected(&mut self, jobs: &[JobId], cut: bool, now: Timestamp) -> Result<bool, ErrorKind> {
        if jobs.len() > OPERATION_JOBS_MAX {
            let problem = format!("are {}; at most {OPERATION_JOBS_MAX} are allowed", jobs.len());
            return Err(ErrorKind::Invalid(Invalid::new("jobs", problem)));
        }
        let operation = &mut self.operation;
        if operation.selected_at.is_some() || operation.state.is_final() {
            return Ok(false);
        }
        operation.selected_at = Some(now);
        operation.selected = jobs.len() as u64;
        operation.cut = cut;
        operation.sample = jobs.iter().take(OPERATION_SHOWN_MAX).copied().collect();
        if operation.state == OperationState::Selecting {
            operation.state = OperationState::Running;
        }
        if operation.made.dry_run {
            self.end(OperationState::Done, now);
        }
        Ok(true)
    }

    fn did(&mut self, (from, done): (u64, u64), refused: &[OperationRefusal]) -> Result<(), ErrorKind> {
        let operation = &mut self.operation;
        let (place, dealt_with) = (operation.place(), done.saturating_add(refused.len() as u64));
        if from != place {
            // The answer to the first time was lost.
            let again = from.checked_add(dealt_with) == Some(place);
            let problem = format!("is {from}, and {place} is next");
            return if again { Ok(()) } else { Err(ErrorKind::Invalid(Invalid::new("from", problem))) };
        }
        if dealt_with > operation.selected - place {
            let problem = format!("are more than the {} that are left", operation.selected - place);
            return Err(ErrorKind::Invalid(Invalid::new("done", problem)));
        }
        operation.done += done;
        operation.refused += refused.len() as u64;
        let room = OPERATION_SHOWN_MAX - operation.refusals.len();
        operation.refusals.extend(refused.iter().take(room).cloned());
        Ok(())
    }

    fn failed(&mut self, problem: &OperationProblem, now: Timestamp) {
        if !self.operation.state.is_final() {
            self.operation.problem = Some(problem.clone());
            self.end(OperationState::Failed, now);
        }
    }

    fn end(&mut self, state: OperationState, now: Timestamp) {
        self.operation.state = state;
        self.operation.ended_at = Some(now);
        self.free_at = None;
    }
}
