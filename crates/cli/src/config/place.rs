//! Where the jobs are: in a store that is opened here, or behind a server.

use std::fmt;
use std::path::Path;

use windlass::Address;
use windlass_core::Invalid;

/// Where the jobs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this store.
    Store(Address),
    /// Behind the server at this URL, which ends without a slash.
    Server(String),
}

impl Place {
    /// Reads what names a store: a path, the address of a database, or the URL of a server.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a scheme that is not known.
    pub(crate) fn read(named: &Path) -> Result<Self, Invalid> {
        match named.to_str() {
            Some(text) if is_web(text) => Self::server(text),
            _ => Address::new(named).map(Self::Store),
        }
    }

    /// Reads the URL of a server.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `url`.
    pub(crate) fn server(url: &str) -> Result<Self, Invalid> {
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let rest = rest.ok_or_else(|| Invalid::new("url", "must begin with http:// or https://"))?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.is_empty() {
            return Err(Invalid::new("url", "names no host"));
        }
        if host.contains('@') {
            // It would be shown wherever the place is.
            return Err(Invalid::new("url", "must not hold a secret: give the token by WINDLASS_TOKEN"));
        }
        if rest.contains(['?', '#']) || rest.contains(char::is_whitespace) {
            return Err(Invalid::new("url", "must be that of the server alone, as https://jobs.example.com"));
        }
        Ok(Self::Server(url.trim_end_matches('/').to_owned()))
    }

    /// What it is called wherever one stands, without secrets.
    pub(crate) fn anywhere(&self) -> String {
        match self {
            Self::Store(Address::File(path)) => {
                std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string()
            }
            place => place.to_string(),
        }
    }

    /// The URL, if it is a server.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Server(url) => Some(url),
            Self::Store(_) => None,
        }
    }
}

fn is_web(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

impl fmt::Display for Place {
    /// Without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(address) => address.fmt(f),
            Self::Server(url) => f.write_str(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_the_web_is_a_server_and_everything_else_a_store() {
        let read = |text: &str| Place::read(Path::new(text));

        assert_eq!(read("http://localhost:7117/"), Ok(Place::Server("http://localhost:7117".to_owned())));
        assert!(matches!(read("app.db"), Ok(Place::Store(Address::File(_)))));
        assert!(matches!(read("postgres://h/d"), Ok(Place::Store(Address::Postgres(_)))));
        assert!(read("mysql://h/d").is_err());
    }

    #[test]
    fn a_file_is_the_same_however_it_is_named() {
        let read = |text: &str| Place::read(Path::new(text)).unwrap().anywhere();
        let here = std::env::current_dir().unwrap();

        assert_eq!(read("app.db"), read("./app.db"));
        assert_eq!(read("app.db"), here.join("app.db").display().to_string());
        assert_eq!(read("postgres://u:secret@h/d"), "postgres://h/d");
    }

    #[test]
    fn a_url_has_a_host_and_no_secret() {
        for (url, problem) in [
            ("ftp://h", "must begin with http:// or https://"),
            ("http://", "names no host"),
            ("http://:token@h", "must not hold a secret: give the token by WINDLASS_TOKEN"),
            ("http://h/?token=x", "must be that of the server alone, as https://jobs.example.com"),
        ] {
            assert_eq!(Place::server(url).unwrap_err().problem, problem, "{url}");
        }
    }
}
