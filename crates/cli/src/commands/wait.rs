//! Waiting for jobs, as `jobs wait` and `enqueue --wait` do.

use std::time::Duration;

use tokio::time::Instant;
use windlass_core::{Job, JobId, JobState};
use windlass_store::SharedStore;

use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;

/// How often to look. Hints come from this process only, and the work is mostly done by another one. Most jobs are short, so the
/// first looks come sooner.
const LOOK: Duration = Duration::from_millis(200);
const LOOK_FIRST: Duration = Duration::from_millis(10);

/// Waits until the job is final, or until `until`.
pub(super) async fn until_final(
    store: &SharedStore,
    id: JobId,
    until: Option<Instant>,
) -> Result<Job, CliError> {
    until_final_seeing(store, id, until, |_| Ok(())).await
}

/// The same, with each look shown to `see`.
pub(super) async fn until_final_seeing(
    store: &SharedStore,
    id: JobId,
    until: Option<Instant>,
    mut see: impl FnMut(&Job) -> Result<(), CliError>,
) -> Result<Job, CliError> {
    let (mut ended, mut look) = (store.signals().ended(), LOOK_FIRST);
    loop {
        let job = store.job(id).await.map_err(|error| CliError::about(id, error))?;
        see(&job)?;
        if job.state.is_final() {
            return Ok(job);
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(CliError::new(ErrorCode::TimedOut, format!("job {id} is still {}", job.state))
                .with_help(format!("it goes on: `windlass jobs wait {id}` waits again")));
        }
        // Either way it is time to look again.
        let _ = tokio::time::timeout(left.map_or(look, |left| left.min(look)), ended.next()).await;
        look = (look * 2).min(LOOK);
    }
}

/// How a command ends that waited for these jobs.
pub(super) fn exit(jobs: &[Job]) -> ExitCode {
    if jobs.iter().all(|job| job.state == JobState::Completed) {
        ExitCode::Done
    } else {
        ErrorCode::JobsFailed.exit_code()
    }
}
