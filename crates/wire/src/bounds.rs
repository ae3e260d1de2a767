//! How a queue or a kind is to be bounded, and how long finished jobs are to be kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use windlass_core::{Bounds, Invalid, Pace, span};
use windlass_store::{Keep, QueueRetention, Retention};

use crate::VerbRequest;
use crate::body::{Body, FromBody};

/// A change of one value: to another, or, as `null`, to none. What is not mentioned stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    Stays,
    /// It is this, or none, from now on.
    To(Option<T>),
}

impl<T> Change<T> {
    fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Stays => before,
            Self::To(value) => value,
        }
    }

    const fn stays(&self) -> bool {
        matches!(self, Self::Stays)
    }
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::To(Some(value)) => value.serialize(serializer),
            Self::Stays | Self::To(None) => serializer.serialize_none(),
        }
    }
}

/// How a queue or a kind is to be bounded: the body of `PATCH /api/v1/queues/{queue}` and `/kinds/{kind}`. A `null` lifts a
/// bound; what is left out stays.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct BoundsRequest {
    /// How many of its jobs may run at a time.
    #[serde(skip_serializing_if = "Change::stays")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>))]
    pub limit: Change<u32>,
    /// How often one of them may start.
    #[serde(skip_serializing_if = "Change::stays")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<windlass_core::Pace>))]
    pub rate: Change<Pace>,
    /// How long finished jobs are kept; of queues alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionRequest>,
    /// In whose name, and why.
    #[serde(flatten)]
    pub verb: VerbRequest,
}

impl BoundsRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["limit", "rate", "retention", "reason", "by"];

    /// These bounds, whatever they were.
    #[must_use]
    pub const fn of(bounds: Bounds, verb: VerbRequest) -> Self {
        Self { limit: Change::To(bounds.limit), rate: Change::To(bounds.rate), retention: None, verb }
    }

    /// This retention, whatever it was.
    #[must_use]
    pub fn kept(own: QueueRetention, verb: VerbRequest) -> Self {
        let to = |keep: Option<Keep>| Change::To(keep.map(KeepShape));
        let retention = RetentionRequest {
            completed: to(own.completed),
            cancelled: to(own.cancelled),
            dead: to(own.dead),
        };
        Self { limit: Change::Stays, rate: Change::Stays, retention: Some(retention), verb }
    }

    /// Whether it says anything about bounds.
    #[must_use]
    pub const fn says_bounds(&self) -> bool {
        !(self.limit.stays() && self.rate.stays())
    }

    /// What `before` becomes.
    #[must_use]
    pub fn over(&self, before: Bounds) -> Bounds {
        Bounds { limit: self.limit.over(before.limit), rate: self.rate.over(before.rate) }
    }
}

impl FromBody for BoundsRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("bounds", text, Self::FIELDS)?;
        let retention = body.raw("retention").map(|raw| retention(raw, "retention")).transpose()?;
        Ok(Self {
            limit: body.change("limit")?,
            rate: body.change("rate")?,
            retention,
            verb: VerbRequest::of(&body)?,
        })
    }
}

/// How long something is kept: a span of time, or `forever`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepShape(pub Keep);

const FOREVER: &str = "forever";

impl Serialize for KeepShape {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Keep::Forever => serializer.serialize_str(FOREVER),
            Keep::For(long) => span::text::serialize(&long, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for KeepShape {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == FOREVER {
            return Ok(Self(Keep::Forever));
        }
        let long = span::parse(&text).map_err(|invalid| serde::de::Error::custom(invalid.problem))?;
        Ok(Self(Keep::For(long)))
    }
}

/// How long finished jobs are to be kept; what is left out stays as it is, or as it is by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct RetentionRequest {
    /// Completed ones.
    #[serde(skip_serializing_if = "Change::stays")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub completed: Change<KeepShape>,
    /// Cancelled ones.
    #[serde(skip_serializing_if = "Change::stays")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub cancelled: Change<KeepShape>,
    /// Dead ones.
    #[serde(skip_serializing_if = "Change::stays")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub dead: Change<KeepShape>,
}

impl RetentionRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["completed", "cancelled", "dead"];

    /// This one in full.
    #[must_use]
    pub fn all(retention: Retention) -> Self {
        let to = |long: Option<Duration>| Change::To(Some(KeepShape(long.map_or(Keep::Forever, Keep::For))));
        Self {
            completed: to(retention.completed),
            cancelled: to(retention.cancelled),
            dead: to(retention.dead),
        }
    }

    /// What a queue's own becomes.
    #[must_use]
    pub fn over(self, before: QueueRetention) -> QueueRetention {
        let keep = |change: Change<KeepShape>, before: Option<Keep>| {
            change.over(before.map(KeepShape)).map(|shape| shape.0)
        };
        let mut own = before;
        own.completed = keep(self.completed, before.completed);
        own.cancelled = keep(self.cancelled, before.cancelled);
        own.dead = keep(self.dead, before.dead);
        own
    }

    /// What holds for all, where it says something about it.
    #[must_use]
    pub fn over_all(self, before: Retention) -> Retention {
        before.in_queue(&self.over(QueueRetention::default()))
    }
}

impl FromBody for RetentionRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a retention", text, Self::FIELDS)?;
        Ok(Self {
            completed: body.change("completed")?,
            cancelled: body.change("cancelled")?,
            dead: body.change("dead")?,
        })
    }
}

fn retention(raw: &RawValue, name: &str) -> Result<RetentionRequest, Invalid> {
    let named = |invalid: Invalid| match invalid.field.as_str() {
        "body" => Invalid { field: name.to_owned(), ..invalid },
        _ => invalid.inside(name),
    };
    RetentionRequest::from_body(raw.get()).map_err(named)
}

/// How long the finished jobs of a queue are kept, where that differs from what holds for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct RetentionShape {
    /// Completed ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub completed: Option<KeepShape>,
    /// Cancelled ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub cancelled: Option<KeepShape>,
    /// Dead ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub dead: Option<KeepShape>,
}

impl RetentionShape {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl From<QueueRetention> for RetentionShape {
    fn from(own: QueueRetention) -> Self {
        let keep = |keep: Option<Keep>| keep.map(KeepShape);
        Self { completed: keep(own.completed), cancelled: keep(own.cancelled), dead: keep(own.dead) }
    }
}

impl From<RetentionShape> for QueueRetention {
    fn from(shape: RetentionShape) -> Self {
        let mut own = Self::default();
        own.completed = shape.completed.map(|keep| keep.0);
        own.cancelled = shape.cancelled.map(|keep| keep.0);
        own.dead = shape.dead.map(|keep| keep.0);
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_stays_and_null_lifts() {
        let before = Bounds { limit: Some(3), rate: Some(Pace::new(1, Duration::from_secs(1))) };
        let over = |text| BoundsRequest::from_body(text).unwrap().over(before);

        assert_eq!(over("{}"), before);
        assert_eq!(over(r#"{"limit":null}"#), Bounds { limit: None, ..before });
        assert_eq!(over(r#"{"limit":7,"rate":null}"#), Bounds { limit: Some(7), rate: None });
        assert!(!BoundsRequest::from_body(r#"{"retention":{}}"#).unwrap().says_bounds());
    }

    #[test]
    fn a_retention_reads_back_from_its_json() {
        let text = r#"{"retention":{"completed":"1h","cancelled":null,"dead":"forever"}}"#;

        let request = BoundsRequest::from_body(text).unwrap();

        assert_eq!(serde_json::to_string(&request).unwrap(), text);
        let own = request.retention.unwrap().over(QueueRetention::default());
        assert_eq!(
            (own.completed, own.dead),
            (Some(Keep::For(Duration::from_secs(3600))), Some(Keep::Forever))
        );
        assert_eq!(BoundsRequest::kept(own, VerbRequest::default()), request);
    }

    #[test]
    fn what_is_wrong_is_refused_by_field() {
        let refused = |text| BoundsRequest::from_body(text).unwrap_err().field;

        assert_eq!(refused(r#"{"limt":1}"#), "limt");
        assert_eq!(refused(r#"{"rate":{"starts":1}}"#), "rate");
        assert_eq!(refused(r#"{"retention":{"dead":"never"}}"#), "retention.dead");
        assert_eq!(refused(r#"{"retention":7}"#), "retention");
    }
}
