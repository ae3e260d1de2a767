//! The store in a PostgreSQL database, for many machines.
//!
//! - A job is one row until it ends, then one row of a history whose days are dropped whole.
//! - A claim is one statement that changes no indexed column; settling and claiming are one round trip.
//! - All statements are files under `sql/`; the schema is under `migrations/`.
//!
//! What a method promises is said once, on the traits of `windlass-store`.

mod connect;
mod database;
mod error;
mod facts;
mod fates;
mod floors;
mod jobs;
mod lanes;
mod leases;
mod maintenance;
mod migrate;
mod options;
mod queues;
mod row;
mod sql;
mod value;
mod workers;

use std::sync::Arc;

use windlass_core::Limits;
use windlass_store::{Signals, Store};

pub use options::PostgresOptions;

use database::Database;
use floors::FloorMap;
use lanes::Lanes;
use leases::Outstanding;

/// A store in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresStore {
    database: Arc<Database>,
    lanes: Lanes,
    outstanding: Outstanding,
    floors: FloorMap,
    limits: Limits,
    schema: String,
    location: String,
    signals: Signals,
}

impl PostgresStore {
    /// Says that there may be something to claim, or an attempt to stop.
    fn hint_work(&self) {
        self.signals.notify_work();
    }

    /// Says that a job may have ended.
    fn hint_ended(&self) {
        self.signals.notify_ended();
    }
}

impl Store for PostgresStore {
    fn signals(&self) -> &Signals {
        &self.signals
    }
}
