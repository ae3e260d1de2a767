//! What every store decides alike before it writes.
//!
//! Where a job goes is decided by `windlass_core`; here is what depends on the port's own answers: whether a call is
//! allowed, and with which [`ErrorKind`] it is refused if not. A store that asks these functions cannot differ from
//! another in its answers. Nothing here reads or writes anything.

pub mod edits;
pub mod flows;
pub mod operations;
pub mod reviews;
pub mod schedules;

use std::collections::HashSet;

use windlass_core::limits::ENQUEUE_BATCH_MAX;
use windlass_core::{
    AttemptToken, Invalid, Job, JobId, Json, Limits, NewJob, OnConflict, Reason, Stage, Timestamp, WorkerId,
};

use crate::{CancelOutcome, ErrorKind, LEADER_LEASE, Leadership, StoreError};

/// Refuses a batch that cannot be enqueued, by its first fault: `jobs[3].args`, or `args` in a batch of one.
///
/// A fault is found in the order of the batch. Whether an id was enqueued before is not asked here: a repeated job
/// must be valid like any other.
///
/// # Errors
///
/// [`Invalid`] with the field `jobs` for too many, else with the field of the first job at fault; `id` where an id
/// stands in the batch for the second time, and `jobs[3].after[0]` where edges lead round in a circle.
pub fn check_batch(jobs: &[NewJob], limits: &Limits) -> Result<(), Invalid> {
    let count = jobs.len();
    if count > ENQUEUE_BATCH_MAX {
        return Err(Invalid::new(
            "jobs",
            format!("are {count}; at most {ENQUEUE_BATCH_MAX} are allowed at once"),
        ));
    }
    let mut ids = HashSet::with_capacity(count);
    for (index, job) in jobs.iter().enumerate() {
        let fault = job.validate(limits).and_then(|()| check_unique(&mut ids, job.id));
        fault.map_err(
            |invalid| if count == 1 { invalid } else { invalid.inside(&format!("jobs[{index}]")) },
        )?;
    }
    flows::check_edges(jobs)
}

fn check_unique(ids: &mut HashSet<JobId>, id: JobId) -> Result<(), Invalid> {
    if ids.insert(id) { Ok(()) } else { Err(Invalid::new("id", "stands in the batch twice")) }
}

/// Who leads once `candidate` has asked at `now`; `last` is the newest leadership there was.
#[must_use]
pub fn leading(last: Option<Leadership>, candidate: WorkerId, now: Timestamp) -> Leadership {
    let until = now.after(LEADER_LEASE);
    match last {
        Some(last) if last.until > now && last.leader != candidate => last,
        Some(last) if last.until > now => Leadership { until, ..last },
        last => {
            let term = last.map_or(0, |last| last.term) + 1;
            Leadership { leader: candidate, term, until, look_at: None }
        }
    }
}

/// What is left of a leadership when `leader` resigns at `now`; none if that changes nothing.
#[must_use]
pub fn resigned(last: Option<Leadership>, leader: WorkerId, now: Timestamp) -> Option<Leadership> {
    let last = last.filter(|last| last.leader == leader && last.until > now)?;
    Some(Leadership { until: now, ..last })
}

/// Refuses a checkpoint that is too large to be stored.
///
/// # Errors
///
/// [`Invalid`] with the field `checkpoint`.
pub fn check_checkpoint(checkpoint: &Json, limits: &Limits) -> Result<(), Invalid> {
    let (bytes, most) = (checkpoint.as_bytes().len(), limits.result_bytes_max);
    if bytes > most {
        return Err(Invalid::new("checkpoint", format!("is {bytes} bytes long; at most {most} are allowed")));
    }
    Ok(())
}

/// What a cancel does to a job at `stage`. [`CancelOutcome::AlreadyCancelled`] changes nothing and leaves no event.
///
/// # Errors
///
/// `Finished` for a job that ended otherwise.
pub const fn cancelling(stage: Stage) -> Result<CancelOutcome, ErrorKind> {
    match stage {
        Stage::Running => Ok(CancelOutcome::Requested),
        Stage::Cancelled => Ok(CancelOutcome::AlreadyCancelled),
        Stage::Completed | Stage::Dead => Err(ErrorKind::Finished),
        _ => Ok(CancelOutcome::Cancelled),
    }
}

/// Whether an operator may give a job a new budget; `attempt_open` when an attempt of it is.
///
/// Judged by the stored `reason`, not by the state a reader sees: a job whose attempt failed may be retried also
/// once its next attempt is due, so nobody is refused who was a moment too slow.
///
/// # Errors
///
/// `Finished` for a completed job; `NotReady` for one that has not failed, or whose attempt is open.
pub const fn retrying(stage: Stage, reason: Option<Reason>, attempt_open: bool) -> Result<(), ErrorKind> {
    match (stage, reason) {
        (Stage::Completed, _) => Err(ErrorKind::Finished),
        _ if attempt_open => Err(ErrorKind::NotReady),
        (Stage::Dead | Stage::Cancelled, _)
        | (Stage::Waiting, Some(Reason::Error | Reason::TimedOut | Reason::Lost)) => Ok(()),
        _ => Err(ErrorKind::NotReady),
    }
}

/// Whether an operator may make a job due now. A job that is due already is left as it is, without an event.
///
/// # Errors
///
/// `Finished`; `NotReady` for a job that is running, blocked or in review.
pub const fn hastening(stage: Stage) -> Result<(), ErrorKind> {
    match stage {
        Stage::Waiting => Ok(()),
        _ if stage.is_final() => Err(ErrorKind::Finished),
        _ => Err(ErrorKind::NotReady),
    }
}

/// The further copy that is made of a job by hand, under this id.
///
/// # Errors
///
/// `NotReady` for a job that is not final.
pub fn copied(job: Job, copy: JobId) -> Result<NewJob, ErrorKind> {
    if !job.state.is_final() {
        return Err(ErrorKind::NotReady);
    }
    let mut new = NewJob::new(copy, job.kind, job.args);
    new.version = job.version;
    new.queue = job.queue;
    new.priority = job.priority;
    new.attempts_max = job.attempts_max;
    new.losses_max = job.losses_max;
    new.options = job.options;
    new.options.rerun_of = Some(job.id);
    new.options.fired_by = None;
    if let Some(unique) = &mut new.options.unique {
        unique.on_conflict = OnConflict::Reject;
    }
    Ok(new)
}

/// Refuses to delete a job that is held, or that `needed_by`, an unfinished job, depends on.
///
/// # Errors
///
/// `NotReady` with the reason; an attempt may be open of a cancelled job as well.
pub fn deleting(
    id: JobId,
    attempt_open: bool,
    needed_by: Option<JobId>,
    operation: &'static str,
) -> Result<(), StoreError> {
    let reason = match (attempt_open, needed_by) {
        (true, _) => format!("an attempt of job {id} is open"),
        (false, Some(child)) => format!("job {child} depends on job {id}, and is not finished"),
        (false, None) => return Ok(()),
    };
    Err(StoreError::new(operation, ErrorKind::NotReady).with_detail(reason))
}

/// What is asked of a job before it is claimed by its id.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Its stage.
    pub stage: Stage,
    /// When it is due.
    pub run_at: Timestamp,
    /// When it must be finished.
    pub deadline: Option<Timestamp>,
    /// Whether its queue is paused.
    pub paused: bool,
}

impl Candidate {
    /// Whether it may be claimed by its id. One past its deadline may not, and is left for the next rescue: what is
    /// refused changes nothing.
    ///
    /// # Errors
    ///
    /// `NotReady`.
    pub fn claiming(&self, now: Timestamp) -> Result<(), ErrorKind> {
        let due = self.stage == Stage::Waiting && self.run_at <= now && !past(self.deadline, now);
        if due && !self.paused { Ok(()) } else { Err(ErrorKind::NotReady) }
    }
}

/// Most jobs past their deadline that one claim ends: everyone else waits for it meanwhile.
pub const LATE_PER_CLAIM_MAX: usize = 1_000;

/// Whether a deadline has passed: at its very instant, it has.
#[must_use]
pub fn past(deadline: Option<Timestamp>, now: Timestamp) -> bool {
    deadline.is_some_and(|deadline| deadline <= now)
}

/// Whether a lease that holds until `lease_until` is over: at that very instant, it is.
#[must_use]
pub fn expired(lease_until: Timestamp, now: Timestamp) -> bool {
    lease_until <= now
}

/// What a store keeps of a job's newest attempt, to hold a token against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewestAttempt {
    /// Its number; 0 for a job that was never claimed.
    pub number: u64,
    /// Its nonce, kept when its own settle closes it; 0 once it was closed by anyone else (a rescue, a
    /// deregistration), and for a job that was never claimed.
    pub nonce: u64,
    /// Until when its lease holds; none once it is closed.
    pub lease_until: Option<Timestamp>,
    /// Whether its job was cancelled while it ran.
    pub cancelled: bool,
}

/// How an attempt stands whose token was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its job runs.
    Runs,
    /// Its job was cancelled while it ran: a settle closes the attempt, and nothing else is written for it.
    Cancelled,
}

impl Standing {
    /// Whether something may be written for the job.
    ///
    /// # Errors
    ///
    /// `Cancelled`.
    pub const fn must_run(self) -> Result<(), ErrorKind> {
        match self {
            Self::Runs => Ok(()),
            Self::Cancelled => Err(ErrorKind::Cancelled),
        }
    }
}

/// Holds a token against the newest attempt of its job, which is none if there is no such job (G6).
///
/// # Errors
///
/// `NotFound`, `NotRunning` and `LeaseLost` as [`LeaseStore`](crate::LeaseStore) says. The token that settled is
/// known as such until the job is claimed again; from then on it is one among the lost.
pub fn fence(
    token: &AttemptToken,
    newest: Option<NewestAttempt>,
    now: Timestamp,
) -> Result<Standing, ErrorKind> {
    let newest = newest.ok_or(ErrorKind::NotFound)?;
    if token.nonce == 0 || (token.number, token.nonce) != (newest.number, newest.nonce) {
        return Err(ErrorKind::LeaseLost);
    }
    match newest.lease_until {
        None => Err(ErrorKind::NotRunning),
        Some(until) if expired(until, now) => Err(ErrorKind::LeaseLost),
        Some(_) if newest.cancelled => Ok(Standing::Cancelled),
        Some(_) => Ok(Standing::Runs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_core::{Args, KindName};

    const NOW: Timestamp = Timestamp::from_micros(1_000);

    fn job(id: u8) -> NewJob {
        NewJob::new(JobId::from_bytes([id; 16]), KindName::new("mail").unwrap(), Args::default())
    }

    fn fault(jobs: &[NewJob]) -> String {
        check_batch(jobs, &Limits::default()).unwrap_err().field
    }

    #[test]
    fn a_fault_is_named_with_its_place_in_the_batch() {
        let mut bad = job(2);
        bad.version = 0;

        assert_eq!(fault(&[job(1), bad.clone(), job(1)]), "jobs[1].version");
        assert_eq!(fault(&[job(1), job(2), job(1)]), "jobs[2].id");
        assert_eq!(fault(&[bad]), "version");
        assert_eq!(fault(&vec![job(1); ENQUEUE_BATCH_MAX + 1]), "jobs");
        assert_eq!(check_batch(&[], &Limits::default()), Ok(()));
    }

    #[test]
    fn a_token_is_held_against_the_newest_attempt() {
        let token = AttemptToken { job: JobId::from_bytes([1; 16]), number: 2, nonce: 7 };
        let open = NewestAttempt {
            number: 2,
            nonce: 7,
            lease_until: Some(Timestamp::from_micros(1_001)),
            cancelled: false,
        };
        let fence = |newest| fence(&token, newest, NOW);

        assert_eq!(fence(None), Err(ErrorKind::NotFound));
        assert_eq!(fence(Some(open)), Ok(Standing::Runs));
        assert_eq!(fence(Some(NewestAttempt { cancelled: true, ..open })), Ok(Standing::Cancelled));
        assert_eq!(fence(Some(NewestAttempt { lease_until: Some(NOW), ..open })), Err(ErrorKind::LeaseLost));
        assert_eq!(fence(Some(NewestAttempt { lease_until: None, ..open })), Err(ErrorKind::NotRunning));
        assert_eq!(
            fence(Some(NewestAttempt { lease_until: None, nonce: 0, ..open })),
            Err(ErrorKind::LeaseLost)
        );
        assert_eq!(fence(Some(NewestAttempt { number: 3, ..open })), Err(ErrorKind::LeaseLost));
    }

    #[test]
    fn a_token_without_a_nonce_never_passes() {
        let token = AttemptToken { job: JobId::from_bytes([1; 16]), number: 0, nonce: 0 };
        let never = NewestAttempt { number: 0, nonce: 0, lease_until: None, cancelled: false };

        assert_eq!(fence(&token, Some(never), NOW), Err(ErrorKind::LeaseLost));
    }

    #[test]
    fn an_operator_may_retry_what_failed_and_is_closed() {
        assert_eq!(retrying(Stage::Dead, Some(Reason::Fatal), false), Ok(()));
        assert_eq!(retrying(Stage::Waiting, Some(Reason::Lost), false), Ok(()));
        assert_eq!(retrying(Stage::Waiting, Some(Reason::Snoozed), false), Err(ErrorKind::NotReady));
        assert_eq!(retrying(Stage::Cancelled, Some(Reason::Operator), true), Err(ErrorKind::NotReady));
        assert_eq!(retrying(Stage::Running, None, true), Err(ErrorKind::NotReady));
        assert_eq!(retrying(Stage::Completed, None, false), Err(ErrorKind::Finished));
    }
}
