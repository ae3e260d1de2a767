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
//! - [`edge`]: which job waits for which, and what the end of one means for the other.
//! - [`gate`]: locks, limits, rates and order keys: whether a job may start beside others.
//! - [`fingerprint`]: errors that are the same but for what changes each time.
//! - [`lease`]: the right to run an attempt, and the token that fences it.
//! - [`retry`]: how long to wait before the next attempt.
//! - [`schedule`]: jobs that are made again and again: cron, time zones, and what is to be done when.
//! - [`notice`]: who is told when a job ends, and the jobs that tell them.
//! - [`operation`]: one verb on many jobs, and how far it has come.
//! - [`review`]: a person decides about a job, before it starts or about what it made.
//! - [`log`]: the lines a handler writes, and how much of them is kept.
//! - [`trace`]: which trace a job was enqueued in.
//! - [`traits`]: what a job uses that most do not.
//! - [`unique`]: keys of which there is at most one job.
//! - [`limits`]: every bound in one place, each with the reason for its value.

pub mod attempt;
mod canonical;
pub mod cleanup;
pub mod edge;
pub mod fingerprint;
pub mod gate;
pub mod id;
pub mod invalid;
pub mod job;
pub mod lease;
pub mod limits;
pub mod log;
pub mod name;
pub mod notice;
pub mod operation;
pub mod payload;
pub mod priority;
pub mod retry;
pub mod review;
pub mod schedule;
#[cfg(feature = "openapi")]
mod schema;
pub mod span;
pub mod state;
pub mod time;
pub mod trace;
pub mod traits;
pub mod unique;
mod words;

pub use attempt::{Attempt, AttemptError, AttemptOutcome, Ending, Next, Verdict, lose, settle};
pub use edge::{Edge, EdgePolicy};
pub use fingerprint::Fingerprint;
pub use gate::{
    Bounds, Fence, Gate, GateForm, KeyedLimit, Lock, LockMode, LockTemplate, Need, Pace, Rate, Whole, Wish,
};
pub use id::{JobId, OperationId, WorkerId};
pub use invalid::Invalid;
pub use job::{Due, Job, JobOptions, NewJob, Progress};
pub use lease::AttemptToken;
pub use limits::Limits;
pub use log::{LogFate, LogFill, LogLevel, LogLine};
pub use name::{KindName, ProgramName, QueueName, ScheduleName, Tag};
pub use notice::Notify;
pub use operation::{BulkVerb, OperationState};
pub use payload::{Args, Json};
pub use priority::Priority;
pub use retry::RetryPolicy;
pub use review::{Decision, Digest, Phase, Review, Ruling};
pub use schedule::{FiredBy, JobTemplate, Missed, NewSchedule, Overlap, Rhythm};
pub use state::{JobState, Reason, Stage, StateGroup};
pub use time::Timestamp;
pub use trace::Trace;
pub use traits::Traits;
pub use unique::{OnConflict, Unique, UniqueKey, UniqueScope, Within};
