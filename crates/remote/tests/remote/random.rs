//! Random operations over HTTP, to a server over a file, beside the memory model.

use std::ops::Range;
use std::sync::Arc;

use windlass_sqlite::SqliteOptions;
use windlass_store_testing::{Fixture, TestClock, random_sequences};

use crate::afar;

#[test]
fn a_store_from_afar_answers_as_the_model_does_1() {
    run(10_000..10_020);
}

#[test]
fn a_store_from_afar_answers_as_the_model_does_2() {
    run(10_020..10_040);
}

/// Runs some of them, each on a fresh file behind a server of its own.
fn run(sequences: Range<u64>) {
    let start = |clock: Arc<TestClock>| -> futures_util::future::BoxFuture<'static, Fixture> {
        Box::pin(async move {
            let folder = tempfile::tempdir().expect("a folder for the file");
            let options = SqliteOptions::new(folder.path().join("store.db")).clock(clock.clone());
            let store = options.open().await.expect("the file opens");
            let (store, served) = afar::remote(Arc::new(store), clock).await;
            Fixture::new(Arc::new(store)).behind_a_door().with_guard((served, folder))
        })
    };

    random_sequences(start, sequences, 100);
}
