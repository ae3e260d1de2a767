//! What a job wants of a gate, and why it does not get it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use windlass_core::gate::Refusal;
use windlass_core::{Invalid, Timestamp, Wish, span};

/// What a job wants of a lock, a limit, a rate or an order key, and why it does not get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct GateShape {
    /// What it wants.
    pub wants: WantsShape,
    /// Why it does not get it.
    pub why: WhyShape,
    /// How many attempts have what the gate gives.
    pub held: u64,
    /// Of a limit: how many may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Of a rate: how far two starts are from one another.
    #[serde(default, with = "span::text_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub every: Option<Duration>,
    /// Of a rate: how many may start at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
}

/// What a job wants of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WantsShape {
    /// A resource, with others.
    Shared,
    /// A resource, alone.
    Exclusive,
    /// To be one of so many.
    Slot,
    /// To start.
    Start,
    /// To be next.
    Turn,
}

/// Why a gate turns a job away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhyShape {
    /// Others have it.
    Held,
    /// Somebody who came earlier stands in line for it.
    Behind,
    /// As many run as may.
    Full,
    /// It is too early for another start.
    Early,
    /// An earlier job of the same order key is not over.
    Turn,
}

impl GateShape {
    /// What the job wants, why it does not get it, and how many have it.
    #[must_use]
    pub const fn new(wish: Wish, refusal: Refusal, held: u64) -> Self {
        let (wants, max, every, burst) = match wish {
            Wish::Shared => (WantsShape::Shared, None, None, None),
            Wish::Exclusive => (WantsShape::Exclusive, None, None, None),
            Wish::Slot { max } => (WantsShape::Slot, Some(max), None, None),
            Wish::Start { interval, burst } => {
                (WantsShape::Start, None, Some(Duration::from_micros(interval)), Some(burst))
            }
            Wish::Turn => (WantsShape::Turn, None, None, None),
        };
        let why = match refusal {
            Refusal::Held => WhyShape::Held,
            Refusal::Behind { .. } => WhyShape::Behind,
            Refusal::Full => WhyShape::Full,
            Refusal::Early { .. } => WhyShape::Early,
            Refusal::Turn => WhyShape::Turn,
        };
        Self { wants, why, held, max, every, burst }
    }

    pub(crate) fn wish(&self) -> Result<Wish, Invalid> {
        let missing = |field: &str| Invalid::new(format!("gate.{field}"), "is missing");
        Ok(match self.wants {
            WantsShape::Shared => Wish::Shared,
            WantsShape::Exclusive => Wish::Exclusive,
            WantsShape::Slot => Wish::Slot { max: self.max.ok_or_else(|| missing("max"))? },
            WantsShape::Start => Wish::Start {
                interval: micros(self.every.ok_or_else(|| missing("every"))?),
                burst: self.burst.ok_or_else(|| missing("burst"))?,
            },
            WantsShape::Turn => Wish::Turn,
        })
    }

    pub(crate) fn refusal(&self, until: Option<Timestamp>) -> Result<Refusal, Invalid> {
        Ok(match self.why {
            WhyShape::Held => Refusal::Held,
            WhyShape::Behind => Refusal::Behind { until },
            WhyShape::Full => Refusal::Full,
            WhyShape::Early => {
                Refusal::Early { until: until.ok_or_else(|| Invalid::new("until", "is missing"))? }
            }
            WhyShape::Turn => Refusal::Turn,
        })
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
