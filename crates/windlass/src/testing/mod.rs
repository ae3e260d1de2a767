//! Tests of programs that enqueue and handle jobs: a queue in memory whose time stands still.
//!
//! **What was enqueued** is asked of a [`TestQueue`], whose [`Windlass`] is given to the code under test:
//!
//! ```
//! # use serde::{Deserialize, Serialize};
//! use windlass::testing::TestQueue;
//! use windlass::{Job, Windlass, assert_enqueued};
//!
//! #[derive(Serialize, Deserialize, Job)]
//! #[job(kind = "send_email")]
//! struct SendEmail { to: String, copies: u32 }
//!
//! async fn sign_up(windlass: &Windlass, address: &str) -> Result<(), windlass::Error> {
//!     windlass.enqueue(SendEmail { to: address.into(), copies: 1 }).await?;
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), windlass::Error> {
//! let queue = TestQueue::new();
//! sign_up(queue.windlass(), "ada@example.com").await?;
//! assert_enqueued!(queue, SendEmail { to: "ada@example.com", .. });
//! # Ok(())
//! # }
//! ```
//!
//! **What handlers do with it** is seen by [`TestQueue::drain`], which runs all that is ready on a real worker, and
//! [`TestQueue::advance`], which lets time pass.
//!
//! **A handler alone** is a plain function: call it, with what it takes from a [`context`].

mod assert;
mod drain;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use windlass_core::limits::LEASE_DEFAULT;
use windlass_core::{AttemptToken, JobState, KindName, NewJob, Timestamp};
use windlass_memory::MemoryStore;
use windlass_runtime::JobCx;
use windlass_store::{Clock as _, JobFilter, LeasedJob, ManualClock};

use crate::{Job, Windlass};

#[doc(hidden)]
pub use assert::told;
pub use drain::Drained;

/// The states of a job that has not started, or is between two attempts.
const WAITING: [JobState; 5] =
    [JobState::Scheduled, JobState::Ready, JobState::Retryable, JobState::Blocked, JobState::InReview];

/// When the time of a test begins: always at the same instant, so that a failure tells the same times again.
const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// How often schedules are fired while time passes, at the most.
const FIRINGS_MAX: usize = 10_000;

/// What memory answers: it makes nobody wait.
fn at_once<T>(answer: impl Future<Output = T>) -> T {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("the store in memory makes nobody wait"),
    }
}

/// A queue in memory whose time stands still until it is moved.
///
/// Each is alone in its own world, so tests run beside each other.
#[derive(Debug)]
pub struct TestQueue {
    windlass: Windlass,
    clock: Arc<ManualClock>,
}

impl Default for TestQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl TestQueue {
    /// An empty queue at 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let store = MemoryStore::with_clock(Arc::<ManualClock>::clone(&clock));
        Self { windlass: Windlass::with_store(Arc::new(store)), clock }
    }

    /// What the code under test is given.
    #[must_use]
    pub fn windlass(&self) -> &Windlass {
        &self.windlass
    }

    /// What time it is in this queue.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets `span` pass. Jobs become due, and schedules make their jobs, each at its tick; nothing runs by itself.
    ///
    /// So what becomes of ticks is seen without waiting for them. A span of more than ten thousand ticks is not gone through
    /// one by one to its end: what is left of it is missed.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use std::time::Duration;
    /// # use windlass::schedule::Overlap;
    /// # use windlass::testing::TestQueue;
    /// # use windlass::Job;
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "cleanup")]
    /// # struct Cleanup { days: u32 }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// let queue = TestQueue::new();
    /// let nightly = queue.windlass().schedule("nightly").cron("0 3 * * *").overlap(Overlap::Allow);
    /// nightly.enqueue(Cleanup { days: 30 }).await?;
    ///
    /// queue.advance(Duration::from_secs(7 * 24 * 60 * 60));
    /// assert_eq!(queue.enqueued::<Cleanup>().await.len(), 7);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Never: memory always answers.
    pub fn advance(&self, span: Duration) {
        let until = self.now().after(span);
        for _ in 0..FIRINGS_MAX {
            let fired = at_once(self.windlass.store().fire()).expect("memory answers");
            match fired.next_at.filter(|next_at| *next_at <= until) {
                Some(next_at) => self.clock.set(next_at.max(self.now())),
                None => break,
            }
        }
        self.clock.set(until);
        while at_once(self.windlass.store().fire()).expect("memory answers").more {}
    }

    /// The args of every job of kind `J` that waits, in the order they were enqueued. What runs or is over is not
    /// among them.
    ///
    /// # Panics
    ///
    /// When the args of one of them are not a `J`.
    pub async fn enqueued<J: Job>(&self) -> Vec<J> {
        let kind = KindName::new(J::KIND).expect("the kind of a job is a name");
        let filter = JobFilter { states: WAITING.to_vec(), kinds: vec![kind], ..JobFilter::default() };
        let mut jobs = self.windlass.jobs(filter).all().await.expect("memory answers");
        jobs.reverse();
        let args = |job: windlass_core::Job| match job.args.decode() {
            Ok(args) => args,
            Err(error) => panic!("the args of {} job {} cannot be read: {error}", J::KIND, job.id),
        };
        jobs.into_iter().map(args).collect()
    }
}

/// What a worker would be given to run `job` for the first time. Change what the test is about.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use windlass::{Job, JobCx, testing};
/// # #[derive(Serialize, Deserialize, Job)]
/// # #[job(kind = "send_email", attempts = 3)]
/// # struct SendEmail { to: String }
/// let job = SendEmail { to: "ada@example.com".into() };
/// let mut leased = testing::leased(&job);
/// leased.attempt = 3;
/// assert!(JobCx::detached(leased).attempt().is_last());
/// ```
///
/// # Panics
///
/// When such a job could not be enqueued.
#[must_use]
pub fn leased<J: Job>(job: &J) -> LeasedJob {
    let new = crate::enqueue::new_job(job)
        .unwrap_or_else(|invalid| panic!("no such job can be enqueued: {invalid}"));
    let NewJob {
        id,
        kind,
        version,
        queue,
        args,
        priority,
        due,
        deadline,
        attempts_max,
        losses_max: _,
        options,
        ..
    } = new;
    LeasedJob {
        token: AttemptToken { job: id, number: 1, nonce: 1 },
        lease_until: START.after(LEASE_DEFAULT),
        kind,
        version,
        queue,
        args,
        priority,
        attempt: 1,
        attempts_max,
        losses: 0,
        run_at: due.instant(START),
        deadline: deadline.map(|deadline| deadline.instant(START)),
        created_at: START,
        started_at: START,
        checkpoint: None,
        fences: Vec::new(),
        settles: None,
        options: Some(Box::new(options)),
    }
}

/// The context of a first attempt at `job`, for calling its handler: what the handler reports goes nowhere.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// use windlass::prelude::*;
/// use windlass::testing;
///
/// # #[derive(Serialize, Deserialize, Job)]
/// # #[job(kind = "send_email")]
/// # struct SendEmail { to: String }
/// async fn send_email(job: SendEmail, attempt: Attempt) -> Result<(), JobError> {
///     // …
/// #   assert_eq!(attempt.number, 1);
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), JobError> {
/// let job = SendEmail { to: "ada@example.com".into() };
/// let cx = testing::context(&job);
/// send_email(job, cx.attempt()).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// When such a job could not be enqueued.
#[must_use]
pub fn context<J: Job>(job: &J) -> JobCx {
    JobCx::detached(leased(job))
}
