//! Random operations, beside the memory model.

use std::ops::Range;
use std::sync::Arc;

use windlass_sqlite::SqliteOptions;
use windlass_store_testing::{Fixture, TestClock, random_sequences};

/// Tests that share the sequences among them, so that they run side by side.
macro_rules! parts {
    ($($part:ident = $sequences:expr,)*) => {
        mod the_file_answers_as_the_model_does {
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
    part_1 = 0..250,
    part_2 = 250..500,
    part_3 = 500..750,
    part_4 = 750..1_000,
    part_5 = 1_000..1_250,
    part_6 = 1_250..1_500,
    part_7 = 1_500..1_750,
    part_8 = 1_750..2_000,
}

/// Runs some of them, each on a fresh file.
fn run(sequences: Range<u64>) {
    let start = |clock: Arc<TestClock>| -> futures_util::future::BoxFuture<'static, Fixture> {
        Box::pin(async move {
            let folder = tempfile::tempdir().expect("a folder for the file");
            // What is compared are answers; what survives a loss of power is tested elsewhere.
            let options = SqliteOptions::new(folder.path().join("store.db")).relaxed().clock(clock);
            Fixture::new(Arc::new(options.open().await.expect("the file opens"))).with_guard(folder)
        })
    };

    random_sequences(start, sequences, 100);
}
