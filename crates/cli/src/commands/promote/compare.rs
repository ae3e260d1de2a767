//! Comparing the two stores: before, so that nothing is mixed up, and after, so that nothing is missing.

use std::collections::BTreeMap;

use windlass::Address;
use windlass_core::limits::PAGE_MAX;
use windlass_core::{Job, JobId, JobState, QueueName, StateGroup};
use windlass_postgres::{PostgresStore, Record};
use windlass_store::{ErrorKind, JobFilter, JobStore, PageRequest, QueueStore, StateCounts, StoreError};

use super::copy::{Copied, read};
use super::source::Source;
use crate::error::{CliError, ErrorCode};

/// Refuses a new store that has jobs which are not those of the file. What a run before has brought there is fine.
pub(super) async fn refuse_others(
    source: &Source,
    target: &PostgresStore,
    to: &Address,
) -> Result<(), CliError> {
    let mut ahead = Some(PageRequest::first(PAGE_MAX));
    while let Some(request) = ahead {
        let page = target.jobs(JobFilter::default(), request).await?;
        ahead = page.next.map(|next| request.after(Some(next)));
        for job in page.items {
            match source.store.job(job.id).await {
                Ok(same) if is_equal(&same, &job) => {}
                Ok(_) => return Err(occupied(to, job.id, "which has changed in one of the two places")),
                Err(error) if *error.kind() == ErrorKind::NotFound => {
                    return Err(occupied(to, job.id, "which the file does not know"));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn occupied(to: &Address, job: JobId, how: &str) -> CliError {
    CliError::new(ErrorCode::Occupied, format!("{to} has job {job} already, {how}")).with_help(
        "move the jobs to an empty database, or to a schema of their own: postgres://user@host/database?schema=NAME",
    )
}

/// Counts every queue, and compares all that is kept of some jobs.
pub(super) async fn verify(source: &Source, target: &PostgresStore, copied: &Copied) -> Result<(), CliError> {
    let there: BTreeMap<QueueName, StateCounts> =
        target.queues().await?.into_iter().map(|queue| (queue.name, queue.counts)).collect();
    for (queue, wanted) in &copied.queues {
        let found = there.get(queue).copied().unwrap_or_default();
        if tally(&found) != tally(wanted) {
            let (wanted, found) = (wanted.total(), found.total());
            return Err(unverified(
                source,
                &format!("queue \"{queue}\" has {found} jobs, of which {wanted} were moved there"),
            ));
        }
    }
    for sample in &copied.samples {
        if !is_same(target, sample).await? {
            return Err(unverified(
                source,
                &format!("job {} reads differently in the new store", sample.job.id),
            ));
        }
    }
    Ok(())
}

fn unverified(source: &Source, what: &str) -> CliError {
    let place = source.path.display();
    CliError::new(ErrorCode::Unverified, what).with_help(format!(
        "the file still has all jobs: `windlass promote {place} --undo` makes it a queue again"
    ))
}

/// How many wait, and how many ended how. Those that wait become due while they are counted.
fn tally(counts: &StateCounts) -> [u64; 4] {
    let waiting = JobState::ALL.iter().filter(|state| state.group() == StateGroup::Waiting);
    [
        waiting.map(|state| counts.of(*state)).sum(),
        counts.of(JobState::Completed),
        counts.of(JobState::Cancelled),
        counts.of(JobState::Dead),
    ]
}

async fn is_same(target: &PostgresStore, sample: &Record) -> Result<bool, StoreError> {
    let job = match target.job(sample.job.id).await {
        Ok(job) => job,
        Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let found = read(target, job, sample.place).await?;
    Ok(is_equal(&found.job, &sample.job)
        && found.attempts == sample.attempts
        && found.log == sample.log
        && found.events == sample.events
        && found.review == sample.review
        && waits_alike(&found, sample))
}

/// Whether a job has its edges. Those to finished jobs that were left behind are gone from one that waits for nothing.
fn waits_alike(found: &Record, sample: &Record) -> bool {
    let edges =
        |record: &Record| record.parents.iter().map(|parent| (parent.id, parent.policy)).collect::<Vec<_>>();
    let (found_edges, edges) = (edges(found), edges(sample));
    if sample.job.state == JobState::Blocked {
        return found_edges == edges;
    }
    found_edges.iter().all(|edge| edges.contains(edge))
}

/// Whether two stores tell the same of a job. One that waits becomes ready by the clock of its store, which may be ahead of
/// the other's, or have gone on since; when it is due is compared all the same.
fn is_equal(one: &Job, other: &Job) -> bool {
    let waits = |job: &Job| matches!(job.state, JobState::Scheduled | JobState::Retryable | JobState::Ready);
    let is_due = |job: &Job| job.state == JobState::Ready;
    if waits(one) && waits(other) && is_due(one) != is_due(other) {
        let due = |job: &Job| Job { state: JobState::Ready, reason: None, ..job.clone() };
        return due(one) == due(other);
    }
    one == other
}
