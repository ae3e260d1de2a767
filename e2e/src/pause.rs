//! Workers that do the periodic duties stand still under load, one after the other, and go on.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::Failure;
use crate::address::Engine;
use crate::crash::CALLERS;
use crate::kill::{check_total, stories};
use crate::load::Load;
use crate::meter::until_more;
use crate::process::{PATIENCE, Process, Setup};
use crate::scene::{Scene, surely};
use crate::verdict::{Evidence, Verdict, hits, judge};
use crate::witness::Witness;
use crate::worker::Manner;
use crate::zombie::freeze_outside_a_commit;

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How many times a worker stands still
    #[arg(long, default_value_t = 2)]
    pub pauses: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    pauses: usize,
    jobs: usize,
    verdict: Verdict,
}

/// The lease of the workers. Short, since each pause is longer; and long enough for a machine that has more to do.
const LEASE: Duration = Duration::from_secs(2);

/// How often it is looked who is there.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Stops one of two workers past its lease, `plan.pauses` times in turn, while four callers enqueue. There is nobody but
/// the other to take back what it held; the one that goes on has to come back by itself.
///
/// # Errors
///
/// A sentence for everything that should not be: see [`judge`].
pub async fn run(scene: &mut Scene, plan: Plan) -> Result<Report, Failure> {
    scene.setup = Setup { lease: LEASE, manner: Manner::Nap, ..scene.setup.clone() };
    let workers = vec![scene.worker("one")?, scene.worker("other")?];
    let load = Load::start(&scene.store, CALLERS);
    for pause in 1..=plan.pauses {
        let done = one(scene, &workers[pause % 2], &workers[(pause + 1) % 2]).await;
        done.map_err(|failure| failure.during(format!("pause {pause}")))?;
    }
    let account = load.stop().await?;
    scene.jobs.extend(account.acknowledged);
    let paused = workers.iter().map(|worker| worker.name().to_owned()).collect();
    let verdict = judge_paused(scene, workers, &paused).await?;
    if verdict.starts_again < plan.pauses {
        return Err(Failure::new("the pauses met hardly any handler at work"));
    }
    Ok(Report { pauses: plan.pauses, jobs: scene.jobs.len(), verdict })
}

async fn one(scene: &Scene, stopped: &Process, other: &Process) -> Result<(), Failure> {
    until_here(scene, stopped, true).await?;
    until_here(scene, other, true).await?;
    freeze_at_work(scene, stopped).await?;
    let before = other.ended();
    until_here(scene, stopped, false).await?;
    until_more(other, before, PATIENCE).await?;
    stopped.thaw()?;
    until_here(scene, stopped, true).await
}

/// Stops the process while a handler is in it: from one that is between two, nothing would be taken that had started.
async fn freeze_at_work(scene: &Scene, process: &Process) -> Result<(), Failure> {
    let (begun, name) = (Instant::now(), BTreeSet::from([process.name().to_owned()]));
    loop {
        freeze_outside_a_commit(scene, process).await?;
        if hits(&Witness::so_far(&scene.setup.witness)?, &name) > 0 {
            return Ok(());
        }
        process.thaw()?;
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new(format!("no handler is at work in {}", process.name())));
        }
        sleep_until(Instant::now() + LOOK_EVERY).await;
    }
}

/// Waits until the store lists a worker of this name, or none.
///
/// # Errors
///
/// When it does not within [`PATIENCE`].
pub async fn until_here(scene: &Scene, worker: &Process, here: bool) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        let workers = surely(|| scene.store.workers(Duration::ZERO)).await?;
        if workers.iter().any(|it| it.registered.name == worker.name()) == here {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            let name = worker.name();
            return Err(Failure::new(format!(
                "that {name} is registered is still {} after {PATIENCE:?}",
                !here
            )));
        }
        sleep_until(Instant::now() + LOOK_EVERY).await;
    }
}

/// Waits until all is done, and judges a run in which `paused` stood still or were cut off.
///
/// # Errors
///
/// A sentence for everything that should not be: see [`judge`].
pub async fn judge_paused(
    scene: &Scene,
    workers: Vec<Process>,
    paused: &BTreeSet<String>,
) -> Result<Verdict, Failure> {
    scene.until_completed().await?;
    for worker in workers {
        worker.finish().await?;
    }
    let witness = Witness::read(&scene.setup.witness)?;
    let (stories, slots) = (stories(&scene.store, &scene.jobs).await?, scene.setup.slots as usize);
    let (acknowledged, killed) = (&scene.jobs, BTreeSet::new());
    let verdict = judge(Evidence {
        acknowledged,
        stories: &stories,
        witness: &witness,
        killed: &killed,
        paused,
        slots,
    });
    check_total(scene).await?;
    if verdict.violations.is_empty() { Ok(verdict) } else { Err(Failure::new(verdict.violations.join("\n"))) }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pauses, jobs, verdict } = self;
        write!(
            f,
            "{pauses} pauses of a worker with duties, past its lease, {jobs} jobs: each ended once; {} started again, each \
             explained by a pause",
            verdict.starts_again
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
