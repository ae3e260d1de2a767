//! Sweeping up dead rows sooner than the server would by itself.
//!
//! A queue makes two dead rows of each job, and the server looks once a minute. Nothing is wrong without this: the claims
//! step over dead rows. It keeps the tables small.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Moment};

use deadpool_postgres::Object;
use windlass_store::StoreError;

use crate::Core;
use crate::error::{During, from_pool};
use crate::sql::{self, in_schema};

/// One part in so many is the most that vacuuming may take of the time: where somebody holds on to an old snapshot, it
/// goes over everything and can remove nothing.
const SHARE: u32 = 10;

/// When this process may vacuum again.
#[derive(Debug, Default)]
pub(crate) struct Rest(Mutex<Option<Moment>>);

impl Rest {
    fn is_over(&self) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_none_or(|until| until <= Moment::now())
    }

    fn after(&self, took: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Moment::now() + took * SHARE);
    }
}

/// Vacuums what needs it most.
pub(super) async fn vacuum(core: &Core, name: &'static str) -> Result<(), StoreError> {
    if !core.resting.is_over() {
        return Ok(());
    }
    let session = core.database.call(name).await?;
    let tables = session.query(sql::maintenance::VACUUMABLE, &[&core.schema]).await.during(name)?;
    drop(session);
    let Some(table) = tables.first() else { return Ok(()) };
    let begun = Moment::now();
    let done = vacuum_table(core, table.get(0), name).await;
    core.resting.after(begun.elapsed());
    done
}

/// On a connection that is not used again: it may take longer than any other statement, and a caller that goes away leaves
/// it behind.
async fn vacuum_table(core: &Core, table: &str, name: &'static str) -> Result<(), StoreError> {
    let client = core.database.calls.get().await.map_err(|error| from_pool(name, error))?;
    let client = Object::take(client);
    // sql: the name of a table cannot be bound
    let text = in_schema("VACUUM (SKIP_LOCKED, TRUNCATE false) windlass.", &core.schema);
    if core.database.named {
        client.batch_execute("SET statement_timeout = 0").await.during(name)?;
    }
    client.batch_execute(&format!("{text}{table}")).await.during(name)
}
