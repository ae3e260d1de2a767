//! Workers are killed at random moments, while jobs are enqueued and run.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;
use windlass_core::JobId;
use windlass_store::SharedStore;

use crate::Failure;
use crate::address::Engine;
use crate::random::Random;
use crate::scene::{Scene, surely};
use crate::verdict::{Evidence, Story, Verdict, judge};
use crate::witness::{Mark, Witness};

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How many jobs are enqueued in all
    #[arg(long, default_value_t = 1_000)]
    pub jobs: usize,
    /// How many times the worker is killed
    #[arg(long, default_value_t = 10)]
    pub kills: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    plan: Plan,
    verdict: Verdict,
}

/// Of ten kills, this many at least must find a handler at work: else the run shows nothing.
const HITS_OF_TEN: usize = 7;

/// Enqueues `plan.jobs` in as many batches as there are rounds. In each round but the last, the worker is killed with
/// `SIGKILL` after a random number of jobs were started in it, the first time it is looked at among them; then the next
/// one is started. The last one works off what is left.
///
/// # Errors
///
/// A sentence for everything that should not be: see [`judge`].
pub async fn run(scene: &mut Scene, plan: Plan, seed: u64) -> Result<Report, Failure> {
    let mut random = Random::new(seed);
    let mut killed = BTreeSet::new();
    let batch = plan.jobs / (plan.kills + 1);
    for round in 1..=plan.kills {
        let mut worker = scene.worker(format!("worker-{round}"))?;
        scene.enqueue(batch).await?;
        let starts = random.up_to(batch);
        worker.until("the moment of its death", |marks| enough(marks, starts)).await?;
        killed.insert(worker.name().to_owned());
        worker.kill()?;
    }
    scene.enqueue(plan.jobs - scene.jobs.len()).await?;
    let last = scene.survivor("worker-last")?;
    scene.until_completed().await?;
    last.finish().await?;

    let stories = stories(&scene.store, &scene.jobs).await?;
    let witness = Witness::read(&scene.setup.witness)?;
    let slots = scene.setup.slots as usize;
    let (acknowledged, paused) = (&scene.jobs, BTreeSet::new());
    let verdict = judge(Evidence {
        acknowledged,
        stories: &stories,
        witness: &witness,
        killed: &killed,
        paused: &paused,
        slots,
    });
    check_total(scene).await?;
    Report { plan, verdict }.checked()
}

/// Whether at least `starts` handlers were entered.
fn enough(marks: &[Mark], starts: usize) -> Option<()> {
    (marks.iter().filter(|mark| mark.started().is_some()).count() >= starts).then_some(())
}

/// What the store says of each job.
///
/// # Errors
///
/// When it does not know one of them.
pub async fn stories(store: &SharedStore, jobs: &[JobId]) -> Result<Vec<Story>, Failure> {
    let mut readers = JoinSet::new();
    for jobs in jobs.chunks(jobs.len() / READERS + 1) {
        let (store, jobs) = (Arc::clone(store), jobs.to_vec());
        readers.spawn(async move {
            let mut stories = Vec::with_capacity(jobs.len());
            for id in jobs {
                let job = surely(|| store.job(id)).await?;
                stories.push(Story { job, attempts: surely(|| store.attempts(id)).await? });
            }
            Ok::<_, Failure>(stories)
        });
    }
    let mut stories = Vec::with_capacity(jobs.len());
    while let Some(read) = readers.join_next().await {
        stories.extend(read??);
    }
    Ok(stories)
}

/// How many read at a time: a server answers several while one waits.
const READERS: usize = 4;

/// The store holds as many jobs as were acknowledged, and finds nothing wrong with itself.
///
/// # Errors
///
/// When it does not, or does.
pub async fn check_total(scene: &Scene) -> Result<(), Failure> {
    let total = scene.counts().await?.total();
    if u64::try_from(scene.jobs.len()) != Ok(total) {
        return Err(Failure::new(format!(
            "{} jobs were acknowledged, and there are {total}",
            scene.jobs.len()
        )));
    }
    let faults = scene.store.check().await?;
    if faults.is_empty() { Ok(()) } else { Err(Failure::new(faults.join("\n"))) }
}

impl Report {
    fn checked(self) -> Result<Self, Failure> {
        if !self.verdict.violations.is_empty() {
            return Err(Failure::new(self.verdict.violations.join("\n")));
        }
        if self.verdict.hits * 10 < self.plan.kills * HITS_OF_TEN {
            let hits = self.verdict.hits;
            return Err(Failure::new(format!(
                "only {hits} of {} kills found a handler at work",
                self.plan.kills
            )));
        }
        Ok(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Plan { jobs, kills }, Verdict { starts, starts_again, hits, .. }) = (self.plan, &self.verdict);
        write!(
            f,
            "{jobs} jobs, {kills} kills ({hits} of them inside a handler): every acknowledged job ended exactly once; \
             {starts} starts, {starts_again} of them again, each explained by a kill"
        )
    }
}

/// Runs it on a fresh store, whose folder stays if it fails.
///
/// # Errors
///
/// What went wrong, with the seed and the folder.
pub async fn scenario(program: &Path, engine: Engine, plan: Plan, seed: u64) -> Result<Report, Failure> {
    let mut scene = Scene::new(program, engine).await?;
    let outcome = run(&mut scene, plan, seed).await;
    outcome.map_err(|failure| scene.blame(failure, seed))
}
