//! Every promise of the port, spoken over HTTP to a server over a file.

mod afar;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use windlass_sqlite::SqliteOptions;
use windlass_store::SharedStore;
use windlass_store_testing::{Fixture, TestClock, conformance};

fn main() -> ExitCode {
    conformance(|clock| {
        Box::pin(async move {
            let folder = tempfile::tempdir().expect("a folder for the file");
            let path = folder.path().join("store.db");
            let (store, served) = afar::remote(open(path.clone(), clock.clone()).await, clock.clone()).await;
            let reopen = move || -> BoxFuture<'static, SharedStore> {
                let (path, clock) = (path.clone(), clock.clone());
                Box::pin(async move {
                    let (store, served) = afar::remote(open(path, clock.clone()).await, clock).await;
                    // A store that is opened again is used until the case ends.
                    std::mem::forget(served);
                    Arc::new(store) as SharedStore
                })
            };
            Fixture::new(Arc::new(store)).behind_a_door().with_guard((served, folder)).with_reopen(reopen)
        })
    })
}

async fn open(path: PathBuf, clock: Arc<TestClock>) -> SharedStore {
    Arc::new(SqliteOptions::new(path).clock(clock).open().await.expect("the file opens"))
}
