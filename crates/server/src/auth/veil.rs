//! Answers for those who may see jobs, but not what is in them.

use serde_json::Value;

/// Fields whose values come from args and results, wherever in an answer they stand.
const PAYLOADS: &[&str] = &["args", "result", "checkpoint", "staged"];

/// The answer without payloads; none if it is no JSON, which is then not to be shown at all.
pub(crate) fn veiled(text: &[u8]) -> Option<Vec<u8>> {
    let mut answer: Value = serde_json::from_slice(text).ok()?;
    veil(&mut answer);
    serde_json::to_vec(&answer).ok()
}

fn veil(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !PAYLOADS.contains(&name.as_str()));
            fields.values_mut().for_each(veil);
        }
        Value::Array(items) => items.iter_mut().for_each(veil),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_left_out_however_deep_they_lie() {
        let text =
            br#"{"jobs":[{"id":"1","args":{"pin":1},"result":2,"progress":{"percent":3}}],"staged":"x"}"#;

        let shown = String::from_utf8(veiled(text).unwrap()).unwrap();

        assert_eq!(shown, r#"{"jobs":[{"id":"1","progress":{"percent":3}}]}"#);
        assert_eq!(veiled(b"not JSON"), None);
    }
}
