//! What a store's author hands to the suite.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use windlass_store::SharedStore;

use crate::TestClock;

/// Makes a fresh, empty store that goes by the given clock.
pub trait Start: Fn(Arc<TestClock>) -> BoxFuture<'static, Fixture> + Send + Sync + 'static {}

impl<F: Fn(Arc<TestClock>) -> BoxFuture<'static, Fixture> + Send + Sync + 'static> Start for F {}

/// Opens what a fixture's store wrote once more, as another process would.
pub(crate) type Reopen = Box<dyn Fn() -> BoxFuture<'static, SharedStore> + Send + Sync>;

/// A store under test, and what it needs to go on living.
pub struct Fixture {
    pub(crate) store: SharedStore,
    pub(crate) reopen: Option<Reopen>,
    /// Whether the store says itself how somebody came to it.
    pub(crate) has_door: bool,
    /// Dropped last, when the store is gone: a folder, a database.
    pub(crate) guard: Box<dyn Any + Send>,
}

impl Fixture {
    /// A store that needs nothing else, and that cannot be opened again.
    #[must_use]
    pub fn new(store: SharedStore) -> Self {
        Self { store, reopen: None, has_door: false, guard: Box::new(()) }
    }

    /// The same, behind a door that says itself how somebody came ([`Via`](windlass_store::Via)): what a caller says of the
    /// token and the address counts for nothing there, and what is sent in one text with others loses the blanks around it.
    /// The suite asserts both.
    #[must_use]
    pub fn behind_a_door(mut self) -> Self {
        self.has_door = true;
        self
    }

    /// The same, and `guard` is kept until the store is no longer used.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send) -> Self {
        self.guard = Box::new(guard);
        self
    }

    /// The same, and `reopen` opens what the store wrote once more. It may be called while the store is still open.
    ///
    /// Without it a store must say that it is volatile, and the suite asserts that it does.
    #[must_use]
    pub fn with_reopen(
        mut self,
        reopen: impl Fn() -> BoxFuture<'static, SharedStore> + Send + Sync + 'static,
    ) -> Self {
        self.reopen = Some(Box::new(reopen));
        self
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("reopen", &self.reopen.is_some()).finish_non_exhaustive()
    }
}

/// Runs `future` to its end on a small runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime of one thread can be built").block_on(future)
}
