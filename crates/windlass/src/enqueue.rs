//! Asking for jobs: what is wanted is said first, and done when it is awaited.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;
use windlass_core::limits::{ATTEMPTS_UNLIMITED, ENQUEUE_BATCH_MAX};
use windlass_core::trace::TRACEPARENT;
use windlass_core::{
    Args, Due, Invalid, JobId, KindName, NewJob, Priority, QueueName, RetryPolicy, Tag, Timestamp, Trace,
};
use windlass_store::ids;

use crate::handle::Untyped;
use crate::{Error, Job, Windlass};

mod beside;
mod enqueued;
mod under;

pub use enqueued::{Enqueued, ParentId};

const OPERATION: &str = "enqueue jobs";

/// Says of an [`Enqueue`] that it is about one job.
#[derive(Debug)]
pub enum One {}

/// Says of an [`Enqueue`] that it is about many jobs.
#[derive(Debug)]
pub enum Many {}

/// A wish for many jobs of kind `J`, made by [`Windlass::enqueue_many`]; its options hold for all of them.
pub type EnqueueMany<J> = Enqueue<J, Many>;

/// A wish for a job of kind `J`, made by [`Windlass::enqueue`].
///
/// Nothing is done until it is awaited. What is said here goes before what the kind says of all its jobs. What is
/// said wrongly is an error when it is awaited, with the first field at fault, and nothing is written.
///
/// # Cancel safety
///
/// A wish that is dropped while it is awaited may or may not have been granted. To be able to ask again, name the
/// [`id`](Self::id): then asking twice makes one job.
#[must_use = "nothing is enqueued until this is awaited"]
pub struct Enqueue<J, N = One> {
    windlass: Windlass,
    jobs: Result<Vec<NewJob>, Invalid>,
    wish: PhantomData<fn() -> (J, N)>,
}

impl<J: Job> Enqueue<J> {
    pub(crate) fn one(windlass: Windlass, job: &J) -> Self {
        Self::of(windlass, new_job(job).map(|job| vec![job]))
    }
}

impl Enqueue<Untyped> {
    pub(crate) fn raw(windlass: Windlass, job: NewJob) -> Self {
        Self::of(windlass, Ok(vec![job]))
    }
}

impl<J> Enqueue<J> {
    /// Names the job. Enqueueing the same id again is safe, and answers what happened the first time: so a call whose
    /// outcome is unknown may be repeated. Without it, each wish has a fresh id.
    pub fn id(self, id: JobId) -> Self {
        self.each(|job| {
            (job.id, job.drawn) = (id, false);
            Ok(())
        })
    }
}

impl<J: Job> EnqueueMany<J> {
    /// Reads no more than one job too many, so that an endless iterator ends here.
    pub(crate) fn many(windlass: Windlass, jobs: impl IntoIterator<Item = J>) -> Self {
        let numbered = jobs.into_iter().take(ENQUEUE_BATCH_MAX + 1).enumerate();
        let place = |index| move |invalid: Invalid| invalid.inside(&format!("jobs[{index}]"));
        let jobs = numbered.map(|(index, job)| new_job(&job).map_err(place(index))).collect();
        Self::of(windlass, jobs).within_bounds()
    }

    fn within_bounds(self) -> Self {
        let jobs = self.jobs.and_then(|jobs| match jobs.len() {
            0..=ENQUEUE_BATCH_MAX => Ok(jobs),
            _ => Err(Invalid::new(
                "jobs",
                format!("are more than the {ENQUEUE_BATCH_MAX} that one call may enqueue"),
            )),
        });
        Self { jobs, ..self }
    }
}

/// A job of kind `J` as the kind wants it.
pub(crate) fn new_job<J: Job>(job: &J) -> Result<NewJob, Invalid> {
    let mut new = NewJob::new(ids::job_id(), KindName::new(J::KIND)?, Args::of(job)?);
    new.drawn = true;
    new.version = J::VERSION;
    new.options.locks = J::LOCKS.iter().map(|lock| lock.resolve(&new.args)).collect::<Result<_, _>>()?;
    J::defaults(&mut new)?;
    Ok(new)
}

impl<J, N> Enqueue<J, N> {
    fn of(windlass: Windlass, jobs: Result<Vec<NewJob>, Invalid>) -> Self {
        let wish = Self { windlass, jobs, wish: PhantomData };
        #[cfg(feature = "opentelemetry")]
        if let Some(trace) = windlass_telemetry::current() {
            return wish.trace(&trace);
        }
        wish
    }

    /// Changes every job, unless something was wrong before: the first mistake is the one that is told.
    fn each(mut self, mut change: impl FnMut(&mut NewJob) -> Result<(), Invalid>) -> Self {
        self.jobs = self.jobs.and_then(|mut jobs| {
            jobs.iter_mut().try_for_each(&mut change)?;
            Ok(jobs)
        });
        self
    }

    /// Sends the job to this queue, instead of that of its kind, or `default`.
    pub fn queue(self, queue: impl AsRef<str>) -> Self {
        let queue = QueueName::new(queue);
        self.each(|job| {
            job.queue = queue.clone()?;
            Ok(())
        })
    }

    /// How urgent it is among the jobs of its queue; `normal` unless said.
    pub fn priority(self, priority: Priority) -> Self {
        self.each(|job| {
            job.priority = priority;
            Ok(())
        })
    }

    /// Not before this long after it is stored, by the store's clock.
    pub fn delay(self, delay: Duration) -> Self {
        self.due(Due::In(delay))
    }

    /// Not before this instant, by the store's clock: a [`Timestamp`] or a [`SystemTime`](std::time::SystemTime). An
    /// instant in the past is now.
    pub fn run_at(self, instant: impl Into<Timestamp>) -> Self {
        self.due(Due::At(instant.into()))
    }

    fn due(self, due: Due) -> Self {
        self.each(|job| {
            job.due = due;
            Ok(())
        })
    }

    /// To be finished by this instant: it is not started later, is stopped then if it runs, and is never retried.
    pub fn deadline(self, instant: impl Into<Timestamp>) -> Self {
        self.finished(Due::At(instant.into()))
    }

    /// To be finished this long after it is stored. See [`deadline`](Self::deadline).
    pub fn deadline_in(self, span: Duration) -> Self {
        self.finished(Due::In(span))
    }

    fn finished(self, by: Due) -> Self {
        self.each(|job| {
            job.deadline = Some(by);
            Ok(())
        })
    }

    /// How long one attempt may take; more than zero, at most a year.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.each(|job| {
            job.options.timeout = Some(timeout);
            Ok(())
        })
    }

    /// How many starts may end in failure before the job is dead; 1 is no retry. 8 unless said.
    pub fn attempts(self, attempts: u32) -> Self {
        self.each(|job| {
            job.attempts_max = attempts;
            Ok(())
        })
    }

    /// Retries for ever. What never succeeds is then never given up, and shows only in its attempts.
    pub fn attempts_unlimited(self) -> Self {
        self.attempts(ATTEMPTS_UNLIMITED)
    }

    /// How many lost attempts (the process died or hung) are forgiven before the job is taken for poison. 2 unless
    /// said.
    pub fn losses(self, losses: u32) -> Self {
        self.each(|job| {
            job.losses_max = losses;
            Ok(())
        })
    }

    /// How long to wait after each failure; unless said 5 s, doubled each time, at most an hour.
    #[expect(clippy::needless_pass_by_value, reason = "written where it is used; nobody keeps one")]
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.each(|job| {
            job.options.retry = policy.clone();
            Ok(())
        })
    }

    /// A word to find the job by; at most 32 of them.
    pub fn tag(self, tag: impl AsRef<str>) -> Self {
        let tag = Tag::new(tag);
        self.each(|job| {
            job.options.tags.push(tag.clone()?);
            Ok(())
        })
    }

    /// Something small that travels with the job, as a trace or a tenant; replaces what `key` meant before.
    pub fn meta(self, key: impl Into<String>, value: impl Serialize) -> Self {
        let key = key.into();
        let value = serde_json::to_value(value)
            .map_err(|error| Invalid::new(format!("meta.{key}"), format!("has no JSON form: {error}")));
        self.each(|job| {
            job.options.meta.insert(key.clone(), value.clone()?);
            Ok(())
        })
    }

    /// In which trace it is enqueued: the span of its run is linked to that. With the feature `opentelemetry`, the span that
    /// this is called in, unless said; a handler without it hands on [`JobCx::trace`](crate::JobCx::trace).
    pub fn trace(self, trace: &Trace) -> Self {
        self.each(|job| {
            job.options.meta.remove(TRACEPARENT);
            trace.travel(&mut job.options.meta);
            Ok(())
        })
    }

    /// Who asked for it: a person or a program. Handlers and operators see it.
    pub fn submitted_by(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.each(|job| {
            job.options.submitted_by = Some(name.clone());
            Ok(())
        })
    }

    /// The jobs that are wished.
    pub(crate) fn into_jobs(self) -> Result<Vec<NewJob>, Invalid> {
        self.jobs
    }

    /// What is wished, and of whom.
    pub(crate) fn wished(self) -> Result<(Windlass, Vec<NewJob>), Error> {
        let jobs = self.jobs.map_err(|invalid| Error::invalid(OPERATION, invalid))?;
        Ok((self.windlass, jobs))
    }

    async fn grant(self) -> Result<Vec<Enqueued<J>>, Error> {
        let (windlass, jobs) = self.wished()?;
        let answers = windlass.store().enqueue(jobs).await?;
        Ok(Enqueued::all(&windlass, answers))
    }
}

impl<J: 'static> IntoFuture for Enqueue<J, One> {
    type Output = Result<Enqueued<J>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.grant().await.map(Enqueued::only) })
    }
}

impl<J: 'static> IntoFuture for Enqueue<J, Many> {
    type Output = Result<Vec<Enqueued<J>>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.grant())
    }
}

impl<J, N> fmt::Debug for Enqueue<J, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enqueue").field("jobs", &self.jobs).finish_non_exhaustive()
    }
}
