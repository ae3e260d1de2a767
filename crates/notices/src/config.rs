//! What a sender of notices was told: where it may send, by whom, and how it signs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use windlass_core::Invalid;
use windlass_store::{Clock, SystemClock};

use crate::resolve::{Resolve, System};
use crate::signature::Secret;

/// How long one notice may take, from the first question to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many notices are sent at a time.
const SLOTS: u32 = 4;

/// What a sender of notices may do. As it is made, it may do nothing.
///
/// ```
/// use windlass_notices::NoticeConfig;
///
/// let config = NoticeConfig::new()
///     .allow("hooks.example.com")
///     .allow("*.customers.example.com")
///     .allow("example.com") // mail to ops@example.com
///     .smtp("smtp://mailer:sesame@mail.example.com:587")
///     .from("windlass@example.com")
///     .secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
/// ```
///
/// What is wrong with it is said when the worker is built, or by [`Sender::new`](crate::Sender::new).
#[derive(Clone)]
#[must_use = "it configures nothing by itself"]
pub struct NoticeConfig {
    pub(crate) allowed: Vec<Host>,
    pub(crate) internal: Vec<Host>,
    pub(crate) smtp: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) own_secrets: Vec<(Host, Secret)>,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) timeout: Duration,
    pub(crate) slots: u32,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fault: Option<Invalid>,
}

impl Default for NoticeConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl NoticeConfig {
    /// One that allows nothing.
    pub fn new() -> Self {
        Self {
            allowed: Vec::new(),
            internal: Vec::new(),
            smtp: None,
            from: None,
            secrets: Vec::new(),
            own_secrets: Vec::new(),
            roots: Vec::new(),
            timeout: TIMEOUT,
            slots: SLOTS,
            resolver: Arc::new(System),
            clock: Arc::new(SystemClock),
            fault: None,
        }
    }

    /// Allows notices to `host`: to URLs with this host, and to mail addresses behind whose `@` it stands.
    ///
    /// `*.example.com` is every name below `example.com`, and not that name itself. The host of a URL must have a public
    /// address; it is spoken to by `https` alone.
    pub fn allow(mut self, host: &str) -> Self {
        match Host::new(host) {
            Ok(host) => self.allowed.push(host),
            Err(problem) => self.blame(Invalid::new("notices.allow", problem)),
        }
        self
    }

    /// Allows notices to `host`, whatever address it has, and by plain `http` too: for a host of one's own network.
    pub fn allow_internal(mut self, host: &str) -> Self {
        match Host::new(host) {
            Ok(host) => self.internal.push(host),
            Err(problem) => self.blame(Invalid::new("notices.allow_internal", problem)),
        }
        self
    }

    /// Sends mail by the server at `url`.
    ///
    /// `smtp://host:587` begins in plain text and must change to TLS before anything is said; `smtps://host:465` is TLS
    /// from the first byte. With `?tls=none` nothing is encrypted, and then no password may be given. Without a port it is
    /// 587, 465, or 25 without TLS. A name and a password stand before the host, as in `smtp://name:password@host`.
    pub fn smtp(mut self, url: impl Into<String>) -> Self {
        self.smtp = Some(url.into());
        self
    }

    /// Sends mail from this address: `windlass@example.com`, or `Windlass <windlass@example.com>`.
    pub fn from(mut self, address: impl Into<String>) -> Self {
        self.from = Some(address.into());
        self
    }

    /// Signs webhooks with this secret: `whsec_` and 24 to 64 random bytes in Base64.
    ///
    /// Given twice, both sign: so a receiver may go from the one to the other without missing anything.
    pub fn secret(mut self, secret: &str) -> Self {
        match Secret::new(secret) {
            Ok(secret) => self.secrets.push(secret),
            Err(invalid) => self.blame(invalid),
        }
        self
    }

    /// Signs webhooks to `host` with this secret, and no longer with those of [`secret`](Self::secret).
    pub fn secret_for(mut self, host: &str, secret: &str) -> Self {
        let host = Host::new(host).map_err(|problem| Invalid::new("notices.secret", problem));
        match host.and_then(|host| Ok((host, Secret::new(secret)?))) {
            Ok(pair) => self.own_secrets.push(pair),
            Err(invalid) => self.blame(invalid),
        }
        self
    }

    /// Trusts the authorities in this PEM text, besides those that the system trusts: for servers of one's own.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// How long the sending of one notice may take in all. Default 10 s, at most 50 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many notices are sent at a time. Default 4.
    pub fn slots(mut self, slots: u32) -> Self {
        self.slots = slots;
        self
    }

    /// Asks `resolver` for the addresses of hosts, instead of the system.
    pub fn resolver(mut self, resolver: impl Resolve + 'static) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Says by `clock` when a webhook was sent, instead of by that of the machine.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What may be done with `host`.
    pub(crate) fn standing(&self, host: &str) -> Standing {
        if self.internal.iter().any(|known| known.is(host)) {
            Standing::Internal
        } else if self.allowed.iter().any(|known| known.is(host)) {
            Standing::Public
        } else {
            Standing::Refused
        }
    }

    /// What a webhook to `host` is signed with.
    pub(crate) fn secrets_for(&self, host: &str) -> Vec<&Secret> {
        let own = self.own_secrets.iter().filter(|(known, _)| known.is(host)).map(|(_, secret)| secret);
        let own: Vec<&Secret> = own.collect();
        if own.is_empty() { self.secrets.iter().collect() } else { own }
    }

    fn blame(&mut self, invalid: Invalid) {
        self.fault.get_or_insert(invalid);
    }
}

/// Shows nothing that is secret.
impl fmt::Debug for NoticeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoticeConfig")
            .field("allowed", &self.allowed)
            .field("internal", &self.internal)
            .field("from", &self.from)
            .field("timeout", &self.timeout)
            .field("slots", &self.slots)
            .finish_non_exhaustive()
    }
}

/// What may be done with a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Refused,
    /// Notices may go there if it has a public address.
    Public,
    /// Notices may go there wherever it is.
    Internal,
}

/// A host by its name or address, or all names below one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// In lower case, without the star.
    name: String,
    below: bool,
}

impl Host {
    fn new(text: &str) -> Result<Self, String> {
        let (below, name) = text.strip_prefix("*.").map_or((false, text), |name| (true, name));
        let name = name.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if name.is_empty() || name.starts_with('.') || name.ends_with('.') || !name.chars().all(allowed) {
            return Err(format!("{text:?} is no host: expected such as hooks.example.com or *.example.com"));
        }
        Ok(Self { name, below })
    }

    /// Whether `host`, in lower case, is meant.
    fn is(&self, host: &str) -> bool {
        if !self.below {
            return host == self.name;
        }
        host.strip_suffix(&self.name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(pattern: &str, host: &str) -> bool {
        Host::new(pattern).unwrap().is(host)
    }

    #[test]
    fn a_host_is_meant_exactly_and_a_star_means_what_is_below() {
        assert!(is("hooks.example.com", "hooks.example.com"));
        assert!(is("Hooks.Example.COM", "hooks.example.com"));
        assert!(!is("example.com", "hooks.example.com"));
        assert!(is("*.example.com", "hooks.example.com"));
        assert!(is("*.example.com", "a.b.example.com"));
        assert!(!is("*.example.com", "example.com"));
        assert!(!is("*.example.com", ".example.com"));
        assert!(!is("*.example.com", "evilexample.com"));
        assert!(!is("example.com", "example.com.evil.example"));
        assert!(is("[::1]", "::1"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in
            ["", "*", "*.", ".example.com", "https://example.com", "a b", "exa*mple.com", "example.com."]
        {
            assert!(Host::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_of_a_host_goes_before_those_of_all() {
        let (one, other) = (format!("whsec_{}", "A".repeat(32)), format!("whsec_{}", "B".repeat(32)));
        let config = NoticeConfig::new().secret(&one).secret_for("*.example.com", &other);

        assert_eq!(config.secrets_for("hooks.example.com"), [&Secret::new(&other).unwrap()]);
        assert_eq!(config.secrets_for("example.org"), [&Secret::new(&one).unwrap()]);
    }

    #[test]
    fn what_is_shown_of_it_is_not_secret() {
        let config = NoticeConfig::new()
            .smtp("smtp://ada:sesame@mail.example.com")
            .secret(&format!("whsec_{}", "A".repeat(32)));

        let shown = format!("{config:?}");

        assert!(!shown.contains("sesame") && !shown.contains("AAAA"), "{shown}");
    }
}
