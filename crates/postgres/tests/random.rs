//! Random operations, beside the memory model.

mod common;

use std::sync::Arc;

use windlass_store_testing::{Fixture, TestClock, random_sequences};

/// As many as the gate has time for; each is a fresh schema.
const SEQUENCES: u64 = 300;

#[test]
fn the_server_answers_as_the_model_does() {
    let start = |clock: Arc<TestClock>| -> futures_util::future::BoxFuture<'static, Fixture> {
        Box::pin(async move { Fixture::new(common::open(&common::fresh_schema(), clock).await) })
    };

    random_sequences(start, SEQUENCES, 100);
}
