//! Ids: `UUIDv7`, made by whoever asks for the thing, so that asking twice is safe.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Invalid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes any UUID as an id. Stores expect `UUIDv7` for locality, and accept every version.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id as a UUID.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }

            /// The id as its sixteen bytes, as stores keep it.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id made of these sixteen bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Uuid::try_parse(text).map(Self).map_err(|_| {
                    Invalid::new($field, "is not an id: expected a UUID such as 0192f3c1-7a3e-7cc0-9d52-1c5c0f6f2a11")
                })
            }
        }
    };
}

id! {
    /// Names one job for ever: through retries, review, an operator's retry, and a move to another store.
    JobId, "id"
}

id! {
    /// Names one worker process from its start to its end. A restarted process has a fresh one.
    WorkerId, "worker"
}

id! {
    /// Names one operation on many jobs.
    OperationId, "operation"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_own_text() {
        let id = JobId::from_bytes([7; 16]);

        assert_eq!(id.to_string().parse::<JobId>(), Ok(id));
    }

    #[test]
    fn what_is_no_uuid_is_no_id() {
        assert_eq!("42".parse::<JobId>().unwrap_err().field, "id");
    }
}
