//! How to open a store.

use std::path::PathBuf;
use std::sync::Arc;

use windlass_core::Limits;
use windlass_store::{Clock, Durability, ErrorKind, Signals, StoreError, SystemClock};

use crate::SqliteStore;
use crate::error::opening;
use crate::open::Opener;
use crate::readers::Readers;
use crate::writer::{Surroundings, Writer};

/// Where the file is and how it is to be used.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), windlass_store::StoreError> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("app.db");
/// let store = windlass_sqlite::SqliteOptions::new(path).open().await?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    path: PathBuf,
    durability: Durability,
    clock: Arc<dyn Clock>,
    limits: Limits,
    size_max: Option<u64>,
    moved_too: bool,
}

/// Versions of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// What the file has; none if there is no file, or nothing in it.
    pub found: Option<u32>,
    /// The newest that this program knows.
    pub newest: u32,
}

impl SqliteOptions {
    /// The file at `path`, made if there is none: durable, by the machine's clock, with the default limits.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            durability: Durability::Durable,
            clock: Arc::new(SystemClock),
            limits: Limits::default(),
            size_max: None,
            moved_too: false,
        }
    }

    /// Does not wait for the disk at each commit. The last moments before a loss of power may then be gone; the file
    /// is never damaged, and nothing is lost when only a process dies.
    #[must_use]
    pub const fn relaxed(mut self) -> Self {
        self.durability = Durability::Relaxed;
        self
    }

    /// Asks `clock` what time it is.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Uses these limits instead of the default ones.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets the file grow to `bytes` and no further: what needs more room is answered `Full`, and room comes back as
    /// jobs are pruned. Default: as large as the disk allows.
    #[must_use]
    pub const fn size_max(mut self, bytes: u64) -> Self {
        self.size_max = Some(bytes);
        self
    }

    /// Opens the file even if its jobs were moved to another store, or are being moved: to read them, or to give the
    /// move up. What would change them is refused all the same. See [`SqliteStore::begin_move`].
    #[must_use]
    pub const fn even_if_moved(mut self) -> Self {
        self.moved_too = true;
        self
    }

    /// Which version the schema in the file has, and what this program knows. Changes nothing: opening is what brings it
    /// up to date.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn versions(&self) -> Result<Versions, StoreError> {
        let (path, opener) = (self.path.clone(), Opener::new(self.path.clone(), self.durability));
        let found = tokio::task::spawn_blocking(move || opener.version())
            .await
            .unwrap_or_else(|panic| Err(opening(&path, ErrorKind::Unavailable, panic)))?;
        Ok(Versions { found, newest: crate::open::schema_version() })
    }

    /// Opens the store.
    ///
    /// # Errors
    ///
    /// `Unavailable` for a folder that is missing or cannot be written, and for a network file system; `Corrupt` for
    /// a file that is no database, is damaged, or belongs to another program; `Incompatible` for one that a newer
    /// version made, or whose jobs were moved to another store; `Full` for a full disk. All name the path, and change nothing.
    pub async fn open(self) -> Result<SqliteStore, StoreError> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || self.open_blocking())
            .await
            .unwrap_or_else(|panic| Err(opening(&path, ErrorKind::Unavailable, panic)))
    }

    fn open_blocking(self) -> Result<SqliteStore, StoreError> {
        let opener =
            Opener::new(self.path, self.durability).size_max(self.size_max).moved_too(self.moved_too);
        let connection = opener.open_writer()?;
        let signals = Arc::new(Signals::default());
        let clock: Arc<dyn Clock> = Arc::new(windlass_store::clock::SteadyClock::new(self.clock));
        let surroundings = Surroundings {
            opener: opener.clone(),
            clock: Arc::clone(&clock),
            limits: self.limits.clone(),
            signals: Arc::clone(&signals),
        };
        let writer = Writer::start(connection, surroundings)
            .map_err(|error| opening(opener.path(), ErrorKind::Unavailable, error))?;
        let readers = Readers::new(opener.clone());
        Ok(SqliteStore { writer, readers, opener, clock, limits: self.limits, signals })
    }
}
