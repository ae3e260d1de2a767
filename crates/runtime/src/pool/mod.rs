//! A pool of slots: the attempts that run in it, the jobs that wait for it, and the task that speaks to the store for it.
//!
//! - [`state`]: what is held, under one lock.
//! - [`prefetch`]: how much is claimed ahead.
//! - [`slot`]: the tasks that run attempts.
//! - [`attempt`]: one attempt from its start to its verdict.
//! - [`dispatch`]: settles and claims, when [`appetite`] says that there may be something, in [`turn`]s.
//! - [`orphans`]: what was claimed by a call whose answer was lost.

mod appetite;
mod attempt;
mod dispatch;
mod orphans;
mod prefetch;
mod slot;
mod state;
mod tally;
mod turn;
mod watch;
mod work;

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use windlass_core::{AttemptToken, WorkerId};
use windlass_store::Scope;

use crate::config::PoolConfig;
use crate::engine::Engine;
use crate::halt::CancelReason;
use crate::open_attempt::OpenAttempt;
pub(crate) use dispatch::dispatch;
use state::PoolState;

/// One pool of slots of a worker.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) label: String,
    scope: Arc<Scope>,
    state: Mutex<PoolState>,
    /// The attempt in each slot, for those who ask it to stop. Apart from the state, as it is written for every job.
    attempts: Box<[Mutex<Option<Arc<OpenAttempt>>>]>,
    /// The epoch of the state, to be read without its lock.
    epoch: AtomicU64,
    /// Wakes the dispatcher.
    wake: Notify,
}

impl Pool {
    pub(crate) fn new(config: &PoolConfig, scope: Scope, prefetch_max: u32) -> Self {
        let slots = usize::try_from(config.slots).unwrap_or(usize::MAX);
        let prefetch_max = usize::try_from(prefetch_max).unwrap_or(usize::MAX);
        Self {
            label: config.label(),
            scope: Arc::new(scope),
            state: Mutex::new(PoolState::new(slots, prefetch_max)),
            attempts: (0..slots).map(|_| Mutex::new(None)).collect(),
            epoch: AtomicU64::new(0),
            wake: Notify::new(),
        }
    }

    /// What the pool holds.
    pub(crate) fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to claim as `member`.
    pub(crate) fn join(&self, member: WorkerId) {
        self.state().member = Some(member);
        self.wake.notify_one();
    }

    /// Whom it claims as.
    pub(crate) fn member(&self) -> Option<WorkerId> {
        self.state().member
    }

    /// Whether it claims as `member`.
    pub(crate) fn has_joined(&self, member: WorkerId) -> bool {
        self.state().member == Some(member)
    }

    /// Gives up everything that is held: its lease is lost, or may be.
    pub(crate) fn lose(&self) {
        let lost = {
            let mut state = self.state();
            let lost = state.lose();
            self.epoch.store(state.epoch, Ordering::SeqCst);
            lost
        };
        drop(lost);
        self.ask_all(CancelReason::LeaseLost);
        self.wake.notify_one();
    }

    /// Claims and starts nothing more, and gives back what was not started.
    pub(crate) fn stop(&self) {
        self.state().stop();
        self.wake.notify_one();
    }

    /// Gives back every attempt that is still running; what its handler says later is dropped.
    pub(crate) fn interrupt(&self) {
        self.state().interrupt();
        self.wake.notify_one();
    }

    /// Asks every running attempt to stop.
    pub(crate) fn ask_all(&self, reason: CancelReason) {
        for slot in &self.attempts {
            if let Some(attempt) = lock(slot).as_ref() {
                attempt.halt.ask(reason);
            }
        }
    }

    /// Stops an attempt whose job was cancelled, wherever it is. Says whether it is here.
    pub(crate) fn cancel(&self, token: AttemptToken) -> bool {
        let running =
            self.attempts.iter().find_map(|slot| lock(slot).clone().filter(|open| open.token() == token));
        if let Some(attempt) = running {
            attempt.halt.ask(CancelReason::Cancelled);
            return true;
        }
        let released = self.state().release_waiting(token);
        if released {
            self.wake.notify_one();
        }
        released
    }

    /// Attempts that were asked to stop before `limit` and have not.
    pub(crate) fn stuck_since(&self, limit: Instant) -> usize {
        let stuck = |slot: &Mutex<Option<Arc<OpenAttempt>>>| {
            lock(slot).as_ref().and_then(|open| open.halt.since()).is_some_and(|since| since <= limit)
        };
        self.attempts.iter().filter(|slot| stuck(slot)).count()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pool together with the worker it belongs to, as its tasks hold it.
#[derive(Debug, Clone)]
pub(crate) struct PoolHandle {
    engine: Arc<Engine>,
    index: usize,
}

impl PoolHandle {
    pub(crate) fn all(engine: &Arc<Engine>) -> impl Iterator<Item = Self> + '_ {
        (0..engine.pools.len()).map(|index| Self { engine: Arc::clone(engine), index })
    }
}

impl Deref for PoolHandle {
    type Target = Pool;

    fn deref(&self) -> &Pool {
        &self.engine.pools[self.index]
    }
}
