//! Attempts the store takes this worker to hold, and the worker knows nothing of.
//!
//! When the answer to a claim is lost, its jobs may be leased all the same, and as the worker lives on and beats, their
//! leases would never end (W12). So after such a claim the worker asks which attempts it holds, and gives back
//! unstarted what it never saw.

use std::collections::HashSet;

use tokio::time::timeout;
use windlass_core::{AttemptToken, Verdict, WorkerId};
use windlass_store::{ErrorKind, Settlement, StoreError};

use super::PoolHandle;

impl PoolHandle {
    /// Gives back what this worker holds without knowing.
    pub(super) async fn take_back_orphans(&self) -> Result<(), StoreError> {
        // No turn is in flight while this is held, so whatever was claimed has landed, in whichever pool.
        let _still = self.engine.turns.write().await;
        let Some(member) = self.state().member else { return Ok(()) };
        // No pool takes a turn until this is answered, so it is not waited for any longer than a turn is.
        let ours = timeout(self.engine.config.lease, self.engine.store.held(member)).await;
        let ours =
            ours.unwrap_or_else(|_| Err(StoreError::new("ask what is held", ErrorKind::Unavailable)))?;
        let held = self.held();
        let orphans: Vec<AttemptToken> = ours.into_iter().filter(|token| !held.contains(token)).collect();
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
