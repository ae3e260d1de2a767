//! What a change by hand changed: kept with it in the audit, alike by all stores.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use windlass_core::{Args, Bounds, Invalid, JobId, JobState, Timestamp, span};

use crate::{Keep, QueueRetention};

/// What was changed, by the names that the fields have in JSON: as it was, and as it is since. What stayed as it was is in
/// neither.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// As it was.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub before: BTreeMap<String, Value>,
    /// As it is since.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub after: BTreeMap<String, Value>,
}

/// What is known of a job that is about to be changed by hand.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    /// Its state, as a reader sees it.
    pub state: JobState,
    /// Its attempts that count.
    pub attempt: u32,
    /// Its losses that count.
    pub losses: u32,
    /// When it is due.
    pub run_at: Timestamp,
}

impl Change {
    /// The same, of one field more: unless it stays as it was.
    #[must_use]
    pub fn of<T: Serialize>(self, field: &str, before: T, after: T) -> Self {
        let (before, after) = (value(before), value(after));
        if before == after { self } else { self.note(field, before, after) }
    }

    /// The same, of a field of which is told only how it was.
    #[must_use]
    pub fn was(self, field: &str, before: impl Serialize) -> Self {
        self.note(field, value(before), Value::Null)
    }

    /// The same, of a field of which is told only how it is.
    #[must_use]
    pub fn is(self, field: &str, after: impl Serialize) -> Self {
        self.note(field, Value::Null, value(after))
    }

    /// The same, of args: told by their digest, for the audit outlives them.
    #[must_use]
    pub fn of_args(self, before: &Args, after: &Args) -> Self {
        if before == after { self } else { self.of("args", digest(before), digest(after)) }
    }

    fn note(mut self, field: &str, before: Value, after: Value) -> Self {
        for (side, value) in [(&mut self.before, before), (&mut self.after, after)] {
            if !value.is_null() {
                side.insert(field.to_owned(), value);
            }
        }
        self
    }

    /// Whether nothing was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// What a verb of an operator does to a job that is as `before` says, at `now`; none where nothing is told of it.
    #[must_use]
    pub fn of_job(verb: &str, before: Before, now: Timestamp) -> Option<Self> {
        let change = Self::default();
        match verb {
            "cancel" => Some(change.of("state", before.state, JobState::Cancelled)),
            "retry" => {
                let change = change.was("state", before.state);
                Some(change.of("attempt", before.attempt, 0).of("losses", before.losses, 0))
            }
            "run_now" => Some(change.of("run_at", before.run_at, now)),
            "delete" => Some(change.was("state", before.state)),
            _ => None,
        }
    }

    /// That of a queue that is paused, or is no longer.
    #[must_use]
    pub fn of_pause(paused: bool) -> Self {
        Self::default().of("paused", !paused, paused)
    }

    /// That of a queue or a kind that is bounded.
    #[must_use]
    pub fn of_bounds(before: Bounds, after: Bounds) -> Self {
        Self::default().of("limit", before.limit, after.limit).of("rate", before.rate, after.rate)
    }

    /// That of a queue whose finished jobs are kept as long as is said now.
    #[must_use]
    pub fn of_retention(before: QueueRetention, after: QueueRetention) -> Self {
        let told = |keep: Option<Keep>| keep.map(told_keep);
        Self::default()
            .of("completed", told(before.completed), told(after.completed))
            .of("cancelled", told(before.cancelled), told(after.cancelled))
            .of("dead", told(before.dead), told(after.dead))
    }

    /// That of a job of which a further copy was made.
    #[must_use]
    pub fn of_rerun(copy: JobId) -> Self {
        Self::default().is("copy", copy)
    }
}

fn value(of: impl Serialize) -> Value {
    // What has no JSON form is not told; everything that is told here has one.
    serde_json::to_value(of).unwrap_or_default()
}

fn told_keep(keep: Keep) -> String {
    keep.span().map_or_else(|| "forever".to_owned(), span::format)
}

fn digest(args: &Args) -> String {
    let hash = Sha256::digest(args.as_bytes());
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// As stores keep it: JSON.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Change {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        serde_json::from_str(text).map_err(|error| Invalid::new("change", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Before =
        Before { state: JobState::Retryable, attempt: 2, losses: 0, run_at: Timestamp::from_micros(9) };

    #[test]
    fn what_stays_as_it_was_is_not_told() {
        let change = Change::default().of("queue", "mail", "mail").of("priority", "low", "high");

        assert_eq!(change.to_string(), r#"{"before":{"priority":"low"},"after":{"priority":"high"}}"#);
        assert!(Change::default().of("tags", 1, 1).is_empty());
    }

    #[test]
    fn what_was_kept_is_read_as_it_was_written() {
        let change = Change::of_job("retry", BEFORE, Timestamp::MIN).unwrap();

        assert_eq!(change.to_string().parse::<Change>().unwrap(), change);
        assert_eq!(
            change.to_string(),
            r#"{"before":{"attempt":2,"state":"retryable"},"after":{"attempt":0}}"#
        );
        assert!("7".parse::<Change>().is_err());
    }

    #[test]
    fn args_are_told_by_their_digest_alone() {
        let (secret, other) = (Args::Bytes(b"secret".to_vec().into()), Args::default());

        let told = Change::default().of_args(&secret, &other).to_string();

        assert!(told.contains("sha256:") && !told.contains("secret"), "{told}");
        assert!(Change::default().of_args(&other, &other).is_empty());
    }
}
