//! Reading a filter.

use std::str::FromStr;

use windlass_core::{
    Fingerprint, Invalid, JobId, JobState, KindName, Priority, QueueName, Reason, Timestamp, span,
};

use super::test::Test;
use super::{FIELDS, Filter};
use crate::nearest::suggestion;

/// A field and its alternatives.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Term {
    field: String,
    values: Vec<String>,
}

/// The terms of a filter.
pub(super) fn terms(text: &str) -> Result<Vec<Term>, Invalid> {
    let mut rest = text.trim_start();
    let mut terms = Vec::new();
    while !rest.is_empty() {
        let (field, values) = rest.split_once(':').ok_or_else(|| wrong(rest))?;
        if field.is_empty() || field.contains(char::is_whitespace) {
            return Err(wrong(rest));
        }
        let (values, after) = values_of(field, values)?;
        terms.push(Term { field: field.to_owned(), values });
        rest = after.trim_start();
    }
    Ok(terms)
}

fn wrong(term: &str) -> Invalid {
    let word = term.split_whitespace().next().unwrap_or_default();
    refused(format!("{word:?} is no field, colon and value, such as queue:mail"))
}

fn refused(problem: impl Into<String>) -> Invalid {
    Invalid::new("filter", problem)
}

/// The alternatives that a text begins with, and what comes after them.
fn values_of<'a>(field: &str, text: &'a str) -> Result<(Vec<String>, &'a str), Invalid> {
    let (mut values, mut value) = (Vec::new(), String::new());
    let (mut quoted, mut was_quoted) = (false, false);
    let mut signs = text.char_indices();
    let mut end = text.len();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' if quoted => value.extend(signs.next().map(|(_, sign)| sign)),
            '"' => {
                quoted = !quoted;
                was_quoted = true;
            }
            ',' if !quoted => {
                values.push(std::mem::take(&mut value));
            }
            _ if sign.is_whitespace() && !quoted => {
                end = at;
                break;
            }
            _ => value.push(sign),
        }
    }
    values.push(value);
    if quoted {
        return Err(refused(format!("{field}: a quote is opened and not closed")));
    }
    if !was_quoted && values.iter().any(String::is_empty) {
        return Err(refused(format!("{field}: has no value")));
    }
    Ok((values, &text[end..]))
}

/// Adds what a term says.
pub(super) fn apply(filter: &mut Filter, term: &Term, now: Timestamp) -> Result<(), Invalid> {
    let one = || term.values.first().map(String::as_str).unwrap_or_default();
    match term.field.as_str() {
        "state" => filter.indexed.states.extend(term.all::<JobState>()?),
        "queue" => filter.indexed.queues.extend(term.all::<QueueName>()?),
        "kind" => filter.indexed.kinds.extend(term.all::<KindName>()?),
        "tag" if term.values.len() == 1 && filter.indexed.tag.is_none() => {
            filter.indexed.tag = term.all()?.pop();
        }
        "tag" => filter.also(term.all()?.into_iter().map(Test::Tag).collect()),
        "error" => error(filter, term),
        "age" => age(filter, one(), now)?,
        "created" => time(filter, Of::Created, one(), now)?,
        "finished" => time(filter, Of::Finished, one(), now)?,
        "is" if one() == "root" => filter.indexed.roots = true,
        "is" => return Err(refused(format!("is:{}: only is:root is known", one()))),
        "id" => filter.also(term.all::<JobId>()?.into_iter().map(Test::Id).collect()),
        "reason" => filter.also(term.words::<Reason>()?.into_iter().map(Test::Reason).collect()),
        "priority" => filter.also(term.all::<Priority>()?.into_iter().map(Test::Priority).collect()),
        "version" => filter.also(term.numbers()?.into_iter().map(Test::Version).collect()),
        "worker" => filter.also(term.texts(Test::Worker)),
        "submitted_by" => filter.also(term.texts(Test::SubmittedBy)),
        field => match (field.strip_prefix("args."), field.strip_prefix("meta.")) {
            (Some(path), _) if !path.is_empty() => {
                filter.also(term.texts(|value| Test::Args(path.to_owned(), value)));
            }
            (_, Some(path)) if !path.is_empty() => {
                filter.also(term.texts(|value| Test::Meta(path.to_owned(), value)));
            }
            _ => return Err(unknown(field)),
        },
    }
    Ok(())
}

fn unknown(field: &str) -> Invalid {
    let meant = suggestion(field, FIELDS.iter().copied());
    refused(format!(
        "{field:?} is not a field of a filter: {}",
        meant.unwrap_or_else(|| format!("the fields are {}", FIELDS.join(", ")))
    ))
}

/// A group of errors by its sixteen digits, else a part of the message.
fn error(filter: &mut Filter, term: &Term) {
    let group = match term.values.as_slice() {
        [one] => one.parse::<Fingerprint>().ok(),
        _ => None,
    };
    match group {
        Some(group) if filter.indexed.fingerprint.is_none() => filter.indexed.fingerprint = Some(group),
        _ => filter.also(term.texts(|text| Test::Error(text.to_lowercase()))),
    }
}

#[derive(Clone, Copy)]
enum Of {
    Created,
    Finished,
}

/// `<1h` is younger than that, `>1h` older.
fn age(filter: &mut Filter, text: &str, now: Timestamp) -> Result<(), Invalid> {
    let (younger, text) = match (text.strip_prefix('<'), text.strip_prefix('>')) {
        (Some(text), _) => (true, text),
        (_, Some(text)) => (false, text),
        _ => return Err(refused("age: begins with < or >, as in age:<1h")),
    };
    let since = now.before(span(text.trim_start_matches('='))?);
    if younger {
        since_created(filter, since);
    } else {
        filter.also(vec![Test::CreatedBefore(since)]);
    }
    Ok(())
}

fn span(text: &str) -> Result<std::time::Duration, Invalid> {
    span::parse(text).map_err(|invalid| refused(invalid.problem))
}

fn since_created(filter: &mut Filter, since: Timestamp) {
    let before = filter.indexed.created_since;
    filter.indexed.created_since = Some(before.map_or(since, |before| before.max(since)));
}

/// `>=TIME` and `<TIME`; a span is that long ago, and `<2h` then means in the last two hours.
fn time(filter: &mut Filter, of: Of, text: &str, now: Timestamp) -> Result<(), Invalid> {
    let (later, text) = match (text.strip_prefix('<'), text.strip_prefix('>')) {
        (Some(text), _) => (false, text),
        (_, Some(text)) => (true, text),
        _ => return Err(refused("a time begins with >= or <, as in created:>=2026-11-21T08:00:00Z")),
    };
    let text = text.trim_start_matches('=');
    let (at, later) = match text.parse::<Timestamp>() {
        Ok(at) => (at, later),
        Err(_) => (now.before(span(text)?), !later),
    };
    match (of, later) {
        (Of::Created, true) => since_created(filter, at),
        (Of::Created, false) => filter.also(vec![Test::CreatedBefore(at)]),
        (Of::Finished, true) => filter.indexed.finished_since = Some(at),
        (Of::Finished, false) => filter.also(vec![Test::FinishedBefore(at)]),
    }
    Ok(())
}

impl Term {
    fn all<T: FromStr<Err = Invalid>>(&self) -> Result<Vec<T>, Invalid> {
        let read =
            |value: &String| value.parse::<T>().map_err(|invalid| self.refused(value, &invalid.problem));
        self.values.iter().map(read).collect()
    }

    /// Values that serde knows by name.
    fn words<T: serde::de::DeserializeOwned>(&self) -> Result<Vec<T>, Invalid> {
        let read = |value: &String| {
            let word = serde_json::Value::String(value.clone());
            serde_json::from_value(word).map_err(|error| self.refused(value, &error.to_string()))
        };
        self.values.iter().map(read).collect()
    }

    fn numbers(&self) -> Result<Vec<u32>, Invalid> {
        let read = |value: &String| value.parse().map_err(|_| self.refused(value, "is no number"));
        self.values.iter().map(read).collect()
    }

    fn texts(&self, of: impl Fn(String) -> Test) -> Vec<Test> {
        self.values.iter().cloned().map(of).collect()
    }

    fn refused(&self, value: &str, problem: &str) -> Invalid {
        refused(format!("{}:{value}: {problem}", self.field))
    }
}
