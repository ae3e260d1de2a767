//! Two workers on two hosts; the link of one is cut past its lease, and mended.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use windlass_core::JobId;
use windlass_postgres_testing::Config;

use crate::Failure;
use crate::address::Address;
use crate::crash::CALLERS;
use crate::host::Host;
use crate::load::Load;
use crate::pause::{judge_paused, until_here};
use crate::process::{Process, Setup};
use crate::recovery::begun;
use crate::scene::Scene;
use crate::timely::Timely;
use crate::witness::{Mark, Witness};
use crate::worker::Manner;

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How many times a link is cut
    #[arg(long, default_value_t = 1)]
    pub cuts: usize,
}

/// What came of it.
#[derive(Debug)]
pub enum Report {
    /// It took place: so many cuts, handlers that stopped in time, and jobs.
    Done {
        /// How many times a link was cut, and how often all handlers stopped in time.
        cuts: Timely,
        /// How many handlers were stopped by their own worker before anybody else had their job.
        fenced: usize,
        /// How many jobs there were.
        jobs: usize,
    },
    /// There can be no hosts here, for this reason.
    Skipped(String),
}

/// The lease of the worker that is cut off. Its handlers have a tenth of it to stop in.
const LEASE: Duration = Duration::from_secs(10);

/// How many jobs the host holds that is cut off.
const HELD: usize = 4;

/// Cuts a link `plan.cuts` times, or more until its worker's handlers have stopped in time most of the times, each time of a new
/// worker.
///
/// # Errors
///
/// A sentence for everything that should not be: what [`judge`](crate::verdict::judge) finds, and handlers that were still
/// at it when another had their job, too often for a machine that stood still.
pub async fn run(scene: &mut Scene, plan: Plan) -> Result<Report, Failure> {
    let port = scene.cluster(|cluster| Ok(cluster.port())).await?;
    let hosts = [Host::make(0, port).await?, Host::make(1, port).await?];
    let (mut paused, mut fenced, mut cuts) = (BTreeSet::new(), 0, Timely::planned(plan.cuts).mostly());
    let mut late = None;
    while cuts.is_due() {
        let cut = cuts.tries() + 1;
        let name = format!("cut-off-{cut}");
        let (workers, held) =
            one(scene, &hosts, cut).await.map_err(|failure| failure.during(format!("cut {cut}")))?;
        paused.insert(name.clone());
        judge_paused(scene, workers, &paused).await?;
        let stopped = check_fenced(&Witness::read(&scene.setup.witness)?, &name, &held);
        cuts.tried(stopped.is_ok());
        match stopped {
            Ok(stopped) => fenced += stopped,
            Err(why) => late = Some(why.during(format!("cut {cut}"))),
        }
    }
    match late {
        Some(late) if !cuts.is_enough() => Err(late),
        _ => Ok(Report::Done { cuts, fenced, jobs: scene.jobs.len() }),
    }
}

/// One cut. The workers, and the jobs that were taken from the one that was cut off.
async fn one(
    scene: &mut Scene,
    [near, far]: &[Host; 2],
    cut: usize,
) -> Result<(Vec<Process>, Vec<JobId>), Failure> {
    settle_on(scene, near, (Manner::Obey, HELD))?;
    let mut left = scene.worker(format!("cut-off-{cut}"))?;
    left.until("being ready", |marks| marks.contains(&Mark::Ready).then_some(())).await?;
    scene.enqueue(HELD).await?;
    let held = scene.jobs[scene.jobs.len() - HELD..].to_vec();
    left.until("its starts", |marks| all_begun(marks, &held)).await?;
    settle_on(scene, far, (Manner::Nap, 8))?;
    let mut right = scene.survivor(format!("steady-{cut}"))?;
    right.until("being ready", |marks| marks.contains(&Mark::Ready).then_some(())).await?;
    let load = Load::start(&scene.store, CALLERS);

    near.cut()?;
    right.until("taking the jobs over", |marks| all_begun(marks, &held)).await?;
    // From here on its handlers return at once: it has to take part again.
    left.let_go()?;
    near.mend()?;
    until_here(scene, &left, true).await?;
    left.until("its next start", |marks| {
        marks.iter().filter_map(Mark::started).any(|run| !held.contains(&run.job)).then_some(())
    })
    .await?;
    scene.jobs.extend(load.stop().await?.acknowledged);
    Ok((vec![left, right], held))
}

/// The next worker is one on this host, with handlers of this manner and so many slots.
fn settle_on(scene: &mut Scene, host: &Host, (manner, slots): (Manner, usize)) -> Result<(), Failure> {
    scene.setup = Setup {
        store: Address::Database(host.proxy.url()),
        namespace: Some(host.namespace()),
        slots: u32::try_from(slots)?,
        prefetch: 0,
        lease: LEASE,
        manner,
        ..scene.setup.clone()
    };
    Ok(())
}

fn all_begun(marks: &[Mark], jobs: &[JobId]) -> Option<()> {
    jobs.iter().all(|job| begun(marks, *job).is_some()).then_some(())
}

/// Each handler of `name` was asked to stop before its job started again. The witness has one order for all processes.
fn check_fenced(witness: &[Mark], name: &str, held: &[JobId]) -> Result<usize, Failure> {
    for job in held {
        let place = |found: &dyn Fn(&Mark) -> bool| witness.iter().position(found);
        let halted =
            place(&|mark| matches!(mark, Mark::Halted(run) if run.job == *job && run.process == name));
        let taken_over =
            place(&|mark| mark.started().is_some_and(|run| run.job == *job && run.process != name));
        if halted.is_none() || halted > taken_over {
            return Err(Failure::new(format!(
                "the handler of job {job} was still at it when another had the job: {halted:?}, {taken_over:?}"
            )));
        }
    }
    Ok(held.len())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { cuts, fenced, jobs } => write!(
                f,
                "{} cuts of a link, {jobs} jobs: each ended once; {fenced} handlers stopped on the host that was cut off, \
                 after {} of the cuts each of them before another had its job",
                cuts.tries(),
                cuts.in_time(),
            ),
            Self::Skipped(why) => write!(f, "skipped, as there can be no hosts here: {why}"),
        }
    }
}

/// Runs it on a fresh cluster, whose log is told if it fails.
///
/// # Errors
///
/// What went wrong, with the folder.
pub async fn scenario(program: &Path, plan: Plan) -> Result<Report, Failure> {
    if let Err(why) = Host::can_be_made().await {
        return Ok(Report::Skipped(why.to_string()));
    }
    let mut scene = Scene::on_cluster(program, Config::durable()).await?;
    let outcome = run(&mut scene, plan).await;
    outcome.map_err(|failure| scene.blame(failure, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::Run;

    const JOB: JobId = JobId::from_bytes([1; 16]);

    fn run(number: u64, process: &str) -> Run {
        Run { job: JOB, number, process: process.to_owned() }
    }

    #[test]
    fn a_handler_that_stops_too_late_or_never_is_found() {
        let (halted, start) = (Mark::Halted(run(1, "a")), Mark::Started(run(2, "b")));

        assert_eq!(check_fenced(&[halted.clone(), start.clone()], "a", &[JOB]).unwrap(), 1);
        assert!(check_fenced(&[start.clone(), halted], "a", &[JOB]).is_err());
        assert!(check_fenced(&[start], "a", &[JOB]).is_err());
    }
}
