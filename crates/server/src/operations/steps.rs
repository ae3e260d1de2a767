//! One operation: its jobs are selected, and dealt with a few at a time.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use windlass_core::{BulkVerb, JobId, OperationState};
use windlass_store::operations::{OPERATION_JOBS_MAX, OPERATION_LEASE};
use windlass_store::{
    Advance, DriveToken, Driven, ErrorKind, Operation, OperationProblem, OperationRefusal, PageRequest,
    SharedStore, StoreError, ids,
};
use windlass_wire::Filter;

/// How many jobs are looked at together while they are selected.
const PAGE: u32 = 500;

/// How many are dealt with before that is written down: as many as may be dealt with again where a server ends in between.
const STEP: u32 = 100;

/// How many are dealt with at the same time, where no rate is said: those share commits.
const AT_ONCE: usize = 8;

/// How often in a row others may be at a job in the same moment, before the operation stands still for a while; and how long to
/// let them.
const CONFLICTS_MAX: u32 = 10;
const LET_THEM: Duration = Duration::from_millis(50);

/// Carries out an operation, until it is over, somebody else has it, or the server is about to stop.
pub(super) async fn carry_out(
    store: &SharedStore,
    (token, operation): (DriveToken, &Operation),
    stopping: &CancellationToken,
) -> Result<(), StoreError> {
    let limit = operation.made.rate.unwrap_or(STEP).min(STEP);
    let first = if operation.selected_at.is_some() {
        Advance::Beat
    } else {
        match Filter::read(&operation.made.filter, operation.began_at) {
            Ok(filter) => match select(store, (token, operation), &filter, stopping).await? {
                Some(selected) => selected,
                None => return Ok(()),
            },
            Err(invalid) => Advance::Failed(OperationProblem::from(&invalid)),
        }
    };
    let mut driven = store.advance_operation(token, first, limit).await?;
    let (mut pace, mut conflicts) = (Pace::of(operation), 0);
    while !driven.next.is_empty() && !stopping.is_cancelled() {
        let step = deal_with(store, &driven, &mut pace).await;
        driven = store.advance_operation(token, step.advance, limit).await?;
        conflicts = match step.stopped_by {
            None => 0,
            Some(error) if *error.kind() == ErrorKind::Conflict && conflicts < CONFLICTS_MAX => {
                sleep_until(Instant::now() + LET_THEM).await;
                conflicts + 1
            }
            Some(error) => return Err(error),
        };
    }
    Ok(())
}

/// The jobs it is done to, decided before anything is done: what begins to match later is left alone. Nothing where it is not
/// to be selected any more.
async fn select(
    store: &SharedStore,
    (token, operation): (DriveToken, &Operation),
    filter: &Filter,
    stopping: &CancellationToken,
) -> Result<Option<Advance>, StoreError> {
    let (verb, as_of) = (operation.made.verb, operation.began_at);
    let (mut jobs, mut page, mut told_at) = (Vec::new(), PageRequest::first(PAGE), Instant::now());
    loop {
        let found = store.jobs(filter.indexed.clone(), page).await?;
        let meant = found
            .items
            .into_iter()
            .filter(|job| job.created_at <= as_of && filter.admits(job) && verb.is_meant_for(job.state));
        jobs.extend(meant.map(|job| job.id));
        let cut = jobs.len() > OPERATION_JOBS_MAX;
        if cut || found.next.is_none() {
            jobs.truncate(OPERATION_JOBS_MAX);
            return Ok(Some(Advance::Selected { jobs, cut }));
        }
        if stopping.is_cancelled() {
            return Ok(None);
        }
        if told_at.elapsed() > OPERATION_LEASE / 4 {
            told_at = Instant::now();
            let driven = store.advance_operation(token, Advance::Beat, 1).await?;
            if driven.operation.state != OperationState::Selecting {
                return Ok(None);
            }
        }
        page = page.after(found.next);
    }
}

/// What came of a few jobs.
struct Step {
    advance: Advance,
    /// What it cannot go on for, for now.
    stopped_by: Option<StoreError>,
}

/// Does it to the jobs that come next.
async fn deal_with(store: &SharedStore, driven: &Driven, pace: &mut Option<Pace>) -> Step {
    let operation = &driven.operation;
    let answers = if let Some(pace) = pace {
        let mut answers = Vec::new();
        for job in &driven.next {
            pace.wait().await;
            answers.push((*job, apply(store, operation, *job).await));
        }
        answers
    } else {
        let each = driven.next.clone().into_iter();
        let each = each.map(|job| async move { (job, apply(store, operation, job).await) });
        stream::iter(each).buffered(AT_ONCE).collect().await
    };
    told(operation.place(), answers)
}

/// As far as the store could say what became of them: the jobs behind the first of which it could not are dealt with again.
fn told(from: u64, answers: Vec<(JobId, Result<(), StoreError>)>) -> Step {
    let (mut done, mut refused) = (0, Vec::new());
    for (job, answer) in answers {
        match answer {
            Ok(()) => done += 1,
            Err(error) if error.is_transient() => {
                return Step { advance: Advance::Did { from, done, refused }, stopped_by: Some(error) };
            }
            Err(error) => refused.push(OperationRefusal { job, problem: OperationProblem::from(&error) }),
        }
    }
    Step { advance: Advance::Did { from, done, refused }, stopped_by: None }
}

/// Harmless to do twice: a copy has one id for ever, and what was cancelled or deleted before is not so again.
async fn apply(store: &SharedStore, operation: &Operation, job: JobId) -> Result<(), StoreError> {
    let by = operation.by.clone();
    match operation.made.verb {
        BulkVerb::Cancel => store.cancel(job, by).await.map(|_| ()),
        BulkVerb::Retry => store.retry(job, by).await,
        BulkVerb::RunNow => store.run_now(job, by).await,
        BulkVerb::Rerun => store.rerun(job, ids::copy_id(operation.made.id, job), by).await.map(|_| ()),
        _ => store.delete(job, by).await,
    }
}

/// How fast it may go.
struct Pace {
    between: Duration,
    next: Instant,
}

impl Pace {
    fn of(operation: &Operation) -> Option<Self> {
        let between = Duration::from_secs(1) / operation.made.rate.filter(|rate| *rate > 0)?;
        Some(Self { between, next: Instant::now() })
    }

    async fn wait(&mut self) {
        sleep_until(self.next).await;
        self.next = self.next.max(Instant::now()) + self.between;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_a_job_that_the_store_could_not_answer_for_is_dealt_with_again() {
        let error = |kind| Err(StoreError::new("cancel the job", kind));
        let answers = [Ok(()), error(ErrorKind::Finished), Ok(()), error(ErrorKind::Unavailable), Ok(())];
        let jobs: Vec<JobId> = answers.iter().map(|_| ids::job_id()).collect();

        let step = told(7, jobs.iter().copied().zip(answers).collect());

        assert_eq!(step.stopped_by.map(|error| error.kind().clone()), Some(ErrorKind::Unavailable));
        let Advance::Did { from, done, refused } = step.advance else { panic!("{:?}", step.advance) };
        assert_eq!((from, done, refused.len(), refused[0].job), (7, 2, 1, jobs[1]));
    }
}
