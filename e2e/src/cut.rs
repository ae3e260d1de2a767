//! Connections are cut around the message that commits: before it, behind it, and before its answer.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use windlass_core::{AttemptToken, JobState, KindName, NewJob, QueueName, Verdict, WorkerId};
use windlass_postgres_testing::Config;
use windlass_store::{
    ClaimRequest, ErrorKind, KindSupport, Kinds, NewWorker, Queues, Scope, Settlement, SharedStore,
    StoreError, Turn, ids,
};

use crate::Failure;
use crate::address::Address;
use crate::kill::check_total;
use crate::proxy::{Cut, Proxy};
use crate::scene::{Scene, job, surely};
use crate::worker::KIND;

/// How much of it.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Plan {
    /// How many connections are cut
    #[arg(long, default_value_t = 60)]
    pub cuts: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Cuts after which the caller was told `Unknown`.
    unknown: usize,
    /// Cuts after which the caller was told that nothing had happened; and nothing had.
    refused: usize,
    /// Cuts of something that had been committed.
    committed: usize,
    /// Cuts of something that had not.
    undone: usize,
}

/// What is being done when the connection is cut.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// A batch is enqueued.
    Enqueue,
    /// An attempt is settled.
    Settle,
    /// An attempt is settled and the next job is claimed.
    Turn,
}

const ACTS: [Act; 3] = [Act::Enqueue, Act::Settle, Act::Turn];

/// The answer is what is cut as a rule: only then is there something to be found out.
const CUTS: [Cut; 5] = [Cut::After, Cut::After, Cut::Before, Cut::After, Cut::Between];

/// How many jobs a batch has.
const BATCH: usize = 3;

/// What every cut is held against.
struct Bench {
    /// By way of the proxy.
    store: SharedStore,
    proxy: Proxy,
    member: WorkerId,
    scope: Arc<Scope>,
    report: Report,
}

/// Cuts `plan.cuts` connections, asks again each time, and holds both answers against what is there.
///
/// # Errors
///
/// A sentence for everything that should not be: an answer other than `Unknown` about what had happened, a second answer
/// that does not tell what had happened, a job too many or too few.
pub async fn run(scene: &mut Scene, plan: Plan) -> Result<Report, Failure> {
    let port = scene.cluster(|cluster| Ok(cluster.port())).await?;
    let proxy = Proxy::start(Ipv4Addr::LOCALHOST, port).await?;
    let store = Address::Database(proxy.url()).open().await?;
    let (worker, scope) = worker()?;
    let member = worker.id;
    store.register(worker).await?;
    // Once undisturbed, so that this store knows what it would otherwise have to read first.
    let batch = batch()?;
    scene.jobs.extend(batch.iter().map(|job| job.id));
    store.enqueue(batch).await?;
    let mut bench = Bench { store, proxy, member, scope, report: Report::default() };
    for number in 0..plan.cuts {
        let (act, cut) = (ACTS[number % ACTS.len()], CUTS[number / ACTS.len() % CUTS.len()]);
        let done = bench.one(scene, act, cut).await;
        done.map_err(|failure| failure.during(format!("cut {number}, {cut:?} the commit of {act:?}")))?;
    }
    check_total(scene).await?;
    bench.report.checked(plan)
}

fn worker() -> Result<(NewWorker, Arc<Scope>), Failure> {
    let kinds = vec![KindSupport { kind: KindName::new(KIND)?, version_max: 1 }];
    let queues = Queues::Only(vec![QueueName::default()]);
    let worker = NewWorker {
        id: ids::worker_id(),
        name: "behind the proxy".to_owned(),
        host: "here".to_owned(),
        version: "1".to_owned(),
        queues: queues.clone(),
        kinds: kinds.clone(),
        slots: 1,
        lease: Duration::from_secs(60 * 60),
        owner: None,
    };
    Ok((worker, Arc::new(Scope { queues, kinds: Kinds::Only(kinds) })))
}

impl Bench {
    async fn one(&mut self, scene: &mut Scene, act: Act, cut: Cut) -> Result<(), Failure> {
        match act {
            Act::Enqueue => self.enqueue(scene, cut).await,
            Act::Settle => self.settle(scene, cut).await,
            Act::Turn => self.turn(scene, cut).await,
        }
    }

    async fn enqueue(&mut self, scene: &mut Scene, cut: Cut) -> Result<(), Failure> {
        let batch = batch()?;
        self.proxy.orders.give(cut);
        let answer = self.store.enqueue(batch.clone()).await;
        let told = self.told(answer)?;
        let again = surely(|| self.store.enqueue(batch.clone())).await?;
        let happened = again.iter().filter(|answer| answer.repeated).count();
        scene.jobs.extend(batch.iter().map(|job| job.id));
        if happened != 0 && happened != BATCH {
            return Err(Failure::new(format!("{happened} jobs of a batch of {BATCH} were there")));
        }
        self.judge(cut, &told, happened > 0)
    }

    async fn settle(&mut self, scene: &Scene, cut: Cut) -> Result<(), Failure> {
        let token = self.claim_surely().await?;
        self.proxy.orders.give(cut);
        let answer = self.store.settle(vec![success(token)]).await;
        let told = self.told(answer)?;
        let happened = self.settled_before(token).await?;
        check_completed(scene, token).await?;
        self.judge(cut, &told, happened)
    }

    async fn turn(&mut self, scene: &Scene, cut: Cut) -> Result<(), Failure> {
        let token = self.claim_surely().await?;
        // Of a turn that nobody waited for, the server may have made something long after the worker asked.
        self.give_back_all_but(token).await?;
        let turn = Turn { settlements: vec![success(token)], claim: Some(self.claim()) };
        self.proxy.orders.give(cut);
        let answer = self.store.turn(turn).await;
        let told = self.told(answer)?;
        // What the worker does: it asks what it holds, and gives back what it knows nothing of.
        let orphans = self.give_back_all_but(token).await?;
        let happened = self.settled_before(token).await?;
        check_completed(scene, token).await?;
        if cut != Cut::Between && orphans != usize::from(happened) {
            return Err(Failure::new(format!(
                "settled: {happened}, and it holds {orphans} jobs: that is half a turn"
            )));
        }
        self.judge(cut, &told, happened)
    }

    /// Gives back what the worker holds without knowing. How many jobs that were.
    async fn give_back_all_but(&self, token: AttemptToken) -> Result<usize, Failure> {
        let held = surely(|| self.store.held(self.member)).await?;
        let orphans: Vec<AttemptToken> = held.into_iter().filter(|held| *held != token).collect();
        for token in &orphans {
            let back = Settlement { token: *token, verdict: Verdict::Released };
            surely(|| self.store.settle(vec![back.clone()])).await?.remove(0)?;
        }
        Ok(orphans.len())
    }

    fn claim(&self) -> ClaimRequest {
        ClaimRequest::new(self.member, Arc::clone(&self.scope), 1)
    }

    /// The next job, with nobody in between.
    async fn claim_surely(&self) -> Result<AttemptToken, Failure> {
        let claimed = surely(|| self.store.claim(self.claim())).await?;
        claimed.jobs.first().map(|job| job.token).ok_or_else(|| Failure::new("there is nothing to claim"))
    }

    /// Settles again, and tells whether that had been done before.
    async fn settled_before(&self, token: AttemptToken) -> Result<bool, Failure> {
        match surely(|| self.store.settle(vec![success(token)])).await?.remove(0) {
            Ok(_) => Ok(false),
            Err(error) if *error.kind() == ErrorKind::NotRunning => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// The error that a cut must have led to.
    fn told<T>(&self, answer: Result<T, StoreError>) -> Result<StoreError, Failure> {
        if !self.proxy.orders.withdraw() {
            return Err(Failure::new("nothing was committed, so nothing was cut"));
        }
        answer.err().ok_or_else(|| Failure::new("it was answered, although the answer was cut off"))
    }

    /// Holds what the caller was told against what had happened.
    fn judge(&mut self, cut: Cut, told: &StoreError, happened: bool) -> Result<(), Failure> {
        let possible = match cut {
            Cut::Before => !happened,
            Cut::Between | Cut::Late => true,
            Cut::After => happened,
        };
        if !possible {
            return Err(Failure::new(format!("it had happened: {happened}")));
        }
        match told.kind() {
            ErrorKind::Unknown => self.report.unknown += 1,
            ErrorKind::Unavailable if !happened => self.report.refused += 1,
            kind => {
                return Err(Failure::new(format!(
                    "it was told {kind:?} ({told}), and had happened: {happened}"
                )));
            }
        }
        self.report.committed += usize::from(happened);
        self.report.undone += usize::from(!happened);
        Ok(())
    }
}

fn batch() -> Result<Vec<NewJob>, Failure> {
    (0..BATCH).map(|_| job()).collect()
}

fn success(token: AttemptToken) -> Settlement {
    Settlement { token, verdict: Verdict::Succeeded { result: None } }
}

/// The job has ended, and once.
async fn check_completed(scene: &Scene, token: AttemptToken) -> Result<(), Failure> {
    let job = scene.store.job(token.job).await?;
    let attempts = scene.store.attempts(token.job).await?.len();
    if job.state == JobState::Completed && attempts == 1 {
        return Ok(());
    }
    Err(Failure::new(format!("job {} is {}, after {attempts} attempts", job.id, job.state)))
}

impl Report {
    fn checked(self, plan: Plan) -> Result<Self, Failure> {
        if self.committed * 2 < plan.cuts || self.undone * 10 < plan.cuts {
            return Err(Failure::new(format!("too few of one kind to show anything: {self}")));
        }
        Ok(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unknown, refused, committed, undone } = self;
        write!(
            f,
            "{} connections cut around a commit, {committed} behind it and {undone} before: {unknown} answers were unknown, \
             {refused} rightly said that nothing had happened, and asking again told of every one",
            committed + undone
        )
    }
}

/// Runs it on a fresh cluster, whose log is told if it fails.
///
/// # Errors
///
/// What went wrong.
pub async fn scenario(program: &Path, plan: Plan) -> Result<Report, Failure> {
    let mut scene = Scene::on_cluster(program, Config::durable()).await?;
    let outcome = run(&mut scene, plan).await;
    outcome.map_err(|failure| scene.blame(failure, 0))
}
