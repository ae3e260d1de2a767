//! What a web page in somebody's browser could send, and is turned away before anybody looks who asks.
//!
//! A page of another site can make a browser send requests here, and by a name whose address it changes it can even read
//! the answers (DNS rebinding). It cannot choose the `Host` and the `Origin` that the browser sends with them.

use std::net::IpAddr;

use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use windlass_core::Invalid;

use super::forwarded::client;
use crate::answer::Failure;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// By which names, from which pages and through which proxies the server is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Door {
    hosts: Vec<String>,
    origins: Vec<String>,
    proxies: Vec<IpAddr>,
    encrypted: bool,
}

impl Door {
    /// Called by an address or as `localhost`, from no page but its own, and directly.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, also called by this name.
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into().to_ascii_lowercase());
        self
    }

    /// The same, also called from pages of this origin, such as `https://example.com`.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into().to_ascii_lowercase());
        self
    }

    /// The same, behind a proxy of this address, which is believed for whom it speaks.
    #[must_use]
    pub fn behind_proxy(mut self, address: IpAddr) -> Self {
        self.proxies.push(address);
        self
    }

    /// The same, with browsers told to come over TLS alone.
    #[must_use]
    pub const fn encrypted(mut self) -> Self {
        self.encrypted = true;
        self
    }

    pub(crate) const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Where a request comes from.
    pub(crate) fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        client(headers, peer, &self.proxies)
    }

    /// Refuses what no program that means well sends.
    pub(crate) fn check(&self, parts: &Parts) -> Result<(), Failure> {
        let headers = &parts.headers;
        if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
            // A proxy may take one for true, and this server the other.
            return Err(Invalid::new("content-length", "and transfer-encoding cannot both be given").into());
        }
        let host = host(parts)?;
        self.check_host(&host)?;
        if parts.method.is_safe() {
            return Ok(());
        }
        self.check_origin(headers, &host)?;
        check_media(headers)
    }

    /// A name whose owner may let it lead anywhere is none of ours, unless it was said to be. An address leads where it says.
    fn check_host(&self, host: &Authority) -> Result<(), Failure> {
        let name = host.host().trim_matches(['[', ']']).to_ascii_lowercase();
        let known = name == "localhost" || name.parse::<IpAddr>().is_ok() || self.hosts.contains(&name);
        if known {
            return Ok(());
        }
        let why = format!("this server is not called {name:?}; start it with --allow-host {name} if it is");
        Err(Failure::forbidden(why).with_status(StatusCode::MISDIRECTED_REQUEST))
    }

    fn check_origin(&self, headers: &HeaderMap, host: &Authority) -> Result<(), Failure> {
        let foreign =
            || Failure::forbidden("this comes from a page of another site; --allow-origin says which may");
        let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        if let Some(origin) = text(&ORIGIN) {
            let origin = origin.to_ascii_lowercase();
            if self.origins.contains(&origin) {
                return Ok(());
            }
            let own =
                origin.split_once("://").is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(host.as_str()));
            if !own {
                return Err(foreign());
            }
        }
        match text(&FETCH_SITE) {
            None | Some("same-origin" | "none") => Ok(()),
            Some(_) => Err(foreign()),
        }
    }
}

/// What the server was called.
fn host(parts: &Parts) -> Result<Authority, Failure> {
    let wrong = |problem: &str| Failure::from(Invalid::new("host", problem));
    let mut said = parts.headers.get_all(HOST).iter();
    let (Some(host), None) = (said.next(), said.next()) else { return Err(wrong("must be given once")) };
    let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    let host =
        host.filter(|host| !host.as_str().contains('@')).ok_or_else(|| wrong("is no name of a host"))?;
    match parts.uri.authority() {
        Some(asked) if *asked != host => Err(wrong("is not that of the address that is asked for")),
        _ => Ok(host),
    }
}

/// A page can have a form sent anywhere, but none that is JSON.
fn check_media(headers: &HeaderMap) -> Result<(), Failure> {
    let empty = headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0");
    if empty && !headers.contains_key(TRANSFER_ENCODING) {
        return Ok(());
    }
    let media = headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let invalid = Failure::from(Invalid::new("content-type", "must be application/json"));
    Err(invalid.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(method: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri("/api/v1/jobs");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn addresses_and_names_that_were_allowed_are_ours_and_others_are_not() {
        let door = Door::new().allow_host("Jobs.Example.Com");
        let passes = |host: &str| door.check(&parts("GET", &[("host", host)])).is_ok();

        for ours in ["localhost", "localhost:7117", "127.0.0.1:7117", "[::1]:7117", "JOBS.example.com:443"] {
            assert!(passes(ours), "{ours}");
        }
        for foreign in ["evil.example", "localhost.evil.example", "jobs.example.com.evil", "a@localhost", ""]
        {
            assert!(!passes(foreign), "{foreign}");
        }
        assert!(door.check(&parts("GET", &[])).is_err());
        assert!(door.check(&parts("GET", &[("host", "localhost"), ("host", "localhost")])).is_err());
    }

    #[test]
    fn what_changes_something_comes_from_no_page_of_another_site() {
        let door = Door::new().allow_origin("https://ours.example");
        let passes = |headers: &[(&str, &str)]| {
            door.check(&parts("POST", &[&[("host", "localhost:7117")], headers].concat())).is_ok()
        };

        assert!(passes(&[]));
        assert!(passes(&[("origin", "http://localhost:7117"), ("sec-fetch-site", "same-origin")]));
        assert!(passes(&[("origin", "https://ours.example"), ("sec-fetch-site", "cross-site")]));
        for site in ["cross-site", "same-site"] {
            assert!(!passes(&[("sec-fetch-site", site)]), "{site}");
        }
        for origin in ["http://evil.example", "null", "http://localhost:7118", "http://localhost:7117.evil"] {
            assert!(!passes(&[("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_form_is_no_request() {
        let passes = |media: &str| {
            let headers = [("host", "localhost"), ("content-length", "2"), ("content-type", media)];
            Door::new().check(&parts("POST", &headers)).is_ok()
        };

        assert!(passes("application/json") && passes("application/json; charset=utf-8"));
        assert!(!passes("text/plain") && !passes("application/x-www-form-urlencoded") && !passes(""));
    }

    #[test]
    fn a_body_has_one_length() {
        let headers = [("host", "localhost"), ("content-length", "2"), ("transfer-encoding", "chunked")];

        assert!(Door::new().check(&parts("POST", &headers)).is_err());
    }
}
