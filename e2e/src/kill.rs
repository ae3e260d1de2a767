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
use crate::verdict::{Evidence, Story, Verdict, hits, judge};
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
    jobs: usize,
    kills: usize,
    verdict: Verdict,
}

/// For ten kills that are asked for, this many at least must find a handler at work: else the run shows nothing.
const HITS_OF_TEN: usize = 7;

/// How many kills are made at the most for each that is asked for, until enough of them found a handler at work.
const TRIES: usize = 5;

/// Enqueues `plan.jobs` in as many batches as there are rounds. In each round but the last, the worker is killed with
/// `SIGKILL` after a random number of jobs were started in it, the first time it is looked at among them; then the next
/// one is started. The last one works off what is left. There are more rounds where the kills find too few handlers at work.
///
/// # Errors
///
/// A sentence for everything that should not be: see [`judge`].
pub async fn run(scene: &mut Scene, plan: Plan, seed: u64) -> Result<Report, Failure> {
    let mut random = Random::new(seed);
    let mut killed = BTreeSet::new();
    let batch = plan.jobs / (plan.kills + 1);
    while is_due(scene, &killed, (plan.kills, HITS_OF_TEN))? {
        let name = format!("worker-{}", killed.len() + 1);
        let mut worker = scene.victim(&name)?;
        scene.enqueue(batch).await?;
        let starts = random.up_to(batch);
        worker.until("the moment of its death", |marks| enough(marks, starts)).await?;
        worker.kill()?;
        scene.bury(&name).await?;
        killed.insert(name);
    }
    scene.enqueue(plan.jobs.saturating_sub(scene.jobs.len())).await?;
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
    Report { plan, jobs: scene.jobs.len(), kills: killed.len(), verdict }.checked()
}

/// Whether another process is to be `killed`: after as many as were asked for, until so many of ten found a handler at work.
/// What a kill finds is decided by chance, and by a machine that stands still between a moment and the blow.
///
/// # Errors
///
/// When the witness cannot be read.
pub fn is_due(
    scene: &Scene,
    killed: &BTreeSet<String>,
    (kills, hits_of_ten): (usize, usize),
) -> Result<bool, Failure> {
    if killed.len() < kills {
        return Ok(true);
    }
    let hits = hits(&Witness::so_far(&scene.setup.witness)?, killed);
    Ok(hits * 10 < kills * hits_of_ten && killed.len() < kills * TRIES)
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
            let (hits, kills) = (self.verdict.hits, self.kills);
            return Err(Failure::new(format!("only {hits} of {kills} kills found a handler at work")));
        }
        Ok(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { jobs, kills, verdict: Verdict { starts, starts_again, hits, .. }, .. } = self;
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
