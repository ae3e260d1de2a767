//! A worker is stopped past its lease, its job is given to another, and then it goes on.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;
use windlass_core::{AttemptOutcome, JobId, JobState, QueueName};
use windlass_store::Actor;

use crate::Failure;
use crate::address::Engine;
use crate::process::{Process, Setup};
use crate::recovery::begun;
use crate::scene::Scene;
use crate::witness::{Mark, Run, Witness};
use crate::worker::{LATE_VERBS, Manner};

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How many workers are stopped past their lease
    #[arg(long, default_value_t = 5)]
    pub pauses: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    pauses: usize,
    /// Pauses after which at least one write was tried.
    haunted: usize,
    refused: usize,
}

/// Of a hundred pauses, this many at least must try a late write: else the run shows nothing.
const HAUNTED_OF_HUNDRED: usize = 75;

/// How often a process is stopped anew that was in the middle of a commit.
const FREEZES_MAX: usize = 20;

/// How long a write waits for the lock before its holder is taken to be the stopped process: far longer than some commits,
/// each of which may wait for a slow disk.
const LOCK_PATIENCE: Duration = Duration::from_millis(1_500);

/// Stops a worker inside a handler, `plan.pauses` times, until another has been given its job, and lets it go on. It then
/// tries everything that can be written under its token. In every other pause the successor has completed the job by
/// then; in the rest it is still at it.
///
/// # Errors
///
/// A sentence for everything that should not be: a late write with any answer but `lease_lost`, or a job that shows a
/// trace of one.
pub async fn run(scene: &mut Scene, plan: Plan) -> Result<Report, Failure> {
    let mut report = Report { pauses: plan.pauses, haunted: 0, refused: 0 };
    for pause in 1..=plan.pauses {
        let manner = if pause % 2 == 0 { Manner::Wait } else { Manner::Work };
        let answers =
            one(scene, pause, manner).await.map_err(|failure| failure.during(format!("pause {pause}")))?;
        let accepted: Vec<&str> =
            answers.iter().filter(|(_, it)| it != "lease_lost").map(|(verb, _)| verb.as_str()).collect();
        if !accepted.is_empty() {
            return Err(Failure::new(format!("pause {pause}: late writes were not refused: {answers:?}")));
        }
        report.haunted += usize::from(!answers.is_empty());
        report.refused += answers.len();
    }
    report.checked()
}

/// One pause. Answers what was tried late, and what the store said to it.
async fn one(scene: &mut Scene, pause: usize, manner: Manner) -> Result<Vec<(String, String)>, Failure> {
    let base = Setup { slots: 1, prefetch: 0, ..scene.setup.clone() };
    scene.setup = Setup { manner: Manner::Haunt, ..base.clone() };
    let mut stopped = scene.worker(format!("stopped-{pause}"))?;
    stopped.until("being ready", ready).await?;
    scene.enqueue(1).await?;
    let job = *scene.jobs.last().ok_or_else(|| Failure::new("nothing was enqueued"))?;
    stopped.until("its start", |marks| begun(marks, job)).await?;

    freeze_outside_a_commit(scene, &stopped).await?;
    let first = last_begun(&Witness::so_far(&scene.setup.witness)?, job)?;
    scene.setup = Setup { manner, ..base };
    let mut successor = scene.survivor(format!("successor-{pause}"))?;
    let second = successor.until("taking the job over", |marks| begun(marks, job)).await?;
    if second.number <= first.number {
        return Err(Failure::new(format!("token {} came after token {}", second.number, first.number)));
    }
    if manner == Manner::Work {
        scene.until_completed().await?;
    }
    stopped.let_go()?;
    stopped.thaw()?;
    let answers = stopped.until("its late writes", |marks| late(marks, &first)).await?;

    if manner == Manner::Wait {
        successor.let_go()?;
        scene.until_completed().await?;
    }
    check_untouched(scene, job, &first, &second).await?;
    successor.finish().await?;
    stopped.finish().await?;
    Ok(answers)
}

/// Stops the process at a moment when it does not hold the file's write lock. One that does keeps everybody from writing
/// until it goes on, as `docs/guarantees.md` says; that is another story than a lost lease.
///
/// # Errors
///
/// When it cannot be stopped, or is in the middle of a commit again and again.
pub async fn freeze_outside_a_commit(scene: &Scene, process: &Process) -> Result<(), Failure> {
    let (queue, by) = (QueueName::new("probe")?, Actor::new("e2e"));
    for _ in 0..FREEZES_MAX {
        process.freeze()?;
        if let Ok(written) = timeout(LOCK_PATIENCE, scene.store.pause(&queue, by.clone())).await {
            return Ok(written?);
        }
        process.thaw()?;
        // Comes back once the lock is free: else the process would be stopped again at the same instruction.
        scene.store.pause(&queue, by.clone()).await?;
    }
    Err(Failure::new(format!("it was stopped inside a commit {FREEZES_MAX} times in a row")))
}

fn ready(marks: &[Mark]) -> Option<()> {
    marks.contains(&Mark::Ready).then_some(())
}

/// The attempt of `job` that was started last. A process may stand still before it is stopped, too, lose the job, and be
/// given it again.
fn last_begun(witness: &[Mark], job: JobId) -> Result<Run, Failure> {
    let last = witness.iter().filter_map(Mark::started).rfind(|run| run.job == job);
    last.cloned().ok_or_else(|| Failure::new("nobody saw it start"))
}

/// All that was tried late under the token of an attempt, once the last of it has been.
fn late(marks: &[Mark], first: &Run) -> Option<Vec<(String, String)>> {
    let tries = marks.iter().filter_map(|mark| match mark {
        Mark::Late { run, verb, answer } if run == first => Some((verb.clone(), answer.clone())),
        _ => None,
    });
    let tries: Vec<_> = tries.collect();
    (tries.len() == LATE_VERBS.len()).then_some(tries)
}

/// The job was lost by the process that was stopped, and is what its successor made of it; and nothing that was tried late
/// can be seen.
async fn check_untouched(scene: &Scene, id: JobId, first: &Run, second: &Run) -> Result<(), Failure> {
    let job = scene.store.job(id).await?;
    let attempts = scene.store.attempts(id).await?;
    let log = scene.store.logs(id, windlass_store::PageRequest::first(10)).await?;
    let outcomes: Vec<_> = attempts.iter().map(|it| (it.number, it.worker.as_str(), it.outcome)).collect();

    let lost = (first.number, first.process.as_str(), Some(AttemptOutcome::Lost));
    let done = (second.number, second.process.as_str(), Some(AttemptOutcome::Succeeded));
    let is_expected = outcomes.split_last().is_some_and(|(last, earlier)| {
        let are_lost = earlier.iter().all(|one| (one.1, one.2) == (lost.1, lost.2));
        *last == done && are_lost && earlier.contains(&lost)
    });
    if !is_expected {
        return Err(Failure::new(format!("its attempts are {outcomes:?}")));
    }
    let result = job.result.as_ref().map(|result| result.as_str().trim_matches('"').to_owned());
    let untouched = job.state == JobState::Completed
        && result.as_ref() == Some(&second.process)
        && job.progress.is_none()
        && job.checkpoint.is_none()
        && log.items.is_empty();
    if untouched { Ok(()) } else { Err(Failure::new(format!("something written late can be seen: {job:?}"))) }
}

impl Report {
    fn checked(self) -> Result<Self, Failure> {
        if self.haunted * 100 < self.pauses * HAUNTED_OF_HUNDRED {
            return Err(Failure::new(format!(
                "only {} of {} pauses tried a late write",
                self.haunted, self.pauses
            )));
        }
        Ok(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pauses, haunted, refused } = self;
        write!(
            f,
            "{pauses} pauses past the lease, {haunted} with late writes: {refused} were tried, every one was refused"
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
