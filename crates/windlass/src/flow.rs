//! [`Flow`]: jobs that wait for one another, enqueued together.

use std::fmt;
use std::marker::PhantomData;

use windlass_core::limits::ENQUEUE_BATCH_MAX;
use windlass_core::{Edge, Invalid, JobId, NewJob};

use crate::enqueue::{Enqueue, ParentId};
use crate::{Enqueued, Error, Job, JobHandle, Windlass};

const OPERATION: &str = "enqueue the flow";

/// Jobs that wait for one another, made by [`Windlass::flow`]: all of them come to exist in one commit, or none.
///
/// [`add`](Self::add) answers a place in the flow, which others are told to wait for. Any job may wait for any other of the flow
/// that was added before, and for jobs that exist already. At most
/// [`ENQUEUE_BATCH_MAX`](windlass_core::limits::ENQUEUE_BATCH_MAX) (10,000) jobs.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use windlass::prelude::*;
/// # #[derive(Serialize, Deserialize, Job)]
/// # #[job(kind = "fetch", output = u64)]
/// # struct Fetch { page: u32 }
/// # #[derive(Serialize, Deserialize, Job)]
/// # #[job(kind = "sum", output = u64)]
/// # struct Sum;
/// # #[derive(Serialize, Deserialize, Job)]
/// # #[job(kind = "clean")]
/// # struct Clean;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), windlass::Error> {
/// # let windlass = Windlass::in_memory();
/// let mut flow = windlass.flow();
/// let pages: Vec<_> = (1..=3).map(|page| flow.add(Fetch { page })).collect();
/// let sum = flow.add_after(Sum, &pages);
/// // Whatever came of the others.
/// flow.add_when_finished(Clean);
/// let flow = flow.enqueue().await?;
///
/// let sum: JobHandle<Sum> = flow.handle(sum);
/// # drop(sum);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is enqueued until it is asked for"]
pub struct Flow {
    windlass: Windlass,
    jobs: Vec<NewJob>,
    /// The first mistake.
    fault: Option<Invalid>,
}

/// A job of a [`Flow`], for others to wait for.
pub struct Place<J> {
    id: JobId,
    kind: PhantomData<fn() -> J>,
}

impl<J> Place<J> {
    /// The id that the job has, or will have.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.id
    }
}

impl<J> Clone for Place<J> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<J> Copy for Place<J> {}

impl<J> fmt::Debug for Place<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.id).finish()
    }
}

impl<J> From<Place<J>> for ParentId {
    fn from(place: Place<J>) -> Self {
        Self(place.id)
    }
}

impl<J> From<&Place<J>> for ParentId {
    fn from(place: &Place<J>) -> Self {
        Self(place.id)
    }
}

impl Flow {
    pub(crate) const fn new(windlass: Windlass) -> Self {
        Self { windlass, jobs: Vec::new(), fault: None }
    }

    /// Adds a job.
    pub fn add<J: Job>(&mut self, job: J) -> Place<J> {
        self.add_with(job, |wish| wish)
    }

    /// Adds a job that waits for the success of all of these.
    pub fn add_after<J: Job>(
        &mut self,
        job: J,
        parents: impl IntoIterator<Item = impl Into<ParentId>>,
    ) -> Place<J> {
        let parents: Vec<ParentId> = parents.into_iter().map(Into::into).collect();
        self.add_with(job, |wish| parents.into_iter().fold(wish, Enqueue::after))
    }

    /// Adds a job that runs when every job that was added so far has ended, in whichever way.
    pub fn add_when_finished<J: Job>(&mut self, job: J) -> Place<J> {
        let all: Vec<Edge> = self.jobs.iter().map(|job| Edge::on_finish(job.id)).collect();
        let place = self.add(job);
        if let Some(last) = self.jobs.last_mut().filter(|last| last.id == place.id) {
            last.after = all;
        }
        place
    }

    /// Adds a job that is told more, as with [`Windlass::enqueue`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::prelude::*;
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "fetch")]
    /// # struct Fetch;
    /// # let windlass = Windlass::in_memory();
    /// let mut flow = windlass.flow();
    /// let first = flow.add(Fetch);
    /// flow.add_with(Fetch, |job| job.queue("slow").after_finish(first).attempts(3));
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a job is handed over: its asker has no more use for it"
    )]
    pub fn add_with<J: Job>(&mut self, job: J, say: impl FnOnce(Enqueue<J>) -> Enqueue<J>) -> Place<J> {
        let wish = say(Enqueue::one(self.windlass.clone(), &job));
        let index = self.jobs.len();
        match wish.into_jobs() {
            Ok(mut jobs) => match jobs.pop() {
                Some(job) => self.push(job),
                None => Place { id: windlass_store::ids::job_id(), kind: PhantomData },
            },
            Err(invalid) => {
                self.fault.get_or_insert_with(|| invalid.inside(&format!("jobs[{index}]")));
                Place { id: windlass_store::ids::job_id(), kind: PhantomData }
            }
        }
    }

    fn push<J>(&mut self, job: NewJob) -> Place<J> {
        let id = job.id;
        if self.jobs.len() == ENQUEUE_BATCH_MAX {
            let problem = format!("are more than the {ENQUEUE_BATCH_MAX} that one call may enqueue");
            self.fault.get_or_insert_with(|| Invalid::new("jobs", problem));
        } else {
            self.jobs.push(job);
        }
        Place { id, kind: PhantomData }
    }

    /// How many jobs were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Enqueues all of them in one commit.
    ///
    /// # Errors
    ///
    /// `Invalid` with the first mistake that was made, as in `jobs[3].args`; `NotFound` for a job that exists nowhere and is to be
    /// waited for; and then nothing was written. `Full`, `Unavailable`: none of the jobs exists; `Unknown`: all of them or none
    /// do.
    pub async fn enqueue(self) -> Result<EnqueuedFlow, Error> {
        let (windlass, jobs) = self.wished()?;
        let answers = windlass.store().enqueue(jobs).await?;
        Ok(EnqueuedFlow::new(windlass, answers))
    }

    /// What is wished, and of whom.
    pub(crate) fn wished(self) -> Result<(Windlass, Vec<NewJob>), Error> {
        match self.fault {
            Some(invalid) => Err(Error::invalid(OPERATION, invalid)),
            None => Ok((self.windlass, self.jobs)),
        }
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow").field("jobs", &self.jobs).finish_non_exhaustive()
    }
}

/// A flow that was enqueued.
#[derive(Debug, Clone)]
pub struct EnqueuedFlow {
    windlass: Windlass,
    jobs: Vec<Enqueued>,
}

impl EnqueuedFlow {
    pub(crate) fn new(windlass: Windlass, answers: Vec<windlass_store::Enqueued>) -> Self {
        let jobs = Enqueued::all(&windlass, answers);
        Self { windlass, jobs }
    }

    /// What became of each job, in the order in which they were added.
    #[must_use]
    pub fn jobs(&self) -> &[Enqueued] {
        &self.jobs
    }

    /// The job at this place, to be followed.
    #[must_use]
    pub fn handle<J>(&self, place: Place<J>) -> JobHandle<J> {
        JobHandle::new(self.windlass.clone(), place.id)
    }
}
