//! How long it takes from an enqueue to the start of its handler, when the worker has nothing else to do.

use super::ours::Fixture;
use crate::noop::Noop;
use crate::pickup::{Pickup, measure, nanos};
use crate::process::Helper;

/// Enqueues come from this process.
pub(super) fn within_one_process(count: usize) -> Pickup {
    let fixture = Fixture::new();
    let windlass = fixture.windlass();
    measure(&fixture.runtime, &windlass, count, || {
        let job = Noop { to: nanos().to_string(), n: 1 };
        fixture.runtime.block_on(async { windlass.enqueue(job).await }).expect("enqueued");
    })
}

/// Enqueues come from another process on the same file.
pub(super) fn across_processes(count: usize) -> Pickup {
    let fixture = Fixture::new();
    let mut enqueuer = Helper::start(&["sqlite-enqueue", &fixture.path().display().to_string()], drop);
    measure(&fixture.runtime, &fixture.windlass(), count, || enqueuer.go())
}
