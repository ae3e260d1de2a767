//! The meaning of "store".
//!
//! A store is whatever passes [`conformance`]: the promises of `windlass_store`, one case each, with names that are
//! sentences which could be false. A store's `tests/conformance.rs`, built with `harness = false`, is this:
//!
//! ```no_run
//! # use std::process::ExitCode;
//! # use std::sync::Arc;
//! # use windlass_memory::MemoryStore;
//! use windlass_store_testing::{Fixture, conformance};
//!
//! fn main() -> ExitCode {
//!     conformance(|clock| Box::pin(async { Fixture::new(Arc::new(MemoryStore::with_clock(clock))) }))
//! }
//! ```
//!
//! [`random_ops`] goes where no case has thought of: it holds a store against the model, operation by operation.
//!
//! What a store can't do is said by its [`Fixture`] and its status, and is asserted; no case is ever skipped.

mod bench;
mod cases;
mod clock;
mod fixture;
mod forward;
pub mod random_ops;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};

pub use clock::TestClock;
pub use fixture::{Fixture, Start};
pub use random_ops::random_sequences;

use crate::bench::Bench;
use crate::cases::Case;

/// How long a case may wait, by the clock on the wall: for a hint that never comes, for a lock that nobody opens. Far
/// above what any of them needs, so that a busy machine fails none.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs every case on a store of its own that `start` makes, and reports like an ordinary test binary.
///
/// Takes the arguments of one, too, so `cargo test -- NAME` and `cargo nextest` work as ever.
pub fn conformance(start: impl Start) -> ExitCode {
    let start = Arc::new(start);
    let trials = cases::all().map(|(module, case)| trial(module, case, start.clone())).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(module: &str, case: &'static Case, start: Arc<impl Start>) -> Trial {
    Trial::test(format!("{module}::{}", case.name), move || {
        fixture::block_on(async {
            let clock = clock::test_clock();
            let fixture = start(clock.clone()).await;
            let run = (case.run)(Bench::new(fixture, clock));
            tokio::time::timeout(PATIENCE, run)
                .await
                .map_err(|_| Failed::from("it waits for what never comes"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_cases_names_only_tests_that_exist() {
        let table = include_str!("../../../docs/conformance.md");
        let cases: Vec<String> =
            cases::all().map(|(module, case)| format!("{module}::{}", case.name)).collect();

        let quoted = table.split('`').skip(1).step_by(2);
        let named = quoted.filter(|text| text.split("::").count() == 2 && !text.ends_with('…'));
        let unknown: Vec<&str> = named.filter(|name| !cases.iter().any(|case| case == name)).collect();

        assert_eq!(unknown, Vec::<&str>::new());
    }
}
