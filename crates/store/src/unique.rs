//! What every store decides alike where unique keys meet.
//!
//! A store keeps a row for each key that is taken: [`KeyRow`]. Whoever enqueues reads the rows of its batch, asks
//! [`plan`] what comes of it, and writes that down, all in one transaction in which nobody else takes one of those keys;
//! that no key has two rows is the schema's to hold. Whatever ends a job asks [`let_go`]. Nothing here reads or writes
//! anything.
//!
//! A job that was started keeps its row, even where its scope is `waiting` and the key is free from then on: whether it
//! was started is told by its own row, so a claim need not touch a key.

mod handing_on;
mod planning;

use windlass_core::limits::ANSWER_KEPT;
use windlass_core::{JobId, OnConflict, Reason, Stage, Timestamp, Traits, Unique, UniqueKey, UniqueScope};

use crate::{EnqueueOutcome, Enqueued, ErrorKind, StoreError};

pub use handing_on::{LetGo, NextInLine, Returning, let_go};
pub use planning::{plan, stand_in};

/// How long the job that has a key stands in the way of others, as far as its scope goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// No longer: it has ended. What is left is the time that the key is to be kept in any case.
    Over = 0,
    /// Until it is started.
    Waiting = 1,
    /// Until it is final.
    Active = 2,
}

impl Hold {
    /// The number stores keep.
    #[must_use]
    pub const fn as_number(self) -> u8 {
        self as u8
    }

    /// What stores keep as `number`, if there is such a thing.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Over, Self::Waiting, Self::Active]
            .into_iter()
            .find(|hold| i64::from(hold.as_number()) == number)
    }

    /// How long a job of this scope has its key.
    #[must_use]
    pub const fn of(scope: UniqueScope) -> Self {
        match scope {
            UniqueScope::Waiting => Self::Waiting,
            _ => Self::Active,
        }
    }
}

/// What a store keeps of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRow {
    /// The job that has it. Unfinished, unless its hold is over.
    pub job: JobId,
    /// How long it has it.
    pub hold: Hold,
    /// Until when it has it in any case.
    pub until: Option<Timestamp>,
    /// The job that waits until this one has ended, to have the key then. It is parked: `blocked`, and claimed by nobody.
    pub next: Option<JobId>,
    /// Before when the job must not be due, as the key was kept until then by the one before it.
    pub free_at: Option<Timestamp>,
}

/// What has to be known of an unfinished job that has a key, or waits for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its stage.
    pub stage: Stage,
    /// Whether it was ever started.
    pub started: bool,
    /// What it uses.
    pub traits: Traits,
    /// When it was enqueued.
    pub created_at: Timestamp,
}

impl Kept {
    /// Whether what it was asked for may still be changed.
    const fn may_change(&self) -> bool {
        !self.started
            && matches!(self.stage, Stage::Waiting | Stage::Blocked)
            && !self.traits.has(Traits::IRREPLACEABLE)
    }
}

/// A key that is taken, and what is known of those it names; nothing where they have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyState {
    /// The row.
    pub row: KeyRow,
    /// The job that has it.
    pub holder: Option<Kept>,
    /// The job that waits for it.
    pub next: Option<Kept>,
}

impl KeyState {
    /// The key of a job that is just made, or takes it over.
    fn taken(job: JobId, unique: &Unique, (kept, free_at): (Kept, Option<Timestamp>)) -> Self {
        let (hold, until) = (Hold::of(unique.scope), unique.until(kept.created_at));
        Self { row: KeyRow { job, hold, until, next: None, free_at }, holder: Some(kept), next: None }
    }

    /// Whether whoever comes at `now` with the same key meets a job that stands in its way.
    #[must_use]
    pub fn blocks(&self, now: Timestamp) -> bool {
        let holds = match (self.row.hold, self.holder) {
            (Hold::Over, _) | (_, None) => false,
            (Hold::Waiting, Some(kept)) => !kept.started && !kept.stage.is_final(),
            (Hold::Active, Some(kept)) => !kept.stage.is_final(),
        };
        holds || self.is_kept(now)
    }

    fn is_kept(&self, now: Timestamp) -> bool {
        self.row.until.is_some_and(|until| now < until)
    }
}

/// A job to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Where it stands in the batch.
    pub place: usize,
    /// Whether it waits for the end of another: `blocked`, for the reason `dependency`.
    pub parked: bool,
    /// When it is due, if not when it was asked for.
    pub run_at: Option<Timestamp>,
    /// Why it waits until then, if there is something to say.
    pub reason: Option<Reason>,
}

/// A job that is given what another asked for. Everything that was asked for is replaced; its id, its stage and its place
/// in the enqueue order stay, and so do the traits that others gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The job.
    pub id: JobId,
    /// Where the last one stands in the batch whose wishes it is given.
    pub place: usize,
    /// When it is due.
    pub run_at: Timestamp,
    /// Why it waits until then.
    pub reason: Option<Reason>,
    /// How often it was changed by this batch: by so much its revision rises.
    pub times: u64,
    /// The stage it is at.
    pub stage: Stage,
    /// The traits it had before.
    pub traits: Traits,
}

impl Change {
    /// The traits that go with what is asked for. The others are given by those who need the job.
    pub const ASKED: Traits = Traits::BYTES.and(Traits::UNIQUE).and(Traits::NOTIFIES);

    /// The traits it has from now on, `asked` being those of the job whose wishes it is given.
    #[must_use]
    pub fn traits(&self, asked: Traits) -> Traits {
        given_traits(self.traits, asked)
    }
}

/// A row of a key to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyWrite {
    /// The key.
    pub key: UniqueKey,
    /// Its row when it was read; none if there was none. If that has changed, the plan is void.
    pub before: Option<KeyRow>,
    /// The row.
    pub row: KeyRow,
}

/// What a batch does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The answers, in the order of the batch.
    pub answers: Vec<Enqueued>,
    /// Jobs to be made, in the order of the batch.
    pub made: Vec<Made>,
    /// Jobs to be changed, once those are made.
    pub changed: Vec<Change>,
    /// Rows of keys to be written, in the order of the keys.
    pub keys: Vec<KeyWrite>,
    /// Ids of jobs that were not made, with the places of what they are answered: to be remembered for
    /// [`ANSWER_KEPT`], so that whoever asks again is answered the same.
    pub answered: Vec<usize>,
}

/// A job that was refused, as another has its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Where it stands in the batch.
    pub place: usize,
    /// The job that has its key.
    pub holder: JobId,
}

impl Refused {
    /// The refusal of the whole batch.
    #[must_use]
    pub fn error(self, operation: &'static str, jobs: usize) -> StoreError {
        let Self { place, holder } = self;
        let error = StoreError::new(operation, ErrorKind::Duplicate(holder));
        if jobs == 1 {
            return error;
        }
        error.with_detail(format!("jobs[{place}].unique: job {holder} has its unique key"))
    }
}

/// What was answered at `at` to a job that was not made, as long as that is remembered at `now`.
#[must_use]
pub fn remembered(job: JobId, outcome: EnqueueOutcome, at: Timestamp, now: Timestamp) -> Option<Enqueued> {
    (now < at.after(ANSWER_KEPT)).then_some(Enqueued { id: job, outcome, repeated: true })
}

/// The number that stores keep of what was answered to a job that was not made.
#[must_use]
pub const fn outcome_number(outcome: EnqueueOutcome) -> u8 {
    match outcome {
        EnqueueOutcome::Created => 0,
        EnqueueOutcome::Existing => 1,
        EnqueueOutcome::Replaced => 2,
    }
}

/// The outcome that stores keep as `number`, if there is one.
#[must_use]
pub const fn outcome_from_number(number: i64) -> Option<EnqueueOutcome> {
    match number {
        0 => Some(EnqueueOutcome::Created),
        1 => Some(EnqueueOutcome::Existing),
        2 => Some(EnqueueOutcome::Replaced),
        _ => None,
    }
}

fn given_traits(before: Traits, asked: Traits) -> Traits {
    before.without(Change::ASKED) | asked
}

/// Why a job waits that asked for this.
const fn reason(unique: &Unique) -> Option<Reason> {
    match unique.on_conflict {
        OnConflict::Debounce { .. } => Some(Reason::Debounce),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
