//! JSON in one form: equal values are equal bytes, whatever the order of their keys and the blanks between them.
//!
//! Numbers stay as they were written. To read them would make `9007199254740993` and `9007199254740992` the same, and a
//! job would be taken for another that it is not; that `1` and `1.0` differ costs a duplicate at the most.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::Json;

/// The value without blanks, the keys of every object in order, and every string written in the same way.
pub(crate) fn canonical(json: &Json) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.as_bytes().len());
    write(json.as_str().trim(), &mut out);
    out
}

fn write(text: &str, out: &mut Vec<u8>) {
    match text.as_bytes().first() {
        Some(b'{') => write_object(text, out),
        Some(b'[') => write_array(text, out),
        Some(b'"') => out.extend_from_slice(string(text).as_bytes()),
        _ => out.extend_from_slice(text.as_bytes()),
    }
}

fn write_object(text: &str, out: &mut Vec<u8>) {
    let Ok(Fields(mut fields)) = serde_json::from_str(text) else {
        return out.extend_from_slice(text.as_bytes());
    };
    // Stable: of a key that is there twice, which value comes last is part of what was said.
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    out.push(b'{');
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        write(value.get(), out);
    }
    out.push(b'}');
}

fn write_array(text: &str, out: &mut Vec<u8>) {
    let Ok(values) = serde_json::from_str::<Vec<&RawValue>>(text) else {
        return out.extend_from_slice(text.as_bytes());
    };
    out.push(b'[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(value.get(), out);
    }
    out.push(b']');
}

/// A string as it would be written anew; one that is no text, for it has half a character in it, as it is.
fn string(text: &str) -> String {
    let read = serde_json::from_str::<String>(text);
    read.and_then(|read| serde_json::to_string(&read)).unwrap_or_else(|_| text.to_owned())
}

/// The fields of an object, each with its name as it would be written anew.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    fields.push((serde_json::Value::String(name).to_string(), value));
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

    fn text(json: &str) -> String {
        String::from_utf8(canonical(&Json::new("args", json.to_owned()).unwrap())).unwrap()
    }

    #[test]
    fn the_order_of_keys_and_blanks_are_of_no_matter() {
        let one = text(r#" {"b": [ {"y":1 , "x": null} , "a\u0041" ], "a" : true} "#);

        assert_eq!(one, r#"{"a":true,"b":[{"x":null,"y":1},"aA"]}"#);
        assert_eq!(one, text(r#"{"a":true,"b":[{"x":null,"y":1},"aA"]}"#));
    }

    #[test]
    fn what_differs_stays_different() {
        for (one, other) in [
            ("9007199254740993", "9007199254740992"),
            ("-0", "0"),
            ("[1,2]", "[2,1]"),
            (r#""1""#, "1"),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#"["\ud800"]"#, r#"["\ud801"]"#),
        ] {
            assert_ne!(text(one), text(other));
        }
    }
}
