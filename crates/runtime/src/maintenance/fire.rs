//! Firing schedules: at their ticks, and at once when somebody has changed one.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use windlass_core::Timestamp;
use windlass_store::{ErrorKind, Fired, Signal, StoreError};

use super::lead::Lead;
use super::{STEPS_MAX, Voice};
use crate::engine::Engine;

/// How often schedules are looked at though nothing is known to be due. Whoever makes one tells of it; should that be lost, the
/// next answer to who leads tells of its first tick.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How long to leave schedules alone after a look, whatever is told, unless one is known to be due: what is told is about
/// jobs far more often than about schedules.
const LOOK_MIN: Duration = Duration::from_millis(500);

/// The shortest wait for a tick, so that clocks that differ a little do not make for many looks in vain.
const TICK_MIN: Duration = Duration::from_millis(5);

/// How long to wait after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// How long one step may take. It is a batch, which takes a fraction of a second; one whose answer is lost must not be the
/// last.
const FIRE_MAX: Duration = Duration::from_secs(10);

/// Fires whenever this worker is the leader.
pub(super) async fn keep(engine: &Engine, lead: &Lead) {
    let mut voice = Voice::new("fire schedules");
    let mut told = Told { hints: engine.store.signals().work(), looks: lead.looks() };
    loop {
        lead.held().await;
        let fired = fire_all(engine, lead).await;
        voice.tell(fired.as_ref().err());
        match fired {
            Ok(tick) => told.wait(engine, tick).await,
            Err(_) => tokio::time::sleep_until(Instant::now() + RETRY).await,
        }
    }
}

/// Fires what is due. How long it is until the next tick, if one is to come.
async fn fire_all(engine: &Engine, lead: &Lead) -> Result<Option<Duration>, StoreError> {
    let mut until_next = None;
    for _ in 0..STEPS_MAX {
        let fired = timeout(FIRE_MAX, engine.store.fire()).await;
        let fired = fired.unwrap_or_else(|_| Err(StoreError::new("fire schedules", ErrorKind::Unknown)))?;
        engine.clock.heard(fired.now);
        tell(&fired);
        until_next = fired.next_at.map(|next_at: Timestamp| next_at.since(fired.now));
        if !fired.more || !lead.is_held() {
            break;
        }
    }
    Ok(until_next)
}

/// By what others tell of schedules that have changed.
struct Told {
    hints: Signal,
    /// When there is something to fire, as the answers to who leads say.
    looks: watch::Receiver<Option<Timestamp>>,
}

impl Told {
    /// Waits for the next tick, but no longer than it may be that nobody tells of a new one.
    async fn wait(&mut self, engine: &Engine, tick: Option<Duration>) {
        let now = Instant::now();
        let quiet_until = now + LOOK_MIN;
        let mut until = now + tick.map_or(LOOK_EVERY, |tick| tick.clamp(TICK_MIN, LOOK_EVERY));
        let Self { hints, looks } = self;
        let mut hinted = pin!(async {
            tokio::time::sleep_until(quiet_until).await;
            hints.next().await;
        });
        loop {
            let look_at = tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                () = &mut hinted => return,
                look_at = changed(looks) => look_at,
            };
            if let Some(look_at) = look_at {
                let wait = engine.clock.now().map_or(Duration::ZERO, |now| look_at.since(now));
                until = until.min((Instant::now() + wait).max(quiet_until));
            }
        }
    }
}

/// When there is something to fire, once another answer tells of it.
async fn changed(looks: &mut watch::Receiver<Option<Timestamp>>) -> Option<Timestamp> {
    // Cannot fail: what tells of it is there for as long as the duties are.
    let _ = looks.changed().await;
    *looks.borrow_and_update()
}

fn tell(fired: &Fired) {
    if fired.jobs + fired.skipped > 0 {
        tracing::debug!(jobs = fired.jobs, skipped = fired.skipped, "fired schedules");
    }
    for schedule in &fired.ended {
        tracing::info!(%schedule, "the schedule has ended: no tick of it is still to come");
    }
    for (schedule, problem) in &fired.failed {
        tracing::error!(%schedule, %problem, "the schedule could not fire");
    }
}
