//! When the database cannot be reached: who tries again when, and what is said of it.
//!
//! One per store. Callers come at any rate, and each that finds no connection makes one; so those who try while the
//! database is away wait a little first, longer the longer it has been away. That is said once when it goes, and once when
//! it is back.

use std::error::Error;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use windlass_store::ids;

/// How long to wait at first, and at most. Servers restart within seconds, and jobs wait no longer for the second than
/// they do for a poll.
const PAUSE_MIN: Duration = Duration::from_millis(50);
pub(crate) const PAUSE_MAX: Duration = Duration::from_secs(1);

/// What is known of whether the database can be reached.
#[derive(Debug)]
pub(crate) struct Care {
    /// Where it is, for the log.
    server: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether it ever answered. Until then whoever opens the store is told, and nobody else.
    met: bool,
    outage: Option<Outage>,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Instant,
    /// Before when nobody tries again.
    until: Instant,
}

impl Care {
    pub(crate) fn of(server: String) -> Self {
        Self { server, state: Mutex::default() }
    }

    /// Waits until it is time to try.
    pub(crate) async fn pause(&self) {
        let until = self.state().outage.map(|outage| outage.until);
        if let Some(until) = until {
            sleep_until(until).await;
        }
    }

    /// Takes note that a connection was made.
    pub(crate) fn reached(&self) {
        let mut state = self.state();
        let outage = state.outage.take().filter(|_| state.met);
        state.met = true;
        drop(state);
        if let Some(outage) = outage {
            let (server, away) = (&self.server, outage.since.elapsed());
            tracing::info!(%server, ?away, "the database can be reached again");
        }
    }

    /// Takes note that no connection could be made.
    pub(crate) fn missed(&self, error: &dyn Display) {
        let now = Instant::now();
        let mut state = self.state();
        let first = state.outage.is_none();
        let since = state.outage.map_or(now, |outage| outage.since);
        state.outage = Some(Outage { since, until: now + pause(now - since) });
        let met = state.met;
        drop(state);
        let server = &self.server;
        if first && met {
            tracing::warn!(%server, %error, "the database cannot be reached, will try again");
        } else {
            tracing::debug!(%server, %error, "no connection to the database could be made");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait after having waited in vain for `away`: half as long again, and up to a half of that off by chance, so
/// that many programs do not come back to the server in the same moment.
fn pause(away: Duration) -> Duration {
    let most = (away / 2).clamp(PAUSE_MIN, PAUSE_MAX);
    let percent = u32::try_from(ids::nonce() % 50).unwrap_or(0) + 50;
    most * percent / 100
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_tries_again_waits_longer_the_longer_it_was_away_but_never_long() {
        for (away, least, most) in [(0, 25, 50), (400, 100, 200), (60_000, 500, 1_000)] {
            let pause = pause(Duration::from_millis(away));

            assert!(pause >= Duration::from_millis(least), "{away}: {pause:?}");
            assert!(pause <= Duration::from_millis(most), "{away}: {pause:?}");
        }
    }
}
