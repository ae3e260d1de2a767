//! The server ends our connections, ten a second, under load.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;
use windlass_postgres::PostgresOptions;
use windlass_postgres_testing::Config;
use windlass_store::{EnqueueOutcome, SharedStore};

use crate::Failure;
use crate::address::Address;
use crate::crash::{CALLERS, judge_unharmed, workers};
use crate::load::{Account, Load};
use crate::scene::{Scene, job};

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How long, in seconds
    #[arg(long, default_value_t = 5)]
    pub seconds: u32,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    ended: u32,
    account: Account,
}

/// How many connections are ended in a second.
const EVERY_SECOND: u32 = 10;

/// For a hundred times, this many at least must find a connection to end: else the run shows nothing.
const FOUND_OF_HUNDRED: u32 = 90;

/// How many times more it looks at the most until it has found enough: for a minute.
const MORE: u32 = 60 * EVERY_SECOND;

/// Ends one connection of ours after the other, ten a second: so many times, and then until it has found enough of them.
/// Says how many it found. In the server, since a client would need a connection for each.
const FUNCTION: &str = "CREATE FUNCTION evict(times integer, enough integer, most integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    hits integer;
    ended integer := 0;
BEGIN
    FOR one IN 1..most LOOP
        EXIT WHEN one > times AND ended >= enough;
        -- What runs is looked up once for a transaction, unless one asks again.
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_terminate_backend(pid) FROM (
            SELECT pid FROM pg_stat_activity WHERE application_name = 'windlass' ORDER BY random() LIMIT 1
        ) AS ours;
        GET DIAGNOSTICS hits = ROW_COUNT;
        ended := ended + hits;
        PERFORM pg_sleep(0.1);
    END LOOP;
    RETURN ended;
END
$$";

/// Ends connections of ours at random while two workers work and four callers enqueue.
///
/// # Errors
///
/// A sentence for everything that should not be: see [`crash::run`](crate::crash::run).
pub async fn run(scene: &mut Scene, plan: Plan) -> Result<Report, Failure> {
    let times = plan.seconds * EVERY_SECOND;
    let (enough, most) = ((times * FOUND_OF_HUNDRED).div_ceil(100), times + MORE);
    let workers = workers(scene).await?;
    let load = Load::start(&scene.store, CALLERS);
    scene.cluster(|cluster| cluster.query(FUNCTION)).await?;
    let evict = format!("SELECT evict({times}, {enough}, {most})");
    let ended = scene.cluster(move |cluster| cluster.query(&evict)).await?;
    let account = load.stop().await?;
    judge_unharmed(scene, &account, workers).await?;
    let ended = ended.parse()?;
    if ended < enough {
        return Err(Failure::new(format!(
            "only {ended} times there was a connection to end, for {times} that were asked for"
        )));
    }
    Ok(Report { ended, account })
}

/// How many callers share a connection in [`crowd`].
const CROWD: usize = 64;

/// Lets a crowd of callers share a single connection. Every one of them is answered.
///
/// # Errors
///
/// When one is not, or not with a new job.
pub async fn crowd(scene: &mut Scene) -> Result<(), Failure> {
    let Address::Database(url) = &scene.setup.store else {
        return Err(Failure::new("the store is on no server"));
    };
    let store: SharedStore = Arc::new(PostgresOptions::new(url).connections(1).open().await?);
    let workers = workers(scene).await?;
    let mut callers = JoinSet::new();
    for _ in 0..CROWD {
        let (store, one) = (Arc::clone(&store), job()?);
        callers.spawn(async move { store.enqueue(vec![one]).await });
    }
    let mut account = Account::default();
    while let Some(answer) = callers.join_next().await {
        let answer = answer??;
        if answer.iter().any(|it| it.outcome != EnqueueOutcome::Created || it.repeated) {
            return Err(Failure::new("an enqueue of a new job answered with something else"));
        }
        account.acknowledged.extend(answer.iter().map(|it| it.id));
    }
    judge_unharmed(scene, &account, workers).await
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Account { acknowledged, unknown, unavailable, there_before } = &self.account;
        write!(
            f,
            "{} connections ended by the server, {} jobs acknowledged: every one is there and started once; {unknown} \
             answers were unknown, {there_before} of them had happened, {unavailable} were refusals",
            self.ended,
            acknowledged.len(),
        )
    }
}

/// Runs it on a fresh cluster, whose log is told if it fails; and then the crowd.
///
/// # Errors
///
/// What went wrong, with the folder.
pub async fn scenario(program: &Path, plan: Plan) -> Result<Report, Failure> {
    let mut scene = Scene::on_cluster(program, Config::durable()).await?;
    let outcome = run(&mut scene, plan).await;
    let outcome = outcome.map_err(|failure| scene.blame(failure, 0))?;
    let mut scene = Scene::on_cluster(program, Config::durable()).await?;
    let crowd = crowd(&mut scene).await;
    crowd.map_err(|failure| scene.blame(failure.during("a crowd on one connection"), 0))?;
    Ok(outcome)
}
