//! How attempts end, and where that takes their jobs.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use windlass_core::{AttemptError, AttemptToken, Invalid, JobState, Json, Reason, Verdict, span};
use windlass_store::{Settled, Settlement};

use crate::body::{Body, FromBody};

/// How an attempt is said to have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutcomeShape {
    /// The work is done.
    Succeeded,
    /// The work is done, and there was nothing to change. Skips review.
    Unchanged,
    /// The work failed. Another attempt may succeed.
    Failed,
    /// The work cannot succeed, however often it is tried.
    Fatal,
    /// The args cannot be read.
    Undecodable,
    /// The work took too long.
    TimedOut,
    /// The handler asks to wait. Not counted.
    Snoozed,
    /// The handler stops the job on purpose.
    Cancelled,
    /// The worker shuts down. Not counted.
    Interrupted,
    /// The job was never started. Not counted, and no attempt is recorded.
    Released,
}

/// How one attempt ended: the body of `POST /api/v1/leases/{token}/settle`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct SettleRequest {
    /// How it ended.
    pub outcome: OutcomeShape,
    /// What it made; with `succeeded` and `unchanged`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Json>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::error))]
    pub error: Option<AttemptError>,
    /// With `snoozed`, how long to wait; with `failed`, instead of what the job's policy says.
    #[serde(with = "span::text_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub delay: Option<Duration>,
}

/// How one attempt ended, with its token: one of several in a turn.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct SettlementRequest {
    /// Which attempt.
    pub token: AttemptToken,
    /// How it ended.
    #[serde(flatten)]
    pub settle: SettleRequest,
}

impl SettleRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["outcome", "result", "error", "delay"];

    fn of(body: &Body) -> Result<Self, Invalid> {
        let request = Self {
            outcome: body.required("outcome")?,
            result: body.json("result")?,
            error: body.raw("error").map(|raw| error(raw.get())).transpose()?,
            delay: body.span("delay")?,
        };
        request.check()?;
        Ok(request)
    }

    /// What does not go together, so that nothing that was said is left aside in silence.
    fn check(&self) -> Result<(), Invalid> {
        use OutcomeShape::{Cancelled, Failed, Fatal, Snoozed, Succeeded, TimedOut, Unchanged, Undecodable};

        let refuse = |field: &str, problem: &str| Err(Invalid::new(field, problem));
        let errs = matches!(self.outcome, Failed | Fatal | Undecodable | TimedOut | Cancelled);
        if self.result.is_some() && !matches!(self.outcome, Succeeded | Unchanged) {
            return refuse("result", "goes with the outcomes succeeded and unchanged alone");
        }
        if self.error.is_some() && !errs {
            return refuse("error", "does not go with an outcome that is no failure");
        }
        if self.delay.is_some() && !matches!(self.outcome, Snoozed | Failed) {
            return refuse("delay", "goes with the outcomes snoozed and failed alone");
        }
        if self.outcome == Snoozed && self.delay.is_none() {
            return refuse("delay", "is missing: how long is the job to wait?");
        }
        Ok(())
    }

    /// What the model takes.
    #[must_use]
    pub fn into_verdict(self) -> Verdict {
        let Self { outcome, result, error, delay } = self;
        let error = error.unwrap_or_else(|| AttemptError::new("the worker did not say what went wrong"));
        match outcome {
            OutcomeShape::Succeeded => Verdict::Succeeded { result },
            OutcomeShape::Unchanged => Verdict::Unchanged { result },
            OutcomeShape::Failed => Verdict::Failed { error, retry_after: delay },
            OutcomeShape::Fatal => Verdict::Fatal { error },
            OutcomeShape::Undecodable => Verdict::Undecodable { error },
            OutcomeShape::TimedOut => Verdict::TimedOut { error },
            OutcomeShape::Snoozed => Verdict::Snoozed { delay: delay.unwrap_or_default() },
            OutcomeShape::Cancelled => Verdict::Cancelled { error },
            OutcomeShape::Interrupted => Verdict::Interrupted,
            OutcomeShape::Released => Verdict::Released,
        }
    }
}

/// What may be said of an error. `caused_by_parent` is another word for `by_parent`.
const ERROR_FIELDS: &[&str] = &["message", "type", "chain", "trace", "by_parent", "caused_by_parent"];

/// An error as it comes from outside, made safe. A text is its message.
fn error(text: &str) -> Result<AttemptError, Invalid> {
    if text.starts_with('"') {
        let message: String = serde_json::from_str(text).map_err(|_| Invalid::new("error", "is no text"))?;
        return Ok(AttemptError::new(message));
    }
    let body = Body::read("an error", text, ERROR_FIELDS).map_err(|invalid| {
        if invalid.field == "body" { of_error(invalid) } else { invalid.inside("error") }
    })?;
    let inside = |invalid: Invalid| invalid.inside("error");
    let mut error = AttemptError::new(body.required::<String>("message").map_err(inside)?);
    error.class = body.optional("type").map_err(inside)?;
    error.chain = body.optional("chain").map_err(inside)?.unwrap_or_default();
    error.trace = body.optional("trace").map_err(inside)?;
    let by_parent: Option<bool> = body.optional("by_parent").map_err(inside)?;
    let caused_by_parent: Option<bool> = body.optional("caused_by_parent").map_err(inside)?;
    error.by_parent = by_parent.or(caused_by_parent).unwrap_or_default();
    Ok(error.made_safe())
}

fn of_error(invalid: Invalid) -> Invalid {
    Invalid { field: "error".to_owned(), ..invalid }
}

impl FromBody for SettleRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        Self::of(&Body::read("a settle", text, Self::FIELDS)?)
    }
}

impl SettlementRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["token", "outcome", "result", "error", "delay"];

    /// What the model takes.
    #[must_use]
    pub fn into_settlement(self) -> Settlement {
        Settlement { token: self.token, verdict: self.settle.into_verdict() }
    }
}

impl FromBody for SettlementRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a settlement", text, Self::FIELDS)?;
        Ok(Self { token: body.required("token")?, settle: SettleRequest::of(&body)? })
    }
}

impl From<Verdict> for SettleRequest {
    fn from(verdict: Verdict) -> Self {
        let of = |outcome| Self { outcome, result: None, error: None, delay: None };
        match verdict {
            Verdict::Succeeded { result } => Self { result, ..of(OutcomeShape::Succeeded) },
            Verdict::Unchanged { result } => Self { result, ..of(OutcomeShape::Unchanged) },
            Verdict::Failed { error, retry_after } => {
                Self { error: Some(error), delay: retry_after, ..of(OutcomeShape::Failed) }
            }
            Verdict::Fatal { error } => Self { error: Some(error), ..of(OutcomeShape::Fatal) },
            Verdict::Undecodable { error } => Self { error: Some(error), ..of(OutcomeShape::Undecodable) },
            Verdict::TimedOut { error } => Self { error: Some(error), ..of(OutcomeShape::TimedOut) },
            Verdict::Snoozed { delay } => Self { delay: Some(delay), ..of(OutcomeShape::Snoozed) },
            Verdict::Cancelled { error } => Self { error: Some(error), ..of(OutcomeShape::Cancelled) },
            Verdict::Released => of(OutcomeShape::Released),
            // Whatever a later version of the model can say besides is no more than that it was given back.
            _ => of(OutcomeShape::Interrupted),
        }
    }
}

impl From<Settlement> for SettlementRequest {
    fn from(settlement: Settlement) -> Self {
        Self { token: settlement.token, settle: settlement.verdict.into() }
    }
}

/// Where a settled job went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct SettledShape {
    /// The state it is in now.
    pub state: JobState,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl From<Settled> for SettledShape {
    fn from(settled: Settled) -> Self {
        Self { state: settled.state, reason: settled.reason }
    }
}

impl From<SettledShape> for Settled {
    fn from(settled: SettledShape) -> Self {
        Self { state: settled.state, reason: settled.reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        SettleRequest::from_body(text).unwrap_err().field
    }

    #[test]
    fn every_verdict_reads_back_from_its_json() {
        let error =
            AttemptError::new("boom").with_class("Oops").with_chain(["because"]).with_trace("main.rs:1");
        let second = Duration::from_secs(1);
        for verdict in [
            Verdict::Succeeded { result: Some(Json::null()) },
            Verdict::Succeeded { result: None },
            Verdict::Unchanged { result: None },
            Verdict::Failed { error: error.clone().caused_by_parent(), retry_after: Some(second) },
            Verdict::Fatal { error: error.clone() },
            Verdict::Undecodable { error: error.clone() },
            Verdict::TimedOut { error: error.clone() },
            Verdict::Snoozed { delay: second },
            Verdict::Cancelled { error },
            Verdict::Interrupted,
            Verdict::Released,
        ] {
            let text = serde_json::to_string(&SettleRequest::from(verdict.clone())).unwrap();

            assert_eq!(SettleRequest::from_body(&text).unwrap().into_verdict(), verdict, "{text}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused_by_field() {
        for (text, field) in [
            ("{}", "outcome"),
            (r#"{"outcome":"done"}"#, "outcome"),
            (r#"{"outcome":"failed","result":1}"#, "result"),
            (r#"{"outcome":"succeeded","error":"boom"}"#, "error"),
            (r#"{"outcome":"succeeded","delay":"1s"}"#, "delay"),
            (r#"{"outcome":"snoozed"}"#, "delay"),
            (r#"{"outcome":"snoozed","delay":"soon"}"#, "delay"),
            (r#"{"outcome":"failed","error":{}}"#, "error.message"),
            (r#"{"outcome":"failed","error":[]}"#, "error"),
            (r#"{"outcome":"failed","error":{"mesage":"m"}}"#, "error.mesage"),
            (r#"{"outcome":"failed","eror":"m"}"#, "eror"),
        ] {
            assert_eq!(refused(text), field, "{text}");
        }
    }

    #[test]
    fn a_text_is_short_for_the_message_of_an_error() {
        let verdict =
            SettleRequest::from_body(r#"{"outcome":"failed","error":"boom"}"#).unwrap().into_verdict();

        assert_eq!(verdict, Verdict::Failed { error: AttemptError::new("boom"), retry_after: None });
    }
}
