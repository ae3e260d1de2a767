//! The reference store: plain maps under one lock.
//!
//! It is the executable model that other stores are compared with, and the store that tests of everything above the
//! port run on. So it is written to be obviously right, and it is quick only where a test would feel it. Nothing in
//! it survives its process; its status says so.
//!
//! Every rule it follows is asked from `windlass_core` or [`windlass_store::rules`]. What is left is bookkeeping:
//! `state` keeps the maps and their indexes in step, and one module per noun of the port changes them.

mod audit;
mod claims;
mod effects;
mod errors;
mod explain;
mod flows;
mod gates;
mod jobs;
mod leases;
mod maintenance;
mod notices;
mod operations;
mod queues;
mod reviews;
mod schedules;
mod state;
mod tokens;
mod unique;
mod workers;

use std::sync::{Arc, Mutex, PoisonError};

use windlass_core::{Limits, Timestamp};
use windlass_store::{Clock, ErrorKind, Signals, SteadyClock, Store, StoreError, SystemClock};

use crate::state::State;

/// A store that lives in the memory of its process.
#[derive(Debug)]
pub struct MemoryStore {
    clock: SteadyClock,
    limits: Limits,
    signals: Signals,
    state: Mutex<State>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store that goes by the clock of the machine.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store that goes by `clock`.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: SteadyClock::new(clock),
            limits: Limits::default(),
            signals: Signals::default(),
            state: Mutex::default(),
        }
    }

    /// The same store with other bounds.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Looks at the state or changes it, all in one go, then hints at what has changed.
    ///
    /// `act` either succeeds or leaves the state as it was. The time is read under the lock, so that the order of
    /// changes is the order of their times.
    fn act<T>(
        &self,
        operation: &'static str,
        act: impl FnOnce(&mut State, Timestamp) -> Result<T, ErrorKind>,
    ) -> Result<T, StoreError> {
        self.act_saying(operation, |state, now| {
            act(state, now).map_err(|kind| StoreError::new(operation, kind))
        })
    }

    /// [`act`](Self::act), for what has more to say of a refusal than its kind.
    fn act_saying<T>(
        &self,
        operation: &'static str,
        act: impl FnOnce(&mut State, Timestamp) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // A panic under the lock is a defect of this store; what other callers see is still worth showing.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = self.clock.now();
        let now = state.now;
        let answer = act(&mut state, now);
        state.tell_all_children();
        let hints = state.take_hints();
        drop(state);

        if hints.work {
            self.signals.notify_work();
        }
        if hints.ended {
            self.signals.notify_ended();
        }
        answer.map_err(|error| if error.operation() == operation { error } else { error.share(operation) })
    }
}

impl Store for MemoryStore {
    fn signals(&self) -> &Signals {
        &self.signals
    }
}
