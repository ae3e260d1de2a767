//! Attempts the store takes this worker to hold, and the worker knows nothing of.
//!
//! When the answer to a claim is lost, its jobs may be leased all the same, and as the worker lives on and beats, their
//! leases would never end (W12). So after such a claim the worker asks which attempts it holds, and gives back
//! unstarted what it never saw. And again and again for a while: the claim itself may be late, and reach the store
//! after it was asked.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use windlass_core::{AttemptToken, Verdict, WorkerId};
use windlass_store::{ErrorKind, Settlement, StoreError};

use super::PoolHandle;

/// How long a claim that was not answered may still take effect. What was sent may be on its way for 20 seconds before the
/// network gives it up, and a statement may then take 60.
const LATE_MAX: Duration = Duration::from_secs(90);

/// How often to ask meanwhile: a job that a late claim took waits as long as one that a dead worker held.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How long an answer may take, should a lease be longer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Whether this worker may hold what it does not know of, and when to ask.
#[derive(Debug, Default)]
pub(super) struct Doubt(Option<Doubted>);

#[derive(Debug)]
struct Doubted {
    until: Instant,
    ask_at: Instant,
}

impl Doubt {
    /// Takes note that a claim was not answered.
    pub(super) fn unanswered(&mut self) {
        let now = Instant::now();
        self.0 = Some(Doubted { until: now + LATE_MAX, ask_at: now });
    }

    /// When to ask.
    pub(super) fn ask_at(&self) -> Option<Instant> {
        self.0.as_ref().map(|doubted| doubted.ask_at)
    }

    /// Takes note of whether the store, asked at `asked_at`, has told. The last time has to be after the last moment.
    pub(super) fn asked(&mut self, asked_at: Instant, told: bool) {
        let Some(doubted) = &mut self.0 else { return };
        if told && asked_at >= doubted.until {
            self.0 = None;
        } else {
            doubted.ask_at = Instant::now() + ASK_EVERY;
        }
    }
}

impl PoolHandle {
    /// Gives back what this worker holds without knowing.
    pub(super) async fn take_back_orphans(&self) -> Result<(), StoreError> {
        // Nearly always there is nothing, which is found without keeping anybody waiting.
        if self.unknown().await?.is_empty() {
            return Ok(());
        }
        // No turn is in flight while this is held, so whatever was claimed has landed, in whichever pool.
        let _still = self.engine.turns.write().await;
        let Some(member) = self.state().member else { return Ok(()) };
        // Asked anew, as some may have been claimed or settled by a turn that was in flight.
        let orphans = self.unknown().await?;
        if !orphans.is_empty() {
            tracing::warn!(
                queue = self.label,
                count = orphans.len(),
                "giving back jobs whose claim was never answered"
            );
        }
        self.give_back(member, orphans);
        Ok(())
    }

    /// What the store takes this worker to hold, and no pool does. While turns are in flight, what they claim or settle may
    /// seem so too.
    async fn unknown(&self) -> Result<Vec<AttemptToken>, StoreError> {
        let Some(member) = self.state().member else { return Ok(Vec::new()) };
        let known = self.held();
        // No turn is taken until this is answered, so it is not waited for any longer than a turn is.
        let answer_max = self.engine.config.lease.min(ANSWER_MAX);
        let ours = timeout(answer_max, self.engine.store.held(member)).await;
        let ours =
            ours.unwrap_or_else(|_| Err(StoreError::new("ask what is held", ErrorKind::Unavailable)))?;
        Ok(ours.into_iter().filter(|token| !known.contains(token)).collect())
    }

    fn held(&self) -> HashSet<AttemptToken> {
        let mut held = HashSet::new();
        for pool in &self.engine.pools {
            pool.state().tokens(&mut held);
        }
        held
    }

    /// Says of attempts that they never started.
    fn give_back(&self, member: WorkerId, orphans: Vec<AttemptToken>) {
        let mut state = self.state();
        if state.member == Some(member) {
            let never_started = |token| Settlement { token, verdict: Verdict::Released };
            state.done.extend(orphans.into_iter().map(never_started));
        }
    }
}
