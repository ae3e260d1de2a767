//! Speaks to the store for a pool: settles what has ended and claims what comes next, both in one turn.
//!
//! What ends while a turn is in flight is settled by the next one, so turns are as large as the store is slow: group commit
//! without a timer. A second one joins it in flight once enough has ended to be worth a commit of its own, so that the store
//! works on the one while jobs of the other run.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::WorkerId;
use windlass_core::limits::CLAIM_BATCH_MAX;
use windlass_store::{ClaimRequest, Claimed, ErrorKind, Settled, Signal, StoreError, Turned};

use super::PoolHandle;
use super::appetite::Appetite;
use super::flight::{Flights, Planned, Rest, WORTH_ANOTHER};
use super::orphans::Doubt;
use super::prefetch::Haul;
use super::tally::Tally;
use crate::pace::Backoff;

/// How often a pool without free slots asks whether running jobs were cancelled, when it is told that something
/// happened. It cannot claim, and only a claim or a beat tells.
const BEAT_ON_HINT: Duration = Duration::from_secs(1);

/// The shortest time that says something about how fast a pool works.
const MEASURE_MIN: Duration = Duration::from_millis(1);

/// What to do next.
enum Plan {
    Turn(Planned),
    /// Somebody has to be sure that no turn is in flight.
    Stand,
    Rest,
    Ended,
}

/// Settles and claims until the pool was stopped and holds nothing more.
///
/// # Errors
///
/// When the store says what no waiting can mend: it is damaged, or too new.
pub(crate) async fn dispatch(pool: PoolHandle) -> Result<(), StoreError> {
    let mut dispatcher = Dispatcher::new(pool);
    loop {
        match dispatcher.plan() {
            Plan::Turn(planned) => dispatcher.flights.send(&dispatcher.pool.engine, planned),
            Plan::Stand => drop(dispatcher.pool.engine.turns.read().await),
            Plan::Rest => dispatcher.rest().await?,
            Plan::Ended => return Ok(()),
        }
        dispatcher.resolve_doubt().await;
    }
}

struct Dispatcher {
    pool: PoolHandle,
    appetite: Appetite,
    hints: Signal,
    flights: Flights,
    backoff: Backoff,
    /// Until when nothing is sent to a store that failed.
    wait_until: Instant,
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
            appetite: Appetite::new(poll_interval),
            hints,
            flights: Flights::default(),
            backoff: Backoff::default(),
            wait_until: now,
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
        if self.flights.is_empty() && state.is_over() {
            return Plan::Ended;
        }
        let Some(member) = state.member else {
            state.rest = Rest::UntilAny;
            return Plan::Rest;
        };
        if !self.flights.is_empty() && state.done.len() < WORTH_ANOTHER {
            state.rest = Rest::UntilEnded(WORTH_ANOTHER);
            return Plan::Rest;
        }
        let room = if self.appetite.hungry { state.room() } else { 0 };
        let limit = u32::try_from(room).unwrap_or(u32::MAX).min(CLAIM_BATCH_MAX);
        let is_for_nothing = limit == 0 && state.done.is_empty();
        let alone = state.takes_turns() || self.ask_at().is_some();
        let most = if alone { 1 } else { self.pool.engine.store.turns_at_once() };
        if is_for_nothing || self.flights.len() >= most || self.waits() {
            state.rest = if is_for_nothing { Rest::UntilAny } else { Rest::Not };
            return Plan::Rest;
        }
        // Before anything is taken out of its place: whoever has to be sure counts what is there.
        let Ok(still) = Arc::clone(&self.pool.engine.turns).try_read_owned() else {
            return if self.flights.is_empty() { Plan::Stand } else { Plan::Rest };
        };
        let settlements = std::mem::take(&mut state.done);
        state.in_flight += settlements.len();
        state.claiming += limit as usize;
        let ran_dry = std::mem::take(&mut state.ran_dry);
        let claim = (limit > 0).then(|| ClaimRequest::new(member, Arc::clone(&self.pool.scope), limit));
        Plan::Turn(Planned { settlements, claim, member, epoch: state.epoch, ran_dry, _still: still })
    }

    /// Whether a store that failed is left alone for now.
    fn waits(&self) -> bool {
        self.wait_until > Instant::now()
    }

    /// Takes in what came back.
    fn landed(&mut self, (planned, answer): (Planned, Result<Turned, StoreError>)) -> Result<(), StoreError> {
        match answer {
            Ok(turned) => self.turned(&planned, turned),
            Err(error) => {
                self.wait_until = Instant::now() + self.failed(planned, &error);
                if !error.is_transient() && !matches!(error.kind(), ErrorKind::NotFound) {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// After a claim that was not answered, gives back what it may have brought.
    async fn resolve_doubt(&mut self) {
        let asked_at = Instant::now();
        // Nothing of ours may be in flight, for it could not come back while this waits for it.
        if self.flights.is_empty() && self.ask_at().is_some_and(|at| at <= asked_at) {
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
            state.returned(planned);
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
            state.returned(&planned);
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

    /// Waits until there may be something to do, and takes in what comes back.
    async fn rest(&mut self) -> Result<(), StoreError> {
        if self.waits() {
            let until = self.wait_until;
            if let Some(flown) = self.flights.next_until(until).await {
                return self.landed(flown);
            }
        } else if self.flights.is_empty() {
            self.idle().await;
        } else {
            // Hints are for whoever has no claim on its way: that one may have missed what they tell of.
            let flown = tokio::select! {
                flown = self.flights.next() => Some(flown),
                () = self.pool.wake.notified() => None,
            };
            self.pool.state().rest = Rest::Not;
            if let Some(flown) = flown {
                return self.landed(flown);
            }
        }
        Ok(())
    }

    /// Waits while nothing is in flight.
    async fn idle(&mut self) {
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
        self.pool.state().rest = Rest::Not;
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
