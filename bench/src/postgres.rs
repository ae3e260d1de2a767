//! The store in a PostgreSQL database, beside raw SQL: one durable server on this machine, thrown away afterwards.

mod bare;
pub(crate) mod child;
mod endurance;
mod enqueueing;
mod ours;
mod peers;
mod pickup;
mod pin;
mod raw;
mod running;
mod server;

use clap::Args;

use crate::figures::{Figure, Wanted, alternate, report};
use crate::{features, large_flow};
use server::Server;

/// How much to measure.
#[derive(Clone, Args)]
pub(crate) struct Options {
    /// Runs of each figure; medians are reported.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Jobs of the large figures.
    #[arg(long, default_value_t = 100_000)]
    jobs: usize,
    /// Measures other queues too. They are compiled for it, which takes minutes.
    #[arg(long)]
    peers: bool,
    /// Measures bare SQL, and the peers if they are asked for, but nothing of ours.
    #[arg(long)]
    bare: bool,
    /// Only figures whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

impl Options {
    /// The same, with fewer runs.
    fn with_runs(&self, most: usize) -> Self {
        Self { runs: self.runs.min(most), ..self.clone() }
    }
}

/// What measures: the server, and how much.
struct Bench<'a> {
    server: &'a Server,
    options: &'a Options,
}

/// Measures, and prints the report.
pub(crate) fn run(options: &Options) {
    let server = Server::start();
    let bench = Bench { server: &server, options };
    if options.bare {
        return bare::run(&bench);
    }
    let figures: Vec<Figure> = [
        running::figures,
        featured,
        large_flows,
        enqueueing::figures,
        pickups,
        endurance::figures,
        beside_peers,
    ]
    .into_iter()
    .flat_map(|measure| measure(&bench))
    .collect();
    report(&figures);
}

impl Bench<'_> {
    fn wants(&self, name: &str) -> bool {
        name.contains(&self.options.only)
    }

    /// A ratio that is measured only if it is asked for.
    fn ratio(
        &self,
        (name, wanted): (&'static str, Wanted),
        ours: impl FnMut() -> f64,
        (beside, other): (&'static str, impl FnMut() -> f64),
    ) -> Option<Figure> {
        self.wants(name).then(|| {
            let (ours, against) = alternate(self.options.runs, ours, other);
            Figure { name, ours, against, beside, wanted }
        })
    }
}

fn featured(bench: &Bench) -> Vec<Figure> {
    let Bench { server, options } = *bench;
    let wants = |name: &str| bench.wants(name);
    let passed = features::figures(options.runs, wants, |feature| ours::pass(server, options.jobs, feature));
    let beside = |block| ours::turn_over_beside(server, options.jobs, block);
    passed.into_iter().chain(features::blocked(options.runs, wants, beside)).collect()
}

fn large_flows(bench: &Bench) -> Vec<Figure> {
    let pass = |levels| ours::large_flow(bench.server, levels);
    large_flow::figures(bench.options.runs, |name| bench.wants(name), pass)
}

fn pickups(bench: &Bench) -> Vec<Figure> {
    const ROUNDS: usize = 300;
    if !bench.wants("pickup at idle") {
        return Vec::new();
    }
    let raw = raw::pickup::measure(bench.server, ROUNDS);
    let here = pickup::within_one_process(bench.server, ROUNDS);
    let there = pickup::across_processes(bench.server, ROUNDS);
    let figure = |name, ours, against, most| Figure {
        name,
        ours,
        against,
        beside: "insert, notify, claim",
        wanted: Wanted::TimesAtMost(most),
    };
    vec![
        figure("pickup at idle, one process, p50 ms", here.median, raw.median, 1.4),
        figure("pickup at idle, one process, p99 ms", here.p99, raw.p99, 1.6),
        figure("pickup at idle, across processes, p50 ms", there.median, raw.median, 1.4),
        figure("pickup at idle, across processes, p99 ms", there.p99, raw.p99, 1.6),
    ]
}

fn beside_peers(bench: &Bench) -> Vec<Figure> {
    let Bench { server, options } = *bench;
    let asked = peers::PEERS.into_iter().filter(|peer| options.peers && bench.wants(peer.name));
    let figure = |peer: peers::Peer| {
        let (ours, against) = alternate(
            options.runs,
            || ours::drain(server, options.jobs, 100).rate,
            || peer.drain(server, options.jobs),
        );
        Figure { name: peer.name, ours, against, beside: peer.beside, wanted: Wanted::AtLeast(peer.wanted) }
    };
    asked.map(figure).collect()
}
