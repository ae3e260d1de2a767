//! What is answered: a shape with a status, or a problem.
//!
//! Every answer that is an object says what time it is (`server_time`), so that nobody does arithmetic with a clock of
//! another machine. The time is put into the text of the answer at the very end, by the [guard](crate::guard).

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use serde::Serialize;
use windlass_core::{Invalid, Timestamp};
use windlass_store::StoreError;
use windlass_wire::ProblemShape;

use crate::auth::veiled;

/// What a handler returns.
pub(crate) type Reply<T> = Result<Answer<T>, Failure>;

/// A shape, and the status it goes with.
#[derive(Debug)]
pub(crate) struct Answer<T>(StatusCode, T);

impl<T> Answer<T> {
    pub(crate) const fn ok(body: T) -> Self {
        Self(StatusCode::OK, body)
    }

    pub(crate) const fn with_status(status: StatusCode, body: T) -> Self {
        Self(status, body)
    }
}

/// The text of an answer that does not say yet what time it is.
#[derive(Debug, Clone)]
pub(crate) struct Unstamped(Bytes);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response<Body> {
        match serde_json::to_vec(&self.1) {
            Ok(text) => unstamped(self.0, "application/json", text.into()),
            Err(error) => {
                tracing::error!(%error, "an answer has no JSON form");
                Failure::internal().into_response()
            }
        }
    }
}

fn unstamped(status: StatusCode, media: &'static str, text: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response.extensions_mut().insert(Unstamped(text));
    response
}

/// Puts the time into the answer, if it is an object.
pub(crate) fn stamp(mut response: Response<Body>, now: Timestamp) -> Response<Body> {
    let Some(Unstamped(text)) = response.extensions_mut().remove() else { return response };
    *response.body_mut() = Body::from(stamped(&text, now));
    response
}

/// The same answer, for those who do not see what is in jobs. Streams hold numbers alone.
pub(crate) fn without_payloads(mut response: Response<Body>) -> Result<Response<Body>, Failure> {
    let Some(Unstamped(text)) = response.extensions_mut().get_mut::<Unstamped>() else {
        return Ok(response);
    };
    *text = veiled(text).ok_or_else(Failure::internal)?.into();
    Ok(response)
}

fn stamped(text: &Bytes, now: Timestamp) -> Bytes {
    let Some(rest) = text.strip_prefix(b"{") else { return text.clone() };
    let comma = if rest == b"}" { "" } else { "," };
    let mut stamped = format!("{{\"server_time\":\"{now}\"{comma}").into_bytes();
    stamped.extend_from_slice(rest);
    stamped.into()
}

/// Why something was not done.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: Box<ProblemShape>,
    /// When to come back, in seconds.
    retry_after: Option<u64>,
    /// How to say who one is, with the code `unauthorized`; what may be done here, with the status 405.
    header: Option<(axum::http::HeaderName, HeaderValue)>,
}

impl Failure {
    pub(crate) fn new(code: &str, detail: impl Into<String>) -> Self {
        ProblemShape::new(code, detail).into()
    }

    pub(crate) fn internal() -> Self {
        Self::new("internal", "the server failed; its log says more")
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new("not_found", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new("forbidden", detail)
    }

    /// The same, and when to come back.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The same, with a header.
    pub(crate) fn with_header(self, name: axum::http::HeaderName, value: HeaderValue) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    /// The same problem with another status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { problem: Box::new(self.problem.with_status(status.as_u16())), ..self }
    }

    #[cfg(test)]
    pub(crate) fn code(&self) -> &str {
        &self.problem.code
    }

    pub(crate) fn into_problem(self) -> ProblemShape {
        *self.problem
    }
}

impl From<ProblemShape> for Failure {
    fn from(problem: ProblemShape) -> Self {
        Self { problem: Box::new(problem), retry_after: None, header: None }
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        ProblemShape::from(invalid).into()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::from(ProblemShape::from(&error));
        if failure.problem.status >= 500 {
            tracing::warn!(?error, "the store did not do what was asked");
        }
        if error.is_transient() { failure.retry_after(1) } else { failure }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = unstamped(status, "application/problem+json", text.into());
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_says_what_time_it_is_first() {
        let at = |text: &'static str| stamped(&Bytes::from_static(text.as_bytes()), Timestamp::MIN);

        assert_eq!(at(r#"{"a":1}"#), r#"{"server_time":"1970-01-01T00:00:00Z","a":1}"#);
        assert_eq!(at("{}"), r#"{"server_time":"1970-01-01T00:00:00Z"}"#);
        assert_eq!(at("[]"), "[]");
    }
}
