//! What becomes of a job that is edited by hand, decided alike by all stores.

use windlass_core::{Due, Invalid, Job, JobState, Limits, NewJob, Phase, Reason, Timestamp};

use crate::change::Change;
use crate::{ErrorKind, JobEdit};

/// A job as it is after an edit.
#[derive(Debug, Clone)]
pub struct Edited {
    /// What would make it if it were enqueued so, but for when it is due.
    pub job: NewJob,
    /// When it is due.
    pub run_at: Timestamp,
    /// Why it waits, as stores keep it.
    pub reason: Option<Reason>,
    /// What differs.
    pub change: Change,
    /// Whether it stands elsewhere now among those that wait: then it waits at no gate as it did, and is asked anew.
    pub moved: bool,
}

/// What `edit` makes of `job`, which is kept with this reason; nothing where all stays as it is.
///
/// # Errors
///
/// `NotReady` for a job that is running, in review, or whose decision is being carried out; `Finished`; `Invalid` with the
/// field at fault, `args` for those of a job that a person decides about among them: what was decided, or is to be, is about
/// those args.
pub fn edited(
    (job, kept): (&Job, Option<Reason>),
    edit: &JobEdit,
    limits: &Limits,
    now: Timestamp,
) -> Result<Option<Edited>, ErrorKind> {
    may_be_edited(job)?;
    if edit.args.as_ref().is_some_and(|args| *args != job.args) && job.options.review.is_some() {
        let problem = "are what a person decides about: they are changed with the decision";
        return Err(ErrorKind::Invalid(Invalid::new("args", problem)));
    }
    let after = applied(job, edit);
    if !edit.snoozes {
        after.validate(limits).map_err(ErrorKind::Invalid)?;
    }
    let run_at = edit.due.map_or(job.run_at, |due| due.instant(now));
    let change = difference(job, &after).of("run_at", job.run_at, run_at);
    let reason = if run_at == job.run_at { kept } else { reason(kept, edit.snoozes) };
    if change.is_empty() && reason == kept {
        return Ok(None);
    }
    let moved = (&after.queue, after.priority, run_at) != (&job.queue, job.priority, job.run_at);
    Ok(Some(Edited { job: after, run_at, reason, change, moved }))
}

fn may_be_edited(job: &Job) -> Result<(), ErrorKind> {
    match job.state {
        state if state.is_final() => Err(ErrorKind::Finished),
        JobState::Running | JobState::InReview => Err(ErrorKind::NotReady),
        _ if job.phase != Phase::Run => Err(ErrorKind::NotReady),
        _ => Ok(()),
    }
}

/// Why a job waits once its time was changed by hand. One that failed, or waits for other jobs, does so still.
const fn reason(kept: Option<Reason>, snoozed: bool) -> Option<Reason> {
    match kept {
        Some(Reason::Error | Reason::TimedOut | Reason::Lost | Reason::Dependency) => kept,
        _ if snoozed => Some(Reason::Snoozed),
        _ => None,
    }
}

fn applied(job: &Job, edit: &JobEdit) -> NewJob {
    let mut after =
        NewJob::new(job.id, job.kind.clone(), edit.args.clone().unwrap_or_else(|| job.args.clone()));
    after.version = job.version;
    after.queue = edit.queue.clone().unwrap_or_else(|| job.queue.clone());
    after.priority = edit.priority.unwrap_or(job.priority);
    after.deadline = job.deadline.map(Due::At);
    after.attempts_max = job.attempts_max;
    after.losses_max = job.losses_max;
    after.options = job.options.clone();
    if let Some(tags) = &edit.tags {
        after.options.tags.clone_from(tags);
    }
    if let Some(meta) = &edit.meta {
        after.options.meta.clone_from(meta);
    }
    after
}

fn difference(before: &Job, after: &NewJob) -> Change {
    Change::default()
        .of("queue", before.queue.as_str(), after.queue.as_str())
        .of("priority", before.priority.as_str(), after.priority.as_str())
        .of_args(&before.args, &after.args)
        .of("tags", &before.options.tags, &after.options.tags)
        .of("meta", &before.options.meta, &after.options.meta)
}
