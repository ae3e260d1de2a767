//! Claims jobs, runs their handlers, keeps their leases, and shuts down.
//!
//! What a user writes:
//!
//! - [`Job`]: data that is a job's args.
//! - [`Handler`], [`BlockingHandler`]: plain functions of a job and whatever else they need, which they name as
//!   arguments ([`FromContext`]).
//! - [`Outcome`], [`JobError`]: what they return.
//! - [`Worker`], [`WorkerBuilder`]: what runs them.
//!
//! How it works, inside: an engine is one worker. It has a heart on a thread of its own, which keeps one
//! lease for the whole process; and a pool of slots for each queue, with a dispatcher that speaks to the store and
//! as many tasks as slots are in use. Nothing here knows what kind of store it is.
//!
//! **Invariant:** a handler starts only after the claim of its job was answered (G5). **Invariant:** there are never
//! more handlers than slots, as a slot is given back by the task that ran the handler, when it has ended (G4).
//! **Invariant:** whatever ends an attempt is sent under its token, and decided in one place, under one lock.

mod builder;
mod config;
mod context;
mod declare;
mod decode;
mod engine;
mod error;
pub mod extract;
mod halt;
mod handler;
mod heart;
mod hooks;
pub mod job;
mod log_buffer;
mod maintenance;
mod open_attempt;
mod outcome;
mod pace;
mod panics;
mod pool;
mod raw;
mod registry;
mod running_worker;
mod shutdown;
mod store_clock;
mod worker;

pub use builder::WorkerBuilder;
pub use config::ConfigError;
pub use context::{FromContext, FromRef, JobCx, State};
pub use declare::IntoSchedule;
pub use error::JobError;
pub use extract::{
    Attempt, Cancel, Checkpoint, Deadline, Fences, JobLog, Meta, Parent, Parents, Progress, Staged,
};
pub use halt::CancelReason;
pub use handler::{BlockingHandler, Handler};
pub use hooks::{BlockingHook, Hook};
pub use job::Job;
pub use outcome::{IntoOutcome, Outcome};
pub use raw::RawJob;
pub use running_worker::RunningWorker;
pub use shutdown::{Shutdown, Snapshot, StopReport};
pub use worker::{Worker, WorkerError};
