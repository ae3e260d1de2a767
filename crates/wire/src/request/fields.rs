//! The fields of a request, each read by itself and refused by its name.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serializer;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use windlass_core::limits::{ATTEMPTS_UNLIMITED, NAME_BYTES_MAX};
use windlass_core::{Due, Invalid, Lock, Review, Tag, Timestamp, Unique, span};

use crate::count;
use crate::fields::problem;

pub(super) fn value<T: DeserializeOwned>(name: &str, raw: &RawValue) -> Result<T, Invalid> {
    serde_json::from_str(raw.get()).map_err(|error| Invalid::new(name, problem(&error)))
}

/// `true` and a text are short for what is asked for most.
pub(super) fn unique(raw: &RawValue) -> Result<Option<Unique>, Invalid> {
    match raw.get() {
        "true" => Ok(Some(Unique::by_args())),
        "false" => Ok(None),
        text if text.starts_with('"') => value::<String>("unique", raw).map(|key| Some(Unique::key(key))),
        _ => value("unique", raw).map(Some),
    }
}

/// A word is short for what is asked for most.
pub(super) fn review(raw: &RawValue) -> Result<Review, Invalid> {
    match raw.get() {
        "\"start\"" => Ok(Review::start()),
        "\"outcome\"" => Ok(Review::outcome()),
        _ => value("review", raw),
    }
}

/// A name that others use for the job.
pub(super) fn reference(text: &str) -> Result<String, Invalid> {
    if text.is_empty() || text.len() > NAME_BYTES_MAX || text.chars().any(char::is_control) {
        let problem = format!("must have 1 to {NAME_BYTES_MAX} bytes and no control character");
        return Err(Invalid::new("ref", problem));
    }
    Ok(text.to_owned())
}

/// A name alone is a resource that is needed alone.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum LockShape {
    Name(String),
    Lock(Lock),
}

pub(super) fn locks(name: &str, raw: &RawValue) -> Result<Vec<Lock>, Invalid> {
    let shapes: Vec<LockShape> = value(name, raw).map_err(|_| {
        Invalid::new(
            name,
            "must be names of resources, or objects such as {\"resource\": \"r\", \"mode\": \"shared\"}",
        )
    })?;
    let lock = |shape| match shape {
        LockShape::Name(resource) => Lock::exclusive(resource),
        LockShape::Lock(lock) => lock,
    };
    Ok(shapes.into_iter().map(lock).collect())
}

pub(super) fn tags(name: &str, raw: &RawValue) -> Result<Vec<Tag>, Invalid> {
    value::<Vec<String>>(name, raw)?.into_iter().map(Tag::new).collect()
}

pub(super) fn attempts(name: &str, raw: &RawValue) -> Result<u32, Invalid> {
    let expected =
        || Invalid::new(name, format!("must be a whole number from 1 on, or {:?}", count::UNLIMITED));
    match serde_json::from_str::<u32>(raw.get()) {
        // What stands for "no bound" is asked for by name, so that no large number means it by accident.
        Ok(ATTEMPTS_UNLIMITED) => Err(expected()),
        Ok(number) => Ok(number),
        Err(_) if value::<String>(name, raw).is_ok_and(|word| word == count::UNLIMITED) => {
            Ok(ATTEMPTS_UNLIMITED)
        }
        Err(_) => Err(expected()),
    }
}

/// Reads a span of time, naming `field` where it is none.
///
/// # Errors
///
/// [`Invalid`].
pub fn duration(field: &str, text: &str) -> Result<Duration, Invalid> {
    span::parse(text).map_err(|invalid| Invalid { field: field.to_owned(), ..invalid })
}

/// Reads an instant, naming `field` where it is none.
///
/// # Errors
///
/// [`Invalid`].
pub fn instant(field: &str, text: &str) -> Result<Timestamp, Invalid> {
    text.parse().map_err(|invalid| Invalid { field: field.to_owned(), ..invalid })
}

/// Reads an instant, or a span of time from now on, naming `field` where it is neither.
///
/// # Errors
///
/// [`Invalid`].
pub fn instant_or_span(field: &str, text: &str) -> Result<Due, Invalid> {
    let neither = |_| {
        Invalid::new(
            field,
            format!("{text:?} is neither a time such as 2026-11-21T08:00:00Z nor a duration such as 1h30m"),
        )
    };
    text.parse().map(Due::At).or_else(|_: Invalid| span::parse(text).map(Due::In)).map_err(neither)
}

#[expect(clippy::ref_option, reason = "the shape serde asks for")]
pub(super) fn due<S: Serializer>(due: &Option<Due>, serializer: S) -> Result<S::Ok, S::Error> {
    match due {
        Some(Due::At(instant)) => serializer.collect_str(instant),
        Some(Due::In(span)) => serializer.serialize_str(&span::format(*span)),
        Some(Due::Now) => serializer.serialize_str("0s"),
        None => serializer.serialize_none(),
    }
}

/// Bytes that are no JSON.
pub(crate) fn bytes(name: &str, raw: &RawValue) -> Result<Bytes, Invalid> {
    let text: String = value(name, raw)?;
    let bytes = STANDARD.decode(text);
    bytes.map(Bytes::from).map_err(|error| Invalid::new(name, format!("is not base64: {error}")))
}

#[expect(clippy::ref_option, reason = "the shape serde asks for")]
pub(crate) fn base64_bytes<S: Serializer>(bytes: &Option<Bytes>, serializer: S) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
        None => serializer.serialize_none(),
    }
}
