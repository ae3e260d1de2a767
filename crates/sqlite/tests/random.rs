//! Random operations, beside the memory model.

use std::sync::Arc;

use windlass_sqlite::SqliteOptions;
use windlass_store_testing::{Fixture, TestClock, random_sequences};

/// As many as the gate has time for; each is a fresh file.
const SEQUENCES: u64 = 500;

#[test]
fn the_file_answers_as_the_model_does() {
    let start = |clock: Arc<TestClock>| -> futures_util::future::BoxFuture<'static, Fixture> {
        Box::pin(async move {
            let folder = tempfile::tempdir().expect("a folder for the file");
            // What is compared are answers; what survives a loss of power is tested elsewhere.
            let options = SqliteOptions::new(folder.path().join("store.db")).relaxed().clock(clock);
            Fixture::new(Arc::new(options.open().await.expect("the file opens"))).with_guard(folder)
        })
    };

    random_sequences(start, SEQUENCES, 100);
}
