//! A JSON object as its fields, in order, each value byte for byte.

use std::collections::HashSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use windlass_core::Invalid;

/// The fields of a JSON object.
///
/// Values are kept as text, so numbers beyond 2^53, `-0` and key order inside them survive being looked at.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// Reads one JSON object.
    ///
    /// # Errors
    ///
    /// [`Invalid`], naming `what`, when the text is not one; naming the field, when a field is there twice.
    pub fn read(what: &str, text: &str) -> Result<Self, Invalid> {
        let fields: Self = serde_json::from_str(text).map_err(|error| Invalid::new(what, problem(&error)))?;
        let mut seen = HashSet::new();
        let twice = fields.iter().map(|(name, _)| name).find(|name| !seen.insert(*name));
        match twice.map(|name| Invalid::new(name, "is given twice")) {
            Some(invalid) => Err(invalid),
            None => Ok(fields),
        }
    }

    /// The fields of something that is written as a JSON object.
    ///
    /// # Errors
    ///
    /// When it has no JSON form, or one that is no object.
    pub fn of<T: Serialize>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&serde_json::to_string(value)?)
    }

    /// The value of the field `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(one, _)| one == name).map(|(_, value)| &**value)
    }

    /// Every field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    /// The fields of these names, in this order; `null` where there is none.
    #[must_use]
    pub fn only<S: AsRef<str>>(&self, names: &[S]) -> Self {
        let value = |name: &str| self.get(name).unwrap_or(RawValue::NULL).to_owned();
        Self(names.iter().map(|name| (name.as_ref().to_owned(), value(name.as_ref()))).collect())
    }
}

/// What `serde_json` says is wrong, without its line and column: a job file has lines of its own.
pub(crate) fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let said = text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said);
    match error.classify() {
        serde_json::error::Category::Syntax | serde_json::error::Category::Eof => {
            format!("is not JSON: {said} at column {}", error.column())
        }
        _ => said.to_owned(),
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_text_and_order() {
        let text = r#"{"b":9007199254740993,"a":{"z":-0,"y":"\u0000"}}"#;

        let fields = Fields::read("job", text).unwrap();

        assert_eq!(serde_json::to_string(&fields).unwrap(), text);
        assert_eq!(
            serde_json::to_string(&fields.only(&["a", "c"])).unwrap(),
            r#"{"a":{"z":-0,"y":"\u0000"},"c":null}"#
        );
    }

    #[test]
    fn what_is_no_object_or_has_a_field_twice_is_refused() {
        assert_eq!(Fields::read("job", "[1]").unwrap_err().field, "job");
        assert_eq!(
            Fields::read("job", "{").unwrap_err().problem,
            "is not JSON: EOF while parsing an object at column 1"
        );
        assert_eq!(Fields::read("job", r#"{"a":1,"a":2}"#).unwrap_err(), Invalid::new("a", "is given twice"));
    }
}
