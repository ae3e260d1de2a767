//! Things that are done to many jobs, one after the other: selected once, done at a bounded rate, told of as they go on, and
//! stopped when somebody says so.
//!
//! They live as long as the server. One that is cut off by its end has done what it said, and may be asked for again: what it
//! was done to already refuses it, or does not match any more.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use windlass_core::{JobId, JobState};
use windlass_store::{Actor, Clock, PageRequest, SharedStore, StoreError, ids};
use windlass_wire::{
    BulkVerb, Filter, OperationRequest, OperationShape, OperationState, ProblemShape, RefusalShape,
};

use crate::answer::Failure;

/// Most jobs of one operation.
const SELECTED_MAX: usize = 100_000;

/// Most operations that are kept, those that began last.
const KEPT_MAX: usize = 100;

/// Most that are under way at a time.
const UNDER_WAY_MAX: usize = 8;

/// How many jobs are looked at together.
const STEP: u32 = 500;

/// Most jobs that are shown of a selection, and most refusals.
const SHOWN_MAX: usize = 10;

/// The operations of a server.
#[derive(Default)]
pub(crate) struct Operations(Mutex<VecDeque<Arc<Operation>>>);

/// One of them.
pub(crate) struct Operation {
    shape: Mutex<OperationShape>,
    abort: CancellationToken,
    task: Mutex<Option<AbortOnDropHandle<()>>>,
}

/// What an operation is made of.
pub(crate) struct Plan {
    pub(crate) store: SharedStore,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) request: OperationRequest,
    pub(crate) filter: Filter,
    pub(crate) by: Actor,
}

impl Operations {
    /// Begins one.
    pub(crate) fn begin(&self, plan: Plan) -> Result<Arc<Operation>, Failure> {
        let mut operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if operations.iter().filter(|operation| !operation.is_over()).count() >= UNDER_WAY_MAX {
            let problem =
                format!("{UNDER_WAY_MAX} operations are under way; wait for one of them, or abort it");
            return Err(Failure::new("rate_limited", problem).retry_after(5));
        }
        let id = ids::job_id().to_string();
        let shape = OperationShape::new(id, &plan.request, plan.by.name.clone(), plan.clock.now());
        let operation = Arc::new(Operation {
            shape: Mutex::new(shape),
            abort: CancellationToken::new(),
            task: Mutex::new(None),
        });
        let task =
            TaskTracker::new().spawn(perform(Arc::downgrade(&operation), plan, operation.abort.clone()));
        *operation.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(AbortOnDropHandle::new(task));
        operations.push_front(Arc::clone(&operation));
        while operations.len() > KEPT_MAX {
            // Those that are under way are few, and never the oldest of so many.
            operations.pop_back();
        }
        Ok(operation)
    }

    pub(crate) fn all(&self) -> Vec<OperationShape> {
        let operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        operations.iter().map(|operation| operation.shape()).collect()
    }

    pub(crate) fn get(&self, id: &str) -> Result<Arc<Operation>, Failure> {
        let operations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = operations.iter().find(|operation| operation.shape().id == id).cloned();
        found.ok_or_else(|| {
            Failure::not_found("there is no such operation; they are kept as long as the server runs")
        })
    }
}

impl Operation {
    pub(crate) fn shape(&self) -> OperationShape {
        self.shape.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops it after what it is doing.
    pub(crate) fn abort(&self) {
        self.abort.cancel();
    }

    fn is_over(&self) -> bool {
        !matches!(self.shape().state, OperationState::Selecting | OperationState::Running)
    }

    fn change(&self, change: impl FnOnce(&mut OperationShape)) {
        change(&mut self.shape.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

async fn perform(operation: std::sync::Weak<Operation>, plan: Plan, abort: CancellationToken) {
    let ended = tokio::select! {
        ended = select_and_do(&operation, &plan) => ended,
        () = abort.cancelled() => Ok(OperationState::Aborted),
    };
    let Some(operation) = operation.upgrade() else { return };
    let now = plan.clock.now();
    operation.change(|shape| {
        shape.ended_at = Some(now);
        match ended {
            Ok(state) => shape.state = state,
            Err(error) => {
                shape.state = OperationState::Failed;
                shape.problem = Some(ProblemShape::from(&error));
            }
        }
    });
}

type Kept = std::sync::Weak<Operation>;

fn note(operation: &Kept, change: impl FnOnce(&mut OperationShape)) {
    if let Some(operation) = operation.upgrade() {
        operation.change(change);
    }
}

async fn select_and_do(operation: &Kept, plan: &Plan) -> Result<OperationState, StoreError> {
    let (jobs, cut) = select(operation, plan).await?;
    note(operation, |shape| {
        shape.cut = cut;
        shape.sample = jobs.iter().take(SHOWN_MAX).copied().collect();
    });
    if plan.request.dry_run {
        return Ok(OperationState::Done);
    }
    note(operation, |shape| shape.state = OperationState::Running);
    let pause = plan.request.rate.map(|rate| Duration::from_secs(1) / rate);
    let mut next = Instant::now();
    for job in jobs {
        if let Some(pause) = pause {
            sleep_until(next).await;
            next = next.max(Instant::now()) + pause;
        }
        match apply(plan, job).await {
            Ok(()) => note(operation, |shape| shape.done += 1),
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => note(operation, |shape| {
                shape.refused += 1;
                if shape.refusals.len() < SHOWN_MAX {
                    shape.refusals.push(RefusalShape::new(job, ProblemShape::from(&error)));
                }
            }),
        }
    }
    Ok(OperationState::Done)
}

/// The jobs it is done to, decided before anything is done: what begins to match later is left alone.
async fn select(operation: &Kept, plan: &Plan) -> Result<(Vec<JobId>, bool), StoreError> {
    // By the store's clock, as what it is held against: another may be behind it.
    let as_of = plan.store.status().await?.now;
    let (mut jobs, mut page) = (Vec::new(), PageRequest::first(STEP));
    loop {
        let found = plan.store.jobs(plan.filter.indexed.clone(), page).await?;
        let meant = found.items.into_iter().filter(|job| {
            job.created_at <= as_of && plan.filter.admits(job) && could_be_done(plan.request.verb, job.state)
        });
        jobs.extend(meant.map(|job| job.id));
        note(operation, |shape| shape.selected = jobs.len().min(SELECTED_MAX) as u64);
        if jobs.len() > SELECTED_MAX {
            jobs.truncate(SELECTED_MAX);
            return Ok((jobs, true));
        }
        match found.next {
            Some(next) => page = page.after(Some(next)),
            None => return Ok((jobs, false)),
        }
    }
}

/// Whether the verb can be meant for jobs in this state at all: `cancel` of everything in a queue is not meant for what has
/// ended. Whether it can be done is for the store to say.
const fn could_be_done(verb: BulkVerb, state: JobState) -> bool {
    match verb {
        BulkVerb::Cancel => !state.is_final(),
        BulkVerb::Retry => matches!(state, JobState::Dead | JobState::Cancelled | JobState::Retryable),
        BulkVerb::RunNow => matches!(state, JobState::Scheduled | JobState::Retryable),
        BulkVerb::Rerun => state.is_final(),
        _ => true,
    }
}

async fn apply(plan: &Plan, job: JobId) -> Result<(), StoreError> {
    let (store, by) = (&plan.store, plan.by.clone());
    match plan.request.verb {
        BulkVerb::Cancel => store.cancel(job, by).await.map(|_| ()),
        BulkVerb::Retry => store.retry(job, by).await,
        BulkVerb::RunNow => store.run_now(job, by).await,
        BulkVerb::Rerun => store.rerun(job, ids::job_id(), by).await.map(|_| ()),
        _ => store.delete(job, by).await,
    }
}
