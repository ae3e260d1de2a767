//! Workers and what they hold.

use windlass_core::{Invalid, QueueName};
use windlass_store::{Beat, KindSupport, LeaseSummary, NewWorker, Queues, Worker};

use crate::{BeatShape, LeaseSummaryShape, WorkerShape};

impl TryFrom<WorkerShape> for Worker {
    type Error = Invalid;

    fn try_from(shape: WorkerShape) -> Result<Self, Invalid> {
        let any = shape.queues.iter().any(|name| name == "*");
        let names = shape.queues.iter().map(QueueName::new);
        let queues = if any { Queues::Any } else { Queues::Only(names.collect::<Result<_, _>>()?) };
        let kind = |shape: crate::KindShape| KindSupport { kind: shape.kind, version_max: shape.version_max };
        let registered = NewWorker {
            id: shape.id,
            name: shape.name,
            host: shape.host,
            version: shape.version,
            queues,
            kinds: shape.kinds.into_iter().map(kind).collect(),
            slots: shape.slots,
            lease: shape.lease,
            owner: None,
        };
        Ok(Self { registered, since: shape.since, seen_at: shape.seen_at, running: shape.running })
    }
}

impl From<BeatShape> for Beat {
    fn from(shape: BeatShape) -> Self {
        Self { lease_until: shape.lease_until, cancelled: shape.cancelled }
    }
}

impl From<LeaseSummaryShape> for LeaseSummary {
    fn from(shape: LeaseSummaryShape) -> Self {
        let LeaseSummaryShape { token, worker, seen_at, lease_until, .. } = shape;
        Self { token, worker, seen_at, lease_until }
    }
}
