//! The memory store is a store: it passes the suite that says what one is.

use std::process::ExitCode;
use std::sync::Arc;

use windlass_memory::MemoryStore;
use windlass_store_testing::{Fixture, conformance};

fn main() -> ExitCode {
    conformance(|clock| Box::pin(async { Fixture::new(Arc::new(MemoryStore::with_clock(clock))) }))
}
