//! What persons are asked to decide.

use windlass_core::{Invalid, Ruling};
use windlass_store::ReviewRecord;

use super::job::args;
use crate::{ReviewShape, RulingShape};

impl From<RulingShape> for Ruling {
    fn from(shape: RulingShape) -> Self {
        let RulingShape { decision, by, comment, at, edited, digest } = shape;
        Self { decision, by, comment, at, digest, edited }
    }
}

impl TryFrom<ReviewShape> for ReviewRecord {
    type Error = Invalid;

    fn try_from(shape: ReviewShape) -> Result<Self, Invalid> {
        Ok(Self {
            job: shape.job,
            kind: shape.kind,
            queue: shape.queue,
            terms: shape.terms,
            submitted_by: shape.submitted_by,
            args: args(shape.args, shape.args_base64)?,
            editable: shape.editable,
            staged: shape.staged,
            digest: shape.digest,
            round: shape.round,
            asked_at: shape.asked_at,
            decide_by: shape.decide_by,
            reminders: shape.reminders,
            remind_at: shape.remind_at,
            open: shape.open,
            ruling: shape.ruling.map(Ruling::from),
        })
    }
}
