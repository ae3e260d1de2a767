//! Opening the file: is it ours, is it whole, can we write it.
//!
//! Everything is looked at before anything is written, so a file of another program, of a newer version or a damaged one
//! is left exactly as it was.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use windlass_store::{Durability, ErrorKind, StoreError};

use crate::error::{During, opening};
use crate::file_system::{self, FileSystem};
use crate::moving;
use crate::sql;
use crate::wal::KEPT_BYTES;

/// The oldest SQLite that is used: earlier ones can damage a file in WAL mode when a checkpoint races a writer.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// Marks a file as ours: "Wndl".
const APPLICATION_ID: i32 = 0x576e_646c;

/// The schema, a file per version. A step never changes once it was released.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_jobs.sql"),
    include_str!("../migrations/0002_moved.sql"),
    include_str!("../migrations/0003_traits.sql"),
    include_str!("../migrations/0004_edges.sql"),
    include_str!("../migrations/0005_unique_keys.sql"),
    include_str!("../migrations/0006_gates.sql"),
    include_str!("../migrations/0007_reviews.sql"),
    include_str!("../migrations/0008_schedules.sql"),
    include_str!("../migrations/0009_errors.sql"),
    include_str!("../migrations/0010_retention.sql"),
    include_str!("../migrations/0011_access.sql"),
    include_str!("../migrations/0012_changes.sql"),
    include_str!("../migrations/0013_operations.sql"),
    include_str!("../migrations/0014_owners.sql"),
];

/// How long to wait for another process that is writing, before giving up. Its transactions take milliseconds; a
/// process that was stopped inside one is the only reason to wait longer.
const BUSY_PATIENCE: Duration = Duration::from_secs(20);

/// How long to sleep between looks at a file that another process is writing.
const BUSY_PAUSE: Duration = Duration::from_micros(500);

/// Pages the writer keeps in memory, in KiB: room for the hot ends of every index.
const WRITER_CACHE_KIB: i32 = 16 * 1024;

/// Pages each reader keeps in memory, in KiB.
const READER_CACHE_KIB: i32 = 2 * 1024;

/// Prepared statements that are kept: room for all of them.
const STATEMENTS_MAX: usize = 128;

/// Knows how to open the file, now and again.
#[derive(Debug, Clone)]
pub(crate) struct Opener {
    path: PathBuf,
    durability: Durability,
    size_max: Option<u64>,
    moved_too: bool,
}

/// The version of the schema this program writes.
pub(crate) fn schema_version() -> u32 {
    u32::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

impl Opener {
    pub(crate) fn new(path: PathBuf, durability: Durability) -> Self {
        Self { path, durability, size_max: None, moved_too: false }
    }

    pub(crate) fn moved_too(self, moved_too: bool) -> Self {
        Self { moved_too, ..self }
    }

    pub(crate) fn size_max(self, bytes: Option<u64>) -> Self {
        Self { size_max: bytes, ..self }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    /// Opens the file for writing, making it or bringing it up to date where needed.
    pub(crate) fn open_writer(&self) -> Result<Connection, StoreError> {
        check_sqlite_version()?;
        self.check_place()?;
        let mut connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        self.check_writable(&connection)?;
        self.check_whole(&connection)?;
        let found = self.check_ours(&connection)?;
        if !self.moved_too && found == schema_version() {
            moving::refuse_moved(&connection, &self.path)?;
        }
        self.configure(&connection, found == 0)?;
        self.migrate(&mut connection)?;
        Ok(connection)
    }

    /// The version of the schema in the file; none if there is no file, or nothing in it. Changes nothing.
    pub(crate) fn version(&self) -> Result<Option<u32>, StoreError> {
        if !self.path.try_exists().unwrap_or(true) {
            return Ok(None);
        }
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let found = self.check_ours(&connection)?;
        Ok((found > 0).then_some(found))
    }

    /// Opens the file for reading only. It must have been opened for writing before.
    pub(crate) fn open_reader(&self) -> Result<Connection, StoreError> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let set = || -> rusqlite::Result<()> {
            connection.pragma_update(None, "query_only", true)?;
            connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
            connection.pragma_update(None, "mmap_size", 0)
        };
        set().during("open the store")?;
        Ok(connection)
    }

    /// Makes the file if there is none, readable by its owner alone, and refuses places where locks do not work.
    fn check_place(&self) -> Result<(), StoreError> {
        let refuse = |why: &str| Err(opening(&self.path, ErrorKind::Unavailable, why));
        if self.path.is_dir() {
            return refuse("is a folder; name a file in it");
        }
        let folder =
            self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let FileSystem::Network(name) = file_system::of(folder) {
            return refuse(&format!(
                "lies on {name}, where locks between machines cannot be trusted; use a local disk, or PostgreSQL for many machines"
            ));
        }
        match self.make_if_missing() {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == IoErrorKind::NotFound => {
                refuse("its folder does not exist; create it first")
            }
            Err(error) if error.kind() == IoErrorKind::StorageFull => {
                Err(opening(&self.path, ErrorKind::Full, "the disk is full"))
            }
            Err(error) => Err(opening(&self.path, ErrorKind::Unavailable, error)),
        }
    }

    /// Makes an empty file where there is none. One that is there is left to SQLite alone: closing any other handle on
    /// it would give up every lock that this process has on it, and the next process to close the file would take
    /// itself for the last one and remove the log.
    fn make_if_missing(&self) -> std::io::Result<()> {
        // Nobody here may open the file between its making and the closing of the handle that made it.
        static MAKING: Mutex<()> = Mutex::new(());
        let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        if self.path.try_exists()? {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path).map(drop)
    }

    fn connect(&self, access: OpenFlags) -> Result<Connection, StoreError> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let mut connection =
            Connection::open_with_flags(&self.path, flags).map_err(|error| self.refused(error))?;
        connection.busy_handler(Some(wait_for_writer)).during("open the store")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        equip(&connection).during("open the store")?;
        Ok(connection)
    }

    /// Refuses a file that SQLite could open for reading only, which it does without a word.
    fn check_writable(&self, connection: &Connection) -> Result<(), StoreError> {
        if connection.is_readonly("main").map_err(|error| self.refused(error))? {
            let why = "cannot be written; check the rights of the file and its folder";
            return Err(opening(&self.path, ErrorKind::Unavailable, why));
        }
        Ok(())
    }

    /// Refuses a file that ends before its own header says it does, unless the rest is in the log.
    fn check_whole(&self, connection: &Connection) -> Result<(), StoreError> {
        let pages: u64 = self.read(connection, "PRAGMA page_count")?;
        let page_bytes: u64 = self.read(connection, "PRAGMA page_size")?;
        let bytes = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        let log_bytes = crate::wal::file_bytes(&self.path);
        if log_bytes == 0 && bytes < pages * page_bytes {
            let why = format!(
                "is cut short: {bytes} bytes of {}; restore it from a backup, or save what is left with `sqlite3 {} .recover`",
                pages * page_bytes,
                self.path.display()
            );
            return Err(opening(&self.path, ErrorKind::Corrupt, why));
        }
        Ok(())
    }

    /// The version of the schema in the file, 0 for one that is empty. Refuses every other file.
    fn check_ours(&self, connection: &Connection) -> Result<u32, StoreError> {
        // In one snapshot: another process may be making the schema at this moment.
        let snapshot = connection.unchecked_transaction().map_err(|error| self.refused(error))?;
        let application: i32 = self.read(connection, "PRAGMA application_id")?;
        let version: u32 = self.read(connection, "PRAGMA user_version")?;
        let tables: u32 = self.read(connection, sql::schema::TABLES)?;
        snapshot.finish().map_err(|error| self.refused(error))?;
        if application == 0 && version == 0 && tables == 0 {
            return Ok(0);
        }
        if application != APPLICATION_ID {
            let why = "is a SQLite database of another program; name a file of its own";
            return Err(opening(&self.path, ErrorKind::Corrupt, why));
        }
        if version > schema_version() {
            let why = format!(
                "was made by a newer version (schema {version}, this program knows {}); upgrade this program. Nothing was written",
                schema_version()
            );
            return Err(opening(&self.path, ErrorKind::Incompatible, why));
        }
        Ok(version)
    }

    fn configure(&self, connection: &Connection, new: bool) -> Result<(), StoreError> {
        if new {
            // Only a file without tables can be told to give pages back later.
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").during("open the store")?;
        }
        let synchronous = if self.durability == Durability::Relaxed { 1 } else { 2 };
        self.use_log(connection)?;
        self.set(connection, "synchronous", synchronous)?;
        self.set(connection, "mmap_size", 0)?;
        // The writer copies the log itself, between groups.
        self.set(connection, "wal_autocheckpoint", 0)?;
        self.set(connection, "journal_size_limit", i64::try_from(KEPT_BYTES).unwrap_or(i64::MAX))?;
        self.set(connection, "cache_size", -WRITER_CACHE_KIB)?;
        self.set(connection, "temp_store", 2)?;
        self.limit_size(connection)
    }

    /// Turns the write-ahead log on. Where another process is doing the same to a fresh file, SQLite answers that it is
    /// busy without asking the handler, for fear of a deadlock; so the patience is ours.
    fn use_log(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            match self.set(connection, "journal_mode", "wal") {
                Err(error) if is_busy(&error) && wait_for_writer(tries) => tries += 1,
                done => return done,
            }
        }
    }

    /// SQLite counts pages, and never takes a limit below what is there already.
    fn limit_size(&self, connection: &Connection) -> Result<(), StoreError> {
        let Some(bytes) = self.size_max else { return Ok(()) };
        let page_bytes: u64 = self.read(connection, "PRAGMA page_size")?;
        let pages = (bytes / page_bytes.max(1)).max(1);
        let limited = connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
        limited.map_err(|error| self.refused(error))
    }

    /// Sets a pragma and reads it back: one that did not take is an error, not a surprise.
    fn set<V>(&self, connection: &Connection, name: &str, value: V) -> Result<(), StoreError>
    where
        V: rusqlite::ToSql + std::fmt::Display,
    {
        let wanted = value.to_string();
        connection
            .pragma_update_and_check(None, name, &value, |_| Ok(()))
            .or_else(|error| match error {
                // Some pragmas answer nothing when they are set.
                rusqlite::Error::QueryReturnedNoRows => Ok(()),
                other => Err(other),
            })
            .map_err(|error| self.refused(error))?;
        let found = connection.pragma_query_value(None, name, |row| {
            let value: rusqlite::types::Value = row.get(0)?;
            Ok(match value {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                other => format!("{other:?}"),
            })
        });
        match found {
            Ok(found) if found == wanted => Ok(()),
            // A build without memory maps does not answer at all.
            Err(rusqlite::Error::QueryReturnedNoRows) if name == "mmap_size" => Ok(()),
            Ok(found) => {
                let why = format!("{name} could not be set to {wanted}: it stays {found}");
                Err(opening(&self.path, ErrorKind::Unavailable, why))
            }
            Err(error) => Err(self.refused(error)),
        }
    }

    /// Brings the schema up to date, one step per transaction; several processes may try at once.
    fn migrate(&self, connection: &mut Connection) -> Result<(), StoreError> {
        while self.check_ours(connection)? < schema_version() {
            self.migrate_one(connection).map_err(|error| self.refused(error))?;
        }
        Ok(())
    }

    fn migrate_one(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have done this step while we waited for our turn.
        let found: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if let Some(step) = usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found)) {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", found + 1)?;
            tracing::info!(path = %self.path.display(), version = found + 1, "the schema was brought up to date");
        }
        transaction.commit()
    }

    fn read<T: rusqlite::types::FromSql>(
        &self,
        connection: &Connection,
        statement: &str,
    ) -> Result<T, StoreError> {
        connection.query_row(statement, [], |row| row.get(0)).map_err(|error| self.refused(error))
    }

    /// What SQLite says about a file it cannot work with, told with the path and what to do.
    fn refused(&self, error: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode;
        let (kind, why) = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => {
                (ErrorKind::Corrupt, "is not a SQLite database; name another file".to_owned())
            }
            Some(ErrorCode::DatabaseCorrupt) => (
                ErrorKind::Corrupt,
                format!(
                    "is damaged ({error}); restore it from a backup, or save what is left with `sqlite3 {} .recover`",
                    self.path.display()
                ),
            ),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => (
                ErrorKind::Unavailable,
                format!("cannot be written ({error}); check the rights of the file and its folder"),
            ),
            Some(ErrorCode::DiskFull) => (ErrorKind::Full, "the disk is full; free some space".to_owned()),
            _ => (ErrorKind::Unavailable, error.to_string()),
        };
        opening(&self.path, kind, why).with_source(error)
    }
}

fn check_sqlite_version() -> Result<(), StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(StoreError::new("open the store", ErrorKind::Incompatible).with_detail(format!(
            "SQLite {} is linked in, and 3.51.3 or newer is needed: older ones can damage a file that several processes share",
            rusqlite::version()
        )));
    }
    Ok(())
}

fn is_busy(error: &StoreError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<rusqlite::Error>());
    let code = cause.and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked))
}

/// Lets SQLite try again while another process writes: soon at first, and never for ever.
pub(crate) fn wait_for_writer(tries: i32) -> bool {
    let waited = BUSY_PAUSE.saturating_mul(tries.unsigned_abs());
    if waited >= BUSY_PATIENCE {
        return false;
    }
    #[expect(clippy::disallowed_methods, reason = "SQLite has no way to be told when a lock is free")]
    std::thread::sleep(BUSY_PAUSE);
    true
}

/// What statements rely on, whatever the file.
pub(crate) fn equip(connection: &Connection) -> rusqlite::Result<()> {
    // Else a statement with a parameter that is held against what a partial index is for is prepared anew for each value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    rusqlite::vtab::array::load_module(connection)
}
