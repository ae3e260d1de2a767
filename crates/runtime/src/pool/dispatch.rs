//! Speaks to the store for a pool: settles what has ended and claims what comes next, both in one turn.
//!
//! At most one turn is in flight. What ends meanwhile is settled by the next one, so turns are as large as the store
//! is slow: group commit without a timer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::RwLockReadGuard;
use tokio::time::Instant;
use windlass_core::limits::CLAIM_BATCH_MAX;
use windlass_core::{Timestamp, WorkerId};
use windlass_store::observe::Operation;
use windlass_store::{
    ClaimRequest, Claimed, ErrorKind, Settled, Settlement, Signal, StoreError, Turn, Turned,
};

use super::PoolHandle;
use super::orphans::Doubt;
use super::prefetch::Haul;
use super::tally::Tally;
use crate::pace::{Backoff, spread};

/// How often a pool without free slots asks whether running jobs were cancelled, when it is told that something
/// happened. It cannot claim, and only a claim or a beat tells.
const BEAT_ON_HINT: Duration = Duration::from_secs(1);

/// The shortest time that says something about how fast a pool works.
const MEASURE_MIN: Duration = Duration::from_millis(1);

/// How soon to look again for a job that should be due and was not found; twice as long each time.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// How much the waits of many workers are spread.
const SPREAD: f64 = 0.1;

/// What to do next.
enum Plan {
    Turn(Planned),
    Rest,
    Ended,
}

/// A turn, and what has to be known when it comes back.
struct Planned {
    settlements: Vec<Settlement>,
    claim: Option<ClaimRequest>,
    member: WorkerId,
    epoch: u64,
    /// Whether a slot had nothing to do since the last turn was sent.
    ran_dry: bool,
}

/// When to look for work.
struct Appetite {
    /// Whether a claim may find something.
    hungry: bool,
    /// When to look even if nobody says so.
    look_at: Instant,
    /// How many claims in a row did not find what should have been due.
    in_vain: u32,
    poll_interval: Duration,
}

impl Appetite {
    /// Learns from a claim of `asked` jobs that was sent at `sent`.
    fn claimed(&mut self, asked: usize, claimed: &Claimed, now: Option<Timestamp>) {
        self.hungry = claimed.jobs.len() >= asked;
        let poll = spread(self.poll_interval, SPREAD);
        let due_in = claimed.next_due.zip(now).map(|(due, now)| due.since(now));
        self.look_at = Instant::now() + due_in.map_or(poll, |due_in| poll.min(self.until_due(due_in)));
    }

    /// What should be due and was not found shows that this clock is ahead of the store's: it is not asked at once.
    fn until_due(&mut self, due_in: Duration) -> Duration {
        if due_in > LOOK_AGAIN {
            self.in_vain = 0;
            return due_in;
        }
        self.in_vain = self.in_vain.saturating_add(1);
        LOOK_AGAIN.saturating_mul(2_u32.saturating_pow(self.in_vain - 1))
    }
}

/// Settles and claims until the pool was stopped and holds nothing more.
///
/// # Errors
///
/// When the store says what no waiting can mend: it is damaged, or too new.
pub(crate) async fn dispatch(pool: PoolHandle) -> Result<(), StoreError> {
    let mut dispatcher = Dispatcher::new(pool);
    loop {
        let engine = Arc::clone(&dispatcher.pool.engine);
        // Before anything is taken out of its place: whoever has to be sure that no turn is in flight counts what is there.
        let still = engine.turns.read().await;
        match dispatcher.plan() {
            Plan::Turn(planned) => dispatcher.take(planned, still).await?,
            Plan::Rest => {
                drop(still);
                dispatcher.rest().await;
            }
            Plan::Ended => return Ok(()),
        }
        dispatcher.resolve_doubt().await;
    }
}

struct Dispatcher {
    pool: PoolHandle,
    appetite: Appetite,
    hints: Signal,
    backoff: Backoff,
    /// Whether a claim was not answered, and may have been granted all the same.
    doubt: Doubt,
    /// When a beat was last asked for because of a hint.
    asked_at: Instant,
    progress: Progress,
}

/// What had happened when it was last looked at.
struct Progress {
    at: Instant,
    ended: u64,
    /// Since when no waiting job was taken.
    idle_since: Instant,
    taken: u64,
}

impl Dispatcher {
    fn new(pool: PoolHandle) -> Self {
        let now = Instant::now();
        let poll_interval = pool.engine.config.poll_interval;
        let hints = pool.engine.store.signals().work();
        Self {
            appetite: Appetite { hungry: true, look_at: now, in_vain: 0, poll_interval },
            hints,
            backoff: Backoff::default(),
            doubt: Doubt::default(),
            asked_at: now,
            progress: Progress { at: now, ended: 0, idle_since: now, taken: 0 },
            pool,
        }
    }

    fn plan(&mut self) -> Plan {
        self.measure();
        self.look_after_waiting();
        let mut state = self.pool.state();
        if state.is_over() {
            return Plan::Ended;
        }
        let Some(member) = state.member else {
            state.resting = true;
            return Plan::Rest;
        };
        let limit = if self.appetite.hungry { state.room() } else { 0 };
        if limit == 0 && state.done.is_empty() {
            state.resting = true;
            return Plan::Rest;
        }
        let settlements = std::mem::take(&mut state.done);
        state.in_flight = settlements.len();
        let ran_dry = std::mem::take(&mut state.ran_dry);
        let claim = u32::try_from(limit).unwrap_or(u32::MAX).min(CLAIM_BATCH_MAX);
        let claim = (claim > 0).then(|| ClaimRequest::new(member, Arc::clone(&self.pool.scope), claim));
        Plan::Turn(Planned { settlements, claim, member, epoch: state.epoch, ran_dry })
    }

    /// Takes a turn with the store, and takes in what it answers.
    async fn take(&mut self, planned: Planned, still: RwLockReadGuard<'_, ()>) -> Result<(), StoreError> {
        let engine = Arc::clone(&self.pool.engine);
        let turn = Turn { settlements: planned.settlements.clone(), claim: planned.claim.clone() };
        let asked_at = Instant::now();
        // A store that does not answer within a lease has lost us anyway; then the next try finds out.
        let answer =
            tokio::time::timeout(self.pool.engine.config.lease, self.pool.engine.store.turn(turn)).await;
        let answer = answer.unwrap_or_else(|_| Err(StoreError::new("take a turn", ErrorKind::Unknown)));
        engine.observe(Operation::Turn, asked_at, answer.as_ref().err());
        match answer {
            Ok(turned) => self.turned(&planned, turned),
            Err(error) => {
                let wait = self.failed(planned, &error);
                drop(still);
                if !error.is_transient() && !matches!(error.kind(), ErrorKind::NotFound) {
                    return Err(error);
                }
                tokio::time::sleep_until(Instant::now() + wait).await;
            }
        }
        Ok(())
    }

    /// After a claim that was not answered, gives back what it may have brought.
    async fn resolve_doubt(&mut self) {
        let asked_at = Instant::now();
        if self.ask_at().is_some_and(|at| at <= asked_at) {
            let told = self.pool.take_back_orphans().await;
            self.doubt.asked(asked_at, told.is_ok());
            if let Err(error) = told {
                tracing::debug!(%error, "could not ask which attempts the worker holds");
            }
        }
    }

    /// When to ask what the worker holds, if there is doubt about it. A store that fails is not asked that too.
    fn ask_at(&self) -> Option<Instant> {
        self.doubt.ask_at().filter(|_| !self.backoff.is_failing())
    }

    fn turned(&mut self, planned: &Planned, turned: Turned) {
        let failures = self.backoff.succeeded();
        if failures > 0 {
            tracing::info!(queue = self.pool.label, failures, "the store answers again");
        }
        self.settled(planned, &turned.settled);
        if let Some(claim) = &planned.claim {
            self.claimed(claim.limit as usize, planned, turned.claimed);
        }
        if !turned.cancelled.is_empty() {
            self.pool.engine.cancel(&turned.cancelled);
        }
    }

    /// Takes in what was claimed, and puts slots to work.
    fn claimed(&mut self, asked: usize, planned: &Planned, claimed: Claimed) {
        let claimed_at = Instant::now();
        if let Some(observer) = &self.pool.engine.config.observer {
            observer.claimed(&claimed.jobs);
        }
        if let Some(job) = claimed.jobs.first() {
            self.pool.engine.clock.heard(job.started_at);
        }
        self.appetite.claimed(asked, &claimed, self.pool.engine.clock.now());
        let bytes = claimed.jobs.iter().map(|job| job.args.as_bytes().len()).sum();
        let found = claimed.jobs.len();
        let gated = claimed.jobs.iter().filter_map(|job| job.options.as_ref()).any(|it| it.is_gated());
        {
            let mut state = self.pool.state();
            if state.epoch != planned.epoch {
                // They belong to a registration that was given up; its lease ends by itself.
                state.counts.lost += found as u64;
                return;
            }
            let ran_dry = planned.ran_dry || state.ran_dry;
            state.prefetch.claimed(Haul { asked, found, bytes, ran_dry, gated });
            state.land(claimed.jobs, claimed_at);
        }
        self.pool.start_slots();
    }

    /// Takes note of what became of the settlements.
    fn settled(&self, planned: &Planned, answers: &[Result<Settled, StoreError>]) {
        let mut tally = Tally::default();
        for (settlement, answer) in planned.settlements.iter().zip(answers) {
            tally.count(settlement, answer.as_ref().err());
        }
        tally.tell(&self.pool.label);
        self.pool.engine.count_lost(tally.lost);
        let mut state = self.pool.state();
        state.counts.turns += 1;
        if state.epoch == planned.epoch {
            state.in_flight = 0;
            state.counts.lost += tally.lost;
            state.done.append(&mut tally.again);
        } else {
            // They had been given up too early.
            state.counts.lost = state.counts.lost.saturating_sub(tally.settled + tally.cancelled);
        }
        state.counts.settled += tally.settled;
        state.counts.cancelled += tally.cancelled;
    }

    /// Keeps what was to be settled. How long to wait until the store may be back.
    fn failed(&mut self, mut planned: Planned, error: &StoreError) -> Duration {
        if matches!(error.kind(), ErrorKind::NotFound) {
            self.expired(planned.member);
            return Duration::ZERO;
        }
        if planned.claim.is_some() && matches!(error.kind(), ErrorKind::Unknown) {
            self.doubt.unanswered();
        }
        let mut state = self.pool.state();
        if state.epoch == planned.epoch {
            state.in_flight = 0;
            planned.settlements.append(&mut state.done);
            state.done = planned.settlements;
        }
        drop(state);
        let wait = self.backoff.after_failure(self.pool.engine.config.lease / 6);
        if self.backoff.is_first() {
            tracing::warn!(queue = self.pool.label, %error, "could not settle and claim jobs, will try again");
        }
        wait
    }

    /// The store does not know the worker: everything it held is lost. It goes on under a fresh id.
    fn expired(&self, member: WorkerId) {
        let mut state = self.pool.state();
        if state.member == Some(member) {
            // Nothing is sent until the heart has registered anew.
            state.member = None;
            self.pool.engine.expired.notify_one();
        }
    }

    /// Waits until there may be something to do.
    async fn rest(&mut self) {
        let look_at = if self.appetite.hungry { None } else { Some(self.appetite.look_at) };
        let patience = self.pool.state().patience().map(|patience| Instant::now() + patience);
        let until = look_at.into_iter().chain(patience).chain(self.ask_at()).min();
        let listen_from = self.asked_at + BEAT_ON_HINT;
        let hungry = self.appetite.hungry;
        tokio::select! {
            () = self.pool.wake.notified() => {}
            () = hint(&mut self.hints, hungry.then_some(listen_from)) => self.hinted(),
            () = at(until) => {}
        }
        self.pool.state().resting = false;
        if Instant::now() >= self.appetite.look_at {
            self.appetite.hungry = true;
        }
    }

    /// Somebody says that something happened.
    fn hinted(&mut self) {
        if self.appetite.hungry {
            // There is no room to claim, so what happened can only be a cancel; a beat tells.
            self.asked_at = Instant::now();
            self.pool.engine.beat.notify_one();
        }
        self.appetite.hungry = true;
    }

    /// Learns how fast the pool works.
    fn measure(&mut self) {
        let now = Instant::now();
        let elapsed = now - self.progress.at;
        if elapsed < MEASURE_MIN {
            return;
        }
        let mut state = self.pool.state();
        let ended = state.counts().ended;
        if state.running() > 0 {
            state.prefetch.worked(ended - self.progress.ended, elapsed);
        }
        self.progress.at = now;
        self.progress.ended = ended;
    }

    /// Looks after jobs that wait while no slot takes one up: starts another slot, or gives them back.
    fn look_after_waiting(&mut self) {
        let now = Instant::now();
        let mut state = self.pool.state();
        let taken = state.counts().claimed - state.waiting() as u64;
        let patience = state.patience().filter(|_| taken == self.progress.taken);
        let Some(patience) = patience else {
            self.progress.taken = taken;
            self.progress.idle_since = now;
            return;
        };
        if now - self.progress.idle_since < patience {
            return;
        }
        if state.has_free() {
            drop(state);
            self.pool.start_slots();
        } else {
            state.prefetch.stop();
            state.release_queue();
        }
    }
}

/// Waits until `instant`, or for ever.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Waits for a hint, not before `from`. Cancel safe, as the hint is kept until it is taken.
async fn hint(hints: &mut Signal, from: Option<Instant>) {
    if let Some(from) = from {
        tokio::time::sleep_until(from).await;
    }
    hints.next().await;
}
