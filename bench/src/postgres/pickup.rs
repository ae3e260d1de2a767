//! How long it takes from an enqueue to the start of its handler, when the worker has nothing else to do.

use super::ours::{Fixture, job};
use super::server::Server;
use crate::noop::Noop;
use crate::pickup::{Pickup, measure, nanos};
use crate::process::Helper;

/// Enqueues come from this process.
pub(super) fn within_one_process(server: &Server, count: usize) -> Pickup {
    let fixture = Fixture::new(server);
    let windlass = &fixture.windlass;
    measure(&fixture.runtime, windlass, count, || {
        let job = Noop { to: nanos().to_string(), ..job() };
        fixture.runtime.block_on(async { windlass.enqueue(job).await }).expect("enqueued");
    })
}

/// Enqueues come from another process.
pub(super) fn across_processes(server: &Server, count: usize) -> Pickup {
    let fixture = Fixture::new(server);
    let mut enqueuer = Helper::start(&["postgres-enqueue", fixture.database.url()], drop);
    measure(&fixture.runtime, &fixture.windlass, count, || enqueuer.go())
}
