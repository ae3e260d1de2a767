//! Workers and producers are killed at random moments, while jobs share locks, limits, a rate, order keys and unique keys.

pub mod draw;
pub mod judge;
mod probe;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;
use windlass_core::JobId;
use windlass_store::{JobFilter, PageRequest};

use crate::Failure;
use crate::address::Engine;
use crate::kill::{check_total, is_due, stories};
use crate::process::{Process, Setup};
use crate::random::Random;
use crate::scene::{Scene, surely};
use crate::verdict::{Evidence, Verdict};
use crate::witness::{Mark, Witness};
use crate::worker::Manner;

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How many jobs are asked for in all
    #[arg(long, default_value_t = 400)]
    pub jobs: usize,
    /// How many times a worker is killed
    #[arg(long, default_value_t = 5)]
    pub kills: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    plan: Plan,
    kills: usize,
    made: usize,
    verdict: Verdict,
}

/// How many work at a time.
const WORKERS: usize = 4;

/// How many enqueue at a time.
const PRODUCERS: usize = 3;

/// How long a worker is still taken to be alive once it is dead: long enough that others wait for what it held.
const LEASE: Duration = Duration::from_secs(2);

/// The most starts of a worker between two kills.
const STARTS_MAX: usize = 8;

/// How long is waited for those starts: what the dead hold keeps others from starting, and then it is as good a moment.
const MOMENT: Duration = Duration::from_millis(1_500);

/// A producer is killed beside every so many workers.
const KILLS_PER_PRODUCER: usize = 3;

/// For ten kills that are asked for, this many at least must find a handler at work: else the run shows nothing.
const HITS_OF_TEN: usize = 2;

/// In as many rounds as there are kills, lets the producers loose, kills a worker, and starts another in its place. There
/// are more rounds where the kills find too few handlers at work.
///
/// # Errors
///
/// A sentence for everything that should not be: see [`judge::judge`] and [`crate::verdict::judge`].
pub async fn run(scene: &mut Scene, plan: Plan, seed: u64) -> Result<Report, Failure> {
    scene.setup =
        Setup { slots: 4, prefetch: 4, lease: LEASE, manner: Manner::Follow, ..scene.setup.clone() };
    let mut town = Town::new(scene, plan, seed)?;
    while is_due(scene, &town.killed, (plan.kills, HITS_OF_TEN))? {
        let kill = town.killed.len() + 1;
        town.produce()?;
        town.kill_worker(kill).await?;
        if kill % KILLS_PER_PRODUCER == 0 {
            town.kill_producer(kill)?;
        }
    }
    town.produce()?;
    let killed = town.finish().await?;

    scene.jobs = jobs(scene).await?;
    let (witness, stories) =
        (Witness::read(&scene.setup.witness)?, stories(&scene.store, &scene.jobs).await?);
    let mut verdict = crate::verdict::judge(Evidence {
        acknowledged: &scene.jobs,
        stories: &stories,
        witness: &witness,
        killed: &killed,
        paused: &BTreeSet::new(),
        slots: scene.setup.slots as usize,
    });
    verdict.violations.extend(judge::judge(&stories, &witness));
    check_total(scene).await?;
    verdict.violations.extend(probe::held(&scene.store).await?);
    Report { plan, kills: killed.len(), made: scene.jobs.len(), verdict }.checked()
}

/// All processes of a run.
struct Town<'a> {
    scene: &'a Scene,
    witness: Witness,
    random: Random,
    workers: Vec<Process>,
    producers: Vec<Process>,
    /// How many jobs a producer asks for at a time.
    batch: usize,
    killed: BTreeSet<String>,
}

impl<'a> Town<'a> {
    fn new(scene: &'a Scene, plan: Plan, seed: u64) -> Result<Self, Failure> {
        let mut town = Self {
            scene,
            witness: Witness::open(&scene.setup.witness)?,
            random: Random::new(seed),
            workers: Vec::new(),
            producers: Vec::new(),
            batch: (plan.jobs / (plan.kills + 1) / PRODUCERS).max(1),
            killed: BTreeSet::new(),
        };
        for place in 0..WORKERS {
            town.workers.push(scene.victim(format!("worker-{place}"))?);
        }
        for place in 0..PRODUCERS {
            let producer = town.producer(&format!("producer-{place}"))?;
            town.producers.push(producer);
        }
        Ok(town)
    }

    fn producer(&mut self, name: &str) -> Result<Process, Failure> {
        let seed = u64::try_from(self.random.up_to(usize::MAX - 1))?;
        Process::start_producer(&self.scene.setup, name, seed, self.batch)
    }

    fn produce(&mut self) -> Result<(), Failure> {
        self.producers.iter_mut().try_for_each(Process::let_go)
    }

    /// Kills one worker inside a handler, if it comes to that, and starts another.
    async fn kill_worker(&mut self, kill: usize) -> Result<(), Failure> {
        let (place, starts) = (self.random.up_to(WORKERS - 1), 1 + self.random.up_to(STARTS_MAX - 1));
        let next = self.scene.victim(format!("worker-{}", WORKERS - 1 + kill))?;
        let mut victim = std::mem::replace(&mut self.workers[place], next);
        let from = victim.begun();
        // After enough starts; or, where others got in before it for so long, after any.
        for starts in [starts, 0] {
            let moment = victim.until("the moment of its death", |marks| {
                let (begun, ended) = Process::handlers(marks);
                (begun >= from + starts && begun > ended).then_some(())
            });
            if let Ok(moment) = timeout(MOMENT, moment).await {
                moment?;
                break;
            }
        }
        let name = victim.name().to_owned();
        self.blow(victim)?;
        self.scene.bury(&name).await?;
        self.killed.insert(name);
        Ok(())
    }

    fn kill_producer(&mut self, kill: usize) -> Result<(), Failure> {
        let (place, next) =
            (self.random.up_to(PRODUCERS - 1), self.producer(&format!("producer-of-{kill}"))?);
        let victim = std::mem::replace(&mut self.producers[place], next);
        self.blow(victim)
    }

    /// The line is written before, since what was held must not be counted once others can have it.
    fn blow(&self, victim: Process) -> Result<(), Failure> {
        self.witness.write(&Mark::Killed(victim.name().to_owned()));
        victim.kill()
    }

    /// Lets everything that was asked for be done. Which workers were killed.
    async fn finish(self) -> Result<BTreeSet<String>, Failure> {
        for producer in self.producers {
            producer.finish().await?;
        }
        self.scene.until_completed().await?;
        for worker in self.workers {
            worker.finish().await?;
        }
        Ok(self.killed)
    }
}

/// Every job there is.
async fn jobs(scene: &Scene) -> Result<Vec<JobId>, Failure> {
    let (mut jobs, mut page) = (Vec::new(), PageRequest::first(500));
    loop {
        let read = surely(|| scene.store.jobs(JobFilter::default(), page)).await?;
        jobs.extend(read.items.iter().map(|job| job.id));
        match read.next {
            Some(next) => page = page.after(Some(next)),
            None => return Ok(jobs),
        }
    }
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
        let (jobs, kills, Verdict { starts, starts_again, hits, .. }) =
            (self.plan.jobs, self.kills, &self.verdict);
        write!(
            f,
            "{jobs} jobs asked for by {PRODUCERS} processes, {} made, {WORKERS} workers, {kills} kills ({hits} of them inside \
             a handler): every job ended exactly once; {starts} starts, {starts_again} of them again; locks, limits, rates, \
             order keys and unique keys held throughout, and nothing is held now",
            self.made
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
