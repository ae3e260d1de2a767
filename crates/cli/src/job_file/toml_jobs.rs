//! Jobs in TOML, each turned into the JSON that every other door reads.

use std::collections::HashMap;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::newlines;

/// One `[[job]]`.
#[derive(Debug)]
pub(super) struct Table {
    /// Where it begins, 1 the first line.
    pub(super) line: usize,
    /// The line of each of its fields.
    pub(super) lines: HashMap<String, usize>,
    /// What it says, as a JSON object.
    pub(super) json: String,
}

/// The jobs of a TOML document, or the line and nature of what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<Table>, (usize, String)> {
    let line = |offset: usize| 1 + newlines(&text.as_bytes()[..offset.min(text.len())]);
    let document = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        (line(offset), format!("is not TOML: {}", error.message()))
    })?;
    let mut tables = Vec::new();
    for (name, value) in document.get_ref() {
        let at = line(name.span().start);
        let DeValue::Array(jobs) = value.get_ref() else {
            let problem = if name.get_ref() == "job" { "is one table" } else { "is not known here" };
            return Err((at, format!("{}: {problem}: jobs are written as [[job]]", name.get_ref())));
        };
        if name.get_ref() != "job" {
            return Err((at, format!("{}: is not known here: jobs are written as [[job]]", name.get_ref())));
        }
        for job in jobs {
            tables.push(table(job, &line)?);
        }
    }
    Ok(tables)
}

fn table(job: &Spanned<DeValue<'_>>, line: &impl Fn(usize) -> usize) -> Result<Table, (usize, String)> {
    let at = line(job.span().start);
    let DeValue::Table(fields) = job.get_ref() else {
        return Err((at, "job: is no table: jobs are written as [[job]]".to_owned()));
    };
    let (mut lines, mut object) = (HashMap::new(), serde_json::Map::new());
    for (name, value) in fields {
        let at = line(name.span().start);
        let value =
            json(value.get_ref()).map_err(|problem| (at, format!("{}: {problem}", name.get_ref())))?;
        lines.insert(name.get_ref().to_string(), at);
        object.insert(name.get_ref().to_string(), value);
    }
    Ok(Table { line: at, lines, json: Value::Object(object).to_string() })
}

fn json(value: &DeValue<'_>) -> Result<Value, &'static str> {
    Ok(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(boolean) => Value::Bool(*boolean),
        DeValue::Datetime(instant) => Value::String(instant.to_string()),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            Value::Number(number.map_err(|_| "has a number that does not fit")?.into())
        }
        DeValue::Float(number) => {
            let number = number.as_str().parse().ok().and_then(serde_json::Number::from_f64);
            Value::Number(number.ok_or("has a number without a JSON form")?)
        }
        DeValue::Array(values) => {
            Value::Array(values.iter().map(|value| json(value.get_ref())).collect::<Result<_, _>>()?)
        }
        DeValue::Table(fields) => {
            let field = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                Ok((ToString::to_string(name.get_ref()), json(value.get_ref())?))
            };
            Value::Object(fields.iter().map(field).collect::<Result<_, &'static str>>()?)
        }
    })
}
