//! The store in a PostgreSQL database, for many machines.
//!
//! - A job is one row until it ends, then one row of a history whose days are dropped whole.
//! - A claim is one statement that changes no indexed column; settling and claiming are one round trip.
//! - All statements are files under `sql/`; the schema is under `migrations/`.
//!
//! What a method promises is said once, on the traits of `windlass-store`.

mod address;
mod audit;
mod beats;
mod care;
mod connect;
mod database;
mod effects;
mod error;
mod errors;
mod explain;
mod facts;
mod fates;
mod floors;
mod flows;
mod gates;
mod gather;
mod import;
mod jobs;
mod lanes;
mod leases;
mod maintenance;
pub mod migrate;
mod operations;
mod options;
mod queues;
mod refusal;
mod reviews;
mod row;
mod schedules;
mod server;
mod sql;
mod tls;
mod tokens;
pub mod transaction;
mod tries;
mod unique;
mod value;
mod wake;
mod workers;

use std::sync::Arc;

use windlass_core::Limits;
use windlass_store::{Signals, Store};

pub use import::Record;
pub use options::PostgresOptions;
pub use schedules::ScheduleRecord;
pub use transaction::{Tx, begin_as, resume_own_role};

use database::{Database, News};
use gather::Gather;
use jobs::Enqueueing;
use lanes::Lanes;
use leases::{Outstanding, Settling, Turns};
use wake::{SharedFloors, Wake};

/// A store in a PostgreSQL database.
///
/// Completed jobs lie in a partition for each day (UTC), which goes whole once the last of its jobs has been kept long
/// enough: so with a retention of two days or more, a completed job is kept up to a day longer than asked. Making and
/// dropping partitions is for the role that owns the tables; others remove jobs one by one, which is dearer.
#[derive(Debug)]
pub struct PostgresStore {
    core: Arc<Core>,
    enqueues: Arc<Gather<Enqueueing>>,
    settles: Arc<Gather<Settling>>,
}

/// What the store is made of, shared with what it has under way.
#[derive(Debug)]
struct Core {
    database: Arc<Database>,
    lanes: Lanes,
    outstanding: Outstanding,
    turns: Turns,
    floors: SharedFloors,
    gates_met: gates::Met,
    limits: Limits,
    schema: String,
    location: String,
    wake: Wake,
    sweeping: maintenance::Progress,
    resting: maintenance::Rest,
}

impl PostgresStore {
    fn new(core: Core) -> Self {
        let runtime = core.database.runtime.clone();
        let core = Arc::new(core);
        let told = Arc::downgrade(&core);
        core.database.listeners.set(move |news| match (news, told.upgrade()) {
            (News::Work, Some(core)) => core.hint_work(),
            (News::Lanes, Some(core)) => core.floors.forget(),
            (_, None) => {}
        });
        Self {
            enqueues: Gather::new(Enqueueing(Arc::clone(&core)), runtime.clone()),
            settles: Gather::new(Settling(Arc::clone(&core)), runtime),
            core,
        }
    }
}

impl Core {
    /// Says that there may be something to claim, or an attempt to stop.
    fn hint_work(&self) {
        self.wake.work();
    }

    /// Says that a job may have ended.
    fn hint_ended(&self) {
        self.wake.ended();
    }
}

impl Store for PostgresStore {
    fn signals(&self) -> &Signals {
        self.core.wake.signals()
    }
}
