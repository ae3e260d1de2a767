//! What follows when attempts close and when jobs end, for jobs that use what most do not.
//!
//! Gathered with the fates of jobs and carried out behind them, in the same transaction, set by set: whatever closes an attempt or
//! ends a job goes through [`Fates`](crate::fates::Fates), so nothing of it can be forgotten. A job that uses nothing of it is
//! not even gathered.

use uuid::Uuid;
use windlass_core::{Reason, Stage, Traits, cleanup};
use windlass_store::StoreError;

use crate::database::Ask;
use crate::error::During;
use crate::errors::Groups;
use crate::facts::Facts;
use crate::flows::tell_children;
use crate::gates;
use crate::jobs::notices;
use crate::{reviews, sql, unique};

/// What is to follow, in the same transaction.
#[derive(Debug, Default)]
#[must_use = "what is not carried out never happens, and somebody waits for it"]
pub(crate) struct Effects {
    /// Jobs whose attempt closed.
    closed: Vec<Followed>,
    /// Jobs that ended.
    ended: Vec<Followed>,
    /// Those of them whose children are still to be told, and how they ended.
    untold: Vec<(Uuid, Stage)>,
    /// The order keys of those that have one.
    order_keys: Vec<String>,
    /// Jobs that were blocked when they ended.
    blocked: Vec<Uuid>,
    /// Jobs that ended while nobody ran them who would clean up behind them.
    left: Vec<Uuid>,
    /// The errors of attempts that closed, to be counted.
    errors: Vec<Groups>,
}

/// A job that something follows for.
#[derive(Debug, Clone, Copy)]
struct Followed {
    id: Uuid,
    traits: Traits,
}

impl Followed {
    fn of(facts: &Facts) -> Option<Self> {
        let special = facts.traits.has(Traits::SPECIAL);
        special.then(|| Self { id: facts.id.as_uuid(), traits: facts.traits })
    }
}

impl Effects {
    /// An attempt of the job closes, for whatever reason.
    pub(crate) fn closed(&mut self, facts: &Facts) {
        self.closed.extend(Followed::of(facts));
    }

    /// Jobs completed that have gates, and nothing else that is not seen to: what ran stood at no gate.
    pub(crate) fn left_gates(&mut self, jobs: Vec<Uuid>) {
        self.closed.extend(jobs.into_iter().map(|id| Followed { id, traits: Traits::GATED }));
    }

    /// The job becomes final at `stage`, for `reason`.
    pub(crate) fn ended(&mut self, facts: &Facts, (stage, reason): (Stage, Reason)) {
        self.ended.extend(Followed::of(facts));
        if facts.traits.has(Traits::PARENT) {
            self.untold.push((facts.id.as_uuid(), stage));
        }
        self.order_keys.extend(facts.order_key.clone());
        if facts.stage == Stage::Blocked {
            self.blocked.push(facts.id.as_uuid());
        }
        if cleanup::is_left(facts.traits, facts.number, facts.stage, reason) {
            self.left.push(facts.id.as_uuid());
        }
    }

    /// These errors are to be counted.
    pub(crate) fn failed(&mut self, errors: Groups) {
        self.errors.push(errors);
    }

    /// The children of these jobs are told by whoever asks.
    pub(crate) fn with_children_told(mut self) -> Self {
        self.untold.clear();
        self
    }

    /// These too.
    pub(crate) fn join(&mut self, more: Self) {
        self.closed.extend(more.closed);
        self.ended.extend(more.ended);
        self.untold.extend(more.untold);
        self.order_keys.extend(more.order_keys);
        self.blocked.extend(more.blocked);
        self.left.extend(more.left);
        self.errors.extend(more.errors);
    }

    /// Carries them out: children told, unique keys let go, gates let go, notices and
    /// cleanups enqueued, errors counted.
    ///
    /// In this order, and each for all jobs together, those included that are closed because a parent failed. So nobody who has a
    /// gate waits for the row of a job, or for a gate that comes before it: several who do this at once wait in no circle.
    pub(crate) async fn follow(mut self, ask: &impl Ask, operation: &'static str) -> Result<(), StoreError> {
        if !self.untold.is_empty() {
            let untold = std::mem::take(&mut self.untold);
            // Boxed: few jobs have children, and every call that may end one would carry the room for them.
            self.join(Box::pin(tell_children(ask, &untold, &[], operation)).await?);
        }
        if !self.blocked.is_empty() {
            ask.query(sql::edge::UNBLOCK, &[&self.blocked]).await.during(operation)?;
        }
        unique::ended(ask, &with(&self.ended, Traits::UNIQUE), operation).await?;
        let (closed, left) = (with(&self.closed, Traits::GATED), with(&self.ended, Traits::GATED));
        gates::release(ask, (&closed, &left, &self.order_keys), operation).await?;
        reviews::close(ask, &with(&self.ended, Traits::REVIEWED), operation).await?;
        let notifying = with(&self.ended, Traits::NOTIFIES);
        notices::enqueue(ask, (&notifying, &self.left), operation).await?;
        for errors in self.errors {
            errors.write(ask, operation).await?;
        }
        Ok(())
    }
}

/// Those of the jobs that have this trait.
fn with(jobs: &[Followed], traits: Traits) -> Vec<Uuid> {
    jobs.iter().filter(|job| job.traits.has(traits)).map(|job| job.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_leaves_special_jobs_alone() {
        for statement in [sql::lease::COMPLETE, sql::lease::COMPLETE_AT] {
            assert!(statement.text.contains(&format!("job.traits & {} = 0", Traits::SPECIAL.bits())));
        }
        let more = Traits::SPECIAL.without(Traits::UNIQUE).without(Traits::GATED).bits();
        assert!(sql::lease::COMPLETE_SPECIAL.text.contains(&format!("job.traits & {more} = 0")));
    }
}
