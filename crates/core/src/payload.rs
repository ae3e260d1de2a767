//! Arguments and results: bytes that come back exactly as they were given.

use std::fmt;

use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Invalid;
use crate::limits::JSON_DEPTH_MAX;

/// JSON text, checked once and never parsed again on the way through.
///
/// Numbers beyond 2^53, `-0`, `\u0000`, key order and duplicate keys survive, because the text itself is kept.
/// Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Bytes);

impl Json {
    /// Takes `text` if it is one JSON value, at most [`JSON_DEPTH_MAX`] levels deep.
    ///
    /// # Errors
    ///
    /// [`Invalid`], naming `field`.
    pub fn new(field: &str, text: impl Into<Bytes>) -> Result<Self, Invalid> {
        let text = text.into();
        check_json(&text).map_err(|problem| Invalid::new(field, problem))?;
        Ok(Self(text))
    }

    /// Writes `value` as JSON.
    ///
    /// # Errors
    ///
    /// [`Invalid`], naming `field`, when the value has no JSON form or nests too deep.
    pub fn of<T: Serialize + ?Sized>(field: &str, value: &T) -> Result<Self, Invalid> {
        let text = serde_json::to_vec(value)
            .map_err(|error| Invalid::new(field, format!("has no JSON form: {error}")))?;
        check_depth(&text).map_err(|problem| Invalid::new(field, problem))?;
        Ok(Self(text.into()))
    }

    /// Takes text that this type wrote before, as a store does when it reads a row.
    #[must_use]
    pub fn from_stored(text: impl Into<Bytes>) -> Self {
        Self(text.into())
    }

    /// The JSON value `null`.
    #[must_use]
    pub const fn null() -> Self {
        Self(Bytes::from_static(b"null"))
    }

    /// The text, byte for byte.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text. Empty only for a value that was never checked.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Reads the value into `T`.
    ///
    /// # Errors
    ///
    /// When the value is not a `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({})", self.as_str())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &serde_json::value::RawValue =
            serde_json::from_slice(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        Self::new("json", raw.get().as_bytes().to_vec()).map_err(serde::de::Error::custom)
    }
}

/// What a job is to work on: JSON by default, or bytes of any other form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Args {
    /// JSON text.
    Json(Json),
    /// Bytes whose meaning only the handler knows.
    Bytes(Bytes),
}

impl Args {
    /// Writes `value` as JSON args.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `args` when the value has no JSON form.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, Invalid> {
        Json::of("args", value).map(Self::Json)
    }

    /// Takes JSON text as args.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `args` when the text is not one JSON value.
    pub fn json(text: impl Into<Bytes>) -> Result<Self, Invalid> {
        Json::new("args", text).map(Self::Json)
    }

    /// The stored bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Json(json) => json.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Reads JSON args into `T`.
    ///
    /// # Errors
    ///
    /// When the args are no JSON, or not a `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.as_bytes())
    }
}

impl Default for Args {
    /// The JSON value `null`.
    fn default() -> Self {
        Self::Json(Json::null())
    }
}

fn check_json(text: &[u8]) -> Result<(), String> {
    check_depth(text)?;
    std::str::from_utf8(text).map_err(|error| format!("is not UTF-8 at byte {}", error.valid_up_to()))?;
    serde_json::from_slice::<IgnoredAny>(text).map_err(|error| format!("is not JSON: {error}"))?;
    Ok(())
}

/// Counts brackets outside strings, so that a text of ten thousand of them meets no recursion anywhere.
fn check_depth(text: &[u8]) -> Result<(), String> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > JSON_DEPTH_MAX {
            return Err(format!("nests deeper than {JSON_DEPTH_MAX} levels"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_but_legal_json_is_kept_byte_for_byte() {
        for text in [
            r#"{"a\u0000b":"\u0000"}"#,
            "9007199254740993",
            "-0",
            "1e400",
            r#"{"b":1,"a":2,"b":3}"#,
            r#""\ud800""#,
            "[\"]\\\"[\"]",
            "null",
        ] {
            assert_eq!(Args::json(text.to_owned()).unwrap().as_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_json_is_refused_by_field() {
        let deep = "[".repeat(10_000);
        for text in ["", "{", "nul", "{} {}", "\u{feff}1", "NaN", deep.as_str()] {
            assert_eq!(Args::json(text.to_owned()).unwrap_err().field, "args", "{text:.20}");
        }
        assert!(Args::json(vec![b'"', 0xff, b'"']).is_err());
    }

    #[test]
    fn depth_is_counted_exactly() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));

        assert!(Args::json(nested(JSON_DEPTH_MAX)).is_ok());
        assert!(Args::json(nested(JSON_DEPTH_MAX + 1)).is_err());
    }

    #[test]
    fn a_value_without_a_json_form_is_refused() {
        let keyed_by_pair = std::collections::BTreeMap::from([((1, 2), 3)]);

        assert_eq!(Args::of(&keyed_by_pair).unwrap_err().field, "args");
    }
}
