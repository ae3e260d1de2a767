//! The port: what a Windlass store is.
//!
//! A store keeps jobs and says who may run them. This crate holds the traits, one per noun, and every promise in
//! prose; `windlass-store-testing` holds the same promises as cases, and a store is whatever passes them. Nothing
//! here knows about SQL, files, HTTP or handlers.
//!
//! # What holds for every method
//!
//! - **Durable.** Once a method that writes returns `Ok`, what it wrote survives the death of every process (G1).
//!   A store may be opened in a relaxed mode that waives this for power loss; it then says so in its status.
//! - **Atomic.** A method that returns an error of the kinds below changed nothing, but for [`ErrorKind::Unknown`].
//! - **Refused before written.** What a caller got wrong is [`ErrorKind::Invalid`] with the field named, before any
//!   write, however large the batch. See [bad input](#bad-input).
//! - **One clock.** Instants and leases are judged by the store's clock alone (G11). It never goes backwards within
//!   a process, even where the machine's does: see [`SteadyClock`]. What is due, past or over *until* an instant is so
//!   at that very instant.
//! - **Cancel safe.** A future that is dropped may or may not have taken effect; asking again with the same ids and
//!   tokens is safe. Nothing stays locked or half done because a caller went away.
//! - **Same kinds.** All stores answer the same call with the same [`ErrorKind`].
//!
//! # Bad input
//!
//! | what | answer |
//! | --- | --- |
//! | a queue or kind that is empty, longer than 128 bytes, or has a character outside `A-Za-z0-9._:/-` | `Invalid(queue)`, `Invalid(kind)` |
//! | a tag that is empty, longer than 128 bytes or has a control character; more than 32 | `Invalid(tags)` |
//! | args that are no JSON, nest deeper than 100 levels, or are larger than the limit | `Invalid(args)` |
//! | `\u0000`, numbers beyond 2^53, `-0`, duplicate keys, lone surrogates in args | kept byte for byte |
//! | a retry policy, timeout or delay that is negative, not a duration, or longer than a year | `Invalid(retry…)`, `Invalid(timeout)` |
//! | `attempts_max` or `version` of zero, the nil id | `Invalid` of that field |
//! | an empty batch | an empty answer |
//! | more than 10,000 jobs at once | `Invalid(jobs)` |
//! | the same id twice in one batch | `Invalid(jobs[i].id)` |
//! | a claim of zero jobs, or of more than 10,000 | `Invalid(limit)` |
//! | a lease shorter than 100 ms or longer than an hour | `Invalid(lease)` |
//! | a progress above 100 | `Invalid(progress.percent)` |
//! | a checkpoint larger than the limit of results | `Invalid(checkpoint)` |
//! | a worker without slots, or whose name, host or version is longer than 256 bytes or has a control character | `Invalid` of that field |
//! | an actor's name that is empty, longer than 128 bytes or has a control character; a reason longer than 1 KiB or with a NUL | `Invalid(by.name)`, `Invalid(by.why)` |
//! | an unknown job, worker, queue or token | `NotFound` |
//! | a file that is no database, is damaged, or was made by something else | `Corrupt`, with the path |
//! | a file made by a newer version | `Incompatible`; nothing is written |
//! | a folder that is missing or read-only | `Unavailable`, with the path |
//! | a full disk | `Full`; nothing is written, and work resumes when there is space |

pub mod clock;
pub mod error;
pub mod ids;
pub mod jobs;
pub mod leases;
pub mod maintenance;
pub mod page;
pub mod queues;
pub mod rules;
pub mod signals;
pub mod workers;

use std::sync::Arc;

pub use clock::{Clock, ManualClock, SteadyClock, SystemClock};
pub use error::{ErrorKind, StoreError};
pub use jobs::{Actor, CancelOutcome, EnqueueOutcome, Enqueued, JobEvent, JobFilter, JobStore};
pub use leases::{
    ClaimRequest, Claimed, Holder, KindSupport, Kinds, LeaseStore, LeaseTerm, LeasedJob, NewLogLine, Queues,
    Scope, Settled, Settlement, Turn, Turned,
};
pub use maintenance::{
    Durability, LEADER_LEASE, Leadership, Maintenance, Pruned, Rescued, Retention, StoreStatus,
};
pub use page::{Cursor, Page, PageRequest};
pub use queues::{Pause, QueueStore, QueueSummary, StateCounts};
pub use signals::{Signal, Signals};
pub use workers::{Beat, LeaseSummary, NewWorker, Worker, WorkerStore};

/// Everything a store can do. Implemented by naming the nouns; nothing else is asked for.
pub trait Store: JobStore + LeaseStore + QueueStore + WorkerStore + Maintenance {
    /// Hints that there may be something new. Never a fact: a scan finds everything without them.
    fn signals(&self) -> &Signals;
}

/// A store as it is passed around.
pub type SharedStore = Arc<dyn Store>;
