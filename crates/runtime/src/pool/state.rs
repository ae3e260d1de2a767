//! What a pool of slots holds, and how it changes: no I/O, no waiting, all under one lock.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::{AttemptError, AttemptToken, Verdict, WorkerId};
use windlass_store::{LeasedJob, Settlement};

use super::prefetch::Prefetch;

/// How long a job that was claimed ahead may wait while no slot becomes free. Then it is given back: somebody else
/// may have time for it.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// How long a job may wait beside a free slot. As many slots are at work as there are threads, and their handlers
/// neither end nor wait, so they block; if they leave their threads to others, as `block_in_place` does, another may run.
const HANDLERS_BLOCK: Duration = Duration::from_millis(20);

/// A claimed job that waits for a slot.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) leased: LeasedJob,
    pub(super) claimed_at: Instant,
}

/// What happened so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) claimed: u64,
    pub(crate) ended: u64,
    pub(crate) settled: u64,
    pub(crate) released: u64,
    pub(crate) interrupted: u64,
    pub(crate) lost: u64,
    pub(crate) cancelled: u64,
    pub(crate) turns: u64,
}

/// What is worth a turn beside another: this share of what the pool holds, and no less than so many ends. While one part is
/// with the store in each of two turns, the rest is run.
const CROWD_SHARE: usize = 4;
const CROWD_MIN: usize = 64;

/// What a dispatcher waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitsFor {
    /// It is at work.
    Nothing,
    /// Whatever gives it something to do.
    Anything,
    /// So many ends that are not told.
    Ends(usize),
}

/// How far a pool has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Going {
    On,
    /// Nothing more is claimed or started.
    Stopping,
    /// Nor are running handlers waited for any more.
    GivenUp,
}

/// A pool of slots: free ones, the attempts in the others, the jobs that wait for one, and the ends to be stored.
///
/// Every token the pool holds is in exactly one place: `queue`, `current`, `done`, or a turn in flight. Whoever
/// takes it out of its place decides what becomes of it; a handler that ends when its token is gone from `current`
/// has nothing left to say.
#[derive(Debug)]
pub(crate) struct PoolState {
    /// Who the store knows the worker as; none while it is not registered.
    pub(super) member: Option<WorkerId>,
    /// Raised whenever everything that is held is lost.
    pub(super) epoch: u64,
    going: Going,
    /// What the dispatcher waits for.
    pub(super) waits_for: WaitsFor,
    /// Whether a slot found nothing to do since the last turn was sent.
    pub(super) ran_dry: bool,
    /// The attempt in each slot.
    pub(super) current: Vec<Option<AttemptToken>>,
    /// Slots without a task: permits that are not taken.
    free: Vec<usize>,
    pub(super) queue: VecDeque<Waiting>,
    pub(super) done: Vec<Settlement>,
    /// Settlements in the turns that are in flight.
    pub(super) in_flight: usize,
    /// Most jobs that those turns may bring.
    pub(super) claiming: usize,
    pub(super) prefetch: Prefetch,
    pub(super) counts: Counts,
}

impl PoolState {
    pub(super) fn new(slots: usize, prefetch_max: usize) -> Self {
        Self {
            member: None,
            epoch: 0,
            going: Going::On,
            waits_for: WaitsFor::Nothing,
            ran_dry: true,
            current: vec![None; slots],
            free: (0..slots).rev().collect(),
            queue: VecDeque::new(),
            done: Vec::new(),
            in_flight: 0,
            claiming: 0,
            prefetch: Prefetch::new(prefetch_max, slots),
            counts: Counts::default(),
        }
    }

    /// How many slots are taken, also by handlers whose attempt is settled.
    pub(crate) fn running(&self) -> usize {
        self.current.len() - self.free.len()
    }

    /// Jobs that wait for a slot.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Attempts whose end is not stored yet.
    pub(crate) fn unsettled(&self) -> usize {
        self.done.len() + self.in_flight
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Attempts the store takes this pool to hold.
    pub(crate) fn held(&self) -> usize {
        self.queue.len() + self.current.iter().flatten().count() + self.unsettled()
    }

    /// Adds every token the pool holds; only while no turn is in flight.
    pub(super) fn tokens(&self, held: &mut HashSet<AttemptToken>) {
        held.extend(self.queue.iter().map(|waiting| waiting.leased.token));
        held.extend(self.current.iter().flatten());
        held.extend(self.done.iter().map(|settlement| settlement.token));
    }

    /// Whether the pool was stopped and there is nothing more to wait for.
    pub(super) fn is_over(&self) -> bool {
        let told = self.queue.is_empty() && self.done.is_empty() && self.in_flight == 0;
        told && match self.going {
            Going::On => false,
            Going::Stopping => self.running() == 0,
            Going::GivenUp => true,
        }
    }

    fn is_stopping(&self) -> bool {
        self.going != Going::On
    }

    /// Claims and starts nothing more, and gives back what was not started.
    pub(super) fn stop(&mut self) {
        self.going = Going::Stopping;
        self.release_queue();
    }

    /// Whether a task could be started for another job.
    pub(super) fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    /// How long jobs may wait while nobody takes one up; none if there are none.
    pub(super) fn patience(&self) -> Option<Duration> {
        let patience = if self.has_free() { HANDLERS_BLOCK } else { WAIT_MAX };
        (!self.queue.is_empty()).then_some(patience)
    }

    /// How many jobs to claim now.
    pub(super) fn room(&self) -> usize {
        if self.is_stopping() {
            return 0;
        }
        let ahead = self.prefetch.ahead(self.running());
        (self.free.len() + ahead).saturating_sub(self.queue.len() + self.claiming)
    }

    /// Whether enough has ended for a turn beside one that is in flight. If not, the dispatcher is woken when it has.
    pub(super) fn has_crowd(&mut self) -> bool {
        let crowd = (self.held() / CROWD_SHARE).max(CROWD_MIN);
        let has_crowd = self.member.is_some() && self.done.len() >= crowd;
        self.waits_for = if has_crowd { WaitsFor::Nothing } else { WaitsFor::Ends(crowd) };
        has_crowd
    }

    /// Whether the dispatcher is to be woken now that a slot has told of an end, or has nothing to do.
    pub(super) fn wakes(&mut self) -> bool {
        let wakes = match self.waits_for {
            WaitsFor::Nothing => false,
            WaitsFor::Anything => true,
            WaitsFor::Ends(count) => self.done.len() >= count,
        };
        if wakes {
            self.waits_for = WaitsFor::Nothing;
        }
        wakes
    }

    /// Takes permits for up to `most` tasks, no more than there are jobs for them.
    pub(super) fn permits(&mut self, most: usize) -> Vec<usize> {
        let count = most.min(self.free.len()).min(self.queue.len());
        self.free.split_off(self.free.len() - count)
    }

    /// Takes claimed jobs in. Those that were lost before go to the front, and are not kept waiting: if one of them
    /// kills the process, everything that is held is lost with it.
    pub(super) fn land(&mut self, jobs: Vec<LeasedJob>, claimed_at: Instant) {
        self.counts.claimed += jobs.len() as u64;
        let suspects = jobs.iter().filter(|job| job.losses > 0).count();
        self.queue.reserve(jobs.len());
        if suspects == 0 {
            self.queue.extend(jobs.into_iter().map(|leased| Waiting { leased, claimed_at }));
        } else {
            self.land_suspects(jobs, claimed_at);
        }
        if self.is_stopping() {
            self.release_queue();
        }
    }

    fn land_suspects(&mut self, jobs: Vec<LeasedJob>, claimed_at: Instant) {
        let (suspects, others): (Vec<LeasedJob>, Vec<LeasedJob>) =
            jobs.into_iter().partition(|job| job.losses > 0);
        self.queue.extend(others.into_iter().map(|leased| Waiting { leased, claimed_at }));
        let started = self.free.len().min(suspects.len());
        for leased in suspects[started..].iter().rev() {
            self.release(leased.token);
        }
        if started < suspects.len() {
            self.prefetch.stop();
        }
        for leased in suspects.into_iter().take(started).rev() {
            self.queue.push_front(Waiting { leased, claimed_at });
        }
    }

    /// Takes the next job into `slot`, or gives the slot back.
    pub(super) fn next(&mut self, slot: usize) -> Option<Waiting> {
        let next = if self.is_stopping() { None } else { self.queue.pop_front() };
        if let Some(waiting) = &next {
            self.current[slot] = Some(waiting.leased.token);
        } else {
            self.free.push(slot);
            self.ran_dry = true;
        }
        next
    }

    /// Takes note of how the attempt in `slot` ended, unless it is no longer this pool's to say.
    pub(super) fn ended(&mut self, slot: usize, settlement: Settlement) {
        if self.current[slot] == Some(settlement.token) {
            self.current[slot] = None;
            self.counts.ended += 1;
            self.done.push(settlement);
        }
    }

    /// Gives a slot back whose task is gone.
    pub(super) fn leave(&mut self, slot: usize) {
        self.free.push(slot);
    }

    /// Takes note that the task in `slot` is gone without having told how its attempt ended.
    pub(super) fn broke(&mut self, slot: usize) {
        if let Some(token) = self.current[slot].take() {
            let error = AttemptError::new("the task that ran the attempt ended without a word");
            self.counts.ended += 1;
            self.done.push(Settlement { token, verdict: Verdict::Failed { error, retry_after: None } });
        }
    }

    /// Gives back every job that was not started.
    pub(super) fn release_queue(&mut self) {
        for waiting in std::mem::take(&mut self.queue) {
            self.release(waiting.leased.token);
        }
    }

    /// Gives back a waiting job whose attempt should not start. Says whether there was one.
    pub(super) fn release_waiting(&mut self, token: AttemptToken) -> bool {
        let Some(place) = self.queue.iter().position(|waiting| waiting.leased.token == token) else {
            return false;
        };
        self.queue.remove(place);
        self.release(token);
        true
    }

    /// Gives back every attempt that is still running.
    pub(super) fn interrupt(&mut self) {
        self.going = Going::GivenUp;
        for token in self.current.iter_mut().filter_map(Option::take) {
            self.counts.interrupted += 1;
            self.done.push(Settlement { token, verdict: Verdict::Interrupted });
        }
    }

    /// Forgets everything that is held, as its lease is lost. What was taken in is returned, to be dropped outside the lock.
    pub(super) fn lose(&mut self) -> VecDeque<Waiting> {
        let running = self.current.iter_mut().filter_map(Option::take).count();
        self.counts.lost += (self.queue.len() + self.done.len() + self.in_flight + running) as u64;
        self.member = None;
        self.epoch += 1;
        (self.in_flight, self.claiming) = (0, 0);
        self.done.clear();
        std::mem::take(&mut self.queue)
    }

    fn release(&mut self, token: AttemptToken) {
        self.counts.released += 1;
        self.done.push(Settlement { token, verdict: Verdict::Released });
    }
}

#[cfg(test)]
mod tests;
