//! Every promise of the port, spoken over HTTP to a server over a database.

mod afar;

use std::process::ExitCode;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use windlass_postgres::PostgresOptions;
use windlass_store::{SharedStore, ids};
use windlass_store_testing::{Fixture, TestClock, conformance};

fn main() -> ExitCode {
    conformance(|clock| {
        Box::pin(async move {
            let schema = format!("test_{}", ids::job_id().as_uuid().simple());
            let (store, served) = afar::remote(open(&schema, clock.clone()).await, clock.clone()).await;
            let reopen = move || -> BoxFuture<'static, SharedStore> {
                let (schema, clock) = (schema.clone(), clock.clone());
                Box::pin(async move {
                    let (store, served) = afar::remote(open(&schema, clock.clone()).await, clock).await;
                    // A store that is opened again is used until the case ends.
                    std::mem::forget(served);
                    Arc::new(store) as SharedStore
                })
            };
            Fixture::new(Arc::new(store)).behind_a_door().with_guard(served).with_reopen(reopen)
        })
    })
}

async fn open(schema: &str, clock: Arc<TestClock>) -> SharedStore {
    let url = windlass_postgres_testing::shared().expect("a server can be started");
    let options = PostgresOptions::new(url).schema(schema).clock(clock);
    Arc::new(options.open().await.expect("the store opens"))
}
