//! What a worker was told when it was built.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use windlass_core::limits::{CLAIM_BATCH_MAX, LEASE_DEFAULT};
use windlass_core::{Invalid, QueueName};
use windlass_store::leases::check_lease;
use windlass_store::{Observer, Queues, Retention};

use crate::declare::Declaration;

/// Why a worker cannot be built: a field, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not build the worker: {0}")]
pub struct ConfigError(Invalid);

impl ConfigError {
    /// The field at fault: `slots`, `queue`, `kind`, `lease`, `poll_interval`, `prefetch_max`, `name`, `program`, or one of a
    /// schedule, as in `schedules[0].cron`.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.0.field
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.0.problem
    }
}

impl From<Invalid> for ConfigError {
    fn from(invalid: Invalid) -> Self {
        Self(invalid)
    }
}

/// How often an idle worker looks for work by itself. It is woken for work that is enqueued in its own process, and by
/// stores that tell of others; this finds what no one told.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Below this an idle worker would keep its store busy with questions.
const POLL_INTERVAL_MIN: Duration = Duration::from_millis(10);

/// How many jobs may wait in the worker for a slot. At the 5 µs a job costs at the best of times, this many are
/// 10 ms: enough to hide a commit behind, and soon given back.
const PREFETCH_MAX: u32 = 2_000;

/// How a worker behaves, apart from what it runs.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) version: String,
    pub(crate) pools: Vec<PoolConfig>,
    pub(crate) lease: Duration,
    pub(crate) poll_interval: Duration,
    pub(crate) drain_time: Duration,
    pub(crate) grace: Duration,
    pub(crate) prefetch_max: u32,
    pub(crate) maintenance: bool,
    pub(crate) retention: Retention,
    pub(crate) panic_locations: bool,
    pub(crate) declaration: Declaration,
    /// Who counts, if anybody does.
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

/// One pool of slots and the queues it serves.
#[derive(Debug, Clone)]
pub(crate) struct PoolConfig {
    pub(crate) queues: Queues,
    pub(crate) slots: u32,
}

impl PoolConfig {
    /// Whether it serves nothing but queues of Windlass's own, which no pool serves that does not name them.
    fn is_own(&self) -> bool {
        matches!(&self.queues, Queues::Only(names) if names.iter().all(QueueName::is_own))
    }

    /// What people call it.
    pub(crate) fn label(&self) -> String {
        match &self.queues {
            Queues::Any => "*".to_owned(),
            Queues::Only(names) => names.iter().map(QueueName::as_str).collect::<Vec<_>>().join(","),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        let host = host();
        Self {
            name: format!("{host}-{}", std::process::id()),
            host,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pools: Vec::new(),
            lease: LEASE_DEFAULT,
            poll_interval: POLL_INTERVAL,
            drain_time: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            prefetch_max: PREFETCH_MAX,
            maintenance: true,
            retention: Retention::default(),
            panic_locations: true,
            declaration: Declaration::default(),
            observer: None,
        }
    }
}

impl Config {
    /// Refuses what could not work, and fills in the queue `default` where none was named.
    pub(crate) fn checked(mut self) -> Result<Self, ConfigError> {
        if self.pools.iter().all(PoolConfig::is_own) {
            self.pools.push(PoolConfig {
                queues: Queues::Only(vec![QueueName::default()]),
                slots: slots_default(),
            });
        }
        if let Some(pool) = self.pools.iter().find(|pool| pool.slots == 0) {
            return Err(
                Invalid::new("slots", format!("of queue {:?} must be 1 or more", pool.label())).into()
            );
        }
        self.check_queues()?;
        check_lease(self.lease)?;
        self.declaration.check()?;
        if self.poll_interval < POLL_INTERVAL_MIN {
            let least = windlass_core::span::format(POLL_INTERVAL_MIN);
            return Err(Invalid::new("poll_interval", format!("must be {least} or more")).into());
        }
        if self.prefetch_max > CLAIM_BATCH_MAX {
            return Err(Invalid::new("prefetch_max", format!("must be at most {CLAIM_BATCH_MAX}")).into());
        }
        Ok(self)
    }

    pub(crate) fn slots(&self) -> u32 {
        self.pools.iter().fold(0, |sum, pool| sum.saturating_add(pool.slots))
    }

    /// Every queue the worker serves.
    pub(crate) fn queues(&self) -> Queues {
        let mut all = Vec::new();
        for pool in &self.pools {
            match &pool.queues {
                Queues::Any => return Queues::Any,
                Queues::Only(names) => all.extend(names.iter().cloned()),
            }
        }
        Queues::Only(all)
    }

    /// A queue in two pools would have the slots of both, and neither bound would mean anything.
    fn check_queues(&self) -> Result<(), ConfigError> {
        let labels: Vec<String> = self.pools.iter().map(PoolConfig::label).collect();
        let twice = |(place, label): &(usize, &String)| labels[..*place].contains(label);
        if let Some((_, label)) = labels.iter().enumerate().find(twice) {
            return Err(Invalid::new("queue", format!("{label:?} is named twice")).into());
        }
        let others = self.pools.iter().filter(|pool| !pool.is_own()).count();
        if others > 1 && labels.iter().any(|label| label == "*") {
            let problem = "is named beside all queues: a job of it could take a slot of either";
            return Err(Invalid::new("queue", problem).into());
        }
        Ok(())
    }
}

/// Four for each core: most handlers wait for something else most of the time.
fn slots_default() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).ok().and_then(NonZeroU32::new).map_or(4, |cores| cores.get().saturating_mul(4))
}

/// The name of the machine, where it can be had without asking the environment.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"));
    match name.as_deref().map(str::trim) {
        Ok(name) if !name.is_empty() => name.to_owned(),
        _ => "localhost".to_owned(),
    }
}
