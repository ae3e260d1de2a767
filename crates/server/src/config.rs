//! How the server is set up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use windlass_metrics::Metrics;
use windlass_store::{Clock, SystemClock};

use crate::access::{AllowAll, Authorizer};
use crate::auth::Door;

/// How the server is set up. The default lets everybody do everything: whoever nests the router says who may call it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Who may do what.
    pub authorizer: Arc<dyn Authorizer>,
    /// What time answers say it is: the clock of the store, where that is one of this machine.
    pub clock: Arc<dyn Clock>,
    /// What web pages could send, and is turned away; none for an application that has a door of its own before the router.
    pub door: Option<Door>,
    /// How much is taken on at a time.
    pub limits: Limits,
    /// What `/metrics` tells of what is done. A worker in the same process may count here too.
    pub metrics: Arc<Metrics>,
    /// Whether operations on many jobs that wait in the store are carried out here; they are unless said. One of the servers over
    /// a store is enough, and more of them take over from each other.
    pub carries_out: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            authorizer: Arc::new(AllowAll),
            clock: Arc::new(SystemClock),
            door: None,
            limits: Limits::default(),
            metrics: Arc::default(),
            carries_out: true,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("clock", &self.clock)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// The same, with this one to say who may do what.
    #[must_use]
    pub fn with_authorizer(self, authorizer: impl Authorizer) -> Self {
        Self { authorizer: Arc::new(authorizer), ..self }
    }

    /// The same, behind this door.
    #[must_use]
    pub fn with_door(self, door: Door) -> Self {
        Self { door: Some(door), ..self }
    }

    /// The same, with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The same, counting here.
    #[must_use]
    pub fn with_metrics(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// The same, carrying out operations on many jobs, or leaving them to other servers.
    #[must_use]
    pub fn with_operations(self, carries_out: bool) -> Self {
        Self { carries_out, ..self }
    }

    /// The same, with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

/// How much the server takes on at a time. What is beyond is refused with a time to come back, before it costs anything.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest body of a request, in bytes.
    pub body_bytes_max: usize,
    /// Largest body of a request that brings many things at once (batches, turns, log lines), in bytes.
    pub batch_bytes_max: usize,
    /// Largest head of a request (its line and headers), in bytes.
    pub head_bytes_max: usize,
    /// How long the head of a request may take to arrive; a connection on which nothing comes for as long is closed.
    pub head_time: Duration,
    /// How long a body may take to arrive. One that is large may take longer: a second for each KiB.
    pub body_time: Duration,
    /// How long an answer may take, what a caller asked to wait left aside.
    pub answer_time: Duration,
    /// Most connections at a time; those beyond wait to be accepted.
    pub connections_max: usize,
    /// Most requests at a time that are not about leases.
    pub requests_max: usize,
    /// Most claims, beats and settles at a time: a lane of their own, so that no crowd of others costs a worker its lease.
    pub leases_max: usize,
    /// Most claims, and others that wait, at a time.
    pub waiting_max: usize,
    /// Most streams of live numbers at a time.
    pub streams_max: usize,
    /// How long a request waits for its turn before it is refused.
    pub turn_wait: Duration,
    /// Most jobs in one request.
    pub batch_jobs_max: usize,
    /// Longest that a request may wait for something to happen.
    pub wait_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            body_bytes_max: MIB,
            batch_bytes_max: 16 * MIB,
            head_bytes_max: 64 * 1024,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            answer_time: Duration::from_secs(30),
            connections_max: 2_048,
            requests_max: 128,
            leases_max: 512,
            waiting_max: 16_384,
            streams_max: 256,
            turn_wait: Duration::from_secs(1),
            batch_jobs_max: 1_000,
            wait_max: Duration::from_secs(30),
        }
    }
}
