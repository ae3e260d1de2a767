//! The URL of a mail server.

use percent_encoding::percent_decode_str;
use url::{Host, Url};
use windlass_core::Invalid;

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// From the first byte.
    Implicit,
    /// From the greeting on, before anything else is said.
    StartTls,
    /// Not at all.
    None,
}

/// Who takes the mail.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    /// A name and a password.
    pub(super) login: Option<(String, String)>,
}

impl Server {
    /// Reads such as `smtp://name:password@mail.example.com:587`.
    pub(super) fn read(text: &str) -> Result<Self, Invalid> {
        // What cannot be read may be anything, a password too, so it is not repeated.
        let url = Url::parse(text).map_err(|error| {
            invalid(&format!("cannot be read ({error}): expected smtp://mail.example.com:587"))
        })?;
        let security = security(&url)?;
        let host = match url.host() {
            // Of a scheme that it does not know the library reads every host as a name.
            Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => return Err(invalid("has no host")),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(invalid("has something behind the host and the port"));
        }
        let port = url.port().unwrap_or(match security {
            Security::Implicit => 465,
            Security::StartTls => 587,
            Security::None => 25,
        });
        let login = login(&url)?;
        if login.is_some() && security == Security::None {
            return Err(invalid(
                "has a password, which is not sent without TLS: take `tls=none` or the password away",
            ));
        }
        Ok(Self { host, port, security, login })
    }
}

fn security(url: &Url) -> Result<Security, Invalid> {
    let options: Vec<_> = url.query_pairs().collect();
    let plain = match options.as_slice() {
        [] => false,
        [(name, value)] if name == "tls" && value == "none" => true,
        [(name, value)] if name == "tls" && value == "required" => false,
        _ => return Err(invalid("has options that are not known: `tls=none` and `tls=required` are")),
    };
    match (url.scheme(), plain) {
        ("smtp", true) => Ok(Security::None),
        ("smtp", false) => Ok(Security::StartTls),
        ("smtps", false) => Ok(Security::Implicit),
        ("smtps", true) => Err(invalid("wants TLS and none")),
        (scheme, _) => Err(invalid(&format!("begins with {scheme}:, and not with smtp: or smtps:"))),
    }
}

fn login(url: &Url) -> Result<Option<(String, String)>, Invalid> {
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8();
        text.map(String::from).map_err(|_| invalid("has a name or a password that is no UTF-8"))
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (name, Some(password)) if !name.is_empty() => Ok(Some((decoded(name)?, decoded(password)?))),
        _ => Err(invalid("has a name without a password, or a password without a name")),
    }
}

fn invalid(problem: &str) -> Invalid {
    Invalid::new("notices.smtp", problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, u16, Security) {
        let Server { host, port, security, .. } = Server::read(text).unwrap();
        (host, port, security)
    }

    fn is(host: &str, port: u16, security: Security) -> (String, u16, Security) {
        (host.to_owned(), port, security)
    }

    #[test]
    fn a_url_says_where_and_how() {
        assert_eq!(read("smtp://mail.example.com"), is("mail.example.com", 587, Security::StartTls));
        assert_eq!(
            read("smtp://mail.example.com:2525?tls=required"),
            is("mail.example.com", 2525, Security::StartTls)
        );
        assert_eq!(read("smtps://mail.example.com/"), is("mail.example.com", 465, Security::Implicit));
        assert_eq!(read("smtp://localhost?tls=none"), is("localhost", 25, Security::None));
        assert_eq!(read("smtp://127.0.0.1:1025?tls=none"), is("127.0.0.1", 1025, Security::None));
        assert_eq!(read("smtp://[::1]:1025?tls=none"), is("::1", 1025, Security::None));
    }

    #[test]
    fn a_name_and_a_password_are_decoded() {
        let server = Server::read("smtps://ada%40example.com:ses%3Aame@mail.example.com").unwrap();

        assert_eq!(server.login, Some(("ada@example.com".to_owned(), "ses:ame".to_owned())));
    }

    #[test]
    fn what_makes_no_sense_is_refused_without_the_password() {
        for text in [
            "mail.example.com:587",
            "http://ada:sesame@mail.example.com",
            "smtp://",
            "smtp://ada@mail.example.com",
            "smtp://:sesame@mail.example.com",
            "smtp://ada:sesame@mail.example.com?tls=none",
            "smtps://mail.example.com?tls=none",
            "smtp://mail.example.com?tls=maybe",
            "smtp://mail.example.com?tls=none&x=1",
            "smtp://mail.example.com/path",
            "smtp://ada:sesame@mail.example.com:99999",
        ] {
            let Err(invalid) = Server::read(text) else { panic!("{text}") };
            assert_eq!(invalid.field, "notices.smtp");
            assert!(!invalid.problem.contains("sesame"), "{}", invalid.problem);
        }
    }
}
