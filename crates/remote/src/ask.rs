//! A request, before anybody sends it.

use std::fmt::Display;

use bytes::Bytes;
use hyper::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use url::form_urlencoded;
use windlass_core::Invalid;
use windlass_store::{Actor, PageRequest};

/// What stands in a part of a path as it is. A slash in a name is none between names.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whether a request may be sent twice where nobody knows whether it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twice {
    /// It changes nothing.
    Reads,
    /// It changes no more when it is done twice.
    Harmless,
    /// It does.
    Never,
}

/// A request: what is asked of which address, with what.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Bytes,
    pub(crate) twice: Twice,
    /// What it is called, where the caller has a name for it.
    pub(crate) name: Option<String>,
}

/// A part of a path: a word or a name.
type Part<'a> = &'a (dyn Display + Sync);

/// The address below `/api/v1` that these parts make.
fn path(parts: &[Part<'_>]) -> String {
    let part = |part: &Part<'_>| format!("/{}", utf8_percent_encode(&part.to_string(), PART));
    parts.iter().map(part).collect()
}

impl Ask {
    fn new(method: Method, parts: &[Part<'_>], twice: Twice) -> Self {
        let path = format!("/api/v1{}", path(parts));
        Self { method, path, body: Bytes::new(), twice, name: None }
    }

    /// Asks for what lies there.
    pub(crate) fn get(parts: &[Part<'_>]) -> Self {
        Self::new(Method::GET, parts, Twice::Reads)
    }

    /// Asks that something be done, once.
    pub(crate) fn post(parts: &[Part<'_>]) -> Self {
        Self::new(Method::POST, parts, Twice::Never)
    }

    pub(crate) fn put(parts: &[Part<'_>]) -> Self {
        Self::new(Method::PUT, parts, Twice::Never)
    }

    pub(crate) fn patch(parts: &[Part<'_>]) -> Self {
        Self::new(Method::PATCH, parts, Twice::Never)
    }

    pub(crate) fn delete(parts: &[Part<'_>]) -> Self {
        Self::new(Method::DELETE, parts, Twice::Never)
    }

    /// The same, which does no more when it is done twice.
    pub(crate) fn harmless(self) -> Self {
        Self { twice: Twice::Harmless, ..self }
    }

    /// The same, with this body.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `body` where it has no JSON form.
    pub(crate) fn with(self, body: &impl Serialize) -> Result<Self, Invalid> {
        let body = serde_json::to_vec(body);
        let body = body.map_err(|error| Invalid::new("body", format!("has no JSON form: {error}")))?;
        Ok(Self { body: body.into(), ..self })
    }

    /// The same, called what the door of the caller called theirs.
    pub(crate) fn named_by(self, actor: &Actor) -> Self {
        let name = actor.via.as_ref().and_then(|via| via.request.clone());
        Self { name, ..self }
    }

    /// The same, with these behind the `?`, where there is something to say.
    pub(crate) fn query(mut self, pairs: &[(&str, Option<String>)]) -> Self {
        let said = pairs.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish();
        if !query.is_empty() {
            let sign = if self.path.contains('?') { '&' } else { '?' };
            self.path = format!("{}{sign}{query}", self.path);
        }
        self
    }

    /// The same, for this page.
    pub(crate) fn page(self, page: PageRequest) -> Self {
        let after = page.cursor().map(|cursor| cursor.position().to_string());
        self.query(&[("limit", Some(page.limit().to_string())), ("after", after)])
    }
}

/// Values that are alternatives; none where there are none.
pub(crate) fn list(values: &[impl Display]) -> Option<String> {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    (!values.is_empty()).then(|| values.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_slash_is_one_part_of_a_path() {
        let ask = Ask::get(&[&"queues", &"a/b:c.d-e"]).page(PageRequest::first(2));

        assert_eq!(ask.path, "/api/v1/queues/a%2Fb%3Ac.d-e?limit=2");
    }

    #[test]
    fn what_is_not_said_does_not_stand_behind_the_question_mark() {
        let ask = Ask::get(&[&"audit"]).query(&[("actor", None), ("verb", Some("a b&c".to_owned()))]);

        assert_eq!(ask.path, "/api/v1/audit?verb=a+b%26c");
        assert_eq!(Ask::get(&[&"audit"]).query(&[("actor", None)]).path, "/api/v1/audit");
    }
}
