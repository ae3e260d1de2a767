//! What the machine gives: bare SQL and the peers alone, to know what ours will be held against.

use super::enqueueing::{CROWDS, SINGLE};
use super::raw::cycle::{ALONE, Drained, QUICKEST, Shape, drain, mixed};
use super::raw::{enqueue, pickup};
use super::{Bench, peers};
use crate::figures::{median, shown};

/// Measures and prints, a line each as it comes.
pub(super) fn run(bench: &Bench) {
    let Bench { server, options } = *bench;
    drains(bench, "bare cycle, 2 x 500", QUICKEST);
    drains(bench, "bare cycle, 1 x 500", ALONE);
    line(bench, "bare enqueue and drain at once, jobs/s", || mixed(server, options.jobs));
    line(bench, "raw unnest at 1,000, jobs/s", || enqueue::in_bulk(server, options.jobs));
    line(bench, "raw insert commits/s", || enqueue::singly(server, SINGLE));
    for (callers, name, count) in CROWDS {
        line(bench, &format!("coalesced by hand: {name}"), || enqueue::coalesced(server, callers, count));
    }
    let (mut medians, mut p99s) = (Vec::new(), Vec::new());
    if bench.wants("insert, notify, claim") {
        for pickup in (0..options.runs).map(|_| pickup::measure(server, 300)) {
            medians.push(pickup.median);
            p99s.push(pickup.p99);
        }
        print("insert, notify, claim, p50 ms", medians);
        print("insert, notify, claim, p99 ms", p99s);
    }
    for peer in peers::PEERS.into_iter().filter(|_| options.peers) {
        line(bench, &format!("{} {}, jobs/s", peer.name, peer.beside), || peer.drain(server, options.jobs));
    }
}

fn drains(bench: &Bench, name: &str, shape: Shape) {
    if !bench.wants(name) {
        return;
    }
    let count = bench.options.jobs;
    let drained: Vec<Drained> = (0..bench.options.runs).map(|_| drain(bench.server, count, shape)).collect();
    let of = |of: fn(&Drained) -> f64| drained.iter().map(of).collect();
    print(&format!("{name}, jobs/s"), of(|it| it.rate));
    print("  log of a drained job, bytes", of(|it| it.drain.wal));
    print("  log of its enqueue, bytes", of(|it| it.enqueue.wal));
    print("  statements of a drained job", of(|it| it.drain.statements));
    print("  commits of a drained job", of(|it| it.drain.commits));
}

fn line(bench: &Bench, name: &str, measure: impl FnMut() -> f64) {
    if bench.wants(name) {
        print(name, std::iter::repeat_with(measure).take(bench.options.runs).collect());
    }
}

/// The median, and from where to where they went.
#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn print(name: &str, values: Vec<f64>) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    println!("{name:<48} {:>12}   {} to {}", shown(median(values)), shown(least), shown(most));
}
