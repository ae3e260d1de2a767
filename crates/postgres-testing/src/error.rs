//! What can go wrong here.

use std::fmt;
use std::path::Path;
use std::process::Output;

/// Why there is no cluster, or no answer from one.
#[derive(Clone, thiserror::Error)]
pub enum Error {
    /// There is no PostgreSQL on this machine. Somebody has to install it.
    #[error(
        "no PostgreSQL server {looked}; install it (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install \
         postgresql-server; Alpine: apk add postgresql; Arch: pacman -S postgresql; macOS: brew install postgresql), or \
         name the folder of its programs in WINDLASS_POSTGRES_BIN; as root, `cargo xtask test` installs it"
    )]
    Missing {
        /// Where it was looked for, as it reads after "no PostgreSQL server".
        looked: String,
    },
    /// Something else failed. A person has to read what.
    #[error("{0}")]
    Failed(String),
}

/// As it is displayed: most of these are met by `unwrap` in a test, and the end of a log reads badly on one line.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Says what was attempted when something did not work.
pub(crate) trait Attempted<T> {
    /// `what` fits after "could not".
    fn attempted(self, what: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T, E: fmt::Display> Attempted<T> for Result<T, E> {
    fn attempted(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|error| Error::Failed(format!("could not {}: {error}", what())))
    }
}

/// What a program printed, if it says that it succeeded.
pub(crate) fn succeeded(program: &Path, output: &Output) -> Result<String, Error> {
    let printed = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() {
        return Ok(printed(&output.stdout));
    }
    let why = printed(&output.stderr);
    Err(Error::Failed(format!("`{}` ended with {}: {why}", program.display(), output.status)))
}
