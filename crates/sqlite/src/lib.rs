//! The store in one local SQLite file.
//!
//! One file to copy, opened by `sqlite3` like any other. Several processes on one machine may share it: two workers, or
//! the command line beside a running program.
//!
//! - One thread owns the only connection that writes, and commits what many callers ask at a time.
//! - A few connections only read.
//! - All statements are files under `sql/`; the schema is under `migrations/`.
//!
//! What a method promises is said once, on the traits of `windlass-store`.

mod audit;
mod effects;
mod error;
mod errors;
mod explain;
mod facts;
mod file_system;
mod flows;
mod gates;
mod jobs;
mod lanes;
mod leader;
mod leases;
mod maintenance;
mod moving;
mod open;
mod operations;
mod options;
mod queues;
mod readers;
mod reviews;
mod row;
mod schedules;
mod sql;
mod tokens;
mod unique;
mod wal;
mod workers;
mod writer;

use std::sync::Arc;

use windlass_core::{Limits, Timestamp};
use windlass_store::{Clock, Signals, Store};

pub use moving::Moved;
pub use options::{SqliteOptions, Versions};

use readers::Readers;
use writer::Writer;

/// A store in one SQLite file. It is closed when it is dropped, after what was asked of it is done.
#[derive(Debug)]
pub struct SqliteStore {
    // Before the writer, as fields are dropped in this order: only the last connection to close puts the log into the
    // file, and one that only reads cannot.
    readers: Readers,
    writer: Writer,
    opener: open::Opener,
    clock: Arc<dyn Clock>,
    limits: Limits,
    signals: Arc<Signals>,
}

impl SqliteStore {
    /// The time by the store's clock, for what is only read.
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Store for SqliteStore {
    fn signals(&self) -> &Signals {
        &self.signals
    }
}
