//! A server that is asked for more than it can do, by many who send as good as nothing and some who send without end. Those
//! who hold leases must not notice; and those who only wait must cost nothing.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::Failure;
use crate::process::PATIENCE;
use crate::served::{Answered, Caller, Served};

/// How much of it.
#[derive(Debug, Clone, Copy, Args)]
pub struct Plan {
    /// Connections on which as good as nothing is sent.
    #[arg(long, default_value_t = 2_000)]
    pub sockets: usize,
    /// How long.
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Long polls of the second part, for which nothing comes.
    #[arg(long, default_value_t = 1_000)]
    pub polls: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    plan: Plan,
    peak_kib: u64,
    honest: usize,
    p90: Duration,
    p99: Duration,
    flood: u64,
    refused: u64,
    poll_kib: u64,
    poll_share: f64,
}

/// What it takes to let many wait.
#[derive(Debug)]
struct Idle {
    kib: u64,
    /// Of a processor.
    share: f64,
}

/// The most memory that the server may ever have.
const PEAK_KIB_MAX: u64 = 256 * 1024;

/// The longest that nearly all claims and beats may take.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// From so many of them on, nearly all are ninety-nine of a hundred. Of fewer they are ninety, as each time that the machine
/// stands still makes one wait of each of those who work.
const MANY: usize = 5_000;

/// The fewest claims and beats, and the fewest requests of a flood, that tell anything.
const HONEST_MIN: usize = 50;
const FLOOD_MIN: u64 = 100;

/// The most memory that a thousand long polls may take.
const POLLS_KIB_MAX: u64 = 50 * 1024;

/// The most of a processor that idle long polls may take. Looks for all of them together are made every two seconds.
const POLLS_SHARE_MAX: f64 = 0.02;

/// How many times it is looked at the most until they take no more than that: what else goes on is not theirs.
const IDLE_TRIES: usize = 5;

/// How many kinds of work they wait for.
const IDLE_KINDS: usize = 10;

/// Those who send without end: four times as many as keep a server busy that has two processors.
const FLOODING: usize = 32;

/// Those who work.
const HONEST: usize = 8;

/// How long their leases hold: so short that a server that does not answer in time loses them, and longer than the machine
/// stands still.
const LEASE: &str = "10s";

/// How often it is looked how far something has come.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Beats of the honest for each job.
const BEATS: usize = 3;

/// Overloads a server, and then lets it wait.
///
/// # Errors
///
/// What should not be, in a sentence.
pub async fn scenario(program: &Path, plan: Plan) -> Result<Report, Failure> {
    // A connection is a file, and many systems allow a thousand unless asked for more.
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum })?;
    let overloaded = overload(program, plan).await?;
    let Idle { kib: poll_kib, share: poll_share } = idle(program, plan).await?;
    let report = Report { poll_kib, poll_share, ..overloaded };
    judge(&report)?;
    Ok(report)
}

fn judge(report: &Report) -> Result<(), Failure> {
    let beyond = [
        (report.peak_kib > PEAK_KIB_MAX, "the server had too much memory"),
        (report.nearly_all() > WAIT_MAX, "claims and beats took too long"),
        (report.honest < HONEST_MIN, "too few claims and beats were made to tell anything"),
        (report.flood < FLOOD_MIN, "nobody flooded the server"),
        (report.poll_kib > POLLS_KIB_MAX, "long polls took too much memory"),
        (report.poll_share > POLLS_SHARE_MAX, "long polls kept the processor busy"),
    ];
    match beyond.iter().find(|(is_so, _)| *is_so) {
        Some((_, problem)) => Err(Failure::new(format!("{problem}: {report}"))),
        None => Ok(()),
    }
}

async fn overload(program: &Path, plan: Plan) -> Result<Report, Failure> {
    let served = Arc::new(Served::start(program)?);
    fill(&served).await?;
    let (end, until) = watch::channel(false);
    let counts = Arc::new(Counts::default());
    // Connected before the crowd comes: who is connected keeps its place.
    let mut honest = JoinSet::new();
    for index in 0..HONEST {
        honest.spawn(work(served.caller().await?, index, (Arc::clone(&counts), until.clone())));
    }
    let mut crowd = JoinSet::new();
    for _ in 0..FLOODING {
        let flood = flood(served.caller().await?, (Arc::clone(&counts), until.clone()));
        crowd.spawn(async {
            // Whom the server turns away is none of its worries; that there was a flood is counted.
            let _ = flood.await;
        });
    }
    for index in 0..plan.sockets {
        crowd.spawn(dawdle(served.at().to_owned(), index, until.clone()));
    }
    until_told(&counts, plan).await;
    end.send_replace(true);
    let mut waits = Vec::new();
    while let Some(worked) = honest.join_next().await {
        waits.extend(worked??);
    }
    let peak_kib = served.peak_kib()?;
    // Whatever became of those; the server goes on for those who mean well.
    crowd.shutdown().await;
    served.caller().await?.ask("GET /api/v1/queues", "").await?.of(200)?;
    waits.sort_unstable();
    let of_hundred = |part: usize| waits.get(waits.len() * part / 100).copied().unwrap_or_default();
    let (p90, p99) = (of_hundred(90), of_hundred(99));
    let (flood, refused) = (counts.flood.load(Ordering::Relaxed), counts.refused.load(Ordering::Relaxed));
    Ok(Report { plan, peak_kib, honest: waits.len(), p90, p99, flood, refused, poll_kib: 0, poll_share: 0.0 })
}

/// How much has been asked so far.
#[derive(Debug, Default)]
struct Counts {
    /// Claims and beats.
    honest: AtomicUsize,
    flood: AtomicU64,
    /// What was refused of the flood.
    refused: AtomicU64,
}

/// Waits as long as was planned, and then until enough has been asked to tell something; not for ever.
async fn until_told(counts: &Counts, plan: Plan) {
    let planned = Instant::now() + Duration::from_secs(plan.seconds);
    sleep_until(planned).await;
    while planned.elapsed() < PATIENCE
        && (counts.honest.load(Ordering::Relaxed) < HONEST_MIN
            || counts.flood.load(Ordering::Relaxed) < FLOOD_MIN)
    {
        sleep_until(Instant::now() + LOOK_EVERY).await;
    }
}

/// Enough jobs for those who work.
async fn fill(served: &Served) -> Result<(), Failure> {
    let mut caller = served.caller().await?;
    let jobs = vec![r#"{"kind":"honest","queue":"honest"}"#; 1_000].join(",");
    for _ in 0..20 {
        caller.ask("POST /api/v1/jobs/batch", &format!("{{\"jobs\":[{jobs}]}}")).await?.of(201)?;
    }
    Ok(())
}

/// Claims one job after the other, keeps its lease and settles it; how long each claim and each beat took.
async fn work(
    mut caller: Caller,
    index: usize,
    (counts, until): (Arc<Counts>, watch::Receiver<bool>),
) -> Result<Vec<Duration>, Failure> {
    let claim =
        format!(r#"{{"worker":"honest {index}","queues":["honest"],"lease":"{LEASE}","parents":false}}"#);
    let mut waits = Vec::new();
    while !*until.borrow() {
        let began = Instant::now();
        let claimed = caller.ask("POST /api/v1/leases", &claim).await?.of(200)?;
        waits.push(began.elapsed());
        let token = claimed.text("token").ok_or_else(|| Failure::new("there are no jobs left"))?.to_owned();
        for _ in 0..BEATS {
            sleep_until(Instant::now() + Duration::from_millis(50)).await;
            let began = Instant::now();
            // Were the lease lost, it would be told here.
            caller.ask(&format!("POST /api/v1/leases/{token}/extend"), "").await?.of(200)?;
            waits.push(began.elapsed());
        }
        let settle = format!("POST /api/v1/leases/{token}/settle");
        caller.ask(&settle, r#"{"outcome":"succeeded"}"#).await?.of(200)?;
        counts.honest.fetch_add(1 + BEATS, Ordering::Relaxed);
    }
    Ok(waits)
}

/// Enqueues as fast as it is answered, what is refused included.
async fn flood(
    mut caller: Caller,
    (counts, until): (Arc<Counts>, watch::Receiver<bool>),
) -> Result<(), Failure> {
    let body = format!(r#"{{"kind":"flood","queue":"flood","args":"{}"}}"#, "x".repeat(10_000));
    while !*until.borrow() {
        let answered = caller.ask("POST /api/v1/jobs", &body).await?;
        counts.flood.fetch_add(1, Ordering::Relaxed);
        if answered.status != 201 {
            counts.refused.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Sends a part of a request, a byte of it a second; and begins again when it is turned away.
async fn dawdle(at: String, index: usize, until: watch::Receiver<bool>) {
    let parts: [&[u8]; 3] = [
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: loc",
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{",
        b"G",
    ];
    while !*until.borrow() {
        let mut open = None;
        if let Ok(mut stream) = TcpStream::connect(&at).await {
            open = stream.write_all(parts[index % 3]).await.ok().map(|()| stream);
        }
        sleep_until(Instant::now() + Duration::from_secs(1)).await;
        while let Some(stream) = &mut open
            && stream.write_all(b"a").await.is_ok()
            && !*until.borrow()
        {
            sleep_until(Instant::now() + Duration::from_secs(1)).await;
        }
    }
}

/// Lets many wait for work that does not come, and sees that they wait in truth: one of those who wait for a job is given
/// it.
async fn idle(program: &Path, plan: Plan) -> Result<Idle, Failure> {
    let served = Served::start(program)?;
    served.caller().await?.ask("GET /api/v1/queues", "").await?.of(200)?;
    let before = served.memory_kib()?;
    let (mut idle, mut callers) = idly(&served, (plan, before)).await?;
    for _ in 1..IDLE_TRIES {
        if idle.share <= POLLS_SHARE_MAX {
            break;
        }
        drop(callers);
        until_waiting(&served, 0).await?;
        let again;
        (again, callers) = idly(&served, (plan, before)).await?;
        idle.share = idle.share.min(again.share);
    }
    let mut other = served.caller().await?;
    other.ask("POST /api/v1/jobs", r#"{"kind":"of.0"}"#).await?.of(201)?;
    let mut waiting: JoinSet<_> = callers.into_iter().step_by(IDLE_KINDS).map(given).collect();
    let first = waiting.join_next().await.ok_or_else(|| Failure::new("nobody waits"))?;
    first??.of(200)?;
    Ok(idle)
}

/// How much memory and how much of a processor it takes to let many wait, once they wait. And who waits.
async fn idly(served: &Served, (plan, before): (Plan, u64)) -> Result<(Idle, Vec<Caller>), Failure> {
    let mut callers = Vec::new();
    for index in 0..plan.polls {
        let mut caller = served.caller().await?;
        caller.send("POST /api/v1/leases", &idle_claim(index)).await?;
        callers.push(caller);
    }
    // What it takes to take them on is not what it takes to let them wait.
    until_waiting(served, plan.polls).await?;
    let (began, used) = (Instant::now(), served.processor_time()?);
    sleep_until(began + Duration::from_secs(plan.seconds.clamp(4, 15))).await;
    let used = served.processor_time()?.saturating_sub(used);
    let share = used.as_secs_f64() / began.elapsed().as_secs_f64();
    // Where some had waited to the end of their time before that, too few were looked at.
    let share = if is_waiting(served, plan.polls).await? { share } else { f64::INFINITY };
    Ok((Idle { kib: served.memory_kib()?.saturating_sub(before), share }, callers))
}

/// Waits until so many claims wait in the server.
async fn until_waiting(served: &Served, count: usize) -> Result<(), Failure> {
    let begun = Instant::now();
    while !is_waiting(served, count).await? {
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new(format!("it does not come to {count} claims that wait")));
        }
        sleep_until(Instant::now() + LOOK_EVERY).await;
    }
    Ok(())
}

/// Whether so many claims wait in the server, by its own count.
async fn is_waiting(served: &Served, count: usize) -> Result<bool, Failure> {
    let metrics = served.caller().await?.ask("GET /metrics", "").await?.of(200)?;
    Ok(metrics.body.contains(&format!("windlass_claims_waiting {count}\n")))
}

/// What one of many claims that waits for work of one of a few kinds.
fn idle_claim(index: usize) -> String {
    format!(r#"{{"worker":"idle","kinds":["of.{}"],"wait":"30s"}}"#, index % IDLE_KINDS)
}

/// What a caller who waits for the first of the kinds is answered, who asks again as often as a wait is over.
async fn given(mut caller: Caller) -> Result<Answered, Failure> {
    loop {
        let answered = caller.answer().await?;
        if answered.status != 204 {
            return Ok(answered);
        }
        caller.send("POST /api/v1/leases", &idle_claim(0)).await?;
    }
}

impl Report {
    /// How long nearly all claims and beats took at the most.
    const fn nearly_all(&self) -> Duration {
        if self.honest < MANY { self.p90 } else { self.p99 }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of memory")]
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, peak_kib, honest, p90, p99, flood, refused, poll_kib, poll_share } = self;
        write!(
            f,
            "{} slow connections and {FLOODING} that sent {flood} requests ({refused} refused) for {} s: {honest} claims and \
             beats, ten of a hundred above {p90:.1?} and one above {p99:.1?}, no lease lost, at most {} MiB; {} long polls: \
             {:.1} MiB, {:.2} % of a processor",
            plan.sockets,
            plan.seconds,
            peak_kib / 1024,
            plan.polls,
            *poll_kib as f64 / 1024.0,
            poll_share * 100.0,
        )
    }
}
