//! The address of a database: what its URL says to the driver, and what it says to us.
//!
//! The driver reads it as `libpq` does, and knows most of its options. Ours are taken out before: which schema, how many
//! connections, whether there is a pooler between and where the server itself is then, and how far its certificate is to be
//! trusted.

mod elsewhere;

use std::fmt;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use windlass_core::Invalid;

pub(crate) use elsewhere::{elsewhere, other_servers};

use crate::tls::{Roots, Trust, Verify};

/// What a URL says. Its `Debug` has no secrets: the driver leaves out the password.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) trust: Trust,
    pub(crate) schema: Option<String>,
    pub(crate) connections: Option<usize>,
    pub(crate) pooled: Option<bool>,
    /// The servers to listen at, if they are others.
    pub(crate) listen: Option<Config>,
    /// Whether to encrypt where that can be.
    pub(crate) ssl_mode: SslMode,
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?option=value` or `host=… user=… option=value`.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let (rest, ours) = if is_url(text) { split_url(text)? } else { split_words(text)? };
        let config = rest.parse::<Config>().map_err(|error| invalid(cause(&error)))?;
        let trust = Trust::default();
        let ssl_mode = config.get_ssl_mode();
        let mut address =
            Self { config, trust, schema: None, connections: None, pooled: None, listen: None, ssl_mode };
        for (option, value) in ours {
            address.set(option, value)?;
        }
        address.tls_where_it_can_be();
        if let (None, Ok(user)) = (address.config.get_user(), whoami::username()) {
            // As the driver would. It is told here because errors name the user.
            address.config.user(user);
        }
        Ok(address)
    }

    fn set(&mut self, option: Ours, value: String) -> Result<(), Invalid> {
        match option {
            Ours::Schema => self.schema = Some(value),
            Ours::Connections => {
                let count = value.parse().ok().filter(|count| *count > 0);
                self.connections = Some(count.ok_or_else(|| invalid("connections must be a number from 1"))?);
            }
            Ours::Pooled => {
                let pooled = value.parse();
                self.pooled = Some(pooled.map_err(|_| invalid("pooled must be true or false"))?);
            }
            Ours::Listen => self.listen = Some(other_servers(&value)?),
            Ours::SslMode => self.set_mode(&value)?,
            Ours::SslRootCert if value == "system" => self.trust.roots = Some(Roots::System),
            Ours::SslRootCert => self.trust.roots = Some(Roots::File(value.into())),
            Ours::SslCert => self.trust.certificate = Some(value.into()),
            Ours::SslKey => self.trust.key = Some(value.into()),
        }
        Ok(())
    }

    fn set_mode(&mut self, mode: &str) -> Result<(), Invalid> {
        let (mode, verify) = match mode {
            "disable" => (SslMode::Disable, Verify::Nothing),
            "prefer" => (SslMode::Prefer, Verify::Nothing),
            "require" => (SslMode::Require, Verify::Nothing),
            "verify-ca" => (SslMode::Require, Verify::Authority),
            "verify-full" => (SslMode::Require, Verify::Name),
            _ => {
                return Err(invalid("sslmode must be disable, prefer, require, verify-ca or verify-full"));
            }
        };
        self.config.ssl_mode(mode);
        self.ssl_mode = mode;
        self.trust.verify = verify;
        Ok(())
    }

    /// No socket of a file system has TLS, so it is not asked for there; and to an address without a name the name of the
    /// server is the address.
    fn tls_where_it_can_be(&mut self) {
        if self.config.get_hosts().is_empty() {
            for address in self.config.get_hostaddrs().to_vec() {
                self.config.host(address.to_string());
            }
        }
        if self.config.get_hosts().iter().all(is_local) {
            self.config.ssl_mode(SslMode::Disable);
        }
    }
}

#[cfg(unix)]
fn is_local(host: &Host) -> bool {
    matches!(host, Host::Unix(_))
}

#[cfg(not(unix))]
fn is_local(_: &Host) -> bool {
    false
}

/// An option that the driver does not know, or not in full.
#[derive(Debug, Clone, Copy)]
enum Ours {
    Schema,
    Connections,
    Pooled,
    Listen,
    SslMode,
    SslRootCert,
    SslCert,
    SslKey,
}

impl Ours {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "schema" => Self::Schema,
            "connections" => Self::Connections,
            "pooled" => Self::Pooled,
            "listen" => Self::Listen,
            "sslmode" => Self::SslMode,
            "sslrootcert" => Self::SslRootCert,
            "sslcert" => Self::SslCert,
            "sslkey" => Self::SslKey,
            _ => return None,
        })
    }
}

/// What is left for the driver, and what is ours.
type Split = (String, Vec<(Ours, String)>);

fn is_url(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

fn split_url(text: &str) -> Result<Split, Invalid> {
    // The driver takes what is before the first @ for the user and the password, whatever it is.
    let after_user = text.find('@').map_or(0, |at| at + 1);
    let options = text[after_user..].find('?').map(|at| after_user + at);
    let (base, options) = options.map_or((text, ""), |at| (&text[..at], &text[at + 1..]));
    if base[after_user..].contains('@') {
        // Else a piece of a password would be taken for a host, and be told in an error.
        return Err(invalid("has more than one @: write %40 for one in the user or the password"));
    }
    let (mut rest, mut ours) = (Vec::new(), Vec::new());
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match Ours::named(name) {
            Some(known) => ours.push((known, decoded(value)?)),
            None => rest.push(option),
        }
    }
    let rest = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
    Ok((rest, ours))
}

fn split_words(text: &str) -> Result<Split, Invalid> {
    let (mut rest, mut ours) = (Vec::new(), Vec::new());
    let mut words = Words(text);
    while let Some((name, value)) = words.next()? {
        if let Some(known) = Ours::named(name) {
            ours.push((known, value));
        } else {
            let value = value.replace('\\', "\\\\").replace('\'', "\\'");
            rest.push(format!("{name}='{value}'"));
        }
    }
    Ok((rest.join(" "), ours))
}

/// `name=value name='a value'`, where a backslash keeps what follows it.
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    fn next(&mut self) -> Result<Option<(&'a str, String)>, Invalid> {
        self.0 = self.0.trim_start();
        if self.0.is_empty() {
            return Ok(None);
        }
        let (name, rest) = self.0.split_once('=').ok_or_else(|| invalid("is no address of a database"))?;
        self.0 = rest.trim_start();
        let value = self.value()?;
        Ok(Some((name.trim_end(), value)))
    }

    fn value(&mut self) -> Result<String, Invalid> {
        let quoted = self.0.strip_prefix('\'');
        let text = quoted.unwrap_or(self.0);
        let (mut value, mut kept) = (String::new(), false);
        for (at, c) in text.char_indices() {
            match c {
                _ if kept => kept = false,
                '\\' => {
                    kept = true;
                    continue;
                }
                '\'' if quoted.is_some() => {
                    self.0 = &text[at + 1..];
                    return Ok(value);
                }
                _ if quoted.is_none() && c.is_whitespace() => {
                    self.0 = &text[at..];
                    return Ok(value);
                }
                _ => {}
            }
            value.push(c);
        }
        self.0 = "";
        if quoted.is_some() { Err(invalid("has a quotation that does not end")) } else { Ok(value) }
    }
}

/// The text behind `%20` and the like.
fn decoded(text: &str) -> Result<String, Invalid> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = (*first == b'%').then(|| tail.get(..2)).flatten();
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).map_err(|_| invalid("has an option that is not UTF-8"))
}

fn invalid(why: impl Into<String>) -> Invalid {
    Invalid::new("url", why)
}

/// What the driver found wrong, without what it always says before.
fn cause(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(ToString::to_string);
    format!("is no address of a database: {}", cause.unwrap_or_else(|| error.to_string()))
}

/// Where a database is and who asks, as people are told. Never a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// `db1:5432, db2:5432`.
    pub(crate) servers: String,
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) schema: String,
}

impl Place {
    pub(crate) fn of(config: &Config, schema: &str) -> Self {
        let user = config.get_user().unwrap_or_default().to_owned();
        Self {
            servers: servers(config),
            database: config.get_dbname().map_or_else(|| user.clone(), str::to_owned),
            user,
            schema: schema.to_owned(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://{}/{}", self.servers.replace(", ", ","), self.database)
    }
}

fn servers(config: &Config) -> String {
    let ports = config.get_ports();
    let server = |(index, host): (usize, &Host)| {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]:{port}"),
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    };
    config.get_hosts().iter().enumerate().map(server).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Address {
        Address::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn what_is_ours_is_taken_out_and_the_rest_is_the_drivers() {
        let url = "postgres://me:p%40ss@db:5433/app?schema=my%20jobs&application_name=mail&connections=3&pooled=true";
        let words = "host=db port=5433 user=me password='p@ss' dbname=app schema='my jobs' application_name=mail \
                     connections=3 pooled=true";
        for text in [url, words] {
            let address = parsed(text);

            assert_eq!(address.schema.as_deref(), Some("my jobs"), "{text}");
            assert_eq!((address.connections, address.pooled), (Some(3), Some(true)));
            assert_eq!(address.config.get_application_name(), Some("mail"));
            assert_eq!(address.config.get_password(), Some(&b"p@ss"[..]));
            assert_eq!(Place::of(&address.config, "jobs").to_string(), "postgres://db:5433/app");
        }
    }

    #[test]
    fn how_far_a_server_is_trusted_reads_as_it_does_elsewhere() {
        for (text, mode, verify) in [
            ("", SslMode::Prefer, Verify::Nothing),
            ("sslmode=disable", SslMode::Disable, Verify::Nothing),
            ("sslmode=require", SslMode::Require, Verify::Nothing),
            ("sslmode=verify-ca", SslMode::Require, Verify::Authority),
            ("sslmode=verify-full", SslMode::Require, Verify::Name),
        ] {
            let address = parsed(&format!("postgres://me@db/app?{text}"));

            assert_eq!((address.config.get_ssl_mode(), address.trust.verify), (mode, verify), "{text}");
        }
        assert_eq!(parsed("host=/run/postgresql sslmode=require").config.get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn an_address_that_cannot_be_right_is_refused_without_telling_the_password() {
        for text in [
            "postgres://me:se@cret@db/app",
            "postgres://me:secret@db/app?sslmode=allow",
            "postgres://me:secret@db/app?connections=0",
            "postgres://me:secret@db/app?pooled=perhaps",
            "postgres://me:secret@db/app?colour=red",
            "postgres://me:secret@db:port/app",
            "host=db password='secret",
            "secret",
        ] {
            let error = Address::parse(text).map(drop).unwrap_err();

            assert!(!error.to_string().contains("cret"), "{text}: {error}");
        }
    }

    #[test]
    fn every_server_of_several_is_named() {
        let address = parsed("postgres://me@one:1,two:2,[::1]:3/app");

        assert_eq!(Place::of(&address.config, "jobs").servers, "one:1, two:2, [::1]:3");
    }
}
