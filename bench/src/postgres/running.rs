//! Figures of jobs that are run: how many a second, and what each costs the server.

use super::raw::cycle::{self, Drained};
use super::{Bench, child, ours};
use crate::figures::{Figure, Wanted, median};

const BARE: &str = "bare cycle, 2 x 500";

/// Each has as many jobs to do as one alone has elsewhere: its first claims are small, and on connections that are new.
const PROCESSES: usize = 4;

pub(super) fn figures(bench: &Bench) -> Vec<Figure> {
    let server = bench.server;
    let jobs = bench.options.jobs;
    let bare = || cycle::drain(server, jobs, cycle::QUICKEST).rate;
    let alone = || cycle::drain(server, jobs, cycle::ALONE).rate;
    let one = || ours::drain(server, jobs, 1).rate;
    let at_least = Wanted::AtLeast;
    let others = [
        bench.ratio(("drain at 1 slot, jobs/s", at_least(0.4)), one, (BARE, bare)),
        bench.ratio(("drain at 1 slot, jobs/s", at_least(0.4)), one, ("bare cycle, 1 x 500", alone)),
        bench.ratio(
            ("enqueue and drain at once, jobs/s", at_least(0.6)),
            || ours::mixed(server, jobs),
            ("the same, bare", || cycle::mixed(server, jobs)),
        ),
        bench.ratio(
            ("drain by 4 processes x 64 slots, jobs/s", at_least(0.9)),
            || child::drain(server, jobs * PROCESSES, (PROCESSES, 64)),
            ("1 process x 256 slots", || child::drain(server, jobs * PROCESSES, (1, 256))),
        ),
    ];
    drained(bench).into_iter().chain(others.into_iter().flatten()).collect()
}

fn drained(bench: &Bench) -> Vec<Figure> {
    let Bench { server, options } = *bench;
    if !bench.wants("drain at 100 slots") {
        return Vec::new();
    }
    let pairs: Vec<(Drained, Drained)> = (0..options.runs)
        .map(|_| cycle::drain(server, options.jobs, cycle::QUICKEST))
        .map(|bare| (ours::drain(server, options.jobs, 100), bare))
        .collect();
    let figure = |name, wanted, of: fn(&Drained) -> f64| Figure {
        name,
        ours: median(pairs.iter().map(|(ours, _)| of(ours)).collect()),
        against: median(pairs.iter().map(|(_, bare)| of(bare)).collect()),
        beside: BARE,
        wanted,
    };
    vec![
        figure("drain at 100 slots, jobs/s", Wanted::AtLeast(0.65), |it| it.rate),
        figure("log of a drained job, bytes", Wanted::AtMost(1_000.0), |it| it.drain.wal),
        figure("log of a job with its enqueue, bytes", Wanted::AtMost(1_700.0), |it| {
            it.enqueue.wal + it.drain.wal
        }),
        figure("statements of a drained job", Wanted::AtMost(0.02), |it| it.drain.statements),
        figure("commits of a drained job", Wanted::AtMost(0.01), |it| it.drain.commits),
    ]
}
