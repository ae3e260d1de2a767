#![doc = include_str!("../README.md")]
//!
//! # Where to look
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`prelude`] | what a program that uses Windlass names all the time |
//! | [`enqueue`], [`JobHandle`] | asking for jobs, and following them |
//! | [`reviews`] | jobs that wait for a person, and what the person decides |
//! | [`schedule`] | jobs that are made again and again |
//! | [`worker`], [`extract`] | running jobs, and what a handler may take as an argument |
//! | [`testing`] | a queue whose time stands still, and what to assert on it |
//! | [`model`], [`store`] | what a job is; what a store is, and every promise in prose |

pub mod enqueue;
pub mod prelude;
pub mod reviews;
pub mod schedule;
pub mod testing;

mod address;
mod bounded;
mod client;
mod condition;
mod failures;
mod flow;
mod handle;
mod list;
mod paging;
mod queues;
mod schedules;
#[cfg(feature = "postgres")]
mod transaction;

pub use address::Address;
pub use bounded::Bounded;
pub use client::Windlass;
pub use enqueue::{Enqueue, EnqueueMany, Enqueued, ParentId};
pub use failures::Redriven;
pub use flow::{EnqueuedFlow, Flow, Place};
pub use handle::{JobHandle, ResultError, Untyped};
pub use list::Jobs;

pub use windlass_core::{JobId, JobState, Notify, Priority, Reason, RetryPolicy, Timestamp, Trace, Unique};
pub use windlass_runtime::{Job, JobCx, JobError, Outcome};
pub use windlass_store::{Actor, CancelOutcome, EnqueueOutcome, ErrorKind, SharedStore};

#[doc(inline)]
pub use windlass_store::StoreError as Error;

/// Makes a type the args of a job.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use windlass::Job;
///
/// #[derive(Serialize, Deserialize, Job)]
/// #[job(kind = "send_email", version = 2, queue = "mail", attempts = 5, timeout = "30s", output = u64)]
/// struct SendEmail {
///     to: String,
/// }
///
/// assert_eq!((SendEmail::KIND, SendEmail::VERSION), ("send_email", 2));
/// ```
///
/// The kind is not taken from the name of the type, because it must not change with it:
///
/// ```compile_fail
/// #[derive(serde::Serialize, serde::Deserialize, windlass::Job)]
/// struct SendEmail {
///     to: String,
/// }
/// ```
///
#[cfg(feature = "macros")]
#[doc(inline)]
pub use windlass_macros::Job;

/// Says exactly what makes a function no handler.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use windlass::prelude::*;
/// # #[derive(Serialize, Deserialize, Job)]
/// # #[job(kind = "send_email")]
/// # struct SendEmail { to: String }
/// # #[derive(Clone)]
/// # struct App;
/// #[windlass::debug_handler(state = App)]
/// async fn send_email(job: SendEmail, State(app): State<App>) -> Result<(), JobError> {
///     Ok(())
/// }
/// ```
///
/// ```compile_fail
/// # use serde::{Deserialize, Serialize};
/// # use windlass::prelude::*;
/// # #[derive(Serialize, Deserialize, Job)]
/// # #[job(kind = "send_email")]
/// # struct SendEmail { to: String }
/// #[windlass::debug_handler]
/// async fn send_email(job: SendEmail, subject: String) {} // nothing a handler can be given
/// ```
///
#[cfg(feature = "macros")]
#[doc(inline)]
pub use windlass_macros::debug_handler;

/// Running jobs: the worker, how it is put together, and how it stops.
pub mod worker {
    #[doc(inline)]
    pub use windlass_runtime::{
        BlockingHandler, BlockingHook, ConfigError, Handler, Hook, IntoOutcome, IntoSchedule, RawJob,
        RunningWorker, Shutdown, Snapshot, StopReport, Worker, WorkerBuilder, WorkerError,
    };
}

/// What a handler may take as arguments, behind the job.
pub mod extract {
    #[doc(inline)]
    pub use windlass_runtime::{
        Attempt, Cancel, CancelReason, Checkpoint, Deadline, Fences, FromContext, FromRef, JobLog, Meta,
        Parent, Parents, Progress, Staged, State,
    };
}

/// What workers do, counted for Prometheus. `docs/metrics.md` says what each number means.
///
/// ```
/// # use std::sync::Arc;
/// # use serde::{Deserialize, Serialize};
/// # use windlass::prelude::*;
/// # use windlass::metrics::Metrics;
/// # #[derive(Serialize, Deserialize, Job)]
/// # #[job(kind = "send_email")]
/// # struct SendEmail { to: String }
/// # async fn send_email(job: SendEmail) {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let windlass = Windlass::in_memory();
/// let metrics = Arc::new(Metrics::default());
/// let worker = windlass.worker().observed_by(metrics.clone()).handle(send_email).build()?.start();
/// windlass.enqueue(SendEmail { to: "ada@example.com".into() }).await?.handle().result().await?;
/// worker.stop().await;
///
/// // What to answer at `/metrics`, with the content type `windlass::metrics::CONTENT_TYPE`.
/// let text = metrics.text_with(windlass.store()).await?;
/// assert!(text.contains(r#"windlass_attempts_total{queue="default",kind="send_email",outcome="succeeded"} 1"#));
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "metrics")]
pub mod metrics {
    #[doc(inline)]
    pub use windlass_metrics::*;
}

/// What a job is and what may become of it: the values everything else is made of.
pub mod model {
    #[doc(inline)]
    pub use windlass_core::*;
}

/// What a store is: the port, and what goes in and out of it.
pub mod store {
    #[doc(inline)]
    pub use windlass_store::*;
}

/// Telling people, by mail and by signed webhooks, that a job has ended.
///
/// Whom to tell is said with the job, by [`Enqueue::notify`]; workers that are told where they may send do the rest:
///
/// ```no_run
/// # use serde::{Deserialize, Serialize};
/// use windlass::notices::NoticeConfig;
/// use windlass::prelude::*;
///
/// # #[derive(Serialize, Deserialize, Job)]
/// # #[job(kind = "send_email")]
/// # struct SendEmail { to: String }
/// # async fn send_email(_: SendEmail) {}
/// # async fn run(windlass: Windlass, secret: String) -> Result<(), Box<dyn std::error::Error>> {
/// let notices = NoticeConfig::new().allow("hooks.example.com").secret(&secret);
/// let worker = windlass.worker().handle(send_email).notices(notices).build()?;
/// # worker.start().stop().await;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "notices")]
pub mod notices {
    #[doc(inline)]
    pub use windlass_notices::*;
}

/// The store in memory.
pub mod memory {
    #[doc(inline)]
    pub use windlass_memory::*;
}

/// The store in one local file.
#[cfg(feature = "sqlite")]
pub mod sqlite {
    #[doc(inline)]
    pub use windlass_sqlite::*;
}

/// The store in a PostgreSQL database.
#[cfg(feature = "postgres")]
pub mod postgres {
    #[doc(inline)]
    pub use windlass_postgres::*;
}

/// The store behind a server.
#[cfg(feature = "remote")]
pub mod remote {
    #[doc(inline)]
    pub use windlass_remote::*;
}

/// What the code that the macros write refers to.
#[doc(hidden)]
pub mod __private {
    pub use serde_json::Value;
}
