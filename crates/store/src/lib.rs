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
//! - **Told once.** Whatever makes a job final, be it a settle, a cancel, a rescue or the end of another job, enqueues in the
//!   same commit the notices that its options ask for ([`windlass_core::notice::notices`]): one for each target and end,
//!   and none for an attempt that is followed by another. What becomes of a notice never touches the job it tells of.
//!   Notices of one call come in no particular order.
//! - **Cancel safe.** A future that is dropped may or may not have taken effect; asking again with the same ids and
//!   tokens is safe. Nothing stays locked or half done because a caller went away.
//! - **Same kinds.** All stores answer the same call with the same [`ErrorKind`].
//!
//! # Bad input
//!
//! | what | answer |
//! | --- | --- |
//! | a queue or kind that is empty, longer than 128 bytes, or has a character outside `A-Za-z0-9._:/-` | `Invalid(queue)`, `Invalid(kind)` |
//! | a queue or kind whose name begins with `windlass.`: they are Windlass's own | `Invalid(queue)`, `Invalid(kind)` |
//! | more than 8 targets to be told of an end, one of them twice, or in a state in which no job ends | `Invalid(notify)`, `Invalid(notify[i])`, `Invalid(notify[i].on)` |
//! | a mail address or a URL that is none, or a URL of another scheme than `http` and `https`, with a password, or with a fragment | `Invalid(notify[i].mail)`, `Invalid(notify[i].webhook)` |
//! | a tag that is empty, longer than 128 bytes or has a control character; more than 32 | `Invalid(tags)` |
//! | args that are no JSON, nest deeper than 100 levels, or are larger than the limit | `Invalid(args)` |
//! | `\u0000`, numbers beyond 2^53, `-0`, duplicate keys, lone surrogates in args | kept byte for byte |
//! | a retry policy, timeout or delay that is negative, not a duration, or longer than a year | `Invalid(retry…)`, `Invalid(timeout)` |
//! | `attempts_max` or `version` of zero, the nil id | `Invalid` of that field |
//! | an empty batch | an empty answer |
//! | more than 10,000 jobs at once | `Invalid(jobs)` |
//! | the same id twice in one batch | `Invalid(jobs[i].id)` |
//! | a job that waits for itself, for a circle of jobs of its batch, or for more than 10,000 | `Invalid(after[k])`, `Invalid(jobs[i].after[k])` with the circle, `Invalid(after)` |
//! | more than 100,000 edges at once | `Invalid(jobs)` |
//! | a job that waits for one that is nowhere | `NotFound`, with its place; nothing is written |
//! | a claim of zero jobs, or of more than 10,000 | `Invalid(limit)` |
//! | a lease shorter than 100 ms or longer than an hour | `Invalid(lease)` |
//! | a retention of a queue that is longer than a hundred years | `Invalid(retention…)` |
//! | a progress above 100 | `Invalid(progress.percent)` |
//! | a checkpoint larger than the limit of results | `Invalid(checkpoint)` |
//! | a worker without slots, or whose name, host, version or owner is longer than 256 bytes or has a control character | `Invalid` of that field |
//! | a unique key that is empty or longer than 512 bytes; a span of zero or of more than a year | `Invalid(unique.key)`, `Invalid(unique.for)`, `Invalid(unique.debounce…)` |
//! | replace or debounce of a job that has `after`, locks, limits or a review; debounce with a time of its own | `Invalid(unique.on_conflict)` |
//! | an actor's name that is empty, longer than 128 bytes or has a control character; a reason longer than 1 KiB or with a NUL | `Invalid(by.name)`, `Invalid(by.why)` |
//! | an id of a request that is empty, longer than 128 bytes, or no word | `Invalid(by.via.request)` |
//! | a token without a name or roles, with a role twice, with more than 64 queues, or with the name of another that is not revoked | `Invalid(name)`, `Invalid(roles)`, `Invalid(queues)` |
//! | a lock both shared and exclusive; a lock, limit or rate named twice; more than 16 of each | `Invalid(locks[i].mode)`, `Invalid(limits[i])`, `Invalid(rates)` |
//! | a name of a resource, a key or an order key that is empty, longer than 256 bytes or has a control character | `Invalid(locks[i].resource)`, `Invalid(limits[i].key)`, `Invalid(order_key)` |
//! | a limit of zero; a rate of no starts, in no time, of more than one a microsecond, or with a burst outside 1 to 1,000,000 | `Invalid(limits[i].max)`, `Invalid(limit)`, `Invalid(rates[i].starts)`, `Invalid(rate.per)`, `Invalid(rate.burst)` |
//! | a cron expression that cannot be read or never comes, an unknown time zone, an interval below a second | `Invalid(cron)`, `Invalid(zone)`, `Invalid(every)`, with the field of the expression |
//! | a schedule with a jitter above a day, more than 1,000 missed ticks to make up for, an end before its start, or a job that cannot be enqueued | `Invalid(jitter)`, `Invalid(missed)`, `Invalid(ends_at)`, `Invalid(job…)` |
//! | a review whose time to decide is zero or longer than a year, with reminders more often than every minute, with targets of reminders but no time for them, or without an attempt to carry the decision out | `Invalid(review.decide_within)`, `Invalid(review.remind_every)`, `Invalid(review.remind…)`, `Invalid(review.settle_attempts_max)`, `Invalid(review.settle_retry…)` |
//! | an edit of a job that makes of it what could not be enqueued; of the args of one that a person decides about | `Invalid` of that field, `Invalid(args)` |
//! | a decision by who submitted the job, unless they may; with other args for a job that has started already, or is declined | `Invalid(by.name)`, `Invalid(args)` |
//! | a decision about a job that is not in review, or about another digest than that of what is reviewed | `NotReady`, `Conflict` |
//! | an operation with a filter longer than 4 KiB or with a NUL, or at a rate outside 1 to 1,000,000 a second; one more than 16 that have not ended | `Invalid(filter)`, `Invalid(rate)`, `Invalid(operation)` |
//! | an unknown job, worker, queue, schedule, operation or token | `NotFound` |
//! | a file that is no database, is damaged, or was made by something else | `Corrupt`, with the path |
//! | a file made by a newer version | `Incompatible`; nothing is written |
//! | a folder that is missing or read-only | `Unavailable`, with the path |
//! | a full disk | `Full`; nothing is written, and work resumes when there is space |

pub mod audit;
pub mod change;
pub mod clock;
pub mod edit;
pub mod error;
pub mod errors;
pub mod explain;
pub mod flows;
pub mod ids;
pub mod jobs;
pub mod leases;
pub mod maintenance;
pub mod observe;
pub mod operations;
pub mod page;
pub mod queues;
pub mod retention;
pub mod reviews;
mod role;
pub mod rules;
pub mod schedules;
pub mod signals;
pub mod tokens;
pub mod unique;
pub mod workers;

use std::sync::Arc;

pub use audit::{AuditEntry, AuditFilter, AuditStore, Noun, Via};
pub use change::Change;
pub use clock::{Clock, ManualClock, SteadyClock, SystemClock};
pub use edit::JobEdit;
pub use error::{ErrorKind, StoreError};
pub use errors::{ErrorFilter, ErrorGroup, ErrorStore};
pub use explain::{Explanation, GateHolder, GateObstacle, Obstacle};
pub use flows::{ErrorTree, Flow, FlowEdge, FlowJob, FlowStore, Input, Relative};
pub use jobs::{Actor, CancelOutcome, EnqueueOutcome, Enqueued, JobEvent, JobFilter, JobStore, Redriven};
pub use leases::{
    ClaimRequest, Claimed, Holder, KindSupport, Kinds, LeaseStore, LeaseTerm, LeasedJob, NewLogLine, Queues,
    Scope, Settled, Settlement, Turn, Turned,
};
pub use maintenance::{
    Durability, Fired, LEADER_LEASE, Leadership, Maintenance, Pruned, Rescued, StoreStatus,
};
pub use observe::Observer;
pub use operations::{
    Advance, DriveToken, Driven, NewOperation, Operation, OperationProblem, OperationRefusal, OperationStore,
};
pub use page::{Cursor, Page, PageRequest};
pub use queues::{Pause, QueueStore, QueueSummary, StateCounts};
pub use retention::{Keep, QueueRetention, Retention};
pub use reviews::{NewRuling, ReviewFilter, ReviewRecord, ReviewStore, Settling};
pub use role::Role;
pub use schedules::{
    Backfilled, Declared, Firing, FiringOutcome, LastFiring, Schedule, ScheduleEvent, ScheduleOutcome,
    ScheduleState, ScheduleStore,
};
pub use signals::{Signal, Signals};
pub use tokens::{NewToken, Secret, SecretHash, Token, TokenId, TokenStore};
pub use workers::{Beat, LeaseSummary, NewWorker, Worker, WorkerStore};

/// Everything a store can do. Implemented by naming the nouns; nothing else is asked for.
pub trait Store:
    JobStore
    + ErrorStore
    + FlowStore
    + LeaseStore
    + QueueStore
    + WorkerStore
    + ReviewStore
    + ScheduleStore
    + OperationStore
    + TokenStore
    + AuditStore
    + Maintenance
{
    /// Hints that there may be something new. Never a fact: a scan finds everything without them.
    fn signals(&self) -> &Signals;
}

/// A store as it is passed around.
pub type SharedStore = Arc<dyn Store>;
