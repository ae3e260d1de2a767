//! Which store a scenario is about, and where it lies.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use windlass_postgres::PostgresOptions;
use windlass_sqlite::SqliteOptions;
use windlass_store::SharedStore;

use crate::Failure;

/// Which store a scenario is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A database on a cluster of the scenario's own, every commit of which is flushed.
    Postgres,
}

/// Where a store lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// In this file.
    File(PathBuf),
    /// In the database at this URL.
    Database(String),
}

/// How often an idle worker looks by itself into a store whose changes it may not be told of.
const POLL_TOLD_NOTHING: Duration = Duration::from_millis(100);

/// The same for one that tells, as the library has it.
const POLL_TOLD: Duration = Duration::from_secs(2);

/// The lease of workers that are to be lost. Ten times what a beat takes on a busy machine, flush included.
const LEASE_OF_FILE: Duration = Duration::from_millis(300);

/// The same where a beat goes through a server that shares the machine, and its flush with everybody's.
const LEASE_OF_DATABASE: Duration = Duration::from_secs(1);

impl Address {
    /// Opens the store.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub async fn open(&self) -> Result<SharedStore, Failure> {
        Ok(match self {
            Self::File(path) => Arc::new(SqliteOptions::new(path).open().await?),
            Self::Database(url) => Arc::new(PostgresOptions::new(url).open().await?),
        })
    }

    /// How often a worker looks for work that nobody told it of.
    #[must_use]
    pub const fn poll(&self) -> Duration {
        match self {
            Self::File(_) => POLL_TOLD,
            Self::Database(_) => POLL_TOLD_NOTHING,
        }
    }

    /// How long a worker is taken to be alive that is to be found dead.
    #[must_use]
    pub const fn lease(&self) -> Duration {
        match self {
            Self::File(_) => LEASE_OF_FILE,
            Self::Database(_) => LEASE_OF_DATABASE,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Database(url) => f.write_str(url),
        }
    }
}

impl FromStr for Address {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
        Ok(if is_url { Self::Database(text.to_owned()) } else { Self::File(text.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        let addresses =
            [Address::File("a/jobs.db".into()), Address::Database("postgres://u@127.0.0.1:1/d".to_owned())];
        for address in addresses {
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}
