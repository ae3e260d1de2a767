//! Handlers that never let go of their threads for longer than a lease. The worker lives, and has to be seen to live.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use windlass_core::Timestamp;

use crate::Failure;
use crate::address::Engine;
use crate::load::Account;
use crate::process::{PATIENCE, Process, Setup};
use crate::scene::{Scene, surely};
use crate::witness::Mark;
use crate::worker::{Manner, THREADS};

/// What came of it.
#[derive(Debug)]
pub struct Report;

/// Long enough for a machine that stands still for some seconds between two beats.
const LEASE: Duration = Duration::from_secs(8);

/// How often it is looked whether the worker has beaten.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Gives a worker as many jobs that block as it has threads, and lets them go once it has outlived its lease. None of them
/// may be lost, or started again.
///
/// # Errors
///
/// A sentence for everything that should not be.
pub async fn run(scene: &mut Scene) -> Result<Report, Failure> {
    scene.setup =
        Setup { slots: THREADS, prefetch: 0, lease: LEASE, manner: Manner::Block, ..scene.setup.clone() };
    scene.enqueue(THREADS as usize).await?;
    let mut worker = scene.worker("busy")?;
    worker.until("its starts", all_begun).await?;
    // The lease that it has now ends so long after this at the latest: what it has later, it has by a beat.
    let blocked_since = until_seen(scene, Timestamp::MIN).await?;
    until_seen(scene, blocked_since.after(LEASE)).await?;
    worker.let_go()?;
    crate::crash::judge_unharmed(scene, &Account::default(), vec![worker]).await?;
    Ok(Report)
}

fn all_begun(marks: &[Mark]) -> Option<()> {
    (Process::handlers(marks).0 == THREADS as usize).then_some(())
}

/// Waits until the store has heard of the worker after `moment`, by its own clock. When it has.
async fn until_seen(scene: &Scene, moment: Timestamp) -> Result<Timestamp, Failure> {
    let begun = Instant::now();
    loop {
        let workers = surely(|| scene.store.workers(Duration::ZERO)).await?;
        if let Some(seen_at) = workers.iter().map(|it| it.seen_at).find(|seen_at| *seen_at > moment) {
            return Ok(seen_at);
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new("no sign of life comes from a worker whose handlers block"));
        }
        sleep_until(Instant::now() + LOOK_EVERY).await;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "handlers blocked every thread for longer than the lease, and no attempt was lost")
    }
}

/// Runs it on a fresh store, whose folder stays if it fails.
///
/// # Errors
///
/// What went wrong, with the folder.
pub async fn scenario(program: &Path, engine: Engine) -> Result<Report, Failure> {
    let mut scene = Scene::new(program, engine).await?;
    let outcome = run(&mut scene).await;
    outcome.map_err(|failure| scene.blame(failure, 0))
}
