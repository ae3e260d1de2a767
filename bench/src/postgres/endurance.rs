//! Figures of what should not matter: how much else is there, and how long somebody holds a transaction open.

use super::pin::{Horizon, Passed, ROUNDS, pass};
use super::{Bench, ours};
use crate::figures::{Figure, Wanted, median};

/// So many times the jobs of a figure wait beside it, and have ended beside it: a million of each by default.
const BESIDE: usize = 10;

/// Jobs that pass under a held transaction, in rounds: two million by default.
const PASSING: usize = 20;

/// These figures take a minute each.
const RUNS: usize = 3;

pub(super) fn figures(bench: &Bench) -> Vec<Figure> {
    beside_millions(bench).into_iter().chain(held(bench)).collect()
}

fn beside_millions(bench: &Bench) -> Option<Figure> {
    let Bench { server, options } = *bench;
    let bench = Bench { server, options: &options.with_runs(RUNS) };
    bench.ratio(
        ("drain beside millions, jobs/s", Wanted::AtLeast(0.9)),
        || ours::drain_beside(server, options.jobs, options.jobs * BESIDE),
        ("the same alone", || ours::drain(server, options.jobs, 100).rate),
    )
}

fn held(bench: &Bench) -> Vec<Figure> {
    let Bench { server, options } = *bench;
    if !bench.wants("under a held transaction") {
        return Vec::new();
    }
    let jobs = options.jobs / ROUNDS * ROUNDS * PASSING;
    // So that neither has to make segments of the log: this writes the most, as no page is used twice.
    pass(server, jobs, Horizon::Held);
    let pairs: Vec<(Passed, Passed)> = (0..options.runs.min(RUNS))
        .map(|_| (pass(server, jobs, Horizon::Held), pass(server, jobs, Horizon::Free)))
        .collect();
    let figure = |name, wanted, of: fn(&Passed) -> f64| Figure {
        name,
        ours: median(pairs.iter().map(|(held, _)| of(held)).collect()),
        against: median(pairs.iter().map(|(_, free)| of(free)).collect()),
        beside: "without it",
        wanted,
    };
    vec![
        figure("last jobs under a held transaction, jobs/s", Wanted::AtLeast(0.95), |it| it.rate),
        figure("p99 of a claim under a held transaction, ms", Wanted::TimesAtMost(2.0), |it| it.claim_p99),
    ]
}
