//! Operations on many jobs.

use windlass_core::Invalid;
use windlass_store::{
    Actor, DriveToken, Driven, NewOperation, Operation, OperationProblem, OperationRefusal,
};

use crate::ProblemShape;
use crate::operation::{DrivenShape, OperationShape, RefusalShape};

impl From<OperationShape> for Operation {
    fn from(shape: OperationShape) -> Self {
        let mut made = NewOperation::new(shape.id, shape.verb, shape.filter);
        made.rate = shape.rate;
        made.dry_run = shape.dry_run;
        Self {
            made,
            by: Actor { name: shape.by, why: shape.reason, via: None },
            began_at: shape.began_at,
            state: shape.state,
            selected_at: shape.selected_at,
            selected: shape.selected,
            cut: shape.cut,
            sample: shape.sample,
            done: shape.done,
            refused: shape.refused,
            refusals: shape.refusals.into_iter().map(OperationRefusal::from).collect(),
            problem: shape.problem.map(OperationProblem::from),
            ended_at: shape.ended_at,
        }
    }
}

impl From<RefusalShape> for OperationRefusal {
    fn from(shape: RefusalShape) -> Self {
        Self { job: shape.job, problem: shape.problem.into() }
    }
}

impl From<ProblemShape> for OperationProblem {
    fn from(shape: ProblemShape) -> Self {
        Self { code: shape.code, detail: shape.detail }
    }
}

impl TryFrom<DrivenShape> for Driven {
    type Error = Invalid;

    fn try_from(shape: DrivenShape) -> Result<Self, Invalid> {
        let operation = shape.operation.ok_or_else(|| Invalid::new("operation", "is missing"))?;
        Ok(Self { operation: operation.into(), next: shape.next })
    }
}

impl TryFrom<DrivenShape> for Option<(DriveToken, Operation)> {
    type Error = Invalid;

    fn try_from(shape: DrivenShape) -> Result<Self, Invalid> {
        let (Some(nonce), Some(operation)) = (shape.nonce, shape.operation) else { return Ok(None) };
        let nonce = nonce.parse().map_err(|_| Invalid::new("nonce", "is none that was given"))?;
        Ok(Some((DriveToken { operation: operation.id, nonce }, operation.into())))
    }
}
