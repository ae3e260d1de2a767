//! What handlers are given of a request: the body as a shape, a part of the path as a value.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;
use windlass_core::{
    AttemptToken, Fingerprint, Invalid, JobId, KindName, OperationId, ProgramName, QueueName, ScheduleName,
    WorkerId,
};
use windlass_store::TokenId;
use windlass_wire::FromBody;

use crate::access::Caller;
use crate::answer::Failure;

/// The least that a sender must send of a body in a second, in bytes.
const BYTES_PER_SECOND_MIN: u64 = 1024;

/// How much of a body is read, and for how long: said by the guard, of the route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyBounds {
    pub(crate) bytes_max: usize,
    pub(crate) time: Duration,
}

/// The body of a request, read as a shape.
#[derive(Debug)]
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: FromBody, S: Sync> FromRequest<S> for Sent<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let bounds = *request.extensions().get::<BodyBounds>().ok_or_else(Failure::internal)?;
        let text = read(request.into_body(), bounds).await?;
        let text = std::str::from_utf8(&text)
            .map_err(|error| Invalid::new("body", format!("is not UTF-8 at byte {}", error.valid_up_to())))?;
        Ok(Self(T::from_body(text)?))
    }
}

async fn read(body: Body, bounds: BodyBounds) -> Result<Bytes, Failure> {
    let most = bounds.bytes_max;
    let slowest = Duration::from_secs(u64::try_from(most).unwrap_or(u64::MAX) / BYTES_PER_SECOND_MIN);
    // A sender that keeps to the least is let through, and one that keeps the connection open for nothing is not.
    let collected =
        timeout(bounds.time.max(slowest.min(bounds.time * 4)), Limited::new(body, most).collect());
    match collected.await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Failure::new("too_large", format!("the body is longer than {most} bytes")))
        }
        Ok(Err(_)) => Err(Invalid::new("body", "ended before it was complete").into()),
        Err(_) => Err(Failure::new("invalid", "the body did not arrive in time")
            .with_status(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// A part of a path that is a value, and what it is called in the table.
pub(crate) trait PathPart: Sized {
    const NAME: &'static str;

    fn read(text: &str) -> Result<Self, Invalid>;
}

macro_rules! path_part {
    ($($type:ty => $name:literal),+ $(,)?) => {
        $(impl PathPart for $type {
            const NAME: &'static str = $name;

            fn read(text: &str) -> Result<Self, Invalid> {
                text.parse()
            }
        })+
    };
}

path_part! {
    JobId => "id",
    AttemptToken => "token",
    QueueName => "queue",
    KindName => "kind",
    ScheduleName => "name",
    ProgramName => "program",
    WorkerId => "worker",
    OperationId => "operation",
    Fingerprint => "fingerprint",
}

/// The id of a token of access.
#[derive(Debug, utoipa::ToSchema)]
#[schema(value_type = String)]
pub(crate) struct TokenRef(pub(crate) TokenId);

impl PathPart for TokenRef {
    const NAME: &'static str = "token_id";

    fn read(text: &str) -> Result<Self, Invalid> {
        text.parse().map(Self)
    }
}

/// The part of the path that is a `T`.
#[derive(Debug)]
pub(crate) struct At<T>(pub(crate) T);

impl<T: PathPart, S: Sync + Send> FromRequestParts<S> for At<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| no_text())?;
        let text = params.iter().find(|(name, _)| *name == T::NAME).map(|(_, text)| text);
        let part = text.ok_or_else(Failure::internal)?;
        Ok(Self(T::read(part).map_err(|invalid| Invalid { field: T::NAME.to_owned(), ..invalid })?))
    }
}

pub(crate) fn no_text() -> Failure {
    Invalid::new("path", "is not UTF-8").into()
}

/// Who asks.
#[derive(Debug)]
pub(crate) struct By(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        // The guard lets nobody in without one.
        parts.extensions.get::<Caller>().cloned().map(Self).ok_or_else(Failure::internal)
    }
}
