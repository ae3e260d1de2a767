//! How a worker is put together.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use windlass_core::{Invalid, QueueName, Verdict};
use windlass_store::{Queues, Retention, SharedStore};

use crate::config::{Config, ConfigError, PoolConfig};
use crate::handler::{BlockingHandler, Handler};
use crate::registry::{Entry, Registry};
use crate::{Job, RawJob, Worker};

/// Puts a [`Worker`] together. What is wrong is said by [`build`](Self::build), never earlier.
///
/// `S` is the state that handlers share; it is given before the handlers that use it.
#[must_use = "a worker does nothing until it is built and run"]
#[derive(Debug)]
pub struct WorkerBuilder<S = ()> {
    store: SharedStoreDebug,
    state: Arc<S>,
    config: Config,
    registry: Registry,
    fault: Option<Invalid>,
}

/// A store in a type that derives `Debug`.
#[derive(Clone)]
struct SharedStoreDebug(SharedStore);

impl std::fmt::Debug for SharedStoreDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl WorkerBuilder<()> {
    pub(crate) fn new(store: SharedStore) -> Self {
        Self {
            store: SharedStoreDebug(store),
            state: Arc::new(()),
            config: Config::default(),
            registry: Registry::default(),
            fault: None,
        }
    }
}

impl<S: Send + Sync + 'static> WorkerBuilder<S> {
    /// What people call the worker; need not be unique. Default: the machine and the process id.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.config.name = name.into();
        self
    }

    /// The version of the program, for those who look after it. Default: that of this library.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.config.version = version.into();
        self
    }

    /// The machine it runs on, where the operating system's own name for it does not do.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.config.host = host.into();
        self
    }

    /// Works on the queue `name`, at most `slots` jobs at a time. Each queue has its own slots.
    ///
    /// Without any queue the worker works on `default`, with four slots for each core of the machine.
    pub fn queue(mut self, name: &str, slots: u32) -> Self {
        match QueueName::new(name) {
            Ok(name) => self.config.pools.push(PoolConfig { queues: Queues::Only(vec![name]), slots }),
            Err(invalid) => self = self.at_fault(invalid),
        }
        self
    }

    /// Works on every queue there is or will be, at most `slots` jobs at a time in all.
    pub fn queues_any(mut self, slots: u32) -> Self {
        self.config.pools.push(PoolConfig { queues: Queues::Any, slots });
        self
    }

    /// How long the worker's jobs are held without a sign of life from it, 100 ms to 1 h. Default 30 s.
    ///
    /// It is also how long it takes until others may do the jobs of a worker that died.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.config.lease = lease;
        self
    }

    /// How often an idle worker looks for work nobody told it of, give or take a tenth. Default 2 s.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.config.poll_interval = interval;
        self
    }

    /// How long running jobs may go on when the worker is asked to stop, before they are asked to stop too. Default 30 s.
    pub fn drain_time(mut self, time: Duration) -> Self {
        self.config.drain_time = time;
        self
    }

    /// How long a handler has to end once it was asked to stop. Default 5 s.
    pub fn timeout_grace(mut self, grace: Duration) -> Self {
        self.config.grace = grace;
        self
    }

    /// How many jobs may wait inside the worker for a slot, 0 to 10,000. Default 2,000; 0 claims for free slots only.
    ///
    /// Only jobs that are short are claimed ahead: never more than a tenth of a second of work.
    pub fn prefetch_max(mut self, jobs: u32) -> Self {
        self.config.prefetch_max = jobs;
        self
    }

    /// Whether the worker does the periodic duties of its store: taking back what dead workers held, and removing what
    /// is past its retention. Default true; any number of workers may.
    pub fn maintenance(mut self, on: bool) -> Self {
        self.config.maintenance = on;
        self
    }

    /// How long finished jobs are kept. Default: a week; dead ones a quarter of a year.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.config.retention = retention;
        self
    }

    /// Whether failed attempts tell where a handler panicked. Default true.
    ///
    /// The place is known only to the panic hook of the process. So a hook is put in front of the present one when the
    /// first worker starts; it looks at panics inside handlers only, and always calls the other.
    pub fn panic_locations(mut self, on: bool) -> Self {
        self.config.panic_locations = on;
        self
    }

    /// Gives the state that the handlers below share, for them to take by [`State`](crate::State).
    pub fn state<T: Send + Sync + 'static>(self, state: T) -> WorkerBuilder<T> {
        let Self { store, config, registry, fault, .. } = self;
        WorkerBuilder { store, state: Arc::new(state), config, registry, fault }
    }

    /// Does jobs of the type `J` with an async function.
    pub fn handle<J, Args, H>(self, handler: H) -> Self
    where
        J: Job,
        Args: 'static,
        H: Handler<J, Args, S>,
    {
        let entry = Entry::typed(handler, Arc::clone(&self.state));
        self.entry(J::KIND, entry)
    }

    /// Does jobs of the type `J` with a function that blocks, on the threads for blocking work.
    pub fn handle_blocking<J, Args, H>(self, handler: H) -> Self
    where
        J: Job,
        Args: 'static,
        H: BlockingHandler<J, Args, S>,
    {
        let entry = Entry::blocking(handler, Arc::clone(&self.state));
        self.entry(J::KIND, entry)
    }

    /// Does jobs of the kind `kind`, of every version, without knowing their type.
    pub fn handle_kind<Fut>(self, kind: &str, handler: impl Fn(RawJob) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Verdict> + Send + 'static,
    {
        self.entry(kind, Entry::raw(handler))
    }

    /// Does jobs of every kind that has no other handler.
    ///
    /// The worker then claims every kind and every version. A job whose args are newer than its typed handler
    /// understands waits half a minute for a worker that does.
    pub fn handle_any<Fut>(mut self, handler: impl Fn(RawJob) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Verdict> + Send + 'static,
    {
        match self.registry.add_any(Entry::raw(handler)) {
            Ok(()) => self,
            Err(invalid) => self.at_fault(invalid),
        }
    }

    /// Completes jobs of the kind `kind` without doing anything but a warning: nobody needs them any more.
    pub fn retired(self, kind: &str) -> Self {
        self.entry(kind, Entry::retired())
    }

    /// The worker.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the first field at fault.
    pub fn build(self) -> Result<Worker, ConfigError> {
        if let Some(invalid) = self.fault {
            return Err(invalid.into());
        }
        if self.registry.is_empty() {
            return Err(Invalid::new("kind", "has no handler: a worker needs at least one").into());
        }
        Worker::new(self.store.0, self.config.checked()?, self.registry)
    }

    fn entry(mut self, kind: &str, entry: Entry) -> Self {
        match self.registry.add(kind, entry) {
            Ok(()) => self,
            Err(invalid) => self.at_fault(invalid),
        }
    }

    fn at_fault(mut self, invalid: Invalid) -> Self {
        self.fault.get_or_insert(invalid);
        self
    }
}
