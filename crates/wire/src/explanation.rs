//! Why a job does not run, as it is shown; and how queues and kinds are bounded.

use serde::{Deserialize, Serialize};
use windlass_core::gate::Refusal;
use windlass_core::{Bounds, GateForm, JobId, JobState, Pace, Reason, Timestamp, Whole, Wish};
use windlass_store::{Explanation, GateHolder, GateObstacle, Obstacle};

use crate::{GateShape, PauseShape};

/// Why a job does not run, and when it will.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ExplanationShape {
    /// The job.
    pub id: JobId,
    /// Its state.
    pub state: JobState,
    /// Its reason, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Whether the next claim of its queue takes it.
    pub next: bool,
    /// How many jobs of its queue come before it, if nothing else stands in its way.
    pub ahead: u64,
    /// The earliest time at which it could start, as far as time decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What stands in its way, in the order in which a claim would meet it.
    pub obstacles: Vec<ObstacleShape>,
    /// The time for which this holds, by the store's clock.
    pub now: Timestamp,
}

impl ExplanationShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["id", "state", "reason", "next", "ahead", "until", "obstacles", "now"];
}

/// What stands in a job's way. Fields that do not concern it are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ObstacleShape {
    /// What it is: `final`, `running`, `scheduled`, `late`, `dependencies`, `review`, `paused`, `queue_limit`, `queue_rate`,
    /// `kind_limit`, `kind_rate`, `order`, `lock`, `limit`, `rate`, `no_worker` or `other`.
    pub what: String,
    /// The name of the resource, key, queue or kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when, where time decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The worker that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// The pause of its queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseShape>,
    /// How many have what it wants, and how many may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<u64>,
    /// See `held`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// Who they are, the first some of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<HolderShape>,
    /// The job that comes before it in line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<JobId>,
    /// The jobs it waits for, as far as they are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobId>,
    /// How many they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Of a lock, a limit, a rate or an order key: what the job wants of it, and why it does not get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateShape>,
}

/// An open attempt that has what a job wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct HolderShape {
    /// Its job.
    pub job: JobId,
    /// Whether it has it alone.
    pub exclusive: bool,
    /// Since when.
    pub since: Timestamp,
}

impl From<Explanation> for ExplanationShape {
    fn from(why: Explanation) -> Self {
        Self {
            id: why.id,
            state: why.state,
            reason: why.reason,
            next: why.is_next(),
            ahead: why.ahead,
            until: why.until(),
            obstacles: why.obstacles.into_iter().map(ObstacleShape::from).collect(),
            now: why.now,
        }
    }
}

impl From<Obstacle> for ObstacleShape {
    fn from(obstacle: Obstacle) -> Self {
        let of = |what: &str| Self { what: what.to_owned(), ..Self::default() };
        match obstacle {
            Obstacle::Final { since } => Self { since, ..of("final") },
            Obstacle::Running { worker, since } => Self { since, worker, ..of("running") },
            Obstacle::Scheduled { until } => Self { until: Some(until), ..of("scheduled") },
            Obstacle::Late { deadline } => Self { since: Some(deadline), ..of("late") },
            Obstacle::Dependencies { jobs, count } => Self { jobs, count: Some(count), ..of("dependencies") },
            Obstacle::Review { since } => Self { since, ..of("review") },
            Obstacle::Paused(pause) => {
                Self { since: Some(pause.since), pause: Some(pause.into()), ..of("paused") }
            }
            Obstacle::Gate(gate) => gate.into(),
            Obstacle::NoWorker => of("no_worker"),
            _ => of("other"),
        }
    }
}

impl From<GateObstacle> for ObstacleShape {
    fn from(obstacle: GateObstacle) -> Self {
        let GateObstacle { need, refusal, holders, held, before } = obstacle;
        let most = if let Wish::Slot { max } = need.wish { Some(max) } else { None };
        let gate = GateShape::new(need.wish, refusal, held);
        Self {
            gate: Some(gate),
            what: word(need.gate.form).to_owned(),
            name: Some(need.gate.name.to_string()),
            until: refusal.until(),
            held: (!matches!(refusal, Refusal::Early { .. })).then_some(held),
            most,
            holders: holders.into_iter().map(HolderShape::from).collect(),
            before,
            ..Self::default()
        }
    }
}

impl From<GateHolder> for HolderShape {
    fn from(holder: GateHolder) -> Self {
        Self { job: holder.job, exclusive: holder.exclusive, since: holder.since }
    }
}

pub(crate) const fn word(form: GateForm) -> &'static str {
    match form {
        GateForm::QueueLimit => "queue_limit",
        GateForm::QueueRate => "queue_rate",
        GateForm::KindLimit => "kind_limit",
        GateForm::KindRate => "kind_rate",
        GateForm::Order => "order",
        GateForm::Lock => "lock",
        GateForm::Limit => "limit",
        GateForm::Rate => "rate",
    }
}

/// How a queue or a kind is bounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct BoundShape {
    /// Its name.
    pub name: String,
    /// Whether it is a `queue` or a `kind`.
    pub what: String,
    /// How many of its jobs may run at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How often one of them may start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Pace>,
}

impl BoundShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["name", "what", "limit", "rate"];

    /// The bounds of `whole`.
    #[must_use]
    pub fn of(whole: &Whole, bounds: Bounds) -> Self {
        let (name, what) = match whole {
            Whole::Queue(queue) => (queue.to_string(), "queue"),
            Whole::Kind(kind) => (kind.to_string(), "kind"),
        };
        Self { name, what: what.to_owned(), limit: bounds.limit, rate: bounds.rate }
    }
}
