//! Every promise of the port, on a file.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use windlass_sqlite::SqliteOptions;
use windlass_store::SharedStore;
use windlass_store_testing::{Fixture, TestClock, conformance};

fn main() -> ExitCode {
    conformance(|clock| {
        Box::pin(async move {
            let folder = tempfile::tempdir().expect("a folder for the file");
            let path = folder.path().join("store.db");
            let store = open(path.clone(), clock.clone()).await;
            let reopen = move || -> futures_util::future::BoxFuture<'static, SharedStore> {
                Box::pin(open(path.clone(), clock.clone()))
            };
            Fixture::new(store).with_guard(folder).with_reopen(reopen)
        })
    })
}

async fn open(path: PathBuf, clock: Arc<TestClock>) -> SharedStore {
    Arc::new(SqliteOptions::new(path).clock(clock).open().await.expect("the file opens"))
}
