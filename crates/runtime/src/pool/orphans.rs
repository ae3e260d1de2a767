//! Attempts the store takes this worker to hold, and the worker knows nothing of.
//!
//! When the answer to a claim is lost, its jobs may be leased all the same, and as the worker lives on and beats, their
//! leases would never end (W12). So after such a claim the worker asks which attempts it holds, and gives back
//! unstarted what it never saw.

use std::collections::HashSet;
use std::time::Duration;

use windlass_core::limits::PAGE_MAX;
use windlass_core::{AttemptToken, Verdict, WorkerId};
use windlass_store::{Settlement, StoreError};

use super::PoolHandle;

impl PoolHandle {
    /// Gives back what this worker holds without knowing. Says whether there may be more, beyond what a store lists.
    pub(super) async fn take_back_orphans(&self) -> Result<bool, StoreError> {
        // No turn is in flight while this is held, so whatever was claimed has landed, in whichever pool.
        let _still = self.engine.turns.write().await;
        let Some(member) = self.state().member else { return Ok(false) };
        let leases = self.engine.store.leases(Duration::ZERO).await?;
        let complete = leases.len() < usize::try_from(PAGE_MAX).unwrap_or(usize::MAX);
        let held = self.held();
        let ours = leases.into_iter().filter(|lease| lease.worker == member).map(|lease| lease.token);
        let orphans: Vec<AttemptToken> = ours.filter(|token| !held.contains(token)).collect();
        if !orphans.is_empty() {
            tracing::warn!(
                queue = self.label,
                count = orphans.len(),
                "giving back jobs whose claim was never answered"
            );
        }
        let found = self.give_back(member, orphans) > 0;
        Ok(found && !complete)
    }

    fn held(&self) -> HashSet<AttemptToken> {
        let mut held = HashSet::new();
        for pool in &self.engine.pools {
            pool.state().tokens(&mut held);
        }
        held
    }

    /// Says of attempts that they never started. How many there were.
    fn give_back(&self, member: WorkerId, orphans: Vec<AttemptToken>) -> usize {
        let mut state = self.state();
        if state.member != Some(member) {
            return 0;
        }
        let count = orphans.len();
        state.done.extend(orphans.into_iter().map(|token| Settlement { token, verdict: Verdict::Released }));
        count
    }
}
