//! Queues and how they are bounded.

use windlass_core::{Bounds, Invalid, Whole};
use windlass_store::{Actor, Pause, QueueSummary, StateCounts};

use super::unknown;
use crate::{BoundShape, PauseShape, QueueShape};

impl From<QueueShape> for QueueSummary {
    fn from(shape: QueueShape) -> Self {
        let mut counts = StateCounts::default();
        for (state, count) in &shape.counts {
            counts.add(*state, *count);
        }
        let QueueShape { name, pause, oldest_ready_at, .. } = shape;
        Self { name, pause: pause.map(Pause::from), counts, oldest_ready_at }
    }
}

impl From<PauseShape> for Pause {
    fn from(shape: PauseShape) -> Self {
        let PauseShape { since, by, reason } = shape;
        Self { since, by: Actor { name: by, why: reason, via: None } }
    }
}

impl TryFrom<BoundShape> for (Whole, Bounds) {
    type Error = Invalid;

    fn try_from(shape: BoundShape) -> Result<Self, Invalid> {
        let BoundShape { name, what, limit, rate } = shape;
        let whole = match what.as_str() {
            "queue" => Whole::Queue(name.parse()?),
            "kind" => Whole::Kind(name.parse()?),
            _ => return Err(unknown("what", &what)),
        };
        Ok((whole, Bounds { limit, rate }))
    }
}
