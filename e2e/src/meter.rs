//! How much is done in a second, by short windows.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::Failure;
use crate::process::{PATIENCE, Process};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How many jobs `workers` end within `span`, from now on.
pub async fn done_within(workers: &[Process], span: Duration) -> usize {
    let before = ended(workers);
    sleep_until(Instant::now() + span).await;
    ended(workers) - before
}

/// How long after `fault_over` the `workers` did again, within a window, so much `percent` of what they did `before`. Counted
/// to the end of that window.
///
/// # Errors
///
/// When they do not within [`PATIENCE`].
pub async fn until_back(
    workers: &[Process],
    (before, window, percent): (usize, Duration, usize),
    fault_over: Instant,
) -> Result<Duration, Failure> {
    let mut seen = vec![(Instant::now(), ended(workers))];
    loop {
        sleep_until(Instant::now() + LOOK_EVERY).await;
        let (now, done) = (Instant::now(), ended(workers));
        let since = seen.iter().rfind(|(at, _)| now - *at >= window).map_or(done, |(_, done)| *done);
        if (done - since) * 100 >= before * percent {
            return Ok(now - fault_over);
        }
        if now - fault_over > PATIENCE {
            return Err(Failure::new(format!(
                "{PATIENCE:?} after the fault, {} jobs are done within {window:?}; it was {before} before",
                done - since
            )));
        }
        seen.push((now, done));
    }
}

/// Waits until more than `count` handlers have ended in the worker.
///
/// # Errors
///
/// When it takes longer than `patience`.
pub async fn until_more(worker: &Process, count: usize, patience: Duration) -> Result<(), Failure> {
    let begun = Instant::now();
    while worker.ended() <= count {
        if begun.elapsed() > patience {
            return Err(Failure::new(format!("{} does nothing for {patience:?}", worker.name())));
        }
        sleep_until(Instant::now() + LOOK_EVERY).await;
    }
    Ok(())
}

fn ended(workers: &[Process]) -> usize {
    workers.iter().map(Process::ended).sum()
}
