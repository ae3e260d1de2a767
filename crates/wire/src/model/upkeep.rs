//! The duties of a store, and what it says of itself.

use windlass_store::{Fired, Leadership, Pruned, StoreStatus};

use crate::{FiredShape, LeadershipShape, PrunedShape, StatusShape};

impl From<PrunedShape> for Pruned {
    fn from(shape: PrunedShape) -> Self {
        Self { removed: shape.removed, more: shape.more }
    }
}

impl From<FiredShape> for Fired {
    fn from(shape: FiredShape) -> Self {
        let FiredShape { now, jobs, skipped, ended, failed, next_at, more } = shape;
        let failed = failed.into_iter().map(|one| (one.name, one.problem)).collect();
        Self { now, jobs, skipped, ended, failed, next_at, more }
    }
}

impl From<LeadershipShape> for Leadership {
    fn from(shape: LeadershipShape) -> Self {
        let LeadershipShape { leader, term, until, look_at } = shape;
        Self { leader, term, until, look_at }
    }
}

impl From<StatusShape> for StoreStatus {
    fn from(shape: StatusShape) -> Self {
        let durability = shape.survives();
        let StatusShape { engine, location, schema_version, now, size_bytes, warnings, .. } = shape;
        Self { engine, location, durability, schema_version, now, size_bytes, warnings }
    }
}
