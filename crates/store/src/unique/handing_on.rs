//! Who has a key once its job has ended, or is brought back.

use windlass_core::{JobId, Reason, Timestamp, Unique, UniqueScope};

use super::{Hold, KeyRow, KeyState, reason};
use crate::ErrorKind;

/// A job that waits until another has ended, to have its key then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextInLine {
    /// The job.
    pub id: JobId,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it is due.
    pub run_at: Timestamp,
    /// What it asked for.
    pub unique: Unique,
}

/// What becomes of a key when a job ends that its row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetGo {
    /// Nobody has it any more: the row is removed.
    Free,
    /// The row is written.
    Kept(KeyRow),
    /// The next job has it. It may run from `run_at` on.
    Passed {
        /// The row is written.
        row: KeyRow,
        /// When the next job is due.
        run_at: Timestamp,
        /// Why it waits until then.
        reason: Option<Reason>,
    },
}

/// Lets go of a key, as `ended` has ended at `now`, which the row names; `next` is the job that waits for it, if there is one.
///
/// A job that is removed by hand keeps nothing: its row is asked for with no `until`.
#[must_use]
pub fn let_go(row: &KeyRow, ended: JobId, next: Option<&NextInLine>, now: Timestamp) -> LetGo {
    if row.job != ended {
        let next = row.next.filter(|next| *next != ended);
        return LetGo::Kept(KeyRow { next, ..*row });
    }
    let kept_until = row.until.filter(|until| now < *until);
    let Some(next) = next else {
        return match kept_until {
            Some(_) => LetGo::Kept(KeyRow { hold: Hold::Over, next: None, free_at: None, ..*row }),
            None => LetGo::Free,
        };
    };
    let row = KeyRow {
        job: next.id,
        hold: Hold::of(next.unique.scope),
        until: next.unique.until(next.created_at),
        next: None,
        free_at: kept_until,
    };
    let run_at = kept_until.map_or(next.run_at, |free_at| next.run_at.max(free_at));
    LetGo::Passed { row, run_at, reason: reason(&next.unique) }
}

/// A final job that is brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returning {
    /// The job.
    pub id: JobId,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// Whether it was ever started.
    pub started: bool,
    /// What it asked for.
    pub unique: Unique,
}

impl Returning {
    /// The row to be written if it is brought back at `now`, `state` being what there is of its key; none if it needs no
    /// key any more.
    ///
    /// # Errors
    ///
    /// `Duplicate`: another job has the key now.
    pub fn retake(&self, state: Option<&KeyState>, now: Timestamp) -> Result<Option<KeyRow>, ErrorKind> {
        if self.unique.scope == UniqueScope::Waiting && self.started {
            return Ok(None);
        }
        match state {
            Some(state) if state.row.job != self.id && state.blocks(now) => {
                Err(ErrorKind::Duplicate(state.row.job))
            }
            _ => Ok(Some(KeyRow {
                job: self.id,
                hold: Hold::of(self.unique.scope),
                until: self.unique.until(self.created_at),
                next: None,
                free_at: None,
            })),
        }
    }
}
