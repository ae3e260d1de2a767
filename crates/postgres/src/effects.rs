//! What follows when attempts close and when jobs end, for jobs that use what most do not.
//!
//! Gathered with the fates of jobs and carried out behind them, in the same transaction, set by set: whatever closes an attempt or
//! ends a job goes through [`Fates`](crate::fates::Fates), so nothing of it can be forgotten. A job that uses nothing of it is
//! not even gathered.

use uuid::Uuid;
use windlass_core::{Stage, Traits};
use windlass_store::StoreError;

use crate::database::Ask;
use crate::error::During;
use crate::facts::Facts;
use crate::flows::tell_children;
use crate::gates;
use crate::jobs::notices;
use crate::{reviews, sql, unique};

/// What is to follow.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Jobs whose attempt closed.
    closed: Vec<Followed>,
    /// Jobs that ended, and how.
    ended: Vec<(Followed, Stage)>,
    /// The order keys of those that have one.
    order_keys: Vec<String>,
    /// Jobs that were blocked when they ended.
    blocked: Vec<Uuid>,
    /// Whether whoever asks tells the children of the jobs that ended.
    children_are_told: bool,
}

/// Jobs that have ended, and whose children are still to be told, in the same transaction.
#[derive(Debug, Default)]
#[must_use = "children that are not told wait for ever"]
pub(crate) struct Untold(Vec<(Uuid, Stage)>);

impl Untold {
    /// These too.
    pub(crate) fn join(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// Tells their children.
    pub(crate) async fn tell(self, ask: &impl Ask, operation: &'static str) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        tell_children(ask, &self.0, &[], operation).await
    }
}

/// A job that something follows for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Followed {
    pub(crate) id: Uuid,
    pub(crate) traits: Traits,
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

    /// The job becomes final at `stage`, for whatever reason.
    pub(crate) fn ended(&mut self, facts: &Facts, stage: Stage) {
        self.ended.extend(Followed::of(facts).map(|job| (job, stage)));
        self.order_keys.extend(facts.order_key.clone());
        if facts.stage == Stage::Blocked {
            self.blocked.push(facts.id.as_uuid());
        }
    }

    /// Leaves it to whoever asks to tell the children of these jobs.
    pub(crate) fn leave_children(&mut self) -> Untold {
        self.children_are_told = true;
        Untold(self.parents())
    }

    /// Those of the jobs that ended that others depend on.
    fn parents(&self) -> Vec<(Uuid, Stage)> {
        let parents = self.ended.iter().filter(|(job, _)| job.traits.has(Traits::PARENT));
        parents.map(|(job, stage)| (job.id, *stage)).collect()
    }

    /// Carries them out: gates let go, unique keys let go, children told, notices enqueued, in this order.
    pub(crate) async fn follow(self, ask: &impl Ask, operation: &'static str) -> Result<(), StoreError> {
        if !self.blocked.is_empty() {
            ask.query(sql::edge::UNBLOCK, &[&self.blocked]).await.during(operation)?;
        }
        let gated = |job: &&Followed| job.traits.has(Traits::GATED);
        let closed: Vec<Uuid> = self.closed.iter().filter(gated).map(|job| job.id).collect();
        let left = self.ended.iter().map(|(job, _)| job).filter(gated).map(|job| job.id).collect();
        gates::release(ask, (&closed, &left, &self.order_keys), operation).await?;
        let unique = self.ended.iter().filter(|(job, _)| job.traits.has(Traits::UNIQUE));
        let unique: Vec<Uuid> = unique.map(|(job, _)| job.id).collect();
        unique::ended(ask, &unique, operation).await?;
        let parents = self.parents();
        if !parents.is_empty() && !self.children_are_told {
            tell_children(ask, &parents, &[], operation).await?;
        }
        let reviewed = self.ended.iter().filter(|(job, _)| job.traits.has(Traits::REVIEWED));
        let reviewed: Vec<Uuid> = reviewed.map(|(job, _)| job.id).collect();
        reviews::close(ask, &reviewed, operation).await?;
        let telling = self.ended.iter().filter(|(job, _)| job.traits.has(Traits::NOTIFIES));
        let telling: Vec<Uuid> = telling.map(|(job, _)| job.id).collect();
        notices::enqueue(ask, &telling, operation).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_leaves_special_jobs_alone() {
        assert!(sql::lease::COMPLETE.text.contains(&format!("job.traits & {} = 0", Traits::SPECIAL.bits())));
    }
}
