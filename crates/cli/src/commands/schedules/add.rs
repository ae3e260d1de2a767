//! `windlass schedules add`

use windlass_core::{Due, JobTemplate, Limits, NewSchedule};
use windlass_store::ids::job_id;
use windlass_store::{Actor, ScheduleOutcome};
use windlass_wire::JobRequest;

use super::{rhythm, shown};
use crate::args::ScheduleAddArgs;
use crate::commands::enqueue::read;
use crate::context::Context;
use crate::error::CliError;
use crate::output::Output;

pub(super) async fn run(args: ScheduleAddArgs, context: &Context) -> Result<Output, CliError> {
    // Read and checked before there is a store: what is refused leaves no empty file behind.
    let by = Actor::new(args.by.by.clone());
    let schedule = asked(args)?;
    let name = schedule.name.clone();
    let store = context.store_or_make().await?;
    let outcome = store.put_schedule(schedule, by).await?;
    let output = shown(&store, &name).await?;
    Ok(match outcome {
        ScheduleOutcome::Created => output,
        ScheduleOutcome::Changed => output.with_note("it was there, and is changed"),
        ScheduleOutcome::Unchanged => output.with_note("it was there, and was this already"),
    })
}

fn asked(args: ScheduleAddArgs) -> Result<NewSchedule, CliError> {
    let rhythm = rhythm(args.rhythm)?;
    let mut request = JobRequest::new(args.kind);
    request.args = args.args.as_deref().map(read).transpose()?;
    request.queue = args.queue;
    request.priority = args.priority;
    request.deadline = args.deadline.map(Due::In);
    request.timeout = args.timeout;
    request.attempts_max = args.attempts;
    request.losses_max = args.losses;
    request.tags = args.tags;
    let refused = |invalid| CliError::invalid(&invalid);
    let job = JobTemplate::of(request.into_new_job(job_id())).map_err(refused)?;
    let mut schedule = NewSchedule::new(args.name, rhythm, job);
    schedule.overlap = args.overlap.into();
    schedule.missed = args.missed;
    schedule.jitter = args.jitter.unwrap_or_default();
    schedule.starts_at = args.starts_at;
    schedule.ends_at = args.ends_at;
    schedule.paused = args.paused;
    schedule.validate(&Limits::default()).map_err(refused)?;
    Ok(schedule)
}
