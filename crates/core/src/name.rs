//! Names of queues, kinds and tags: short, printable, and safe wherever they turn up.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Invalid;
use crate::limits::{NAME_BYTES_MAX, TAG_BYTES_MAX};

/// Queues and kinds: `[A-Za-z0-9][A-Za-z0-9._:/-]*`, so that a name never needs quoting in a shell, a URL path
/// segment list, a log line or a metric label.
fn check_name(field: &'static str, name: &str) -> Result<(), Invalid> {
    if name.is_empty() {
        return Err(Invalid::new(field, "must not be empty"));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(Invalid::new(
            field,
            format!("is {} bytes long; at most {NAME_BYTES_MAX} are allowed", name.len()),
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
    if let Some(wrong) = name.chars().find(|c| !allowed(*c)) {
        return Err(Invalid::new(
            field,
            format!("contains {wrong:?}; letters, digits and . _ : / - are allowed"),
        ));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(Invalid::new(field, "must start with a letter or a digit"));
    }
    Ok(())
}

/// Tags: any text without control characters.
fn check_tag(field: &'static str, tag: &str) -> Result<(), Invalid> {
    if tag.is_empty() {
        return Err(Invalid::new(field, "must not be empty"));
    }
    if tag.len() > TAG_BYTES_MAX {
        return Err(Invalid::new(
            field,
            format!("is {} bytes long; at most {TAG_BYTES_MAX} are allowed", tag.len()),
        ));
    }
    if tag.chars().any(char::is_control) {
        return Err(Invalid::new(field, "contains a control character"));
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $field:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the name.
            ///
            /// # Errors
            ///
            /// [`Invalid`], with what is wrong with it.
            pub fn new(name: impl AsRef<str>) -> Result<Self, Invalid> {
                let name = name.as_ref();
                $check($field, name)?;
                Ok(Self(name.into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// Where a job waits. Matched exactly; the empty name is refused.
    QueueName, "queue", check_name
}

name! {
    /// Which handler a job is for. A stable string that outlives renames in code, never a type path.
    KindName, "kind", check_name
}

name! {
    /// The name of a schedule.
    ScheduleName, "schedule", check_name
}

name! {
    /// The name of a program that declares schedules: the same for each of its processes, and from one version to the next.
    ProgramName, "program", check_name
}

name! {
    /// A short word to find jobs by.
    Tag, "tags", check_tag
}

/// What the names of queues and kinds begin with that are Windlass's own. Nobody else can enqueue them, and who serves
/// every queue does not serve these.
pub const OWN: &str = "windlass.";

impl QueueName {
    /// Whether it is one of Windlass's own.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.as_str().starts_with(OWN)
    }
}

impl KindName {
    /// Whether it is one of Windlass's own.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.as_str().starts_with(OWN)
    }
}

impl Default for QueueName {
    /// The queue `default`.
    fn default() -> Self {
        Self("default".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_queue_name_is_refused_with_what_is_wrong() {
        let long = "q".repeat(300);
        for (name, problem) in [
            ("", "must not be empty"),
            (long.as_str(), "is 300 bytes long; at most 128 are allowed"),
            ("a\u{7}b", "contains '\\u{7}'; letters, digits and . _ : / - are allowed"),
            ("mail'; DROP TABLE job", "contains '\\''; letters, digits and . _ : / - are allowed"),
            (".hidden", "must start with a letter or a digit"),
        ] {
            assert_eq!(QueueName::new(name), Err(Invalid::new("queue", problem)));
        }
    }

    #[test]
    fn ordinary_names_pass() {
        for name in ["default", "SyncThing", "tenant/7:mail", "a.b_c-d"] {
            assert_eq!(QueueName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_tag_may_be_any_printable_text() {
        assert!(Tag::new("Größe: 12 €").is_ok());
        assert!(Tag::new("a\nb").is_err());
    }
}
