//! How a worker is put together.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use windlass_core::{Invalid, LockTemplate, ProgramName, QueueName, Verdict};
use windlass_store::{Observer, Queues, Retention, SharedStore};

use crate::config::{Config, ConfigError, PoolConfig};
use crate::declare::IntoSchedule;
use crate::handler::{BlockingHandler, Handler, Work};
use crate::hooks::{BlockingHook, Hook, When};
use crate::registry::{Entry, Registry};
use crate::{Job, JobCx, JobError, RawJob, Worker};

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

    /// Works on every queue there is or will be, at most `slots` jobs at a time in all. Queues of Windlass's own are not
    /// among them, and have to be named.
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

    /// Tells `observer` of what the worker does: `windlass::Metrics` counts it for Prometheus. Several workers may share one.
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.config.observer = Some(observer);
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

    /// The name of the program, for the schedules that it declares: the same for each of its processes, and from one version
    /// to the next.
    ///
    /// A worker with a program's name says when it starts which schedules the program has. Those that it no longer
    /// [declares](Self::schedule) are then shown as removed and fire no more, also the last of them.
    pub fn program(mut self, name: &str) -> Self {
        match ProgramName::new(name) {
            Ok(name) => self.config.declaration.program = Some(name),
            Err(invalid) => self = self.at_fault(invalid),
        }
        self
    }

    /// Declares a schedule of the [program](Self::program): made or changed when the worker starts, and left alone where it is
    /// what it was. One that was paused stays paused.
    ///
    /// All processes of a program declare the same ones. During a deploy, those of the version that started last hold.
    pub fn schedule(mut self, schedule: impl IntoSchedule) -> Self {
        let place = self.config.declaration.schedules.len();
        match schedule.into_schedule() {
            Ok(schedule) => self.config.declaration.schedules.push(schedule),
            Err(invalid) => self = self.at_fault(invalid.inside(&format!("schedules[{place}]"))),
        }
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
        self.checked::<J>().entry(J::KIND, entry)
    }

    /// Does jobs of the type `J` with a function that blocks, on the threads for blocking work.
    pub fn handle_blocking<J, Args, H>(self, handler: H) -> Self
    where
        J: Job,
        Args: 'static,
        H: BlockingHandler<J, Args, S>,
    {
        let entry = Entry::blocking(handler, Arc::clone(&self.state));
        self.checked::<J>().entry(J::KIND, entry)
    }

    /// Refuses a kind that declares locks which cannot be had together.
    fn checked<J: Job>(self) -> Self {
        match LockTemplate::check_all(J::LOCKS) {
            Ok(()) => self,
            Err(invalid) => self.at_fault(invalid),
        }
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

    /// Calls an async function when a person has accepted what a job of the type `J` made, and completes the job once it
    /// succeeds: where the result is published, the old one replaced. It is tried again like a handler, but by the terms of
    /// the job's [`Review`](windlass_core::Review). Without it, an accepted job is completed without further ado.
    ///
    /// ```
    /// # use windlass_core::Ruling;
    /// # use windlass_runtime::{JobError, JobLog, Staged, Worker};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Import { table: String }
    /// # impl windlass_runtime::Job for Import {
    /// #     const KIND: &'static str = "import";
    /// #     type Output = u64;
    /// # }
    /// # fn build(store: windlass_store::SharedStore) {
    /// async fn import(job: Import) -> Result<u64, JobError> {
    ///     Ok(3) // rows, which nobody sees yet
    /// }
    /// async fn publish(job: Import, Staged(rows): Staged<u64>, ruling: Ruling, log: JobLog) -> Result<(), JobError> {
    ///     log.info(format!("{rows} rows accepted by {:?}", ruling.by));
    ///     Ok(())
    /// }
    /// async fn forget(job: Import) {}
    ///
    /// let worker = Worker::builder(store).handle(import).accepted(publish).declined(forget);
    /// # drop(worker);
    /// # }
    /// ```
    pub fn accepted<J, Args, H>(self, hook: H) -> Self
    where
        J: Job,
        Args: 'static,
        H: Hook<J, Args, S>,
    {
        self.hook(When::Accepted, hook)
    }

    /// Like [`accepted`](Self::accepted), with a function that blocks, on the threads for blocking work.
    pub fn accepted_blocking<J, Args, H>(self, hook: H) -> Self
    where
        J: Job,
        Args: 'static,
        H: BlockingHook<J, Args, S>,
    {
        self.blocking_hook(When::Accepted, hook)
    }

    /// Calls an async function when a person has declined what a job of the type `J` made, and cancels the job once it
    /// succeeds: where the result is removed. Otherwise as [`accepted`](Self::accepted).
    pub fn declined<J, Args, H>(self, hook: H) -> Self
    where
        J: Job,
        Args: 'static,
        H: Hook<J, Args, S>,
    {
        self.hook(When::Declined, hook)
    }

    /// Like [`declined`](Self::declined), with a function that blocks, on the threads for blocking work.
    pub fn declined_blocking<J, Args, H>(self, hook: H) -> Self
    where
        J: Job,
        Args: 'static,
        H: BlockingHook<J, Args, S>,
    {
        self.blocking_hook(When::Declined, hook)
    }

    /// Calls an async function after every attempt of a job of the type `J` that is not tried again, be it a success, the
    /// last failure or a cancel; where a person decides about the result, once after the work and once more at the end.
    ///
    /// It is called while the attempt is still open, within its slot. What comes of it changes nothing: a failure or a panic
    /// is told in the job's log, and it is cut short after five minutes.
    ///
    /// A job that a person decides about may end while nobody runs it: it is cancelled while it is in review, misses its
    /// deadline there, or its worker dies once too often. Such an end makes a job of its own in the same transaction, of the
    /// same kind and in the same queue, for which a worker calls this function alone, in the phase
    /// [`Cleanup`](windlass_core::Phase::Cleanup). It may be called more than once, as that job is tried again like any other.
    /// [`JobCx::id`](crate::JobCx::id) is the job that ended. Of other jobs, nobody calls it after a process has died, nor for
    /// one that is cancelled between two attempts.
    pub fn cleanup<J, Args, H>(self, hook: H) -> Self
    where
        J: Job,
        Args: 'static,
        H: Hook<J, Args, S>,
    {
        self.hook(When::Cleanup, hook)
    }

    /// Like [`cleanup`](Self::cleanup), with a function that blocks, on the threads for blocking work. One that takes longer than
    /// five minutes behind an attempt is no longer waited for, and goes on: nothing can stop a thread.
    pub fn cleanup_blocking<J, Args, H>(self, hook: H) -> Self
    where
        J: Job,
        Args: 'static,
        H: BlockingHook<J, Args, S>,
    {
        self.blocking_hook(When::Cleanup, hook)
    }

    fn hook<J: Job, Args: 'static>(self, when: When, hook: impl Hook<J, Args, S>) -> Self {
        let state = Arc::clone(&self.state);
        self.add_hook(when, move |job: J, cx| hook.start(job, cx, &state))
    }

    fn blocking_hook<J: Job, Args: 'static>(self, when: When, hook: impl BlockingHook<J, Args, S>) -> Self {
        let (hook, state) = (Arc::new(hook), Arc::clone(&self.state));
        self.add_hook(when, move |job: J, cx| hook.start(job, cx, &state))
    }

    fn add_hook<J: Job>(
        mut self,
        when: When,
        start: impl Fn(J, &JobCx) -> Result<Work, JobError> + Send + Sync + 'static,
    ) -> Self {
        match self.registry.hooks.add(when, start) {
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
        self.registry.check_hooks()?;
        Worker::new(self.store.0, self.config.checked()?, self.registry)
    }

    fn entry(mut self, kind: &str, entry: Entry) -> Self {
        match self.registry.add(kind, entry) {
            Ok(()) => self,
            Err(invalid) => self.at_fault(invalid),
        }
    }

    /// Makes [`build`](Self::build) fail with `invalid`, unless something was wrong before. For crates that add to what a
    /// builder can be told, so that their mistakes are said where all others are.
    pub fn at_fault(mut self, invalid: Invalid) -> Self {
        self.fault.get_or_insert(invalid);
        self
    }
}
