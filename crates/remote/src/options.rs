//! How a server is reached.

use std::time::Duration;

use tokio::runtime::Handle;
use windlass_core::Invalid;
use windlass_store::{ErrorKind, StoreError};
use windlass_wire::answers::Capabilities;

use crate::ask::Ask;
use crate::client::Client;
use crate::connector::OnRuntime;
use crate::store::RemoteStore;
use crate::{AccessToken, Server};

const OPERATION: &str = "connect to the server";

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for an answer: longer than a server gives its store.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How a server is reached.
///
/// ```no_run
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_remote::RemoteOptions;
///
/// let store = RemoteOptions::new("https://jobs.internal")
///     .token("wl_…")
///     .ca_certificate(std::fs::read("/etc/ssl/ours.pem")?)
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    url: String,
    token: Option<AccessToken>,
    ca_certificate: Option<Vec<u8>>,
    timeout: Duration,
    connect_timeout: Duration,
}

/// The same, with an address that can be one.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) server: Server,
    pub(crate) token: Option<AccessToken>,
    pub(crate) ca_certificate: Option<Vec<u8>>,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
}

impl RemoteOptions {
    /// The server at this address: `https://jobs.example.com`, or `http://127.0.0.1:7117`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token: None,
            ca_certificate: None,
            timeout: TIMEOUT,
            connect_timeout: CONNECT_TIMEOUT,
        }
    }

    /// Shows this token. Without one, the server may do without one, as that of an application behind a door of its own.
    #[must_use]
    pub fn token(self, token: impl Into<AccessToken>) -> Self {
        Self { token: Some(token.into()), ..self }
    }

    /// Believes servers that these authorities vouch for, in PEM, and no others; otherwise those that the system believes.
    #[must_use]
    pub fn ca_certificate(self, pem: impl Into<Vec<u8>>) -> Self {
        Self { ca_certificate: Some(pem.into()), ..self }
    }

    /// Waits so long for an answer; a minute unless said.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Waits so long for a connection; ten seconds unless said.
    #[must_use]
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        Self { connect_timeout: timeout, ..self }
    }

    /// Connects, and makes sure that the server is one and lets the token in.
    ///
    /// What keeps connections going runs on the runtime that this is called in, and ends with the store.
    ///
    /// # Errors
    ///
    /// `Invalid(address)`, `Invalid(token)`, `Invalid(ca_certificate)`; `Unavailable` where nobody answers; `Incompatible` where
    /// something else is at that address.
    pub async fn connect(self) -> Result<RemoteStore, StoreError> {
        let at_fault = |invalid| StoreError::invalid(OPERATION, invalid);
        let settings = self.settings().map_err(at_fault)?;
        if settings.token.is_some() && !settings.server.is_encrypted() && !settings.server.is_local() {
            tracing::warn!(server = %settings.server, "the token and all that is said goes over the network unencrypted");
        }
        let handle = Handle::current();
        let client = Client::new(&settings, OnRuntime::new(handle.clone())).map_err(at_fault)?;
        let about: Capabilities = client.ask(OPERATION, Ok(Ask::get(&[&"capabilities"]))).await?;
        check(&settings, &about)?;
        Ok(RemoteStore::over(client, handle))
    }

    fn settings(self) -> Result<Settings, Invalid> {
        let Self { url, token, ca_certificate, timeout, connect_timeout } = self;
        Ok(Settings { server: url.parse()?, token, ca_certificate, timeout, connect_timeout })
    }
}

/// Whoever is let in may do something. Everybody is told what the API is, known or not.
fn check(settings: &Settings, about: &Capabilities) -> Result<(), StoreError> {
    if about.verbs.iter().any(|verb| verb != "open") {
        return Ok(());
    }
    let problem = match settings.token {
        Some(_) => {
            "does not let anybody in: it is wrong, revoked or expired, or the server cannot look it up now"
        }
        None => "is missing: the server asks for one",
    };
    Err(StoreError::new(OPERATION, ErrorKind::Invalid(Invalid::new("token", problem))))
}
