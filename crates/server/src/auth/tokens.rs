//! Who somebody is, by the token that they show.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use tokio::time::Instant;
use windlass_core::Timestamp;
use windlass_store::{ErrorKind, Secret, SharedStore, StoreError, Token, TokenId};

use super::pace::Pace;
use super::roles::caller;
use crate::access::{Asked, Authorizer, Caller, Refusal, Verb};

/// How long a token is taken to be what it was: so long after it is revoked may somebody still use it.
const KEPT: Duration = Duration::from_secs(5);

/// How often it is noted that a token is used.
const NOTED: Duration = Duration::from_secs(60);

/// Most tokens that are kept.
const KEPT_MAX: usize = 4_096;

/// How many tokens that let nobody in may be shown from one address at once, and how long it takes until one more may.
const FAILURES: (u32, Duration) = (10, Duration::from_secs(6));

/// How many requests a token may make at once, and in a second from then on, unless said.
const REQUESTS: (u32, u32) = (400, 200);

/// Knows who somebody is by the token that they show: `Authorization: Bearer wl_…`.
///
/// The store keeps the tokens. One that was looked up is known for five seconds, so revoking it takes as long to be felt. Who
/// shows tokens that let nobody in is made to wait, and is not looked up any more; those who have been let in before from
/// wherever are not kept out by that.
pub struct Tokens {
    store: SharedStore,
    known: Mutex<HashMap<TokenId, Known>>,
    failures: Pace<IpAddr>,
    requests: Option<Pace<TokenId>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

/// A token that was looked up.
#[derive(Debug, Clone)]
struct Known {
    token: Token,
    looked_up: Instant,
    /// When its use was last noted.
    noted: Option<Instant>,
}

impl Tokens {
    /// Those that `store` keeps.
    #[must_use]
    pub fn of(store: SharedStore) -> Self {
        let (burst, every) = FAILURES;
        let failures = Pace::new(every, burst);
        let tokens = Self { store, known: Mutex::default(), failures, requests: None };
        tokens.at_most(Some(REQUESTS.1))
    }

    /// The same, with so many requests a second for each token, and twice as many at once; none for as many as it likes.
    /// Claims, beats and settles are not counted: their lane has bounds of its own.
    #[must_use]
    pub fn at_most(self, per_second: Option<u32>) -> Self {
        let pace =
            |count: u32| Pace::new(Duration::from_secs(1) / count.max(1), count.max(1).saturating_mul(2));
        Self { requests: per_second.map(pace), ..self }
    }

    /// What is known of a token, be it old or not.
    fn known(&self, id: TokenId) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn keep(&self, id: TokenId, known: Known) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT_MAX && !all.contains_key(&id) {
            all.clear();
        }
        all.insert(id, known);
    }

    /// The token of this secret, if there is one, valid or not.
    async fn find(&self, secret: &Secret, from: IpAddr) -> Result<Token, Refusal> {
        let known = self.known(secret.id()).filter(|known| known.token.made.hash.is_of(secret));
        if let Some(known) = &known
            && known.looked_up.elapsed() < KEPT
        {
            return Ok(known.token.clone());
        }
        if known.is_none() {
            self.failures.look(&from).map_err(Refusal::TooOften)?;
        }
        let found = match self.store.token(secret.id()).await {
            Ok(token) if token.made.hash.is_of(secret) => Some(token),
            Ok(_) => None,
            Err(error) if *error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(unavailable(&error)),
        };
        let token = found.ok_or_else(|| self.failed(from))?;
        let noted = known.and_then(|known| known.noted);
        self.keep(secret.id(), Known { token: token.clone(), looked_up: Instant::now(), noted });
        Ok(token)
    }

    /// Counts a token that lets nobody in.
    fn failed(&self, from: IpAddr) -> Refusal {
        match self.failures.take(from) {
            Ok(()) => Refusal::Unauthorized(
                "no such token lets anybody in; `windlass tokens create` makes one".to_owned(),
            ),
            Err(wait) => Refusal::TooOften(wait),
        }
    }

    /// Notes that the token is used, now and then. That it could not be noted keeps nobody out.
    async fn note(&self, id: TokenId) {
        {
            let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(known) = all.get_mut(&id) else { return };
            if known.noted.is_some_and(|noted| noted.elapsed() < NOTED) {
                return;
            }
            known.noted = Some(Instant::now());
        }
        if let Err(error) = self.store.use_token(id).await {
            tracing::debug!(token = %id, %error, "could not note the use of a token");
        }
    }
}

#[async_trait]
impl Authorizer for Tokens {
    async fn admit(&self, asked: Asked<'_>) -> Result<Caller, Refusal> {
        // Requests that no connection brought are made within the process.
        let from = asked.client.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let shown = shown(asked.headers)?;
        let Some(secret) = Secret::parse(shown) else { return Err(self.failed(from)) };
        let token = self.find(&secret, from).await?;
        if !token.is_valid(asked.now) {
            return Err(outdated(&token, asked.now));
        }
        if let Some(requests) = self.requests.as_ref().filter(|_| asked.verb != Verb::Work) {
            requests.take(secret.id()).map_err(Refusal::TooOften)?;
        }
        self.note(secret.id()).await;
        Ok(caller(&token))
    }
}

/// The token that stands in the header. There is none in an address, which logs would keep.
fn shown(headers: &HeaderMap) -> Result<&str, Refusal> {
    let help = |why: &str| Refusal::Unauthorized(format!("{why}: send `Authorization: Bearer wl_…`"));
    let mut said = headers.get_all(AUTHORIZATION).iter();
    let first = said.next().ok_or_else(|| help("no token was shown"))?;
    if said.next().is_some() {
        return Err(help("more than one token was shown"));
    }
    let (scheme, token) = first.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(token.trim());
    }
    Err(help("what was shown is no bearer token"))
}

/// Only who has the secret is told.
fn outdated(token: &Token, now: Timestamp) -> Refusal {
    let name = &token.made.name;
    Refusal::Unauthorized(match (token.revoked_at, token.made.expires_at) {
        (None, Some(expired)) if expired <= now => format!("the token of {name:?} has expired at {expired}"),
        _ => format!("the token of {name:?} was revoked"),
    })
}

fn unavailable(error: &StoreError) -> Refusal {
    tracing::warn!(?error, "a token could not be looked up");
    Refusal::Unavailable("tokens cannot be looked up now".to_owned())
}
