//! The periodic duties of a store, and what it says of itself.

use serde::{Deserialize, Serialize};
use windlass_core::{Invalid, ScheduleName, Timestamp, WorkerId};
use windlass_store::{Durability, Fired, Leadership, Pruned, Rescued, StoreStatus};

use crate::body::{Body, FromBody};

/// What a rescue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct RescuedShape {
    /// Jobs whose expired lease was closed and that may be claimed again.
    pub returned: u64,
    /// Jobs that were lost once too often and are dead.
    pub poisoned: u64,
    /// Attempts of cancelled jobs that were closed.
    pub closed: u64,
    /// Jobs that were not started by their deadline and are dead.
    pub expired: u64,
    /// Jobs in review about which nobody had decided in time.
    pub decided: u64,
    /// Jobs in review whose reviewers were reminded.
    pub reminded: u64,
    /// Workers that were forgotten.
    pub workers: u64,
    /// Whether there was more to do than one call does.
    pub more: bool,
}

impl From<Rescued> for RescuedShape {
    fn from(rescued: Rescued) -> Self {
        let Rescued { returned, poisoned, closed, expired, decided, reminded, workers, more } = rescued;
        Self { returned, poisoned, closed, expired, decided, reminded, workers, more }
    }
}

impl From<RescuedShape> for Rescued {
    fn from(shape: RescuedShape) -> Self {
        let RescuedShape { returned, poisoned, closed, expired, decided, reminded, workers, more } = shape;
        Self { returned, poisoned, closed, expired, decided, reminded, workers, more }
    }
}

/// What a prune did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct PrunedShape {
    /// Jobs that were removed.
    pub removed: u64,
    /// Whether there may be more to remove.
    pub more: bool,
}

impl From<Pruned> for PrunedShape {
    fn from(pruned: Pruned) -> Self {
        Self { removed: pruned.removed, more: pruned.more }
    }
}

/// What firing did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct FiredShape {
    /// What time it was, by the store's clock.
    pub now: Timestamp,
    /// Jobs that were made.
    pub jobs: u64,
    /// Ticks that made none.
    pub skipped: u64,
    /// Schedules that have ended.
    pub ended: Vec<ScheduleName>,
    /// Schedules that could not fire, and why.
    pub failed: Vec<NotFiredShape>,
    /// When there is something to fire again, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Whether there was more to do than one call does.
    pub more: bool,
}

/// A schedule that could not fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct NotFiredShape {
    /// Its name.
    pub name: ScheduleName,
    /// Why.
    pub problem: String,
}

impl From<Fired> for FiredShape {
    fn from(fired: Fired) -> Self {
        let Fired { now, jobs, skipped, ended, failed, next_at, more } = fired;
        let failed = failed.into_iter().map(|(name, problem)| NotFiredShape { name, problem }).collect();
        Self { now, jobs, skipped, ended, failed, next_at, more }
    }
}

/// Who asks to lead: the body of `POST /api/v1/upkeep/lead`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LeadRequest {
    /// Who asks; need not be registered.
    pub candidate: WorkerId,
}

impl LeadRequest {
    /// This one asks.
    #[must_use]
    pub const fn new(candidate: WorkerId) -> Self {
        Self { candidate }
    }
}

impl FromBody for LeadRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a candidacy", text, &["candidate"])?;
        Ok(Self { candidate: body.required("candidate")? })
    }
}

/// Who leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct LeadershipShape {
    /// The one that leads.
    pub leader: WorkerId,
    /// Which leadership this is.
    pub term: u64,
    /// Until when it leads if it does not ask again.
    pub until: Timestamp,
    /// When there is something to fire, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
}

impl From<Leadership> for LeadershipShape {
    fn from(leadership: Leadership) -> Self {
        let Leadership { leader, term, until, look_at } = leadership;
        Self { leader, term, until, look_at }
    }
}

/// What a store says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct StatusShape {
    /// The engine and its version.
    pub engine: String,
    /// Where it is, without secrets.
    pub location: String,
    /// What an acknowledged write survives: `durable`, `relaxed` or `volatile`.
    pub durability: String,
    /// The version of its schema.
    pub schema_version: u32,
    /// The time by its clock.
    pub now: Timestamp,
    /// How much room it takes, in bytes.
    pub size_bytes: u64,
    /// What a person should look at. Each says what to do.
    pub warnings: Vec<String>,
}

impl From<StoreStatus> for StatusShape {
    fn from(status: StoreStatus) -> Self {
        let StoreStatus { engine, location, durability, schema_version, now, size_bytes, warnings } = status;
        let durability = durability.as_str().to_owned();
        Self { engine, location, durability, schema_version, now, size_bytes, warnings }
    }
}

impl StatusShape {
    /// What an acknowledged write survives; the least where the word is not known.
    #[must_use]
    pub fn survives(&self) -> Durability {
        let known = [Durability::Durable, Durability::Relaxed, Durability::Volatile];
        known.into_iter().find(|one| one.as_str() == self.durability).unwrap_or(Durability::Volatile)
    }
}
