//! The part of an address behind the `?`.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use url::form_urlencoded;
use windlass_core::{Invalid, Timestamp, span};
use windlass_store::{Cursor, PageRequest};

use crate::answer::Failure;

/// How many rows a page has unless more are asked for.
const PAGE_DEFAULT: u32 = 50;

/// What was asked for behind the `?`. Names that the route does not know have been refused by the guard.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(text: Option<&str>) -> Self {
        Self(form_urlencoded::parse(text.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// A name that is given twice.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let repeated = |(index, (name, _)): (usize, &(String, String))| {
            self.0[..index].iter().any(|(before, _)| before == name)
        };
        self.0.iter().enumerate().find(|pair| repeated(*pair)).map(|(_, (name, _))| name.as_str())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    fn read<T>(&self, name: &str, read: impl Fn(&str) -> Result<T, Invalid>) -> Result<Option<T>, Invalid> {
        let named = |invalid: Invalid| Invalid { field: name.to_owned(), ..invalid };
        self.get(name).map(read).transpose().map_err(named)
    }

    pub(crate) fn span(&self, name: &str) -> Result<Option<Duration>, Invalid> {
        self.read(name, span::parse)
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u32>, Invalid> {
        self.read(name, |text| text.parse().map_err(|_| Invalid::new(name, format!("{text:?} is no number"))))
    }

    /// Values that are separated by commas.
    pub(crate) fn values<T: std::str::FromStr<Err = Invalid>>(&self, name: &str) -> Result<Vec<T>, Invalid> {
        self.read(name, |text| text.split(',').map(str::parse).collect()).map(Option::unwrap_or_default)
    }

    /// An instant, or how long ago it was.
    pub(crate) fn since(&self, name: &str, now: Timestamp) -> Result<Option<Timestamp>, Invalid> {
        self.read(name, |text| {
            let ago = |()| span::parse(text).map(|ago| now.before(ago));
            text.parse().or_else(|_: Invalid| ago(())).map_err(|_| {
                Invalid::new(
                    name,
                    format!("{text:?} is neither a time such as 2026-11-21T08:00:00Z nor a span such as 2h"),
                )
            })
        })
    }

    /// Which page: `limit` and `after`.
    pub(crate) fn page(&self) -> Result<PageRequest, Invalid> {
        let limit = self.number("limit")?.unwrap_or(PAGE_DEFAULT);
        if limit == 0 {
            return Err(Invalid::new("limit", "must be 1 or more"));
        }
        Ok(PageRequest::first(limit).after(self.read("after", cursor)?))
    }
}

/// Reads what [`write_cursor`] wrote.
fn cursor(text: &str) -> Result<Cursor, Invalid> {
    let wrong = || Invalid::new("after", "is not what an answer gave as next");
    text.parse().map(Cursor::at).map_err(|_| wrong())
}

/// A cursor as it is written in answers; opaque to whoever gets it.
pub(crate) fn write_cursor(cursor: Option<Cursor>) -> Option<String> {
    cursor.map(|cursor| cursor.position().to_string())
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self::of(parts.uri.query()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_refused_by_name() {
        let query = Query::of(Some("limit=0&after=x&wait=soon&since=then"));

        assert_eq!(query.page().unwrap_err().field, "limit");
        assert_eq!(Query::of(Some("after=x")).page().unwrap_err().field, "after");
        assert_eq!(query.span("wait").unwrap_err().field, "wait");
        assert_eq!(query.since("since", Timestamp::MIN).unwrap_err().field, "since");
        assert_eq!(Query::of(Some("a=1&b=2&a=3")).repeated(), Some("a"));
    }

    #[test]
    fn a_cursor_reads_back() {
        let query = Query::of(Some("after=-7"));

        assert_eq!(query.page().unwrap().cursor(), Some(Cursor::at(-7)));
        assert_eq!(write_cursor(Some(Cursor::at(-7))).as_deref(), Some("-7"));
    }
}
