//! A claim whose connection is cut reaches the server after the worker has asked what it holds.
//!
//! The worker lives and beats, so no lease of it ends: what it was given without knowing has to be found in another way.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use windlass_postgres_testing::Config;

use crate::Failure;
use crate::address::Address;
use crate::process::Setup;
use crate::proxy::{Cut, Proxy};
use crate::scene::Scene;
use crate::witness::Mark;
use crate::worker::Manner;

/// What came of it.
#[derive(Debug)]
pub struct Report {
    claims: usize,
}

/// Longer than the run: so that what is found is not found because a lease ended.
const LEASE: Duration = Duration::from_secs(10 * 60);

/// What only a claim says.
const CLAIM: &str = "INSERT INTO windlass.claim";

/// How many claims come late.
const CLAIMS: usize = 5;

/// So many jobs that some still wait when a late claim comes: the worker does less than half of them until then.
const BACKLOG: usize = 1_000;

/// How many backlogs there are at the most until a claim comes late.
const TRIES: usize = 5;

/// Lets claims of a worker come late. Every job has to be done all the same.
///
/// # Errors
///
/// When one is not: it is held by a worker that does not know of it.
pub async fn run(scene: &mut Scene) -> Result<Report, Failure> {
    let port = scene.cluster(|cluster| Ok(cluster.port())).await?;
    let proxy = Proxy::start(Ipv4Addr::LOCALHOST, port).await?;
    let store = Address::Database(proxy.url());
    scene.setup = Setup { store, lease: LEASE, manner: Manner::Nap, ..scene.setup.clone() };
    let mut worker = scene.worker("late")?;
    worker.until("being ready", |marks| marks.contains(&Mark::Ready).then_some(())).await?;
    for claim in 1..=CLAIMS {
        let came = one(scene, &proxy).await;
        came.map_err(|failure| failure.during(format!("claim {claim}")))?;
    }
    scene.until_completed().await?;
    worker.finish().await?;
    Ok(Report { claims: CLAIMS })
}

/// Lets one claim come late. On a machine that stands still after the enqueue, the jobs are done before the order is given:
/// then there are more of them.
async fn one(scene: &mut Scene, proxy: &Proxy) -> Result<(), Failure> {
    for _ in 0..TRIES {
        scene.enqueue(BACKLOG).await?;
        proxy.orders.give_for(Cut::Late, CLAIM);
        scene.until_completed().await?;
        if proxy.orders.withdraw() {
            return Ok(());
        }
    }
    Err(Failure::new("it was not sent"))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} claims came late: every job was done all the same, by the worker that had not known",
            self.claims
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
