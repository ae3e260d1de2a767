//! [`Address`]: where a queue is kept, in the one word that a person types.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use windlass_core::Invalid;
use windlass_store::SharedStore;

use crate::Error;

const OPERATION: &str = "open the store";
const FIELD: &str = "address";

/// The schemes of databases.
const POSTGRES: [&str; 2] = ["postgres", "postgresql"];

/// Where a queue is kept: the path of a file, or the URL of a PostgreSQL database.
///
/// It is shown without user, password and options, however it is written:
///
/// ```
/// # fn main() -> Result<(), windlass::model::Invalid> {
/// use windlass::Address;
///
/// let address: Address = "postgres://app:secret@db.example.com/app?connect_timeout=5".parse()?;
/// assert_eq!(address.to_string(), "postgres://db.example.com/app");
/// assert!("postgress://db.example.com/app".parse::<Address>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// A file of this machine.
    File(PathBuf),
    /// A database, as `postgres://user:password@host:port/database` or `postgresql://…`. With `?schema=NAME`, the jobs are
    /// in this schema of it instead of `windlass`. What else may be said there is told by the store's options.
    Postgres(String),
}

impl Address {
    /// Reads an address. A text that begins like a URL is one; every other text is the path of a file.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `address` for a scheme that is not known.
    pub fn new(text: impl AsRef<Path>) -> Result<Self, Invalid> {
        let path = text.as_ref();
        // What is no text has no scheme.
        let Some(text) = path.to_str() else { return Ok(Self::File(path.to_owned())) };
        match scheme(text) {
            None => Ok(Self::File(path.to_owned())),
            Some(scheme) if POSTGRES.contains(&scheme) => Ok(Self::Postgres(text.to_owned())),
            Some(scheme) => Err(unknown(scheme)),
        }
    }

    /// The schema that the URL of a database names, if it does.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::Postgres(url) => schema_in(url),
        }
    }

    /// How to open the database, if it is one: to be opened otherwise than [`open`](Self::open) does.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn postgres_options(&self) -> Option<windlass_postgres::PostgresOptions> {
        let Self::Postgres(url) = self else { return None };
        Some(windlass_postgres::PostgresOptions::new(url))
    }

    /// Opens the store there, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// Those of [`Windlass::open`](crate::Windlass::open).
    pub async fn open(&self) -> Result<SharedStore, Error> {
        match self {
            Self::File(path) => open_file(path).await,
            Self::Postgres(_) => open_postgres(self).await,
        }
    }
}

impl FromStr for Address {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::new(text)
    }
}

impl fmt::Display for Address {
    /// Without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(url) => f.write_str(&bare(url)),
        }
    }
}

impl fmt::Debug for Address {
    /// Without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// What stands before `://`, if that could be a scheme. `postgres:` counts without the slashes too: nobody names a file
/// so, and one who forgot them must not find a new file instead of the jobs.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let may_be_one = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (may_be_one && rest.starts_with("//")).then_some(scheme).or_else(|| {
        let forgotten = POSTGRES.contains(&scheme).then_some(scheme)?;
        Some(&text[..=forgotten.len()])
    })
}

fn unknown(scheme: &str) -> Invalid {
    let scheme = scheme.trim_end_matches(':');
    Invalid::new(
        FIELD,
        format!(
            "{scheme}: is not how a store is named; a database is named by postgres://user@host/database (or \
             postgresql://…), and a file by its path alone; a server is connected to by `Windlass::connect`, with a token"
        ),
    )
}

/// The URL without user, password and options. What cannot be told apart is left out.
fn bare(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", ""));
    // A password may hold any sign if somebody forgot to encode it: what comes before the last `@` is none of a reader's
    // business, and what comes after it only if no option may begin before it.
    let options_at = rest.find('?').unwrap_or(rest.len());
    let place = match rest.rfind('@') {
        Some(at) if at > options_at => "…",
        Some(at) => &rest[at + 1..options_at],
        None => &rest[..options_at],
    };
    let suffix = schema_in(url).map_or(String::new(), |name| format!("?schema={name}"));
    format!("{scheme}://{place}{suffix}")
}

/// The schema that the URL names, if it does.
fn schema_in(url: &str) -> Option<&str> {
    let after_user = url.rfind('@').unwrap_or(0);
    let (_, options) = url[after_user..].split_once('?')?;
    options.split('&').find_map(|option| option.strip_prefix("schema="))
}

#[cfg(feature = "sqlite")]
async fn open_file(path: &Path) -> Result<SharedStore, Error> {
    Ok(std::sync::Arc::new(windlass_sqlite::SqliteOptions::new(path).open().await?))
}

#[cfg(not(feature = "sqlite"))]
async fn open_file(_: &Path) -> Result<SharedStore, Error> {
    Err(left_out("a file, and this program was built without the feature `sqlite`"))
}

#[cfg(feature = "postgres")]
async fn open_postgres(address: &Address) -> Result<SharedStore, Error> {
    let options = address.postgres_options().expect("the address is that of a database");
    Ok(std::sync::Arc::new(options.open().await?))
}

#[cfg(not(feature = "postgres"))]
async fn open_postgres(_: &Address) -> Result<SharedStore, Error> {
    Err(left_out("a PostgreSQL database, and this program was built without the feature `postgres`"))
}

#[cfg(not(all(feature = "sqlite", feature = "postgres")))]
fn left_out(what: &str) -> Error {
    Error::invalid(OPERATION, Invalid::new(FIELD, format!("is that of {what}")))
}

/// The address that was given to [`Windlass::open`](crate::Windlass::open).
pub(crate) fn named(text: &Path) -> Result<Address, Error> {
    Address::new(text).map_err(|invalid| Error::invalid(OPERATION, invalid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_database_and_everything_else_a_file() {
        for url in ["postgres://h/d", "postgresql:///d?host=/tmp", "postgres://"] {
            assert_eq!(Address::new(url), Ok(Address::Postgres(url.to_owned())));
        }
        for path in ["app.db", "./a://b", "/var/a:b", "a:b", "1://x", "", "C:\\jobs.db"] {
            assert_eq!(Address::new(path), Ok(Address::File(path.into())), "{path}");
        }
    }

    #[test]
    fn a_misspelt_scheme_is_refused_with_those_that_are_known() {
        for (text, named) in [
            ("postgress://u:secret@h/d", "postgress: is"),
            ("mysql://u:secret@h/d", "mysql: is"),
            ("file:///tmp/app.db", "file: is"),
            ("sqlite://app.db", "sqlite: is"),
            ("postgres:/h/d", "postgres: is"),
            ("postgres:h", "postgres: is"),
        ] {
            let invalid = Address::new(text).unwrap_err();

            assert_eq!(invalid.field, "address");
            let problem = &invalid.problem;
            assert!(
                problem.starts_with(named) && problem.contains("postgres://user@host/database"),
                "{problem}"
            );
            assert!(problem.contains("postgresql://") && !problem.contains("secret"), "{problem}");
        }
    }

    #[test]
    fn the_schema_is_an_option_of_the_url() {
        for (url, schema) in [
            ("postgres://h/d", None),
            ("postgres://h/d?schema=jobs", Some("jobs")),
            ("postgres://u@h/d?a=1&schema=jobs&b=2", Some("jobs")),
            ("postgres://u:?schema=no@h/d?a=1", None),
        ] {
            assert_eq!(Address::new(url).unwrap().schema(), schema, "{url}");
        }
        assert_eq!(Address::new("app.db?schema=jobs").unwrap().schema(), None);
    }

    #[test]
    fn no_secret_is_shown_however_the_url_is_written() {
        for (url, shown) in [
            ("postgres://u:secret@h:5433/d", "postgres://h:5433/d"),
            ("postgresql://u:secret@h", "postgresql://h"),
            ("postgres://h/d?password=secret", "postgres://h/d"),
            ("postgres://u:sec@ret@h/d", "postgres://h/d"),
            ("postgres://u:sec/ret@h/d", "postgres://h/d"),
            ("postgres://u:sec?ret@h/d", "postgres://…"),
            ("postgres://h/d?user=a@b&password=secret", "postgres://…"),
            ("postgres:///d?host=/tmp", "postgres:///d"),
            ("postgres://u:secret@h/d?schema=jobs&password=secret", "postgres://h/d?schema=jobs"),
        ] {
            let address = Address::new(url).unwrap();

            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{address:?}"), format!("Address({shown})"));
        }
    }
}
