//! What `#[job(..)]` says, read and checked where it is written.

pub(crate) mod terms;

use std::collections::HashSet;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::{DeriveInput, Error, LitInt, LitStr, Path, Result, Type};
use windlass_core::limits::ATTEMPTS_UNLIMITED;
use windlass_core::{
    KindName, LockMode, LockTemplate, Priority, QueueName, RetryPolicy, Review, retry, span,
};

const KNOWN: &str = "kind, version, upcast, output, queue, priority, attempts, losses, timeout, retry, review, unique, lock, lock_shared and crate";

/// What may be said more than once.
const REPEATED: [&str; 2] = ["lock", "lock_shared"];

/// Everything said in the `#[job(..)]` attributes of one type; none where nothing was said.
#[derive(Default)]
pub(crate) struct JobAttributes {
    pub(crate) kind: Option<String>,
    pub(crate) version: Option<u32>,
    pub(crate) upcast: Option<Path>,
    pub(crate) output: Option<Type>,
    pub(crate) queue: Option<String>,
    pub(crate) priority: Option<Priority>,
    pub(crate) attempts: Option<u32>,
    pub(crate) losses: Option<u32>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) review: Option<Review>,
    pub(crate) unique: bool,
    pub(crate) locks: Vec<(String, LockMode)>,
    pub(crate) krate: Option<Path>,
}

impl JobAttributes {
    pub(crate) fn of(input: &DeriveInput) -> Result<Self> {
        let mut attributes = Self::default();
        let mut said = HashSet::new();
        for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("job")) {
            attribute.parse_nested_meta(|meta| {
                let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
                attributes.read(&name, &meta)?;
                if said.insert(name.clone()) || REPEATED.contains(&name.as_str()) {
                    Ok(())
                } else {
                    Err(meta.error(format!("`{name}` is given twice")))
                }
            })?;
        }
        Ok(attributes)
    }

    fn read(&mut self, name: &str, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match name {
            "kind" => self.kind = Some(text(meta, |name| KindName::new(name).map(|_| name.to_owned()))?),
            "version" => self.version = Some(one_or_more(meta, "a version starts at 1")?),
            "upcast" => self.upcast = Some(meta.value()?.parse()?),
            "output" => self.output = Some(meta.value()?.parse()?),
            "queue" => self.queue = Some(text(meta, |name| QueueName::new(name).map(|_| name.to_owned()))?),
            "priority" => self.priority = Some(text(meta, Priority::from_str)?),
            "attempts" => self.attempts = Some(attempts(meta)?),
            "losses" => self.losses = Some(number(meta)?.0),
            "unique" => self.unique = true,
            "lock" => self.lock(meta, LockMode::Exclusive)?,
            "lock_shared" => self.lock(meta, LockMode::Shared)?,
            "timeout" => self.timeout = Some(text(meta, timeout)?),
            "retry" => self.retry = Some(terms::retry(meta)?),
            "review" => self.review = Some(terms::review(meta)?),
            "crate" => self.krate = Some(meta.value()?.call(Path::parse_mod_style)?),
            _ => return Err(meta.error(format!("`#[job]` knows no `{name}`; it knows {KNOWN}"))),
        }
        Ok(())
    }

    /// Adds a lock, unless it cannot be had together with those before it.
    fn lock(&mut self, meta: &ParseNestedMeta<'_>, mode: LockMode) -> Result<()> {
        let resource: LitStr = meta.value()?.parse()?;
        self.locks.push((resource.value(), mode));
        let named = |(resource, mode): &(String, LockMode)| LockTemplate {
            // The checks want names that live as long as those of a program do.
            resource: resource.clone().leak(),
            mode: *mode,
        };
        let templates: Vec<LockTemplate> = self.locks.iter().map(named).collect();
        LockTemplate::check_all(&templates).map_err(|problem| Error::new(resource.span(), problem))
    }
}

/// Reads a text and checks it by the rule that holds at run time too.
fn text<T, E: Display>(
    meta: &ParseNestedMeta<'_>,
    check: impl FnOnce(&str) -> std::result::Result<T, E>,
) -> Result<T> {
    let text: LitStr = meta.value()?.parse()?;
    check(&text.value()).map_err(|problem| Error::new(text.span(), problem))
}

fn number(meta: &ParseNestedMeta<'_>) -> Result<(u32, Span)> {
    let number: LitInt = meta.value()?.parse()?;
    Ok((number.base10_parse()?, number.span()))
}

fn one_or_more(meta: &ParseNestedMeta<'_>, problem: &str) -> Result<u32> {
    match number(meta)? {
        (0, span) => Err(Error::new(span, problem)),
        (number, _) => Ok(number),
    }
}

fn attempts(meta: &ParseNestedMeta<'_>) -> Result<u32> {
    let value = meta.value()?;
    if !value.peek(LitStr) {
        let number: LitInt = value.parse()?;
        return match number.base10_parse()? {
            0 => Err(Error::new(number.span(), "a job has at least 1 attempt, which is no retry")),
            attempts => Ok(attempts),
        };
    }
    let word: LitStr = value.parse()?;
    match word.value().as_str() {
        "unlimited" => Ok(ATTEMPTS_UNLIMITED),
        _ => Err(Error::new(word.span(), "expected a number, or \"unlimited\"")),
    }
}

fn timeout(text: &str) -> std::result::Result<Duration, String> {
    let timeout = span::parse(text).map_err(|invalid| invalid.problem)?;
    retry::check_delay("timeout", timeout).map_err(|invalid| invalid.to_string())?;
    if timeout.is_zero() { Err("timeout: must be more than zero".to_owned()) } else { Ok(timeout) }
}
