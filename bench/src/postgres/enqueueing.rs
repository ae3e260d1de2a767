//! Figures of enqueueing: one by one, by a crowd, and in bulk.

use super::raw::enqueue;
use super::{Bench, ours};
use crate::figures::{Figure, Wanted};

/// Jobs of one caller alone: a commit each.
pub(super) const SINGLE: usize = 3_000;

/// Crowds that are measured, each with a name, and the jobs that it enqueues.
pub(super) const CROWDS: [(usize, &str, usize); 3] = [
    (8, "enqueue by 8 callers, jobs/s", SINGLE * 4),
    (32, "enqueue by 32 callers, jobs/s", SINGLE * 8),
    (256, "enqueue by 256 callers, jobs/s", SINGLE * 20),
];

pub(super) fn figures(bench: &Bench) -> Vec<Figure> {
    let Bench { server, options } = *bench;
    let bulk = bench.ratio(
        ("enqueue in bulk, jobs/s", Wanted::AtLeast(0.7)),
        || ours::enqueue_in_bulk(server, options.jobs),
        ("raw unnest at 1,000", || enqueue::in_bulk(server, options.jobs)),
    );
    let single = bench.ratio(
        ("enqueue one at a time, jobs/s", Wanted::AtLeast(0.85)),
        || ours::enqueue_concurrently(server, 1, SINGLE),
        ("raw insert commits/s", || enqueue::singly(server, SINGLE)),
    );
    let crowds = CROWDS.into_iter().map(|(callers, name, count)| {
        bench.ratio(
            (name, Wanted::AtLeast(0.75)),
            || ours::enqueue_concurrently(server, callers, count),
            ("coalesced by hand", || enqueue::coalesced(server, callers, count)),
        )
    });
    [bulk, single].into_iter().chain(crowds).flatten().collect()
}
