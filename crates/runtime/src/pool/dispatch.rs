//! Speaks to the store for a pool: settles what has ended and claims what comes next, both in one turn.
//!
//! A turn is in flight, and what ends meanwhile is settled by the next one, so turns are as large as the store is slow: group
//! commit without a timer. Where much ends meanwhile, and the store works on several turns at once, the next does not wait.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use windlass_core::WorkerId;
use windlass_core::limits::CLAIM_BATCH_MAX;
use windlass_store::{ClaimRequest, Claimed, ErrorKind, Settled, Signal, StoreError, Turned};

use super::PoolHandle;
use super::appetite::Appetite;
use super::orphans::Doubt;
use super::prefetch::Haul;
use super::state::{PoolState, WaitsFor};
use super::tally::Tally;
use super::turn::{Planned, Taken, take};
use crate::pace::Backoff;

/// How often a pool without free slots asks whether running jobs were cancelled, when it is told that something
/// happened. It cannot claim, and only a claim or a beat tells.
const BEAT_ON_HINT: Duration = Duration::from_secs(1);

/// The shortest time that says something about how fast a pool works.
const MEASURE_MIN: Duration = Duration::from_millis(1);

/// What to do next.
enum Plan {
    Turn(Planned),
    Rest,
    Ended,
}

/// Settles and claims until the pool was stopped and holds nothing more.
///
/// # Errors
///
/// When the store says what no waiting can mend: it is damaged, or too new.
pub(crate) async fn dispatch(pool: PoolHandle) -> Result<(), StoreError> {
    let engine = Arc::clone(&pool.engine);
    let mut dispatcher = Dispatcher::new(pool);
    let mut turns = FuturesUnordered::new();
    // Until the next answer.
    let mut one_is_enough = false;
    loop {
        if turns.is_empty() {
            dispatcher.resolve_doubt().await;
            // Before anything is taken out of its place: whoever has to be sure that no turn is in flight counts what is there.
            let still = engine.turns.read().await;
            match dispatcher.plan() {
                Plan::Turn(planned) => turns.push(take(&engine, planned, still)),
                Plan::Rest => {
                    drop(still);
                    dispatcher.rest().await;
                }
                Plan::Ended => return Ok(()),
            }
            continue;
        }
        tokio::select! {
            biased;
            Some(taken) = turns.next() => {
                one_is_enough = false;
                let mut wait = dispatcher.took(taken)?;
                if !wait.is_zero() {
                    while let Some(taken) = turns.next().await {
                        wait = wait.max(dispatcher.took(taken)?);
                    }
                    tokio::time::sleep_until(Instant::now() + wait).await;
                }
            }
            () = dispatcher.crowd(), if turns.len() < dispatcher.turns_max && !one_is_enough => {
                // Who waits for the moment in which none is in flight is not kept waiting.
                let still = engine.turns.try_read().ok();
                match still.and_then(|still| Some((dispatcher.plan_beside()?, still))) {
                    Some((planned, still)) => turns.push(take(&engine, planned, still)),
                    None => one_is_enough = true,
                }
            }
        }
    }
}

struct Dispatcher {
    pool: PoolHandle,
    appetite: Appetite,
    hints: Signal,
    backoff: Backoff,
    /// Whether a claim was not answered, and may have been granted all the same.
    doubt: Doubt,
    /// Most turns at a time.
    turns_max: usize,
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
            appetite: Appetite::new(poll_interval),
            hints,
            backoff: Backoff::default(),
            doubt: Doubt::default(),
            turns_max: pool.engine.store.turns_at_once(),
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
            state.waits_for = WaitsFor::Anything;
            return Plan::Rest;
        };
        let limit = if self.appetite.hungry { state.room() } else { 0 };
        if limit == 0 && state.done.is_empty() {
            state.waits_for = WaitsFor::Anything;
            return Plan::Rest;
        }
        Plan::Turn(self.planned(&mut state, member, limit))
    }

    /// A turn beside another. While it is in doubt what is held, there is none: the moment is waited for in which none is in
    /// flight.
    fn plan_beside(&mut self) -> Option<Planned> {
        if self.ask_at().is_some_and(|at| at <= Instant::now()) {
            return None;
        }
        self.measure();
        let mut state = self.pool.state();
        let member = state.member?;
        let limit = if self.appetite.hungry { state.room() } else { 0 };
        Some(self.planned(&mut state, member, limit))
    }

    /// Takes out of its place what goes into a turn.
    fn planned(&self, state: &mut PoolState, member: WorkerId, limit: usize) -> Planned {
        let settlements = std::mem::take(&mut state.done);
        state.in_flight += settlements.len();
        let ran_dry = std::mem::take(&mut state.ran_dry);
        let claim = u32::try_from(limit).unwrap_or(u32::MAX).min(CLAIM_BATCH_MAX);
        state.claiming += claim as usize;
        let claim = (claim > 0).then(|| ClaimRequest::new(member, Arc::clone(&self.pool.scope), claim));
        Planned { settlements, claim, member, epoch: state.epoch, ran_dry }
    }

    /// Waits until enough has ended for a turn beside another.
    async fn crowd(&self) {
        while !self.pool.state().has_crowd() {
            self.pool.wake.notified().await;
        }
    }

    /// Takes in what the store answered. How long to wait until it may be back.
    fn took(&mut self, taken: Taken<'_>) -> Result<Duration, StoreError> {
        let Taken { planned, answer, still } = taken;
        let landed = match answer {
            Ok(turned) => {
                self.turned(&planned, turned);
                Ok(Duration::ZERO)
            }
            Err(error) => {
                let wait = self.failed(planned, &error);
                if error.is_transient() || matches!(error.kind(), ErrorKind::NotFound) {
                    Ok(wait)
                } else {
                    Err(error)
                }
            }
        };
        drop(still);
        landed
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
            state.claiming -= asked;
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
            state.in_flight -= planned.settlements.len();
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
            state.in_flight -= planned.settlements.len();
            state.claiming -= planned.claim.as_ref().map_or(0, |claim| claim.limit as usize);
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
        self.pool.state().waits_for = WaitsFor::Nothing;
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
