//! Leaders are killed at random moments while a schedule of every second fires.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use windlass_core::{Args, JobId, JobTemplate, NewSchedule, Overlap, Rhythm, ScheduleName, Timestamp};
use windlass_store::{Actor, Firing, FiringOutcome, JobFilter, PageRequest, Schedule};

use crate::Failure;
use crate::address::Engine;
use crate::process::{PATIENCE, Process};
use crate::random::Random;
use crate::scene::{Scene, surely};
use crate::witness::{Mark, Witness};
use crate::worker::KIND;

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How many leaders are killed
    #[arg(long, default_value_t = 20)]
    pub kills: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    kills: usize,
    ticks: usize,
    latest: Duration,
}

/// How often to look whether the next leader has fired.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The time between two ticks.
const SECOND: Duration = Duration::from_secs(1);

/// Kills the leader at a random moment, `plan.kills` times, each time with one other worker to follow it.
///
/// # Errors
///
/// A sentence for everything that should not be: a tick that made no job, or more than one, or whose job did not run.
pub async fn run(scene: &mut Scene, plan: Plan, seed: u64) -> Result<Report, Failure> {
    let mut random = Random::new(seed);
    let name = ScheduleName::new("every-second")?;
    let mut job = JobTemplate::new(KIND.parse()?, Args::default());
    // Poison has a test of its own.
    job.losses_max = u32::MAX;
    let mut schedule = NewSchedule::new(name.clone(), Rhythm::cron("* * * * * *", "UTC"), job);
    schedule.overlap = Overlap::Allow;
    scene.store.put_schedule(schedule, Actor::new("e2e")).await?;

    // Whoever is alone leads.
    let mut leader = scene.victim("worker-0")?;
    until_fired(scene, &name, 0).await?;
    for kill in 1..=plan.kills {
        let mut next = scene.victim(format!("worker-{kill}"))?;
        next.until("being ready", |marks| marks.contains(&Mark::Ready).then_some(())).await?;
        let moment = Duration::from_millis(u64::try_from(random.up_to(1_500))?);
        sleep_until(Instant::now() + moment).await;
        let dead = leader.name().to_owned();
        leader.kill()?;
        scene.bury(&dead).await?;
        let fired = kept(scene, &name).await?.fired;
        until_fired(scene, &name, fired).await?;
        leader = next;
    }
    end(scene, &name, leader).await?;
    judge(scene, &name, plan).await
}

async fn kept(scene: &Scene, name: &ScheduleName) -> Result<Schedule, Failure> {
    Ok(surely(|| scene.store.schedule(name)).await?)
}

/// Waits until more than `before` ticks have made their jobs.
async fn until_fired(scene: &Scene, name: &ScheduleName, before: u64) -> Result<(), Failure> {
    let begun = Instant::now();
    while kept(scene, name).await?.fired <= before {
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new(format!("nothing more is fired after {before} ticks")));
        }
        sleep_until(Instant::now() + LOOK_AGAIN).await;
    }
    Ok(())
}

/// Lets nothing more be fired, and what was fired be done.
async fn end(scene: &Scene, name: &ScheduleName, leader: Process) -> Result<(), Failure> {
    scene.store.pause_schedule(name, Actor::new("e2e")).await?;
    scene.until_completed().await?;
    leader.finish().await
}

/// Holds what became of the ticks against the jobs there are, and these against what handlers wrote down.
async fn judge(scene: &Scene, name: &ScheduleName, plan: Plan) -> Result<Report, Failure> {
    let mut firings = firings(scene, name).await?;
    firings.sort_unstable_by_key(|firing| firing.tick);
    let jobs = jobs(scene).await?;
    let witness = Witness::read(&scene.setup.witness)?;
    let ran: BTreeSet<JobId> = witness.iter().filter_map(Mark::started).map(|run| run.job).collect();
    let mut violations = Vec::new();
    for (tick, made) in &jobs {
        if made.len() != 1 {
            violations.push(format!("tick {tick} made {} jobs", made.len()));
        }
        violations.extend(made.iter().filter(|id| !ran.contains(id)).map(|id| format!("job {id} never ran")));
    }
    for pair in firings.windows(2) {
        if pair[1].tick.since(pair[0].tick) != SECOND {
            violations
                .push(format!("nothing became of the ticks between {} and {}", pair[0].tick, pair[1].tick));
        }
    }
    for firing in &firings {
        match firing.outcome {
            FiringOutcome::Fired(id) if jobs.get(&firing.tick).is_some_and(|made| made.contains(&id)) => {}
            outcome => violations.push(format!("tick {}: {outcome:?}", firing.tick)),
        }
    }
    if firings.len() != jobs.len() || firings.len() < plan.kills {
        violations.push(format!("{} ticks are told of, and {} have jobs", firings.len(), jobs.len()));
    }
    if !violations.is_empty() {
        return Err(Failure::new(violations.join("\n")));
    }
    let latest = firings.iter().map(|firing| firing.at.since(firing.tick)).max().unwrap_or_default();
    Ok(Report { kills: plan.kills, ticks: firings.len(), latest })
}

async fn firings(scene: &Scene, name: &ScheduleName) -> Result<Vec<Firing>, Failure> {
    let (mut firings, mut page) = (Vec::new(), PageRequest::first(500));
    loop {
        let read = scene.store.firings(name, page).await?;
        firings.extend(read.items);
        match read.next {
            Some(next) => page = page.after(Some(next)),
            None => return Ok(firings),
        }
    }
}

/// The jobs there are, by the tick that made them.
async fn jobs(scene: &Scene) -> Result<BTreeMap<Timestamp, Vec<JobId>>, Failure> {
    let (mut jobs, mut page) = (BTreeMap::<Timestamp, Vec<JobId>>::new(), PageRequest::first(500));
    loop {
        let read = scene.store.jobs(JobFilter::default(), page).await?;
        for job in read.items {
            let tick = job.options.fired_by.and_then(|fired| fired.tick);
            let tick = tick.ok_or_else(|| Failure::new(format!("job {} was made by no tick", job.id)))?;
            jobs.entry(tick).or_default().push(job.id);
        }
        match read.next {
            Some(next) => page = page.after(Some(next)),
            None => return Ok(jobs),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, ticks, latest } = self;
        write!(
            f,
            "{kills} leaders killed: each of {ticks} ticks made one job, which ran; the latest {latest:.1?} late"
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
