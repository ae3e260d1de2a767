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
        "it has changed: cargo run --package windlass-server --example openapi > docs/openapi.json, and then \
         npm run generate in clients/typescript"
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

/// What a client can be generated from: whatever is asked and answered has a form, but for what is any JSON.
#[test]
fn nothing_that_is_asked_or_answered_is_left_to_guess() {
    let document = windlass_server::openapi();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut vague = Vec::new();
    // One is any JSON, and one says no more than that it was done.
    for (name, schema) in schemas.iter().filter(|(name, _)| !["Json", "Done"].contains(&name.as_str())) {
        find_vague(name, schema, &mut vague);
    }

    assert!(vague.is_empty(), "{vague:#?}");
}

fn find_vague(path: &str, schema: &Value, vague: &mut Vec<String>) {
    let form = ["$ref", "oneOf", "allOf", "enum"].iter().any(|known| schema.get(known).is_some());
    let keys = ["properties", "additionalProperties"].iter().any(|known| schema.get(known).is_some());
    let object = Value::from("object");
    let is_object =
        |types: &Value| *types == object || types.as_array().is_some_and(|several| several.contains(&object));
    if !form && schema.get("type").is_none_or(|types| is_object(types) && !keys) {
        vague.push(format!("{path}: {schema}"));
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        find_vague(&format!("{path}.{name}"), inner, vague);
    }
    for inner in ["oneOf", "allOf"].iter().filter_map(|form| schema[form].as_array()).flatten() {
        find_vague(path, inner, vague);
    }
    if let Some(items) = schema.get("items") {
        find_vague(&format!("{path}[]"), items, vague);
    }
}
