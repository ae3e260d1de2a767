//! Lanes: how many requests are worked on at a time.
//!
//! Claims, beats and settles have a lane of their own, so that no crowd of others costs a worker its lease. Where a lane is
//! full, a request waits a moment for its turn, and is then refused with a time to come back; where too many wait already,
//! it is refused at once. Those who wait for something to happen give their place in the lane back meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::Failure;
use crate::config::Limits;

/// How many may wait for a place in a lane, for each place it has.
const WAITING_PER_PLACE: usize = 4;

/// Which lane a route is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// What a lease depends on.
    Lease,
    /// Everything else.
    Ordinary,
    /// What must be answered however much there is to do: whether the server lives.
    Free,
}

/// The lanes.
#[derive(Debug)]
pub(crate) struct Lanes {
    lease: Places,
    ordinary: Places,
}

#[derive(Debug)]
struct Places {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    wait: Duration,
}

/// A place in a lane, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

impl Lanes {
    pub(crate) fn new(limits: &Limits) -> Self {
        let places = |count: usize| Places {
            permits: Arc::new(Semaphore::new(count)),
            waiting: AtomicUsize::new(0),
            waiting_max: count.saturating_mul(WAITING_PER_PLACE),
            wait: limits.turn_wait,
        };
        Self { lease: places(limits.leases_max), ordinary: places(limits.requests_max) }
    }

    /// A place in the lane, as soon as there is one.
    pub(crate) async fn enter(&self, lane: Lane) -> Result<Place, Failure> {
        match lane {
            Lane::Free => Ok(Place(None)),
            Lane::Lease => self.lease.take().await,
            Lane::Ordinary => self.ordinary.take().await,
        }
    }
}

impl Places {
    async fn take(&self) -> Result<Place, Failure> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(Place(Some(permit)));
        }
        let _waiting = Waiting::among(self).ok_or_else(full)?;
        let permit = tokio::time::timeout(self.wait, Arc::clone(&self.permits).acquire_owned()).await;
        permit.ok().and_then(Result::ok).map(|permit| Place(Some(permit))).ok_or_else(full)
    }
}

fn full() -> Failure {
    Failure::new("rate_limited", "there are more requests than can be worked on; come back a little later")
        .retry_after(1)
}

/// One who waits for a place, counted as long as it does.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(places: &'a Places) -> Option<Self> {
        // Relaxed: a count that is late by one or two does no harm.
        let before = places.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Self(&places.waiting);
        (before < places.waiting_max).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_full_lane_refuses_with_a_time_to_come_back_and_leaves_the_other_alone() {
        let limits = Limits { requests_max: 1, leases_max: 1, ..Limits::default() };
        let lanes = Lanes::new(&limits);
        let held = lanes.enter(Lane::Ordinary).await.unwrap();

        let refused = lanes.enter(Lane::Ordinary).await.unwrap_err();

        assert_eq!(refused.code(), "rate_limited");
        assert!(lanes.enter(Lane::Lease).await.is_ok());
        drop(held);
        assert!(lanes.enter(Lane::Ordinary).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_let_in_as_soon_as_there_is_a_place() {
        let lanes = Lanes::new(&Limits { requests_max: 1, ..Limits::default() });
        let held = lanes.enter(Lane::Ordinary).await.unwrap();

        let (entered, ()) = tokio::join!(lanes.enter(Lane::Ordinary), async { drop(held) });

        assert!(entered.is_ok());
    }
}
