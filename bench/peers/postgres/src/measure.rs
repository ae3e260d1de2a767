//! What the programs have in common: what they are asked for, what a job is, and when all are done.

use std::error::Error;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub type Failure = Box<dyn Error + Send + Sync>;

/// What a program is asked for: `URL COUNT best|default`.
pub struct Request {
    /// A database of its own, empty.
    pub url: String,
    /// How many jobs.
    pub count: usize,
    pub settings: Settings,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Settings {
    /// The quickest that we found.
    Best,
    /// What somebody gets who sets nothing.
    Default,
}

impl Request {
    pub fn read() -> Result<Self, Failure> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [url, count, settings] = &arguments[..] else {
            return Err("usage: PEER URL COUNT best|default".into());
        };
        let settings = match settings.as_str() {
            "best" => Settings::Best,
            "default" => Settings::Default,
            other => return Err(format!("settings are best or default, not {other}").into()),
        };
        Ok(Self { url: url.clone(), count: count.parse()?, settings })
    }
}

static RAN: AtomicUsize = AtomicUsize::new(0);

/// What every handler does.
pub fn ran<T>(job: T) {
    std::hint::black_box(job);
    RAN.fetch_add(1, Ordering::Relaxed);
}

/// A peer that is slower than this is not waited for: its rate is that of the jobs it ran until then.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `count` handlers ran, then until `left` says that no job is unfinished in the database; jobs a second since
/// `begun`. The database is not asked while there are handlers to run, since asking would cost the peer.
pub async fn rate<F>(begun: Instant, count: usize, mut left: impl FnMut() -> F) -> Result<f64, Failure>
where
    F: Future<Output = Result<i64, Failure>>,
{
    while RAN.load(Ordering::Relaxed) < count {
        if begun.elapsed() > PATIENCE {
            return Ok(RAN.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    while left().await? > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

/// The sizes of the batches that jobs are enqueued in.
pub fn batches(count: usize) -> impl Iterator<Item = Range<u32>> {
    let count = count as u32;
    (0..count).step_by(1_000).map(move |start| start..(start + 1_000).min(count))
}
