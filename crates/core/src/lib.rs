//! What a job is and what may become of it.
//!
//! This crate is the model: values and rules, and nothing that could fail for a reason outside them. It has no
//! clock, no store, no async and no I/O; whoever calls it says what time it is. Every store asks the same
//! functions before it writes, so a rule is stated once and tested without a database.
//!
//! - [`id`], [`name`], [`time`], [`span`]: the small values everything else is made of.
//! - [`payload`]: arguments and results, kept byte for byte.
//! - [`job`]: what is asked for ([`NewJob`]) and what became of it ([`Job`]).
//! - [`state`]: the nine states, the reasons beside them, and the legal moves.
//! - [`attempt`]: one execution, how it ended, and [`settle`], which decides where its job goes.
//! - [`lease`]: the right to run an attempt, and the token that fences it.
//! - [`retry`]: how long to wait before the next attempt.
//! - [`log`]: the lines a handler writes, and how much of them is kept.
//! - [`limits`]: every bound in one place, each with the reason for its value.

pub mod attempt;
pub mod id;
pub mod invalid;
pub mod job;
pub mod lease;
pub mod limits;
pub mod log;
pub mod name;
pub mod payload;
pub mod priority;
pub mod retry;
pub mod span;
pub mod state;
pub mod time;

pub use attempt::{Attempt, AttemptError, AttemptOutcome, Ending, Next, Verdict, lose, settle};
pub use id::{JobId, WorkerId};
pub use invalid::Invalid;
pub use job::{Due, Job, JobOptions, NewJob, Progress};
pub use lease::AttemptToken;
pub use limits::Limits;
pub use log::{LogFate, LogFill, LogLevel, LogLine};
pub use name::{KindName, QueueName, Tag};
pub use payload::{Args, Json};
pub use priority::Priority;
pub use retry::RetryPolicy;
pub use state::{JobState, Reason, Stage, StateGroup};
pub use time::Timestamp;
