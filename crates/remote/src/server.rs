//! [`Server`]: where a server is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};
use windlass_core::Invalid;

/// Where a server is: `https://jobs.example.com`, with the path under which its API was nested, if it was.
///
/// ```
/// use windlass_remote::Server;
///
/// let server: Server = "http://127.0.0.1:7117/".parse()?;
/// assert_eq!(server.to_string(), "http://127.0.0.1:7117");
/// assert!("https://user:secret@example.com".parse::<Server>().is_err());
/// # Ok::<(), windlass_core::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Server(Url);

/// What is wrong with an address.
fn wrong(problem: impl Into<String>) -> Invalid {
    Invalid::new("address", problem)
}

impl Server {
    /// Whether the text is meant to be one: it begins with `http://` or `https://`.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        scheme.is_some_and(|scheme| scheme == "http" || scheme == "https")
    }

    /// Whether what is said to it is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            None => false,
        }
    }

    /// The address of what lies below it. `path` begins with a slash.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{self}{path}")
    }
}

impl FromStr for Server {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // The text is not told: there may be a password in it.
        let url = Url::parse(text).map_err(|error| wrong(format!("is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("must be that of a server: http://HOST:PORT or https://HOST"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("has a user in it: who asks is said by a token, which does not stand in it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(
                "has something behind its path: it is that of the server, and of no page of it",
            ));
        }
        Ok(Self(url))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_a_server_and_holds_no_secret() {
        for wrong in [
            "jobs.example.com",
            "ftp://example.com",
            "http://",
            "http://a:b@example.com",
            "http://secret@example.com",
            "http://example.com/?token=x",
            "http://example.com/#x",
            "postgres://h/d",
        ] {
            assert_eq!(wrong.parse::<Server>().unwrap_err().field, "address", "{wrong}");
        }
        let error = "http://ada:secret@example.com".parse::<Server>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn what_lies_below_is_found_under_its_path() {
        let server: Server = "https://Example.com/queue/".parse().unwrap();

        assert_eq!(server.at("/api/v1/jobs"), "https://example.com/queue/api/v1/jobs");
        assert!(server.is_encrypted() && !server.is_local());
    }

    #[test]
    fn an_address_says_whether_it_is_of_this_machine() {
        let local = |text: &str| text.parse::<Server>().unwrap().is_local();

        assert!(local("http://localhost:1") && local("http://127.0.0.1:1") && local("http://[::1]:1"));
        assert!(!local("http://10.0.0.1:1") && !local("http://localhost.example.com"));
        assert!(
            Server::is_meant("HTTP://x") && !Server::is_meant("http.db") && !Server::is_meant("postgres://x")
        );
    }
}
