//! Handlers that never let go of their threads for longer than a lease. The worker lives, and has to be seen to live.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::Failure;
use crate::address::Engine;
use crate::load::Account;
use crate::process::Setup;
use crate::scene::Scene;
use crate::worker::{Manner, THREADS};

/// What came of it.
#[derive(Debug)]
pub struct Report;

/// Half of what a handler blocks.
const LEASE: Duration = Duration::from_secs(1);

/// Gives a worker as many jobs that block as it has threads. None of them may be lost, or started again.
///
/// # Errors
///
/// A sentence for everything that should not be.
pub async fn run(scene: &mut Scene) -> Result<Report, Failure> {
    scene.setup =
        Setup { slots: THREADS, prefetch: 0, lease: LEASE, manner: Manner::Block, ..scene.setup.clone() };
    scene.enqueue(THREADS as usize).await?;
    let worker = scene.worker("busy")?;
    crate::crash::judge_unharmed(scene, &Account::default(), vec![worker]).await?;
    Ok(Report)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "handlers blocked every thread for twice the lease, and no attempt was lost")
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
