//! Entries of a schedule's history, and their places in it.

use windlass_core::schedule::Skipped;
use windlass_core::{JobId, Timestamp};

use crate::schedules::{Firing, FiringOutcome};

impl Firing {
    /// Ticks that made no job, as was decided at `at`.
    #[must_use]
    pub const fn skipped(run: Skipped, at: Timestamp) -> Self {
        let Skipped { tick, until, count, reason } = run;
        Self { tick, at, outcome: FiringOutcome::Skipped { until, count, reason } }
    }

    /// A tick that made a job.
    #[must_use]
    pub const fn fired(tick: Timestamp, job: JobId, at: Timestamp) -> Self {
        Self { tick, at, outcome: FiringOutcome::Fired(job) }
    }

    /// What tells entries of one tick apart: 0 for a job, of which there is one for ever, else why there is none.
    #[must_use]
    pub const fn form(&self) -> u8 {
        match self.outcome {
            FiringOutcome::Fired(_) => 0,
            FiringOutcome::Skipped { reason, .. } => reason.as_number(),
        }
    }

    /// Its place in the history, which is read backwards: the tick, and within it the form, the job first.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.tick.as_micros() * FORMS + (FORMS - 1 - self.form() as i64)
    }
}

/// More than there are forms of entries.
const FORMS: i64 = 8;

/// The tick and the form of the entry at a position.
#[must_use]
pub fn entry_at(position: i64) -> (Timestamp, u8) {
    let form = FORMS - 1 - position.rem_euclid(FORMS);
    (Timestamp::from_micros(position.div_euclid(FORMS)), u8::try_from(form).unwrap_or_default())
}
