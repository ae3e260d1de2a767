//! Every connection of a worker falls silent, and none is closed. New ones can be made.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use windlass_postgres_testing::Config;

use crate::Failure;
use crate::address::Address;
use crate::crash::CALLERS;
use crate::load::Load;
use crate::meter::until_more;
use crate::pause::judge_paused;
use crate::process::{PATIENCE, Setup};
use crate::proxy::Proxy;
use crate::scene::Scene;
use crate::worker::Manner;

/// What came of it.
#[derive(Debug)]
pub struct Report {
    back: Duration,
}

/// The lease of the worker.
const LEASE: Duration = Duration::from_secs(1);

/// How long the worker may take until it works again: what it may trust its lease, some tries to get a new one, and the end
/// of a turn that is not answered. Less than what the driver takes for the end of a connection by itself, which would mend
/// it too.
const BACK_MAX: Duration = Duration::from_secs(19);

/// Silences a worker at work. It has to come back by itself, on connections of which it has an answer.
///
/// # Errors
///
/// When it does not soon; and a sentence for everything else that should not be.
pub async fn run(scene: &mut Scene) -> Result<Report, Failure> {
    let port = scene.cluster(|cluster| Ok(cluster.port())).await?;
    let proxy = Proxy::start(Ipv4Addr::LOCALHOST, port).await?;
    let store = Address::Database(proxy.url());
    scene.setup = Setup { store, lease: LEASE, manner: Manner::Nap, ..scene.setup.clone() };
    let worker = scene.worker("silenced")?;
    let load = Load::start(&scene.store, CALLERS);
    until_more(&worker, 50, PATIENCE).await?;

    proxy.stall();
    let stalled_at = Instant::now();
    // What it may still end that it had claimed before.
    let before = worker.ended() + scene.setup.slots as usize + scene.setup.prefetch as usize;
    until_more(&worker, before, BACK_MAX)
        .await
        .map_err(|failure| failure.during("after all its connections fell silent"))?;
    let back = stalled_at.elapsed();
    scene.jobs.extend(load.stop().await?.acknowledged);
    let paused = std::iter::once(worker.name().to_owned()).collect();
    judge_paused(scene, vec![worker], &paused).await?;
    Ok(Report { back })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "all connections of a worker fell silent: it was at work again {:.1?} later, by itself",
            self.back
        )
    }
}

/// Runs it on a fresh cluster, whose log is told if it fails.
///
/// # Errors
///
/// What went wrong, with the folder.
pub async fn scenario(program: &Path) -> Result<Report, Failure> {
    let mut scene = Scene::on_cluster(program, Config::durable()).await?;
    let outcome = run(&mut scene).await;
    outcome.map_err(|failure| scene.blame(failure, 0))
}
