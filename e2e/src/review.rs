//! Workers are killed at random moments, while they carry out what a person decided about the results of jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use windlass_core::{AttemptOutcome, JobId, JobState, KindName, NewJob, Reason, RetryPolicy, Review};
use windlass_store::{Actor, ErrorKind, NewRuling, PageRequest, ReviewFilter, ids};

use crate::Failure;
use crate::address::Engine;
use crate::kill::{check_total, is_due, stories};
use crate::process::{PATIENCE, Process, Setup};
use crate::random::Random;
use crate::scene::{Scene, surely};
use crate::script::Script;
use crate::verdict::{Evidence, Story, Verdict};
use crate::witness::{Mark, Run, Witness};
use crate::worker::{KIND, Manner};

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How many jobs are enqueued
    #[arg(long, default_value_t = 60)]
    pub jobs: usize,
    /// How many times the worker is killed while it carries a decision out
    #[arg(long, default_value_t = 4)]
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

/// How often to look whether somebody is asked.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long a decision waits after it could not be carried out.
const RETRY: Duration = Duration::from_millis(20);

/// How many attempts at carrying a decision out may fail before the last one, and do. The work itself has a single attempt, so
/// this is a budget of its own.
const SETTLE_FAILS: u32 = 1;

/// For ten kills that are asked for, this many at least must find a decision being carried out: else the run shows nothing.
const HITS_OF_TEN: usize = 5;

/// Lets workers do jobs whose results are decided about as soon as they are there. The worker is killed `plan.kills` times after
/// a random number of decisions have been begun to be carried out in it, and another is started. There are more jobs and
/// more kills where those find too few at it.
///
/// # Errors
///
/// A sentence for everything that should not be: a job that did not end accepted, once, by an attempt that carried the decision
/// out; one of which anything was carried out before it was decided about, or after its end.
pub async fn run(scene: &mut Scene, plan: Plan, seed: u64) -> Result<Report, Failure> {
    scene.setup = Setup { slots: 4, prefetch: 4, manner: Manner::Follow, ..scene.setup.clone() };
    let witness = Witness::open(&scene.setup.witness)?;
    enqueue(scene, plan.jobs).await?;
    let killed = kill_and_decide(scene, &witness, plan, seed).await?;

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
    verdict.violations.extend(stories.iter().flat_map(|story| judge(story, &witness)));
    check_total(scene).await?;
    Report { plan, jobs: scene.jobs.len(), kills: killed.len(), verdict }.checked()
}

async fn enqueue(scene: &mut Scene, count: usize) -> Result<(), Failure> {
    let script = Script { fails: 0, settle_fails: SETTLE_FAILS };
    let mut jobs = Vec::with_capacity(count);
    for _ in 0..count {
        let mut job = NewJob::new(ids::job_id(), KindName::new(KIND)?, script.args()?);
        job.losses_max = u32::MAX;
        job.attempts_max = 1;
        let terms = Review::outcome().settle_attempts(SETTLE_FAILS + 1, RetryPolicy::Fixed(RETRY));
        job.options.review = Some(terms);
        jobs.push(job);
    }
    scene.jobs.extend(scene.store.enqueue(jobs).await?.iter().map(|one| one.id));
    Ok(())
}

/// Decides, and kills, until all jobs are over. Which workers were killed.
async fn kill_and_decide(
    scene: &mut Scene,
    witness: &Witness,
    plan: Plan,
    seed: u64,
) -> Result<BTreeSet<String>, Failure> {
    let (mut random, mut killed, mut decided) = (Random::new(seed), BTreeSet::new(), BTreeSet::new());
    while is_due(scene, &killed, (plan.kills, HITS_OF_TEN))? {
        let share = plan.jobs / plan.kills;
        if killed.len() >= plan.kills {
            enqueue(scene, share + 1).await?;
        }
        let name = format!("worker-{}", killed.len() + 1);
        let worker = scene.victim(&name)?;
        let begun = 1 + random.up_to(share);
        let moved = Instant::now();
        while !is_carrying_out(&worker, &decided, begun) {
            decide(scene, witness, &mut decided).await?;
            if moved.elapsed() > PATIENCE {
                return Err(Failure::new(format!("{name} carries nothing out")));
            }
            sleep_until(Instant::now() + LOOK_AGAIN).await;
        }
        witness.write(&Mark::Killed(name.clone()));
        worker.kill()?;
        scene.bury(&name).await?;
        killed.insert(name);
    }
    let last = scene.survivor("worker-last")?;
    while decided.len() < scene.jobs.len() {
        decide(scene, witness, &mut decided).await?;
        sleep_until(Instant::now() + LOOK_AGAIN).await;
    }
    scene.until_completed().await?;
    last.finish().await?;
    Ok(killed)
}

/// Whether the worker is in the middle of it, after it has begun with so many.
fn is_carrying_out(worker: &Process, decided: &BTreeSet<JobId>, begun: usize) -> bool {
    let marks = worker.marks();
    let of = |run: &&Run| decided.contains(&run.job);
    let started = marks.iter().filter_map(Mark::started).filter(of).count();
    let ended = marks.iter().filter_map(Mark::ended).filter(of).count();
    started >= begun && started > ended
}

/// Accepts whatever is to be decided about now.
async fn decide(scene: &Scene, witness: &Witness, decided: &mut BTreeSet<JobId>) -> Result<(), Failure> {
    let page = PageRequest::first(500);
    for review in surely(|| scene.store.reviews(ReviewFilter::default(), page)).await?.items {
        if decided.insert(review.job) {
            witness.write(&Mark::Decided(review.job));
        }
        let ruling = NewRuling::accept(Actor::new("e2e"), review.digest);
        match surely(|| scene.store.decide(review.job, ruling.clone())).await {
            // Decided by an earlier try whose answer was lost.
            Err(error) if *error.kind() == ErrorKind::NotReady => {}
            answer => drop(answer?),
        }
    }
    Ok(())
}

/// What is wrong with how a decision was carried out.
fn judge(story: &Story, witness: &[Mark]) -> Vec<String> {
    let Story { job, attempts } = story;
    let id = job.id;
    let mut violations = Vec::new();
    if (job.state, job.reason) != (JobState::Completed, Some(Reason::Accepted)) {
        violations.push(format!("job {id} is {} for {:?}", job.state, job.reason));
    }
    let made = attempts.iter().position(|one| one.outcome == Some(AttemptOutcome::Succeeded));
    let decided = witness.iter().position(|mark| *mark == Mark::Decided(id));
    let phases: BTreeMap<u64, bool> =
        attempts.iter().zip(0..).map(|(one, place)| (one.number, Some(place) > made)).collect();
    for (line, run) in witness.iter().enumerate().filter_map(|(line, mark)| Some((line, mark.started()?))) {
        if run.job == id && (Some(line) > decided) != phases.get(&run.number).copied().unwrap_or_default() {
            violations.push(format!("{run} was entered on the wrong side of the decision"));
        }
    }
    let done = witness.iter().filter_map(Mark::ended).filter(|run| run.job == id).map(|run| run.number);
    if done.max() != attempts.last().map(|last| last.number) {
        violations.push(format!("job {id} ended by an attempt that carried nothing out"));
    }
    violations
}

impl Report {
    fn checked(self) -> Result<Self, Failure> {
        if !self.verdict.violations.is_empty() {
            return Err(Failure::new(self.verdict.violations.join("\n")));
        }
        if self.verdict.hits * 10 < self.plan.kills * HITS_OF_TEN {
            let (hits, kills) = (self.verdict.hits, self.kills);
            return Err(Failure::new(format!(
                "only {hits} of {kills} kills found a decision being carried out"
            )));
        }
        Ok(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { jobs, kills, verdict: Verdict { starts, hits, .. }, .. } = self;
        write!(
            f,
            "{jobs} jobs accepted, {kills} kills ({hits} of them while a decision was carried out): each decision was carried \
             out, and its job ended exactly once; {starts} starts"
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
