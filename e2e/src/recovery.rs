//! A worker is killed at work, and another that was idle takes its job over.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use windlass_core::JobId;

use crate::Failure;
use crate::address::Engine;
use crate::process::{Process, Setup};
use crate::scene::Scene;
use crate::timely::Timely;
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
    takeovers: Timely,
    worst: Duration,
}

/// The lease of the workers.
const LEASE: Duration = Duration::from_secs(1);

/// How long after its lease a job may be idle.
const PROMISED: Duration = Duration::from_secs(1);

/// What a busy machine may add before the other process says that it has begun.
const SLACK: Duration = Duration::from_secs(1);

/// Kills whichever of two workers is at work on a job, and takes the time until the other one is, `plan.kills` times or
/// until it is in time.
///
/// # Errors
///
/// When it takes longer than the lease and a second, give or take a busy machine, too often for a machine that stood still.
pub async fn run(scene: &mut Scene, plan: Plan) -> Result<Report, Failure> {
    scene.setup = Setup { slots: 1, prefetch: 0, lease: LEASE, manner: Manner::Wait, ..scene.setup.clone() };
    let mut report = Report { takeovers: Timely::planned(plan.kills), worst: Duration::ZERO };
    let mut idle = scene.worker("worker-0")?;
    idle.until("being ready", |marks| marks.contains(&Mark::Ready).then_some(())).await?;
    scene.enqueue(1).await?;
    let job = scene.jobs[0];
    idle.until("its start", |marks| begun(marks, job)).await?;

    let mut busy = idle;
    while report.takeovers.is_due() {
        let mut idle = scene.worker(format!("worker-{}", report.takeovers.tries() + 1))?;
        idle.until("being ready", |marks| marks.contains(&Mark::Ready).then_some(())).await?;
        // Who stood still for as long as its lease has lost the job before it is killed, and nothing is taken over.
        let is_idle = begun(&idle.marks(), job).is_none();
        let took = take_over(busy, &mut idle, job).await?;
        report.takeovers.tried(is_idle && took <= LEASE + PROMISED + SLACK);
        report.worst = report.worst.max(took);
        busy = idle;
    }
    busy.let_go()?;
    scene.until_completed().await?;
    busy.finish().await?;
    report.checked()
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

impl Report {
    fn checked(self) -> Result<Self, Failure> {
        if self.takeovers.is_enough() { Ok(self) } else { Err(Failure::new(format!("too late: {self}"))) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { takeovers, worst } = self;
        write!(
            f,
            "{} kills, each job taken over, {} of them in time: at the worst {worst:.1?} after the kill, with a lease of \
             {LEASE:?}",
            takeovers.tries(),
            takeovers.in_time(),
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
