//! Leases, and how turns went.

use windlass_core::{Invalid, JobOptions};
use windlass_store::{Claimed, Holder, LeasedJob, Settling, StoreError, Turned};

use super::job::args;
use crate::{HeldShape, LeasedShape, LeasesShape, SettledOrProblem, SettlesShape, TurnShape};

impl TryFrom<LeasedShape> for LeasedJob {
    type Error = Invalid;

    fn try_from(shape: LeasedShape) -> Result<Self, Invalid> {
        let LeasedShape { token, lease_until, job, fences, settles, .. } = shape;
        Ok(Self {
            token,
            lease_until,
            kind: job.kind,
            version: job.version,
            queue: job.queue,
            args: args(job.args, job.args_base64)?,
            priority: job.priority,
            attempt: job.attempt,
            attempts_max: job.attempts_max,
            losses: job.losses,
            run_at: job.run_at,
            deadline: job.deadline,
            created_at: job.created_at,
            started_at: job.started_at,
            checkpoint: job.checkpoint,
            options: Some(job.options).filter(|options| *options != JobOptions::default()).map(Box::new),
            fences,
            settles: settles.map(|settles| Box::new(settles.into())),
        })
    }
}

impl From<SettlesShape> for Settling {
    fn from(shape: SettlesShape) -> Self {
        Self { ruling: shape.ruling.into(), staged: shape.staged }
    }
}

impl TryFrom<LeasesShape> for Claimed {
    type Error = Invalid;

    fn try_from(shape: LeasesShape) -> Result<Self, Invalid> {
        let jobs = shape.leases.into_iter().map(LeasedJob::try_from).collect::<Result<_, _>>()?;
        Ok(Self { jobs, next_due: shape.next_due })
    }
}

impl From<HeldShape> for Holder {
    fn from(shape: HeldShape) -> Self {
        let HeldShape { job, lease_until, cancel_requested } = shape;
        Self { job, lease_until, cancel_requested }
    }
}

impl TurnShape {
    /// The answer as the model has it; `operation` is what was tried, for the refusals in it.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field that this version cannot read.
    pub fn into_turned(self, operation: &'static str) -> Result<Turned, Invalid> {
        let outcome = |one| match one {
            SettledOrProblem::Settled(settled) => Ok(settled.into()),
            SettledOrProblem::Problem(problem) => Err::<_, StoreError>(problem.into_error(operation)),
        };
        Ok(Turned {
            settled: self.settled.into_iter().map(outcome).collect(),
            claimed: LeasesShape::new(self.leases, self.next_due).try_into()?,
            cancelled: self.cancelled,
        })
    }
}
