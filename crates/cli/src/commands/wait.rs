//! Waiting for jobs, as `jobs wait` and `enqueue --wait` do.

use std::time::Duration;

use tokio::time::Instant;
use windlass_core::{Job, JobId, JobState};
use windlass_store::SharedStore;

use crate::error::{CliError, ErrorCode};
use crate::exit_code::ExitCode;

/// How often to look. Hints come from this process only, and the work is mostly done by another one.
const LOOK: Duration = Duration::from_millis(200);

/// Waits until the job is final, or until `until`.
pub(super) async fn until_final(
    store: &SharedStore,
    id: JobId,
    until: Option<Instant>,
) -> Result<Job, CliError> {
    let mut ended = store.signals().ended();
    loop {
        let job = store.job(id).await.map_err(|error| CliError::about(id, error))?;
        if job.state.is_final() {
            return Ok(job);
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(CliError::new(ErrorCode::TimedOut, format!("job {id} is still {}", job.state))
                .with_help(format!("it goes on: `windlass jobs wait {id}` waits again")));
        }
        // Either way it is time to look again.
        let _ = tokio::time::timeout(left.map_or(LOOK, |left| left.min(LOOK)), ended.next()).await;
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
