//! The body of a request: a JSON object, read field by field so that a refusal names the field.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use windlass_core::{Invalid, Json, Timestamp, span};

use crate::bounds::Change;
use crate::fields::{Fields, problem};
use crate::nearest::check_field;

/// What can be read from the body of a request.
pub trait FromBody: Sized {
    /// Reads it. What is not known is refused, and what is meant suggested.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the first field at fault; `body` when the text is no JSON object at all.
    fn from_body(text: &str) -> Result<Self, Invalid>;
}

/// An object whose fields are all known. `null` says what leaving a field out says, unless a value may be `null` itself.
#[derive(Debug)]
pub(crate) struct Body(Fields);

impl Body {
    /// Reads an object; `what` is what it stands for. No text at all is an object without fields.
    pub(crate) fn read(what: &str, text: &str, known: &[&str]) -> Result<Self, Invalid> {
        if text.trim().is_empty() {
            return Ok(Self(Fields::default()));
        }
        let fields = Fields::read("body", text)?;
        fields.iter().try_for_each(|(name, _)| check_field(what, name, known))?;
        Ok(Self(fields))
    }

    pub(crate) fn raw(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).filter(|raw| raw.get() != "null")
    }

    pub(crate) fn optional<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Invalid> {
        self.raw(name).map(|raw| typed(name, raw)).transpose()
    }

    pub(crate) fn required<T: DeserializeOwned>(&self, name: &str) -> Result<T, Invalid> {
        self.optional(name)?.ok_or_else(|| Invalid::new(name, "is missing"))
    }

    /// A change of a value, of which `null` says that there is to be none.
    pub(crate) fn change<T: DeserializeOwned>(&self, name: &str) -> Result<Change<T>, Invalid> {
        match self.0.get(name) {
            None => Ok(Change::Stays),
            Some(_) => self.optional(name).map(Change::To),
        }
    }

    /// A value that may be `null`.
    pub(crate) fn json(&self, name: &str) -> Result<Option<Json>, Invalid> {
        self.0.get(name).map(|raw| Json::new(name, raw.get().as_bytes().to_vec())).transpose()
    }

    pub(crate) fn span(&self, name: &str) -> Result<Option<Duration>, Invalid> {
        let Some(text) = self.optional::<String>(name)? else { return Ok(None) };
        span::parse(&text).map(Some).map_err(|invalid| Invalid { field: name.to_owned(), ..invalid })
    }

    pub(crate) fn instant(&self, name: &str) -> Result<Option<Timestamp>, Invalid> {
        let Some(text) = self.optional::<String>(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|invalid: Invalid| Invalid { field: name.to_owned(), ..invalid })
    }

    /// Each of a list, read by `read`; a fault is named by its place.
    pub(crate) fn each<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Result<Vec<T>, Invalid> {
        let Some(items) = self.optional::<Vec<Box<RawValue>>>(name)? else { return Ok(Vec::new()) };
        let one = |(index, item): (usize, Box<RawValue>)| {
            read(item.get()).map_err(|invalid| placed(invalid, name, index))
        };
        items.into_iter().enumerate().map(one).collect()
    }
}

/// Names a fault inside of `name[index]`.
fn placed(invalid: Invalid, name: &str, index: usize) -> Invalid {
    let place = format!("{name}[{index}]");
    if invalid.field == "body" { Invalid { field: place, ..invalid } } else { invalid.inside(&place) }
}

fn typed<T: DeserializeOwned>(name: &str, raw: &RawValue) -> Result<T, Invalid> {
    serde_json::from_str(raw.get()).map_err(|error| Invalid::new(name, problem(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused_with_what_was_meant() {
        let refused = |text| Body::read("a claim", text, &["worker", "wait"]).unwrap_err();

        assert_eq!(refused(r#"{"workr":"a"}"#).field, "workr");
        assert!(refused(r#"{"workr":"a"}"#).problem.contains("did you mean `worker`?"));
        assert_eq!(refused("[]").field, "body");
        assert_eq!(refused(r#"{"wait":1,"wait":2}"#).field, "wait");
    }

    #[test]
    fn nothing_is_an_object_without_fields() {
        let body = Body::read("a claim", " ", &["worker"]).unwrap();

        assert_eq!(body.optional::<String>("worker"), Ok(None));
        assert_eq!(body.required::<String>("worker").unwrap_err().field, "worker");
    }

    #[test]
    fn a_fault_in_a_list_is_named_by_its_place() {
        let body = Body::read("a list", r#"{"of":[{"a":1},[]]}"#, &["of"]).unwrap();

        let fault = body.each("of", |text| Body::read("one", text, &["a"])).unwrap_err();

        assert_eq!(fault.field, "of[1]");
    }
}
