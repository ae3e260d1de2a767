//! Serde adapter: a number of attempts, where no bound is the word `unlimited`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};
use windlass_core::limits::ATTEMPTS_UNLIMITED;

pub(crate) const UNLIMITED: &str = "unlimited";

#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u32),
    Word(String),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape serde asks for")]
pub(crate) fn serialize<S: Serializer>(count: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    match *count {
        ATTEMPTS_UNLIMITED => serializer.serialize_str(UNLIMITED),
        count => serializer.serialize_u32(count),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match Count::deserialize(deserializer) {
        Ok(Count::Number(count)) => Ok(count),
        Ok(Count::Word(word)) if word == UNLIMITED => Ok(ATTEMPTS_UNLIMITED),
        _ => Err(D::Error::custom("expected a whole number or \"unlimited\"")),
    }
}

/// The same for a count that may be absent.
pub(crate) mod optional {
    use serde::Serializer;

    #[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "the shape serde asks for")]
    pub(crate) fn serialize<S: Serializer>(count: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
        match count {
            Some(count) => super::serialize(count, serializer),
            None => serializer.serialize_none(),
        }
    }
}
