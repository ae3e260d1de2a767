//! Sends requests to one server, over connections that are kept.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::rt::TokioTimer;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep_until, timeout};
use windlass_core::Invalid;
use windlass_store::StoreError;

use crate::ask::Ask;
use crate::connector::{Connector, OnRuntime};
use crate::failure::{Lost, TooLate, refused, unreadable};
use crate::options::Settings;
use crate::server::Server;

/// How often a request is sent that may be sent again.
const TRIES_MAX: u32 = 3;

/// How long to wait before the second time; four times as long before each further one.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest wait that a server may ask for: whoever has longer tries again.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(2);

/// How long a connection is kept that nobody uses: less than servers wait on one.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// Most of an answer, in bytes: far above what a full page of the largest jobs takes.
const ANSWER_BYTES_MAX: usize = 1 << 30;

/// What a request is called in the log of the server and in its audit.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Speaks to one server.
pub(crate) struct Client {
    pool: Pool<Connector, Full<Bytes>>,
    server: Server,
    authorization: Option<HeaderValue>,
    timeout: Duration,
}

/// What came back, and whether it may be about the second of two requests that both arrived.
pub(crate) struct Answered<T> {
    pub(crate) shape: T,
    pub(crate) repeated: bool,
}

impl Client {
    pub(crate) fn new(settings: &Settings, on: OnRuntime) -> Result<Self, Invalid> {
        let server = settings.server.clone();
        let tls = server.is_encrypted().then(|| crate::tls::connector(settings.ca_certificate.as_deref()));
        let connector =
            Connector { tls: tls.transpose()?, patience: settings.connect_timeout, on: on.clone() };
        let pool =
            Pool::builder(on).pool_idle_timeout(IDLE_MAX).pool_timer(TokioTimer::new()).build(connector);
        let authorization = settings.token.as_ref().map(crate::AccessToken::header).transpose()?;
        Ok(Self { pool, server, authorization, timeout: settings.timeout })
    }

    /// Where the server is.
    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    /// Sends the request, and reads the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        ask: Result<Ask, Invalid>,
    ) -> Result<T, StoreError> {
        self.ask_for(operation, ask, self.timeout).await.map(|answered| answered.shape)
    }

    /// The same, with another patience, and told whether it was sent more than once.
    pub(crate) async fn ask_for<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        ask: Result<Ask, Invalid>,
        patience: Duration,
    ) -> Result<Answered<T>, StoreError> {
        let ask = ask.map_err(|invalid| StoreError::invalid(operation, invalid))?;
        let (status, body, repeated) = self.answer(operation, &ask, patience).await?;
        if !status.is_success() {
            return Err(refused(operation, (status, &body), ask.twice));
        }
        // Nothing is as good as an object without fields.
        let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
        let shape = serde_json::from_slice(text).map_err(|error| unreadable(operation, error))?;
        Ok(Answered { shape, repeated })
    }

    /// The patience with a call that takes as long as it takes.
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What is answered in the end.
    async fn answer(
        &self,
        operation: &'static str,
        ask: &Ask,
        patience: Duration,
    ) -> Result<(StatusCode, Bytes, bool), StoreError> {
        let mut repeated = false;
        for again in 1.. {
            let pause = match self.exchange(ask, patience).await {
                Ok((status, Some(wait), _))
                    if again < TRIES_MAX && status == StatusCode::TOO_MANY_REQUESTS =>
                {
                    wait.min(RETRY_AFTER_MAX)
                }
                Ok((status, _, body)) => return Ok((status, body, repeated)),
                Err(lost) if again < TRIES_MAX && lost.may_repeat(ask.twice) => {
                    repeated |= matches!(lost, Lost::Unanswered(_));
                    PAUSE * 4_u32.pow(again - 1)
                }
                Err(lost) => return Err(lost.into_error((operation, &self.server.to_string()), ask.twice)),
            };
            sleep_until(Instant::now() + pause).await;
        }
        unreachable!("the last try is answered, or is an error")
    }

    /// One request, and its answer in full: its status, when to come back if it says so, and its body.
    async fn exchange(
        &self,
        ask: &Ask,
        patience: Duration,
    ) -> Result<(StatusCode, Option<Duration>, Bytes), Lost> {
        let exchanged = async {
            let response = self.send(ask).await?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(Lost::Unanswered)?;
            let seconds = head.headers.get(RETRY_AFTER).and_then(|text| text.to_str().ok()?.parse().ok());
            Ok((head.status, seconds.map(Duration::from_secs), body.to_bytes()))
        };
        let late = |_| Lost::Unanswered(Box::new(TooLate(patience)));
        timeout(patience, exchanged).await.map_err(late)?
    }

    /// Sends the request, and waits for the head of its answer.
    pub(crate) async fn send(&self, ask: &Ask) -> Result<Response<Incoming>, Lost> {
        let request = self.request(ask).map_err(|error| Lost::NeverSent(Box::new(error)))?;
        // One that finds its connection closed before anything was written is sent over another by the pool itself.
        self.pool.request(request).await.map_err(|error| {
            if error.is_connect() {
                Lost::NeverSent(Box::new(error))
            } else {
                Lost::Unanswered(Box::new(error))
            }
        })
    }

    fn request(&self, ask: &Ask) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(self.server.at(&ask.path))
            .header(USER_AGENT, concat!("windlass/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if !ask.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        // A name that no header can hold is left out; the server draws one then.
        if let Some(name) = ask.name.as_ref().and_then(|name| HeaderValue::from_bytes(name.as_bytes()).ok()) {
            request = request.header(REQUEST_ID, name);
        }
        request.body(Full::new(ask.body.clone()))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("server", &self.server).finish_non_exhaustive()
    }
}
