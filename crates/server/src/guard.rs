//! What stands before every handler: who asks and what they may do, whether there is room, and how long it may take.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::header::{
    CACHE_CONTROL, HeaderValue, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Response};
use axum::middleware::Next;
use axum::response::IntoResponse;
use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;
use windlass_core::{Invalid, QueueName};
use windlass_store::{Via, ids};
use windlass_wire::nearest::suggestion;

use crate::access::{Asked, Caller, Concerns, Refusal, Verb, job_of};
use crate::answer::{Failure, stamp, without_payloads};
use crate::app::Shared;
use crate::auth::Door;
use crate::input::{BodyBounds, no_text};
use crate::lanes::Place;
use crate::query::Query;
use crate::route::{Rules, Size};
use crate::trace;

/// Where a request comes from, as the server that accepted it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What is checked, and by whom.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) app: Shared,
    pub(crate) rules: Arc<Rules>,
}

/// The place of a request in its lane, which it gives back while it waits for something to happen.
#[derive(Debug, Clone)]
pub(crate) struct InLane(Arc<Mutex<Option<Place>>>);

impl InLane {
    fn new(place: Place) -> Self {
        Self(Arc::new(Mutex::new(Some(place))))
    }

    /// Lets others have the place.
    pub(crate) fn leave(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl<S: Sync> FromRequestParts<S> for InLane {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Failure::internal)
    }
}

/// Lets a request through, or says why not.
pub(crate) async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response<Body> {
    let began = Instant::now();
    let asked = request_id(request.headers());
    let span = trace::span(&gate.rules, request.headers());
    let passed = pass(&gate, (request, &asked), next).instrument(span.clone());
    let mut answered = passed.await.unwrap_or_else(IntoResponse::into_response);
    trace::note(&span, &answered);
    if let Ok(asked) = HeaderValue::from_str(&asked) {
        answered.headers_mut().insert(REQUEST_ID, asked);
    }
    gate.app.metrics.answered(&gate.rules, answered.status(), began.elapsed());
    finished(answered, &gate.app)
}

/// What a request is called in logs and in the audit.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name that the caller gave it, where it can be kept; else one that is drawn.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|name| name.to_str().ok());
    let can_be_kept =
        |name: &&str| Via { request: Some((*name).to_owned()), ..Via::default() }.validate().is_ok();
    given.filter(can_be_kept).map_or_else(|| ids::job_id().to_string(), str::to_owned)
}

async fn pass(gate: &Gate, (request, asked): (Request, &str), next: Next) -> Result<Response<Body>, Failure> {
    let Gate { app, rules } = gate;
    let (mut parts, body) = request.into_parts();
    if let Some(door) = &app.config.door {
        door.check(&parts)?;
    }
    let mut caller = admit(gate, &parts).await?;
    caller.via.address = caller.via.address.or_else(|| client(gate, &parts));
    caller.via.request = Some(asked.to_owned());
    check_query(rules, &Query::of(parts.uri.query()))?;
    let lane = InLane::new(app.lanes.enter(rules.lane).await?);
    check_queue(gate, &caller, &mut parts).await?;
    let veiled = rules.access.verb == Verb::Read && !caller.sees_payloads;
    parts.extensions.insert(caller);
    // Held here too, for a handler that reads the body has let go of everything else by then.
    let _place = lane.clone();
    parts.extensions.insert(lane);
    parts.extensions.insert(bounds(gate));
    let answer = AssertUnwindSafe(next.run(Request::from_parts(parts, body))).catch_unwind();
    match timeout(time_for(gate), answer).await {
        Ok(Ok(response)) if veiled => without_payloads(response),
        Ok(Ok(response)) => Ok(response),
        Ok(Err(_)) => {
            tracing::error!(route = rules.path, "a handler panicked");
            Err(Failure::internal())
        }
        Err(_) => {
            Err(Failure::new("unknown", "the store did not answer in time; it may have done what was asked"))
        }
    }
}

fn bounds(gate: &Gate) -> BodyBounds {
    let limits = gate.app.limits();
    let bytes_max = match gate.rules.size {
        Size::One => limits.body_bytes_max,
        Size::Many => limits.batch_bytes_max,
    };
    BodyBounds { bytes_max, time: limits.body_time }
}

/// How long the answer may take, the body of the request and what the caller asked to wait included.
fn time_for(gate: &Gate) -> Duration {
    let limits = gate.app.limits();
    limits.answer_time + limits.body_time * 4 + limits.wait_max
}

/// Where a request comes from.
fn client(gate: &Gate, parts: &Parts) -> Option<IpAddr> {
    let peer = parts.extensions.get::<Peer>()?.0.ip();
    let door = gate.app.config.door.as_ref();
    Some(door.map_or(peer, |door| door.client(&parts.headers, peer)))
}

async fn admit(gate: &Gate, parts: &Parts) -> Result<Caller, Failure> {
    let Rules { access, path, .. } = &*gate.rules;
    let from = (client(gate, parts), gate.app.now());
    let asked = Asked::new(&parts.headers, (access.verb, path), from);
    match gate.app.config.authorizer.admit(asked).await {
        Ok(caller) if caller.verbs.has(access.verb) => Ok(caller),
        Ok(caller) => Err(Failure::forbidden(format!("{} may not {}", caller.name, access.verb))),
        // What is open is open to whom nobody knows, too.
        Err(_) if access.verb == Verb::Open => Ok(Caller::new("anybody").in_queues(Vec::new())),
        Err(refusal) => Err(refused(refusal)),
    }
}

fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Unauthorized(why) => Failure::new("unauthorized", why)
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"windlass\"")),
        Refusal::Forbidden(why) => Failure::forbidden(why),
        Refusal::TooOften(wait) => {
            Failure::new("rate_limited", "this caller asks too often").retry_after(wait.as_secs().max(1))
        }
        Refusal::Unavailable(why) => Failure::new("unavailable", why).retry_after(1),
    }
}

fn check_query(rules: &Rules, query: &Query) -> Result<(), Failure> {
    if let Some(name) = query.names().find(|name| !rules.query.contains(name)) {
        let meant = suggestion(name, rules.query.iter().copied());
        let meant = meant.unwrap_or_else(|| match rules.query {
            [] => "this route has none".to_owned(),
            known => format!("they are {}", known.join(", ")),
        });
        return Err(Invalid::new(name, format!("is not a parameter of this address: {meant}")).into());
    }
    match query.repeated() {
        Some(name) => Err(Invalid::new(name, "is given twice").into()),
        None => Ok(()),
    }
}

/// Whether the queue that the route concerns is the caller's. What is out of their reach is not there for them.
async fn check_queue(gate: &Gate, caller: &Caller, parts: &mut Parts) -> Result<(), Failure> {
    let concerns = gate.rules.access.concerns;
    if caller.own_jobs_only && gate.rules.access.verb == Verb::Read {
        return check_own(gate, caller, parts).await;
    }
    if caller.reaches_all() || matches!(concerns, Concerns::Nothing | Concerns::Named) {
        return Ok(());
    }
    if concerns == Concerns::Everything {
        return Err(Failure::forbidden("this concerns every queue, and not all are the caller's"));
    }
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| no_text())?;
    let queue = match params.iter().find_map(|(_, text)| job_of(text, concerns)) {
        Some(job) => Some(gate.app.store.job(job).await?.queue),
        None => {
            params.iter().find(|(name, _)| *name == "queue").and_then(|(_, text)| QueueName::new(text).ok())
        }
    };
    match queue {
        Some(queue) if !caller.reaches(&queue) => Err(Failure::not_found("there is no such thing")),
        // What is no id and no name is refused by whoever reads it.
        _ => Ok(()),
    }
}

/// Whether the job that the route concerns was enqueued by the caller, and is still theirs to reach.
async fn check_own(gate: &Gate, caller: &Caller, parts: &mut Parts) -> Result<(), Failure> {
    let concerns = gate.rules.access.concerns;
    if concerns != Concerns::Job {
        return Err(Failure::forbidden(format!("{} sees its own jobs alone, one by one", caller.name)));
    }
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| no_text())?;
    // What is no id is refused by whoever reads it.
    let Some(id) = params.iter().find_map(|(_, text)| job_of(text, concerns)) else { return Ok(()) };
    let job = gate.app.store.job(id).await?;
    if caller.reaches(&job.queue) && job.options.submitted_by.as_deref() == Some(caller.name.as_str()) {
        return Ok(());
    }
    Err(Failure::not_found("there is no such thing"))
}

/// The headers and the time that every answer has.
pub(crate) fn finished(answer: Response<Body>, app: &Shared) -> Response<Body> {
    let mut answer = stamp(answer, app.now());
    let headers = answer.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if app.config.door.as_ref().is_some_and(Door::is_encrypted) {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if let Ok(now) = HeaderValue::from_str(&app.now().to_string()) {
        headers.insert(HeaderName::from_static("windlass-server-time"), now);
    }
    answer
}
