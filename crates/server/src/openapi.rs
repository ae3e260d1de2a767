//! What the API is, as an `OpenAPI` 3.1 document: made of the route table and of the types that handlers take and give.
//!
//! What a handler takes is read off its own arguments ([`Extracts`]), so it cannot differ from what is taken.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::extract::State;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::access::{Concerns, Verb};
use crate::guard::InLane;
use crate::input::{At, By, PathPart, Sent};
use crate::query::Query;
use crate::route::{Given, Route};
use crate::routes;
use crate::trace::InTrace;

/// Named schemas, each with those that it is made of.
type Collected = Vec<(String, RefOr<Schema>)>;

/// A type in the document: its name, its schema, and those it is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typed {
    name: fn() -> std::borrow::Cow<'static, str>,
    schema: fn() -> RefOr<Schema>,
    parts: fn(&mut Collected),
}

impl Typed {
    pub(crate) fn of<T: ToSchema>() -> Self {
        Self { name: T::name, schema: T::schema, parts: T::schemas }
    }

    /// A reference to it; and it, among those that are described once.
    fn refer(self, described: &mut BTreeMap<String, Value>) -> Value {
        let name = (self.name)().into_owned();
        let mut parts = Vec::new();
        (self.parts)(&mut parts);
        parts.push((name.clone(), (self.schema)()));
        for (name, schema) in parts {
            described.entry(name).or_insert_with(|| json!(schema));
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }
}

/// What a handler takes.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) body: Option<Typed>,
    pub(crate) parts: Vec<(&'static str, Typed)>,
}

/// One argument of a handler.
pub(crate) trait Part {
    /// Says what of a request it is, if it is something that a caller sends.
    fn tell(_: &mut Taken) {}
}

impl<S> Part for State<S> {}
impl Part for By {}
impl Part for InLane {}
impl Part for InTrace {}
impl Part for Query {}

impl<T: PathPart + ToSchema> Part for At<T> {
    fn tell(taken: &mut Taken) {
        taken.parts.push((T::NAME, Typed::of::<T>()));
    }
}

impl<T: ToSchema> Part for Sent<T> {
    fn tell(taken: &mut Taken) {
        taken.body = Some(Typed::of::<T>());
    }
}

/// The arguments of a handler, as axum tells them: a marker, then each of them.
pub(crate) trait Extracts {
    /// What they take.
    fn taken() -> Taken;
}

macro_rules! extracts {
    ($(($($part:ident),*)),+ $(,)?) => {
        $(impl<M, $($part: Part),*> Extracts for (M, $($part,)*) {
            fn taken() -> Taken {
                let tell: &[fn(&mut Taken)] = &[$($part::tell),*];
                let mut taken = Taken::default();
                for tell in tell {
                    tell(&mut taken);
                }
                taken
            }
        })+
    };
}

extracts! { (), (A), (A, B), (A, B, C), (A, B, C, D), (A, B, C, D, E), (A, B, C, D, E, F) }

/// The document, made once.
pub(crate) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| format!("{:#}\n", document()))
}

/// The API as an `OpenAPI` document, and so what a client can be generated from.
#[must_use]
pub fn document() -> Value {
    let mut schemas = BTreeMap::new();
    let problem = Typed::of::<windlass_wire::ProblemShape>().refer(&mut schemas);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in routes::table() {
        let method = route.rules.method.as_str().to_lowercase();
        let operation = operation(&route, (&problem, &mut schemas));
        paths.entry(route.rules.path).or_default().insert(method, operation);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Windlass",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Background jobs: enqueued, claimed, settled, looked after.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    });
    bound(&mut document);
    plain(&mut document);
    document
}

/// Any JSON may be `null`, which no value can be in two ways.
fn plain(value: &mut Value) {
    let any = |form: &Value| form["$ref"] == "#/components/schemas/Json";
    if let Some(form) = value["oneOf"].as_array().and_then(|forms| forms.iter().find(|form| any(form))) {
        *value = form.clone();
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(plain),
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

/// Says of numbers that are never negative how large they may be: the formats there are end at half of it.
fn bound(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let is_positive = fields.get("minimum").is_some_and(|least| least.as_f64() >= Some(0.0));
            if is_positive && fields.get("format").is_some_and(|format| format == "int32") {
                fields.remove("format");
                fields.insert("maximum".to_owned(), u32::MAX.into());
            }
            fields.values_mut().for_each(bound);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        _ => {}
    }
}

fn operation(route: &Route, (problem, schemas): (&Value, &mut BTreeMap<String, Value>)) -> Value {
    let rules = &route.rules;
    let mut parameters: Vec<Value> = Vec::new();
    for (name, typed) in &route.taken.parts {
        let schema = typed.refer(schemas);
        parameters.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
    }
    for name in rules.query {
        parameters.push(json!({"name": name, "in": "query", "schema": {"type": "string"}}));
    }
    let mut responses = Map::new();
    for (status, typed) in &route.given {
        let status = status.to_string();
        let response = either(responses.remove(&status), response(typed, schemas));
        responses.insert(status, response);
    }
    let refusal = json!({"application/problem+json": {"schema": problem}});
    responses.insert("default".to_owned(), json!({"description": "Why it was not done", "content": refusal}));
    let mut operation = json!({
        "operationId": id(route),
        "summary": rules.summary,
        "tags": [tag(rules.path)],
        "responses": responses,
        "x-windlass-verb": rules.access.verb.as_str(),
        "x-windlass-concerns": concerns(rules.access.concerns),
    });
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = route.taken.body {
        let schema = body.refer(schemas);
        // No body is an object without fields; which of them have to be there is said by the schema.
        operation["requestBody"] =
            json!({"required": false, "content": {"application/json": {"schema": schema}}});
    }
    if rules.access.verb == Verb::Open {
        operation["security"] = json!([]);
    }
    operation
}

fn response(given: &Given, schemas: &mut BTreeMap<String, Value>) -> Value {
    match given {
        Given::Shape(typed) => {
            let stamped = json!({"allOf": [typed.refer(schemas), {
                "type": "object",
                "required": ["server_time"],
                "properties": {"server_time": {"type": "string", "format": "date-time"}},
            }]});
            json!({"description": "It was done", "content": {"application/json": {"schema": stamped}}})
        }
        Given::Text(media) => {
            let form = if *media == "application/json" { "object" } else { "string" };
            json!({"description": "It was done", "content": {*media: {"schema": {"type": form}}}})
        }
        Given::Nothing => json!({"description": "It was done"}),
    }
}

/// What may be answered with one status: this, or what was said of it before.
fn either(before: Option<Value>, response: Value) -> Value {
    let Some(mut before) = before else { return response };
    let schema = |response: &Value| response["content"]["application/json"]["schema"].clone();
    let any = json!({"anyOf": [schema(&before), schema(&response)]});
    before["content"]["application/json"]["schema"] = any;
    before
}

/// The name of a function that a client has for it: `get_jobs_id_logs`.
fn id(route: &Route) -> String {
    let path = route.rules.path.trim_start_matches("/api/v1");
    let words = path.split(|sign: char| !sign.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    format!("{}_{}", route.rules.method.as_str().to_lowercase(), words.join("_"))
}

fn tag(path: &str) -> &str {
    path.trim_start_matches("/api/v1/").trim_start_matches('/').split('/').next().unwrap_or_default()
}

const fn concerns(concerns: Concerns) -> &'static str {
    match concerns {
        Concerns::Nothing => "nothing",
        Concerns::Everything => "everything",
        Concerns::Queue => "queue",
        Concerns::Job => "job",
        Concerns::Lease => "lease",
        Concerns::Named => "named",
    }
}
