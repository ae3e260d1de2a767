//! The `OpenAPI` document holds together.

use serde_json::Value;

#[test]
fn every_reference_leads_somewhere() {
    let document = windlass_server::openapi();
    let mut references = Vec::new();
    collect(&document, &mut references);

    for reference in references {
        let found = document.pointer(reference.trim_start_matches('#'));
        assert!(found.is_some(), "{reference} leads nowhere");
    }
}

/// A change of the API is seen by whoever reads the change of the code.
#[test]
fn the_snapshot_in_the_repository_is_the_document() {
    let document = format!("{:#}\n", windlass_server::openapi());

    assert!(
        document == include_str!("../../../docs/openapi.json"),
        "it has changed: cargo run --package windlass-server --example openapi > docs/openapi.json"
    );
}

fn collect<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| collect(field, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_says_who_may_call_it() {
    let document = windlass_server::openapi();
    let operations: Vec<&Value> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .collect();
    let mut names: Vec<&str> = operations.iter().map(|one| one["operationId"].as_str().unwrap()).collect();
    names.sort_unstable();

    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    assert!(operations.len() > 80 && operations.iter().all(|one| one["x-windlass-verb"].is_string()));
}
