//! Real PostgreSQL clusters, to be used and thrown away: for tests, for benchmarks, and for killing.
//!
//! A [`Cluster`] has a folder and a port of its own, so any number run beside each other and beside what the machine has
//! anyway. It ends with its value; and if the process that owns it is killed, it ends by itself. As root it runs as another
//! user, since PostgreSQL refuses to be root.
//!
//! ```no_run
//! use windlass_postgres_testing::{Cluster, Config, Database, Error};
//!
//! # fn main() -> Result<(), Error> {
//! let mut cluster = Cluster::start(Config::durable().set("shared_buffers", "1GB"))?;
//! let database = Database::create(cluster.url())?;
//! println!("connect to {}", database.url());
//!
//! cluster.kill()?; // as a loss of power would, to all its processes
//! cluster.restart()?; // what was committed is there again
//! # Ok(())
//! # }
//! ```
//!
//! Other servers that tests start and stop may have a [`Port`] reserved as well.
//!
//! Tests of what is answered share one cluster, and have a database each: [`shared`] and [`Database::create`].
//!
//! What is in a database is for others: nothing here knows Windlass. It all blocks, for a tenth of a second as a rule; and
//! it has no driver, because the gate starts a cluster with it, and is built before anything else is.

mod account;
mod binaries;
mod cluster;
mod config;
mod database;
mod error;
mod folder;
mod install;
mod port;
mod processes;
mod psql;
mod server;
mod shared;
mod template;
mod url;
mod wait;

pub use binaries::Binaries;
pub use cluster::Cluster;
pub use config::Config;
pub use database::Database;
pub use error::Error;
pub use port::Port;
pub use shared::{SHARED, shared};
