//! What a worker has to say and to ask in one go.

use serde::{Deserialize, Serialize};
use windlass_core::{AttemptToken, Invalid, Timestamp};

use crate::body::{Body, FromBody};
use crate::{LeaseRequest, LeasedShape, ProblemShape, SettledShape, SettlementRequest};

/// How attempts ended, and what is wanted next: the body of `POST /api/v1/turns`. One commit for both.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct TurnRequest {
    /// The attempts that ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settlements: Vec<SettlementRequest>,
    /// What is wanted next. `wait` holds where nothing was settled; parents are told only where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<LeaseRequest>,
}

impl TurnRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["settlements", "claim"];

    /// These ends, and this claim.
    #[must_use]
    pub const fn new(settlements: Vec<SettlementRequest>, claim: Option<LeaseRequest>) -> Self {
        Self { settlements, claim }
    }
}

impl FromBody for TurnRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a turn", text, Self::FIELDS)?;
        let claim = body.raw("claim").map(|raw| LeaseRequest::from_body(raw.get())).transpose();
        Ok(Self {
            settlements: body.each("settlements", SettlementRequest::from_body)?,
            claim: claim.map_err(|invalid| invalid.inside("claim"))?,
        })
    }
}

/// The answer to a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct TurnShape {
    /// One for each settlement, in order.
    pub settled: Vec<SettledOrProblem>,
    /// The leases that the claim got.
    pub leases: Vec<LeasedShape>,
    /// When the next job is due, if there were fewer than asked for and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Timestamp>,
    /// Attempts of the worker whose jobs were cancelled and that are still open: they should stop. Told with a claim only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancelled: Vec<AttemptToken>,
}

impl TurnShape {
    /// An answer without leases.
    #[must_use]
    pub const fn new(settled: Vec<SettledOrProblem>) -> Self {
        Self { settled, leases: Vec::new(), next_due: None, cancelled: Vec::new() }
    }
}

/// What became of one settlement: where the job went, or why it was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum SettledOrProblem {
    /// Where the job went.
    Settled(SettledShape),
    /// Why it was refused. The others stand for themselves.
    Problem(ProblemShape),
}
