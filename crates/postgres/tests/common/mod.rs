//! A store of its own for each test, on a server that they share.

use std::sync::Arc;

use windlass_postgres::PostgresOptions;
use windlass_store::{SharedStore, ids};
use windlass_store_testing::TestClock;

/// The name of a schema that nobody else uses.
pub(crate) fn fresh_schema() -> String {
    format!("test_{}", ids::job_id().as_uuid().simple())
}

/// Opens the store in `schema`, made if there is none.
pub(crate) async fn open(schema: &str, clock: Arc<TestClock>) -> SharedStore {
    let url = windlass_postgres_testing::shared().expect("a server can be started");
    let options = PostgresOptions::new(url).schema(schema).clock(clock);
    Arc::new(options.open().await.expect("the store opens"))
}
