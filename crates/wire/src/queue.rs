//! A queue at a glance, as it is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use windlass_core::{JobState, QueueName, Timestamp};
use windlass_store::{Pause, QueueSummary};

/// A queue at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct QueueShape {
    /// Its name.
    pub name: QueueName,
    /// Whether claims from it are stopped.
    pub paused: bool,
    /// Since when, by whom and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseShape>,
    /// How many of its jobs are in each state, every state named.
    pub counts: BTreeMap<JobState, u64>,
    /// How many jobs it has in all.
    pub total: u64,
    /// Since when the longest-waiting ready job is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_ready_at: Option<Timestamp>,
}

/// A queue's pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct PauseShape {
    /// Since when.
    pub since: Timestamp,
    /// By whom.
    pub by: String,
    /// Why, if they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl QueueShape {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] = &["name", "paused", "pause", "counts", "total", "oldest_ready_at"];
}

impl From<QueueSummary> for QueueShape {
    fn from(queue: QueueSummary) -> Self {
        let QueueSummary { name, pause, counts, oldest_ready_at } = queue;
        Self {
            name,
            paused: pause.is_some(),
            pause: pause.map(PauseShape::from),
            counts: JobState::ALL.iter().map(|state| (*state, counts.of(*state))).collect(),
            total: counts.total(),
            oldest_ready_at,
        }
    }
}

impl From<Pause> for PauseShape {
    fn from(pause: Pause) -> Self {
        Self { since: pause.since, by: pause.by.name, reason: pause.by.why }
    }
}

#[cfg(test)]
mod tests {
    use windlass_store::{Actor, StateCounts};

    use super::*;

    #[test]
    fn a_queue_names_every_state() {
        let mut counts = StateCounts::default();
        counts.add(JobState::Ready, 3);
        let pause = Pause { since: Timestamp::MIN, by: Actor::new("ada").because("deploy") };
        let summary =
            QueueSummary { name: QueueName::default(), pause: Some(pause), counts, oldest_ready_at: None };

        let json = serde_json::to_string(&QueueShape::from(summary)).unwrap();

        assert_eq!(
            json,
            concat!(
                r#"{"name":"default","paused":true,"#,
                r#""pause":{"since":"1970-01-01T00:00:00Z","by":"ada","reason":"deploy"},"#,
                r#""counts":{"scheduled":0,"ready":3,"retryable":0,"blocked":0,"in_review":0,"running":0,"#,
                r#""completed":0,"cancelled":0,"dead":0},"total":3}"#
            )
        );
    }
}
