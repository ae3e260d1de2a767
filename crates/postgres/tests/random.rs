//! Random operations, beside the memory model.

mod common;

use std::ops::Range;
use std::sync::Arc;

use windlass_store_testing::{Fixture, TestClock, random_sequences};

/// Tests that share the sequences among them, so that they run side by side.
macro_rules! parts {
    ($($part:ident = $sequences:expr,)*) => {
        mod the_server_answers_as_the_model_does {
            $(
                #[test]
                fn $part() {
                    super::run($sequences);
                }
            )*
        }
    };
}

parts! {
    part_1 = 0..75,
    part_2 = 75..150,
    part_3 = 150..225,
    part_4 = 225..300,
}

/// Runs some of them, each on a fresh schema.
fn run(sequences: Range<u64>) {
    let start = |clock: Arc<TestClock>| -> futures_util::future::BoxFuture<'static, Fixture> {
        Box::pin(async move { Fixture::new(common::open(&common::fresh_schema(), clock).await) })
    };

    random_sequences(start, sequences, 100);
}
