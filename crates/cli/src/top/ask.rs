//! What is asked of the store, one question at a time.

use std::time::{Duration, Instant};

use windlass_core::limits::PAGE_MAX;
use windlass_core::{Job, JobId, JobState, QueueName};
use windlass_store::{
    Actor, ErrorFilter, ErrorGroup, JobFilter, PageRequest, QueueSummary, SharedStore, StoreError, Worker,
};

use crate::config;

/// How many rows a screen may have.
const ROWS: u32 = 100;

const _: () = assert!(ROWS <= PAGE_MAX);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    Queues,
    /// The last jobs, of any state or of this one.
    Jobs(Option<JobState>),
    Job(JobId),
    Errors,
    Workers,
    Do(Deed),
}

/// What is done by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    Retry(JobId),
    Cancel(JobId),
    RunNow(JobId),
    Pause(QueueName),
    Resume(QueueName),
}

impl std::fmt::Display for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Retry(id) => write!(f, "retry job {id}"),
            Self::Cancel(id) => write!(f, "cancel job {id}"),
            Self::RunNow(id) => write!(f, "make job {id} due now"),
            Self::Pause(queue) => write!(f, "pause queue {queue}"),
            Self::Resume(queue) => write!(f, "resume queue {queue}"),
        }
    }
}

/// What was answered.
#[derive(Debug)]
pub(super) enum Found {
    Queues(Vec<QueueSummary>),
    Jobs(Vec<Job>),
    Job(Box<Job>),
    Errors(Vec<ErrorGroup>),
    Workers(Vec<Worker>),
    Done(Deed),
}

/// An answer, and how long it took.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) found: Result<Found, StoreError>,
    pub(super) took: Duration,
}

/// Asks the store.
pub(super) async fn ask(store: SharedStore, question: Question) -> Answer {
    let asked = Instant::now();
    let found = find(&store, question).await;
    Answer { found, took: asked.elapsed() }
}

async fn find(store: &SharedStore, question: Question) -> Result<Found, StoreError> {
    let page = PageRequest::first(ROWS);
    match question {
        Question::Queues => store.queues().await.map(Found::Queues),
        Question::Jobs(state) => {
            let filter = JobFilter { states: state.into_iter().collect(), ..JobFilter::default() };
            store.jobs(filter, page).await.map(|page| Found::Jobs(page.items))
        }
        Question::Job(id) => store.job(id).await.map(|job| Found::Job(Box::new(job))),
        Question::Errors => {
            store.error_groups(ErrorFilter::default(), page).await.map(|page| Found::Errors(page.items))
        }
        Question::Workers => store.workers(Duration::ZERO).await.map(Found::Workers),
        Question::Do(deed) => act(store, &deed).await.map(|()| Found::Done(deed)),
    }
}

async fn act(store: &SharedStore, deed: &Deed) -> Result<(), StoreError> {
    let user =
        config::variable("USER").map_or_else(|| "cli".into(), |user| user.to_string_lossy().into_owned());
    let by = Actor::new(user).because("from windlass top");
    match deed {
        Deed::Retry(id) => store.retry(*id, by).await,
        Deed::Cancel(id) => store.cancel(*id, by).await.map(|_| ()),
        Deed::RunNow(id) => store.run_now(*id, by).await,
        Deed::Pause(queue) => store.pause(queue, by).await,
        Deed::Resume(queue) => store.resume(queue, by).await,
    }
}
