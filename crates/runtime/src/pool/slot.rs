//! The tasks that run attempts, one job after the other.
//!
//! A task is a permit: there are never more tasks than slots, and a task runs one attempt at a time, however that
//! attempt behaves (G4). A task that finds nothing to do ends. So a thousand short jobs are run by as many tasks as
//! there are threads, and only handlers that wait cost a task each.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use windlass_store::Settlement;

use super::state::Waiting;
use super::{PoolHandle, attempt, lock};
use crate::halt::CancelReason;
use crate::open_attempt::OpenAttempt;

/// A slot that a task has taken, given back when the task is gone for whatever reason.
pub(super) struct Slot {
    pool: PoolHandle,
    index: usize,
    taken: bool,
    /// The epoch in which its attempt was taken.
    epoch: u64,
}

impl PoolHandle {
    /// Starts tasks for jobs that wait, as many as threads can run at once. The rest are started when handlers wait.
    pub(super) fn start_slots(&self) {
        let threads = tokio::runtime::Handle::current().metrics().num_workers();
        let permits = self.state().permits(threads);
        for index in permits {
            self.spawn(index);
        }
    }

    fn spawn(&self, index: usize) {
        let slot = Slot { pool: self.clone(), index, taken: true, epoch: 0 };
        let handlers = self.engine.handlers.clone();
        self.engine.tracker.spawn(async move {
            handlers.run_until_cancelled_owned(slot.run()).await;
        });
    }
}

impl Slot {
    /// Runs jobs until there is none.
    async fn run(mut self) {
        let mut ended = None;
        while let Some(waiting) = self.next(ended.take()) {
            // Lets others of this thread have their turn after so many jobs that never waited for anything.
            tokio::task::coop::consume_budget().await;
            let open = self.open(waiting);
            ended = attempt::run(&self, open).await;
        }
    }

    pub(super) fn pool(&self) -> &PoolHandle {
        &self.pool
    }

    /// Hands in how the last attempt ended and takes the next job: one lock for both.
    fn next(&mut self, ended: Option<Settlement>) -> Option<Waiting> {
        let (next, wake) = {
            let mut state = self.pool.state();
            let settled = ended.is_some();
            if let Some(settlement) = ended {
                state.ended(self.index, settlement);
            }
            let next = state.next(self.index);
            self.epoch = state.epoch;
            // A dispatcher with a turn in flight looks by itself when it is back, unless a crowd has ended before.
            let wake = (settled || next.is_none()) && state.wakes();
            (next, wake)
        };
        self.taken = next.is_some();
        if next.is_none() {
            *lock(&self.pool.attempts[self.index]) = None;
        }
        if wake {
            self.pool.wake.notify_one();
        }
        next
    }

    /// Makes the attempt known to those who may ask it to stop.
    fn open(&self, waiting: Waiting) -> Arc<OpenAttempt> {
        let store = Arc::clone(&self.pool.engine.store);
        let open = OpenAttempt::new(waiting.leased, waiting.claimed_at, Some(store));
        let before = lock(&self.pool.attempts[self.index]).replace(Arc::clone(&open));
        drop(before);
        // Whoever gave everything up either saw the attempt, or had raised the epoch before this looks.
        if self.pool.epoch.load(Ordering::SeqCst) != self.epoch {
            open.halt.ask(CancelReason::LeaseLost);
        }
        open
    }

    /// The handler waits for something: others may use the thread, and another slot may be put to work.
    pub(super) fn yields(&self) {
        let permits = self.pool.state().permits(1);
        for index in permits {
            self.pool.spawn(index);
        }
    }

    /// Settles the attempt while its handler still runs. The slot stays taken.
    pub(super) fn settle_early(&self, settlement: Settlement) {
        self.pool.state().ended(self.index, settlement);
        self.pool.wake.notify_one();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.taken {
            *lock(&self.pool.attempts[self.index]) = None;
            let mut state = self.pool.state();
            // Dropped on purpose, it leaves its attempt to whoever dropped it; otherwise something in it panicked.
            if !self.pool.engine.handlers.is_cancelled() {
                state.broke(self.index);
            }
            state.leave(self.index);
            drop(state);
            self.pool.wake.notify_one();
        }
    }
}
