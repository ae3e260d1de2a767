//! A worker is killed at work, and another that was idle takes its job over.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use windlass_core::JobId;

use crate::Failure;
use crate::address::Engine;
use crate::process::{Process, Setup};
use crate::scene::Scene;
use crate::witness::{Mark, Run};
use crate::worker::Manner;

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How many workers are killed at work
    #[arg(long, default_value_t = 3)]
    pub kills: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    kills: usize,
    worst: Duration,
}

/// The lease of the workers.
const LEASE: Duration = Duration::from_secs(1);

/// How long after its lease a job may be idle.
const PROMISED: Duration = Duration::from_secs(1);

/// What a busy machine may add before the other process says that it has begun.
const SLACK: Duration = Duration::from_secs(1);

/// Kills whichever of two workers is at work on a job, and takes the time until the other one is, `plan.kills` times.
///
/// # Errors
///
/// When it takes longer than the lease and a second, give or take a busy machine.
pub async fn run(scene: &mut Scene, plan: Plan) -> Result<Report, Failure> {
    scene.setup = Setup { slots: 1, prefetch: 0, lease: LEASE, manner: Manner::Wait, ..scene.setup.clone() };
    let mut report = Report { kills: plan.kills, worst: Duration::ZERO };
    let mut idle = scene.worker("worker-0")?;
    idle.until("being ready", |marks| marks.contains(&Mark::Ready).then_some(())).await?;
    scene.enqueue(1).await?;
    let job = scene.jobs[0];
    idle.until("its start", |marks| begun(marks, job)).await?;

    let mut busy = idle;
    for kill in 1..=plan.kills {
        let mut idle = scene.worker(format!("worker-{kill}"))?;
        idle.until("being ready", |marks| marks.contains(&Mark::Ready).then_some(())).await?;
        let took = take_over(busy, &mut idle, job).await?;
        if took > LEASE + PROMISED + SLACK {
            return Err(Failure::new(format!(
                "kill {kill}: the job was idle for {took:?}, with a lease of {LEASE:?}"
            )));
        }
        report.worst = report.worst.max(took);
        busy = idle;
    }
    busy.let_go()?;
    scene.until_completed().await?;
    busy.finish().await?;
    Ok(report)
}

async fn take_over(busy: Process, idle: &mut Process, job: JobId) -> Result<Duration, Failure> {
    let killed_at = Instant::now();
    busy.kill()?;
    idle.until("taking the job over", |marks| begun(marks, job)).await?;
    Ok(killed_at.elapsed())
}

/// The attempt of `job` that was started, once one was.
pub(crate) fn begun(marks: &[Mark], job: JobId) -> Option<Run> {
    marks.iter().filter_map(Mark::started).find(|run| run.job == job).cloned()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, worst } = self;
        write!(
            f,
            "{kills} kills, each job taken over: at the worst {worst:.1?} after the kill, with a lease of {LEASE:?}"
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
