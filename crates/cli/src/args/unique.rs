//! That there is to be no second job like one.

use std::time::Duration;

use clap::Args;
use windlass_core::{OnConflict, Unique, UniqueScope, Within};

use super::values::{duration, problem};

/// What there is to be only one of, how long, and what happens to a second one.
#[derive(Debug, Args, Default)]
pub(crate) struct UniqueOptions {
    /// Let there be no second job of its kind with this key; without a key, with these args.
    #[arg(long, value_name = "KEY", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) unique: Option<String>,
    /// Among which jobs: those of its `kind`, of its `queue`, or `global` [default: kind].
    #[arg(long, value_name = "WITHIN", requires = "unique", value_parser = within)]
    pub(crate) unique_within: Option<Within>,
    /// How long: `waiting` until it is started, `active` until it is final, or such as 24h from now [default: active].
    #[arg(long, value_name = "SCOPE", requires = "unique", value_parser = scope)]
    pub(crate) unique_scope: Option<UniqueScope>,
    /// What happens to a second one: `existing`, `reject`, `replace`, or `debounce=5s,1m` (delay, at most) [default: existing].
    #[arg(long, value_name = "ACTION", requires = "unique", value_parser = on_conflict)]
    pub(crate) on_conflict: Option<OnConflict>,
}

impl UniqueOptions {
    /// What is asked for, if anything is.
    pub(crate) fn asked(&self) -> Option<Unique> {
        let key = self.unique.as_ref()?;
        let mut unique = if key.is_empty() { Unique::by_args() } else { Unique::key(key) };
        unique.within = self.unique_within.unwrap_or_default();
        unique.scope = self.unique_scope.unwrap_or_default();
        unique.on_conflict = self.on_conflict.unwrap_or_default();
        Some(unique)
    }
}

fn within(text: &str) -> Result<Within, String> {
    match text {
        "kind" => Ok(Within::Kind),
        "queue" => Ok(Within::Queue),
        "global" => Ok(Within::Global),
        _ => Err("expected kind, queue or global".to_owned()),
    }
}

fn scope(text: &str) -> Result<UniqueScope, String> {
    match text {
        "waiting" => Ok(UniqueScope::Waiting),
        "active" => Ok(UniqueScope::Active),
        _ => duration(text)
            .map(UniqueScope::For)
            .map_err(|_| "expected waiting, active, or a duration such as 24h".to_owned()),
    }
}

fn on_conflict(text: &str) -> Result<OnConflict, String> {
    match text {
        "existing" => return Ok(OnConflict::Existing),
        "reject" => return Ok(OnConflict::Reject),
        "replace" => return Ok(OnConflict::Replace),
        _ => {}
    }
    let spans = text.strip_prefix("debounce=").and_then(|spans| spans.split_once(','));
    let Some((delay, max_wait)) = spans else {
        return Err("expected existing, reject, replace, or such as debounce=5s,1m".to_owned());
    };
    let span = |text: &str| -> Result<Duration, String> { windlass_core::span::parse(text).map_err(problem) };
    Ok(OnConflict::Debounce { delay: span(delay)?, max_wait: span(max_wait)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_and_a_scope_are_read_with_their_spans() {
        let second = Duration::from_secs(1);
        assert_eq!(scope("24h"), Ok(UniqueScope::For(second * 24 * 60 * 60)));
        assert_eq!(
            on_conflict("debounce=5s,1m"),
            Ok(OnConflict::Debounce { delay: second * 5, max_wait: second * 60 })
        );
        for text in ["debounce", "debounce=5s", "debounce=5,6", "keep"] {
            assert!(on_conflict(text).is_err(), "{text}");
        }
        assert!(scope("soon").is_err() && within("kinds").is_err());
    }
}
