//! Schedules: jobs that are made again and again.
//!
//! What is asked for is a [`NewSchedule`]: when it ticks ([`Rhythm`]), the job that each tick makes ([`JobTemplate`]), and
//! what becomes of ticks that come too early for the last job ([`Overlap`]) or that nobody fired in time ([`Missed`]).
//! [`NewSchedule::plan`] says what is to be done at an instant. Whoever asks it does so under the lock that keeps others
//! from doing the same; that a tick makes one job, for ever, is held by a unique key of the store.

mod calendar;
mod definition;
#[cfg(test)]
mod oracle;
mod plan;
mod rhythm;
mod template;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use definition::{Missed, NewSchedule, Overlap};
pub use plan::{FAULT_LOOK, LastJob, Plan, SkipReason, Skipped, Standing};
pub use rhythm::Rhythm;
pub use template::{JobTemplate, Timing};

use crate::{ProgramName, ScheduleName, Timestamp};

/// Where a schedule comes from, and so who may change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Declared in the code of this program, which says what it is each time it starts.
    Code(ProgramName),
    /// Made by hand.
    Operator,
}

/// Which schedule made a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiredBy {
    /// The schedule.
    pub schedule: ScheduleName,
    /// The tick it was made for; none for one that somebody asked for by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<Timestamp>,
}
