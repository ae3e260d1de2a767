//! Unique keys: at most one job for each, as long as its scope says.
//!
//! What is asked for is [`Unique`], what stores find a job by is its [`UniqueKey`]. How long a job stands in the way is
//! said by that job; what happens to the one that meets it is said by the one that comes.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::canonical::canonical;
use crate::limits::UNIQUE_KEY_BYTES_MAX;
use crate::{Args, Invalid, Job, KindName, NewJob, QueueName, Timestamp, retry, span};

/// That there is to be no second job of the same key, and what happens to one that comes all the same.
///
/// ```
/// # use std::time::Duration;
/// # use windlass_core::Unique;
/// // Not twice with the same args.
/// Unique::by_args();
/// // One welcome to this person a day, also when the first was sent long ago.
/// Unique::key("welcome ada@example.com").for_span(Duration::from_secs(24 * 60 * 60));
/// // The newest wish counts, as long as nobody works on it.
/// Unique::key("search index").while_waiting().replace();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Unique {
    /// The key; none for the fingerprint of the job: its kind and its args, whatever the order of their keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Among which jobs there is one of it.
    #[serde(skip_serializing_if = "Within::is_default")]
    pub within: Within,
    /// How long it stands in the way of others.
    #[serde(skip_serializing_if = "UniqueScope::is_default")]
    pub scope: UniqueScope,
    /// What happens when another stands in its way.
    #[serde(skip_serializing_if = "OnConflict::is_default")]
    pub on_conflict: OnConflict,
}

/// Among which jobs a key is the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Within {
    /// Those of its kind, in whatever queue.
    #[default]
    Kind,
    /// Those of its queue, of whatever kind.
    Queue,
    /// All.
    Global,
}

/// How long a job stands in the way of others with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UniqueScope {
    /// Until it is started for the first time. A retry does not bring the key back.
    Waiting,
    /// Until it is final.
    #[default]
    Active,
    /// Until it is final, and in any case this long after it was enqueued.
    For(#[serde(with = "span::text")] Duration),
}

/// What happens to a job that meets another with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnConflict {
    /// The other one stands for it; nothing is changed.
    #[default]
    Existing,
    /// It is refused.
    Reject,
    /// What it asks for takes the place of what the other one asked for, if that has not been started. Else it waits until
    /// the other one has ended; there is at most one that waits so, and what comes then replaces that.
    Replace,
    /// Like `Replace`, and the job is due only once nothing more has come for a while.
    Debounce {
        /// How long after the last enqueue it is due.
        #[serde(with = "span::text")]
        delay: Duration,
        /// How long after the first enqueue it is due at the latest.
        #[serde(with = "span::text")]
        max_wait: Duration,
    },
}

macro_rules! is_default {
    ($($name:ident),+) => {
        $(impl $name {
            fn is_default(&self) -> bool {
                *self == Self::default()
            }
        })+
    };
}

is_default!(Within, UniqueScope, OnConflict);

impl Unique {
    /// No second job of the same kind with the same args, until this one is final.
    #[must_use]
    pub fn by_args() -> Self {
        Self::default()
    }

    /// No second job of the same kind with this key, whatever its args, until this one is final.
    #[must_use]
    pub fn key(key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..Self::default() }
    }

    /// One among those of its queue, of whatever kind.
    #[must_use]
    pub fn within_queue(self) -> Self {
        Self { within: Within::Queue, ..self }
    }

    /// One among all jobs.
    #[must_use]
    pub fn globally(self) -> Self {
        Self { within: Within::Global, ..self }
    }

    /// It stands in the way only until it is started.
    #[must_use]
    pub fn while_waiting(self) -> Self {
        Self { scope: UniqueScope::Waiting, ..self }
    }

    /// It stands in the way for this long after it was enqueued, be it final or not, and in any case until it is final.
    #[must_use]
    pub fn for_span(self, span: Duration) -> Self {
        Self { scope: UniqueScope::For(span), ..self }
    }

    /// A job that meets another is refused.
    #[must_use]
    pub fn reject(self) -> Self {
        Self { on_conflict: OnConflict::Reject, ..self }
    }

    /// A job that meets another takes its place, or waits for its end if it was started.
    #[must_use]
    pub fn replace(self) -> Self {
        Self { on_conflict: OnConflict::Replace, ..self }
    }

    /// The job is due once nothing more has come for `delay`, and at the latest `max_wait` after the first.
    #[must_use]
    pub fn debounce(self, delay: Duration, max_wait: Duration) -> Self {
        Self { on_conflict: OnConflict::Debounce { delay, max_wait }, ..self }
    }

    /// Refuses what makes no sense.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `unique.key`, `unique.for`, `unique.debounce.delay` or `unique.debounce.max_wait`.
    pub fn validate(&self) -> Result<(), Invalid> {
        match self.key.as_deref().map(str::len) {
            Some(0) => return Err(Invalid::new("unique.key", "must not be empty")),
            Some(bytes) if bytes > UNIQUE_KEY_BYTES_MAX => {
                let problem = format!("is {bytes} bytes long; at most {UNIQUE_KEY_BYTES_MAX} are allowed");
                return Err(Invalid::new("unique.key", problem));
            }
            _ => {}
        }
        if let UniqueScope::For(span) = self.scope {
            check_span("unique.for", span)?;
        }
        if let OnConflict::Debounce { delay, max_wait } = self.on_conflict {
            check_span("unique.debounce.delay", delay)?;
            check_span("unique.debounce.max_wait", max_wait)?;
            if max_wait < delay {
                return Err(Invalid::new("unique.debounce.max_wait", "is shorter than the delay"));
            }
        }
        Ok(())
    }

    /// Until when a job that was enqueued at `created_at` stands in the way even if it is final.
    #[must_use]
    pub fn until(&self, created_at: Timestamp) -> Option<Timestamp> {
        match self.scope {
            UniqueScope::For(span) => Some(created_at.after(span)),
            UniqueScope::Waiting | UniqueScope::Active => None,
        }
    }

    /// Whether a job that meets another may take its place.
    #[must_use]
    pub const fn replaces(&self) -> bool {
        matches!(self.on_conflict, OnConflict::Replace | OnConflict::Debounce { .. })
    }

    fn key_of(&self, kind: &KindName, queue: &QueueName, args: &Args) -> UniqueKey {
        let mut hash = Sha256::new_with_prefix(b"windlass unique\0");
        match self.within {
            Within::Kind => part(&mut hash, "kind", kind.as_str().as_bytes()),
            Within::Queue => part(&mut hash, "queue", queue.as_str().as_bytes()),
            Within::Global => part(&mut hash, "global", b""),
        }
        match (&self.key, args) {
            (Some(key), _) => part(&mut hash, "key", key.as_bytes()),
            (None, Args::Json(json)) => {
                part(&mut hash, "kind", kind.as_str().as_bytes());
                part(&mut hash, "json", &canonical(json));
            }
            (None, Args::Bytes(bytes)) => {
                part(&mut hash, "kind", kind.as_str().as_bytes());
                part(&mut hash, "bytes", bytes);
            }
        }
        UniqueKey(hash.finalize().into())
    }
}

/// Each part with its name and its length, so that no two lists of parts are the same bytes.
fn part(hash: &mut Sha256, name: &str, bytes: &[u8]) {
    hash.update(name.as_bytes());
    hash.update([0]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

fn check_span(field: &str, span: Duration) -> Result<(), Invalid> {
    if span.is_zero() {
        return Err(Invalid::new(field, "must be more than zero"));
    }
    retry::check_delay(field, span)
}

/// What a store finds a job by that is to be the only one: a digest of where it is the only one, and of its key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueKey([u8; 32]);

impl UniqueKey {
    /// The key that stores keep as these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes that stores keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for UniqueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UniqueKey(")?;
        self.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

impl NewJob {
    /// The key under which it is to be the only one, if it is.
    #[must_use]
    pub fn unique_key(&self) -> Option<UniqueKey> {
        let unique = self.options.unique.as_ref()?;
        Some(unique.key_of(&self.kind, &self.queue, &self.args))
    }
}

impl Job {
    /// The key under which it is to be the only one, if it is.
    #[must_use]
    pub fn unique_key(&self) -> Option<UniqueKey> {
        let unique = self.options.unique.as_ref()?;
        Some(unique.key_of(&self.kind, &self.queue, &self.args))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JobId;

    fn key(unique: &Unique, kind: &str, queue: &str, args: &str) -> UniqueKey {
        let mut job = NewJob::new(
            JobId::from_bytes([1; 16]),
            KindName::new(kind).unwrap(),
            Args::json(args.to_owned()).unwrap(),
        );
        job.queue = QueueName::new(queue).unwrap();
        job.options.unique = Some(unique.clone());
        job.unique_key().unwrap()
    }

    #[test]
    fn the_fingerprint_is_of_kind_and_args_whatever_the_order_of_their_keys() {
        let unique = Unique::by_args();
        let one = key(&unique, "mail", "a", r#"{"to":"ada","n":1}"#);

        assert_eq!(one, key(&unique, "mail", "b", r#"{ "n": 1, "to": "ada" }"#));
        assert_ne!(one, key(&unique, "mail", "a", r#"{"to":"bob","n":1}"#));
        assert_ne!(one, key(&unique, "post", "a", r#"{"to":"ada","n":1}"#));
        assert_ne!(one, key(&Unique::by_args().within_queue(), "mail", "a", r#"{"to":"ada","n":1}"#));
    }

    #[test]
    fn bytes_are_told_from_the_json_that_they_look_like() {
        let of = |args: Args| {
            let mut job = NewJob::new(JobId::from_bytes([1; 16]), KindName::new("mail").unwrap(), args);
            job.options.unique = Some(Unique::by_args());
            job.unique_key()
        };

        assert_eq!(of(Args::Bytes(vec![49].into())), of(Args::Bytes(vec![49].into())));
        assert_ne!(of(Args::Bytes(vec![49].into())), of(Args::json("1").unwrap()));
    }

    #[test]
    fn a_key_stands_for_its_kind_its_queue_or_everything() {
        let named = Unique::key("k");
        assert_eq!(key(&named, "mail", "a", "1"), key(&named, "mail", "b", "2"));
        assert_ne!(key(&named, "mail", "a", "1"), key(&named, "post", "a", "1"));
        assert_ne!(key(&named, "mail", "a", "1"), key(&Unique::key("l"), "mail", "a", "1"));

        let queue = named.clone().within_queue();
        assert_eq!(key(&queue, "mail", "a", "1"), key(&queue, "post", "a", "2"));
        assert_ne!(key(&queue, "mail", "a", "1"), key(&queue, "mail", "b", "1"));

        let global = named.clone().globally();
        assert_eq!(key(&global, "mail", "a", "1"), key(&global, "post", "b", "2"));
        // A queue and a kind of the same name are not the same.
        assert_ne!(key(&named, "a", "a", "1"), key(&queue, "a", "a", "1"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_field() {
        let second = Duration::from_secs(1);
        for (unique, field) in [
            (Unique::key(""), "unique.key"),
            (Unique::key("x".repeat(UNIQUE_KEY_BYTES_MAX + 1)), "unique.key"),
            (Unique::by_args().for_span(Duration::ZERO), "unique.for"),
            (Unique::by_args().for_span(Duration::MAX), "unique.for"),
            (Unique::by_args().debounce(Duration::ZERO, second), "unique.debounce.delay"),
            (Unique::by_args().debounce(second, Duration::MAX), "unique.debounce.max_wait"),
            (Unique::by_args().debounce(second * 2, second), "unique.debounce.max_wait"),
        ] {
            assert_eq!(unique.validate().unwrap_err().field, field, "{unique:?}");
        }
        assert_eq!(Unique::key("x".repeat(UNIQUE_KEY_BYTES_MAX)).debounce(second, second).validate(), Ok(()));
    }

    #[test]
    fn it_reads_back_from_its_json_in_which_defaults_are_nothing() {
        for text in [
            "{}",
            r#"{"key":"k","within":"queue","scope":"waiting","on_conflict":"replace"}"#,
            r#"{"scope":{"for":"1h"},"on_conflict":{"debounce":{"delay":"5s","max_wait":"1m"}}}"#,
        ] {
            let unique: Unique = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&unique).unwrap(), text);
        }
    }
}
