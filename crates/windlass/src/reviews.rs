//! What a program asks of its reviews: which jobs wait for a person, and what the person decides.
//!
//! A job comes into review because whoever enqueued it said so ([`Enqueue::review`](crate::Enqueue::review)), or because its
//! kind does ([`Job::defaults`](crate::Job::defaults)): before it starts, or with the result it made. A worker carries out
//! what was decided about a result
//! ([`accepted`](crate::worker::WorkerBuilder::accepted), [`declined`](crate::worker::WorkerBuilder::declined)).
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use windlass::extract::Staged;
//! use windlass::model::{Review, Ruling};
//! use windlass::prelude::*;
//! use windlass::reviews::Conclusion;
//!
//! #[derive(Serialize, Deserialize, Job)]
//! #[job(kind = "import", output = u64)]
//! struct Import {
//!     table: String,
//! }
//!
//! async fn import(_: Import) -> u64 {
//!     3 // rows, which nobody sees yet
//! }
//!
//! async fn publish(job: Import, Staged(rows): Staged<u64>, ruling: Ruling, log: JobLog) -> Result<(), JobError> {
//!     log.info(format!("{rows} rows of {}, accepted by {:?}", job.table, ruling.by));
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let windlass = Windlass::in_memory();
//! let worker = windlass.worker().handle(import).accepted(publish).build()?.start();
//! let job = windlass.enqueue(Import { table: "fish".into() }).review(Review::outcome()).submitted_by("ada").await?;
//!
//! let review = windlass.reviews().wait_for(job.id()).await?;
//! assert_eq!(review.staged.as_ref().map(|rows| rows.as_str()), Some("3"));
//! let decided = review.accept().by("bob").comment("three, as always").await?;
//! assert!(matches!(decided.conclusion().await?, Conclusion::Accepted));
//! # worker.stop().await;
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::time::Duration;

use windlass_core::review::Subject;
use windlass_core::{
    Args, AttemptError, Decision, Invalid, Job as JobRecord, JobId, JobState, Phase, Reason, Timestamp,
};
use windlass_store::{Actor, ErrorKind, NewRuling, ReviewFilter, ReviewRecord, Settled};

use crate::{Error, Windlass, paging};

/// How often a wait looks by itself, as that for the end of a job does.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The reviews of a queue. Cheap to clone; had by [`Windlass::reviews`].
#[derive(Debug, Clone)]
pub struct Reviews(Windlass);

impl Windlass {
    /// Which jobs wait for a person, and what the person decides: see [`reviews`](crate::reviews).
    #[must_use]
    pub fn reviews(&self) -> Reviews {
        Reviews(self.clone())
    }
}

impl Reviews {
    /// Every job that is in review and matches, the one that came first first.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn open(&self, filter: ReviewFilter) -> Result<Vec<Review>, Error> {
        let records = paging::all(|page| self.0.store().reviews(filter.clone(), page)).await?;
        Ok(records.into_iter().map(|record| self.review(record)).collect())
    }

    /// What is to be decided about a job, or was last; none if nobody was asked about it yet.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn get(&self, job: JobId) -> Result<Option<Review>, Error> {
        Ok(self.0.store().review(job).await?.map(|record| self.review(record)))
    }

    /// Waits until the job is in review.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Finished` when the job has ended and nobody will be asked any more.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: waiting changes nothing.
    pub async fn wait_for(&self, job: JobId) -> Result<Review, Error> {
        let mut hints = Hints::of(&self.0);
        loop {
            let found = self.get(job).await?;
            if let Some(open) = found.filter(|review| review.open) {
                return Ok(open);
            }
            if self.0.store().job(job).await?.state.is_final() {
                let error = Error::new("wait for the review", ErrorKind::Finished);
                return Err(error.with_detail(format!("job {job} has ended, and nobody is asked about it")));
            }
            hints.next().await;
        }
    }

    fn review(&self, record: ReviewRecord) -> Review {
        Review { windlass: self.0.clone(), record }
    }
}

/// What is or was to be decided about a job, as it was read. A decision by this value is about what was read, and about
/// nothing else: should it have changed meanwhile, the decision is refused.
#[derive(Debug, Clone)]
pub struct Review {
    windlass: Windlass,
    record: ReviewRecord,
}

impl Review {
    /// Accepts it, once the answer is awaited.
    pub fn accept(&self) -> Decide {
        self.decide(Decision::Accept)
    }

    /// Declines it, once the answer is awaited.
    pub fn decline(&self) -> Decide {
        self.decide(Decision::Decline)
    }

    fn decide(&self, decision: Decision) -> Decide {
        let (by, digest) = (self.windlass.actor(), self.record.digest);
        Decide {
            windlass: self.windlass.clone(),
            job: self.record.job,
            about: self.record.terms.of,
            ruling: Ok(NewRuling { decision, by, digest, args: None }),
        }
    }
}

impl Deref for Review {
    type Target = ReviewRecord;

    fn deref(&self) -> &ReviewRecord {
        &self.record
    }
}

/// A decision that is taken once it is awaited; until then, what goes with it can be said.
///
/// # Errors
///
/// When awaited: `NotReady` when the job is not in review any more, because somebody else has decided, it was cancelled, or
/// is past its deadline; `Conflict` when what is to be decided is not what was read; `Invalid(by.name)` for who submitted
/// the job, unless the terms admit them; `Invalid(args)`; `NotFound`.
#[must_use = "nothing is decided until this is awaited"]
pub struct Decide {
    windlass: Windlass,
    job: JobId,
    about: Subject,
    ruling: Result<NewRuling, Invalid>,
}

impl Decide {
    /// Who decides, unless it is whom the queue [acts as](Windlass::acting_as).
    pub fn by(mut self, name: impl Into<String>) -> Self {
        if let Ok(ruling) = &mut self.ruling {
            ruling.by.name = name.into();
        }
        self
    }

    /// What they have to say about it.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        if let Ok(ruling) = &mut self.ruling {
            let by = std::mem::replace(&mut ruling.by, Actor::new(String::new()));
            ruling.by = by.because(comment);
        }
        self
    }

    /// Lets the job start with these args, and not with those it was enqueued with. For reviews before the start.
    pub fn with_args(mut self, args: &impl serde::Serialize) -> Self {
        self.ruling = self.ruling.and_then(|ruling| Ok(ruling.with_args(Args::of(args)?)));
        self
    }
}

impl IntoFuture for Decide {
    type Output = Result<Decided, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { windlass, job, about, ruling } = self;
            let ruling = ruling.map_err(|invalid| Error::invalid("decide about the job", invalid))?;
            let decision = ruling.decision;
            let settled = windlass.store().decide(job, ruling).await?;
            Ok(Decided { windlass, job, about, decision, settled })
        })
    }
}

impl fmt::Debug for Decide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decide").field("job", &self.job).field("ruling", &self.ruling).finish_non_exhaustive()
    }
}

/// A decision that was taken. It stands, whatever becomes of this value.
#[derive(Debug, Clone)]
pub struct Decided {
    windlass: Windlass,
    job: JobId,
    about: Subject,
    decision: Decision,
    settled: Settled,
}

/// What has come of a decision.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Conclusion {
    /// The start was accepted: the job waits for its time like any other.
    Starts,
    /// The result was accepted, and all that follows from it is done.
    Accepted,
    /// It was declined, and all that follows from that is done.
    Declined,
    /// What follows from it could not be done yet, and is tried again.
    Retrying {
        /// What went wrong last.
        error: AttemptError,
        /// When it is tried again.
        run_at: Timestamp,
    },
    /// What follows from it could not be done, and is given up, or was stopped. The decision stands; a retry by hand goes on
    /// with it.
    Failed {
        /// Why.
        reason: Reason,
        /// What went wrong last, if something did.
        error: Option<AttemptError>,
    },
}

impl Decided {
    /// Where the job went at once.
    #[must_use]
    pub const fn settled(&self) -> Settled {
        self.settled
    }

    /// Waits until what follows from the decision is done, has failed for the first time, or is given up.
    ///
    /// Waits as long as it takes, for it is a worker that does it.
    ///
    /// # Errors
    ///
    /// `NotFound` when the job is deleted meanwhile; `Unavailable`: wait again.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: waiting changes nothing. Whoever goes away meanwhile holds nobody up.
    pub async fn conclusion(&self) -> Result<Conclusion, Error> {
        match (self.about, self.decision) {
            (Subject::Start, Decision::Accept) => return Ok(Conclusion::Starts),
            (Subject::Start, Decision::Decline) => return Ok(Conclusion::Declined),
            (Subject::Outcome, _) => {}
        }
        let mut hints = Hints::of(&self.windlass);
        loop {
            if let Some(conclusion) = concluded(self.windlass.store().job(self.job).await?) {
                return Ok(conclusion);
            }
            hints.next().await;
        }
    }
}

/// What has come of a decision about what the job made; none if that is not known yet.
fn concluded(job: JobRecord) -> Option<Conclusion> {
    match (job.state, job.reason, job.error) {
        (JobState::Completed, ..) => Some(Conclusion::Accepted),
        (JobState::Cancelled, Some(Reason::Declined), _) => Some(Conclusion::Declined),
        (JobState::Cancelled | JobState::Dead, Some(reason), error) => {
            Some(Conclusion::Failed { reason, error })
        }
        // Somebody has retried it by hand, and it does its work again: the decision is history.
        (_, reason, error) if job.phase == Phase::Run => {
            Some(Conclusion::Failed { reason: reason.unwrap_or(Reason::Operator), error })
        }
        (JobState::Ready | JobState::Scheduled | JobState::Retryable, _, Some(error)) => {
            Some(Conclusion::Retrying { error, run_at: job.run_at })
        }
        _ => None,
    }
}

/// What may mean that a job has changed.
struct Hints {
    work: windlass_store::Signal,
    ended: windlass_store::Signal,
}

impl Hints {
    /// Subscribed before the first look, so that nothing falls between the look and the wait.
    fn of(windlass: &Windlass) -> Self {
        let signals = windlass.store().signals();
        Self { work: signals.work(), ended: signals.ended() }
    }

    async fn next(&mut self) {
        let either = async {
            tokio::select! {
                () = self.work.next() => {}
                () = self.ended.next() => {}
            }
        };
        // Whether it was a hint or the interval makes no difference: both mean to look.
        let _hint = tokio::time::timeout(LOOK_INTERVAL, either).await;
    }
}
