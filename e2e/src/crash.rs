//! The database server is killed with all its processes, under load, and started again.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use windlass_core::JobId;
use windlass_postgres_testing::Config;
use windlass_store::{ErrorKind, SharedStore};

use crate::Failure;
use crate::kill::{check_total, stories};
use crate::load::{Account, Load};
use crate::meter::{done_within, until_back};
use crate::process::{PATIENCE, Process, Setup};
use crate::scene::{Scene, surely};
use crate::verdict::{Evidence, judge};
use crate::witness::{Mark, Witness};
use crate::worker::Manner;

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How many times the server is killed
    #[arg(long, default_value_t = 2)]
    pub kills: usize,
    /// How long it is watched at work before each kill, in milliseconds
    #[arg(long, default_value_t = 1_000)]
    pub calm_ms: u64,
    /// Of a hundred jobs done in that time before a kill, how many have to be done again in the same time after it
    #[arg(long, default_value_t = 90)]
    pub back_percent: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    kills: usize,
    account: Account,
    /// How long after each restart as much was done as before.
    back: Vec<Duration>,
}

/// How many callers enqueue.
pub const CALLERS: usize = 4;

/// Far longer than the server is away: so no attempt may be lost, and none may start again.
const LEASE: Duration = Duration::from_secs(60);

/// The fewest jobs that must have been acknowledged right before a kill: else the run shows nothing.
const ACKNOWLEDGED_MIN: usize = 20;

/// How many times a server that does not flush is killed at the most until it loses something: what it has not been asked to
/// write down it may have written down all the same.
const CONTROLS_MAX: usize = 5;

/// Kills the server `plan.kills` times while two workers work and four callers enqueue. Nobody starts any of them anew.
///
/// # Errors
///
/// A sentence for everything that should not be: a job that was acknowledged and is gone, one that started twice, a caller
/// that was told what is not so, workers that do not come back.
pub async fn run(scene: &mut Scene, plan: Plan) -> Result<Report, Failure> {
    let workers = workers(scene).await?;
    let load = Load::start(&scene.store, CALLERS);
    let mut back = Vec::new();
    for kill in 1..=plan.kills {
        let took = one(scene, &workers, (&load, plan)).await;
        back.push(took.map_err(|failure| failure.during(format!("kill {kill}")))?);
    }
    let account = load.stop().await?;
    judge_unharmed(scene, &account, workers).await?;
    Ok(Report { kills: plan.kills, account, back })
}

/// Two workers that nothing will happen to, with more slots than the load fills.
///
/// # Errors
///
/// When they do not start.
pub async fn workers(scene: &mut Scene) -> Result<Vec<Process>, Failure> {
    scene.setup = Setup { lease: LEASE, manner: Manner::Nap, ..scene.setup.clone() };
    let mut workers = vec![scene.worker("left")?, scene.worker("right")?];
    for worker in &mut workers {
        worker.until("being ready", |marks| marks.contains(&Mark::Ready).then_some(())).await?;
    }
    Ok(workers)
}

/// One kill. How long it took from the restart until as much was done as before.
async fn one(
    scene: &mut Scene,
    workers: &[Process],
    (load, plan): (&Load, Plan),
) -> Result<Duration, Failure> {
    let calm = Duration::from_millis(plan.calm_ms);
    let before = calmly_done(workers, (load, calm)).await?;
    scene
        .cluster(|cluster| {
            cluster.kill()?;
            cluster.restart()
        })
        .await?;
    until_back(workers, (before, calm, plan.back_percent), Instant::now()).await
}

/// How many jobs the workers end within `calm`, once enough has been enqueued: so that there is something to lose, and
/// something to compare with.
async fn calmly_done(workers: &[Process], (load, calm): (&Load, Duration)) -> Result<usize, Failure> {
    until_at_work(workers).await?;
    let (begun, acknowledged) = (Instant::now(), load.acknowledged());
    loop {
        let done = done_within(workers, calm).await;
        if done > 0 && load.acknowledged() - acknowledged >= ACKNOWLEDGED_MIN {
            return Ok(done);
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new("hardly anything was enqueued before it"));
        }
    }
}

/// Waits until the workers do something.
async fn until_at_work(workers: &[Process]) -> Result<(), Failure> {
    let begun = Instant::now();
    while done_within(workers, Duration::from_millis(100)).await == 0 {
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new("the workers do nothing"));
        }
    }
    Ok(())
}

/// Waits until all is done, and judges a run in which no worker came to any harm: then every job started exactly once,
/// whatever happened to the server.
///
/// # Errors
///
/// A sentence for everything that should not be: see [`judge`].
pub async fn judge_unharmed(
    scene: &mut Scene,
    account: &Account,
    workers: Vec<Process>,
) -> Result<(), Failure> {
    scene.jobs.extend(&account.acknowledged);
    scene.until_completed().await?;
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
    if verdict.starts_again > 0 {
        return Err(Failure::new(format!("{} jobs started again for no reason", verdict.starts_again)));
    }
    if verdict.violations.is_empty() { Ok(()) } else { Err(Failure::new(verdict.violations.join("\n"))) }
}

/// The positive control: on a server that acknowledges what it has not written down, jobs must get lost. Says how many, of
/// how many.
///
/// # Errors
///
/// When nothing is lost: then [`run`] would not see it either.
pub async fn control(scene: &mut Scene) -> Result<(usize, usize), Failure> {
    for _ in 0..CONTROLS_MAX {
        let (lost, acknowledged) = lost_at_once(scene).await?;
        if lost > 0 {
            return Ok((lost, acknowledged));
        }
    }
    Err(Failure::new("nothing was lost, where it must be"))
}

/// Kills the server under load. How many jobs were lost, of how many.
async fn lost_at_once(scene: &mut Scene) -> Result<(usize, usize), Failure> {
    // Of what follows, nothing but the jobs may be lost: the schema, and the lane that all jobs are in.
    scene.enqueue(1).await?;
    scene.cluster(|cluster| cluster.query("CHECKPOINT")).await?;
    let load = Load::start(&scene.store, CALLERS);
    let begun = Instant::now();
    while load.acknowledged() < ACKNOWLEDGED_MIN {
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new("nothing is enqueued"));
        }
        sleep_until(Instant::now() + Duration::from_millis(10)).await;
    }
    scene
        .cluster(|cluster| {
            cluster.kill()?;
            cluster.restart()
        })
        .await?;
    let account = load.stop().await?;
    let lost = lost(&scene.store, &account.acknowledged).await?;
    Ok((lost, account.acknowledged.len()))
}

/// A server that acknowledges what lies in its memory, and writes it down seconds later.
#[must_use = "a configuration does nothing"]
pub fn careless() -> Config {
    // Above what the run writes, or it would be written down because there is much of it.
    let config = Config::durable().set("synchronous_commit", "off").set("wal_writer_delay", "10s");
    config.set("wal_writer_flush_after", "1GB").set("wal_buffers", "16MB")
}

/// How many of `jobs` the store does not know.
async fn lost(store: &SharedStore, jobs: &[JobId]) -> Result<usize, Failure> {
    let mut lost = 0;
    for job in jobs {
        match surely(|| store.job(*job)).await {
            Ok(_) => {}
            Err(error) if *error.kind() == ErrorKind::NotFound => lost += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(lost)
}

impl Report {
    /// The longest that it took until as much was done as before.
    #[must_use]
    pub fn back_max(&self) -> Duration {
        self.back.iter().max().copied().unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Account { acknowledged, unknown, unavailable, there_before } = &self.account;
        write!(
            f,
            "{} kills of the server, {} jobs acknowledged: every one is there and started once; {unknown} answers were \
             unknown, {there_before} of them had happened, {unavailable} were refusals; back after {:.1?} at the worst",
            self.kills,
            acknowledged.len(),
            self.back_max()
        )
    }
}

/// Runs it on a fresh cluster, whose log is told if it fails.
///
/// # Errors
///
/// What went wrong, with the folder.
pub async fn scenario(program: &Path, plan: Plan) -> Result<Report, Failure> {
    let mut scene = Scene::on_cluster(program, Config::durable()).await?;
    let outcome = run(&mut scene, plan).await;
    outcome.map_err(|failure| scene.blame(failure, 0))
}

/// Runs the positive control on a fresh cluster that is [`careless`]. How many jobs were lost, of how many.
///
/// # Errors
///
/// When nothing was lost.
pub async fn control_scenario(program: &Path) -> Result<(usize, usize), Failure> {
    let mut scene = Scene::on_cluster(program, careless()).await?;
    let outcome = control(&mut scene).await;
    outcome.map_err(|failure| scene.blame(failure, 0))
}
