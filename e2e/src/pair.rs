//! Two processes share one store, and a third enqueues into it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::Failure;
use crate::address::Engine;
use crate::kill::{check_total, stories};
use crate::process::{PATIENCE, Process, Setup};
use crate::scene::Scene;
use crate::verdict::{Evidence, judge};
use crate::witness::{Mark, Witness};

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How many jobs are enqueued
    #[arg(long, default_value_t = 1_000)]
    pub jobs: usize,
}

/// What came of it: how many jobs each process did.
#[derive(Debug)]
pub struct Report(BTreeMap<String, usize>);

/// For a hundred jobs that are asked for, this many at least must be done by either: else the run shows nothing.
const SHARE_OF_HUNDRED: usize = 10;

/// How many batches the jobs come in, while both are at work.
const BATCHES: usize = 10;

/// Lets two processes do the jobs of a third, and judges it like a run without kills: then no job may start twice.
///
/// # Errors
///
/// A sentence for everything that should not be: see [`judge`].
pub async fn run(scene: &mut Scene, plan: Plan) -> Result<Report, Failure> {
    // Nobody is killed here, so nobody may lose a lease either: not even one whose machine is slow for a while.
    scene.setup = Setup { slots: 4, prefetch: 0, lease: Duration::from_secs(30), ..scene.setup.clone() };
    let mut workers = [scene.worker("left")?, scene.worker("right")?];
    for worker in &mut workers {
        worker.until("being ready", |marks| marks.contains(&Mark::Ready).then_some(())).await?;
    }
    for _ in 1..BATCHES {
        scene.enqueue(plan.jobs / BATCHES).await?;
    }
    scene.enqueue(plan.jobs - scene.jobs.len()).await?;
    until_shared(scene, &workers, plan).await?;
    for worker in workers {
        worker.finish().await?;
    }

    let witness = Witness::read(&scene.setup.witness)?;
    let (stories, slots) = (stories(&scene.store, &scene.jobs).await?, scene.setup.slots as usize);
    let (acknowledged, nobody) = (&scene.jobs, BTreeSet::new());
    let verdict = judge(Evidence {
        acknowledged,
        stories: &stories,
        witness: &witness,
        killed: &nobody,
        paused: &nobody,
        slots,
    });
    check_total(scene).await?;
    if !verdict.violations.is_empty() {
        return Err(Failure::new(verdict.violations.join("\n")));
    }
    let shares = shares(&witness);
    if shares.values().any(|share| !is_share(*share, plan)) {
        return Err(Failure::new(format!("they did not share the work: {shares:?}")));
    }
    Ok(Report(shares))
}

/// Waits until all is done. There are more jobs until both have had their share: on a machine that stands still, one of
/// them may have done all before the other has come so far as to ask for any.
async fn until_shared(scene: &mut Scene, workers: &[Process], plan: Plan) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        scene.until_completed().await?;
        if workers.iter().all(|worker| is_share(worker.begun(), plan)) || begun.elapsed() > PATIENCE {
            return Ok(());
        }
        scene.enqueue(plan.jobs / BATCHES).await?;
    }
}

const fn is_share(jobs: usize, plan: Plan) -> bool {
    jobs * 100 >= plan.jobs * SHARE_OF_HUNDRED
}

/// How many jobs each of the two did.
fn shares(witness: &[Mark]) -> BTreeMap<String, usize> {
    let mut shares = BTreeMap::from([("left".to_owned(), 0), ("right".to_owned(), 0)]);
    for run in witness.iter().filter_map(Mark::started) {
        *shares.entry(run.process.clone()).or_default() += 1;
    }
    shares
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares: Vec<String> =
            self.0.iter().map(|(process, share)| format!("{process} {share}")).collect();
        write!(
            f,
            "{} jobs in one store, each started once: {}",
            self.0.values().sum::<usize>(),
            shares.join(", ")
        )
    }
}

/// Runs it on a fresh store, whose folder stays if it fails.
///
/// # Errors
///
/// What went wrong, with the folder.
pub async fn scenario(program: &Path, engine: Engine, plan: Plan) -> Result<Report, Failure> {
    let mut scene = Scene::new(program, engine).await?;
    let outcome = run(&mut scene, plan).await;
    outcome.map_err(|failure| scene.blame(failure, 0))
}
