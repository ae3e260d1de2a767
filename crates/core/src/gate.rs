//! What jobs have to share: locks, limits, rates, and one after the other.
//!
//! Each thing that is shared is a [`Gate`]. A job says what it wants of each of its gates ([`Wish`]), and starts only when
//! all of them let it in: all or none. Whether one does follows from what its store knows of it ([`GateState`]) by the
//! functions of [`rules`], which every claim asks and every explanation too.
//!
//! What a gate has given is derived from attempts that are open: it is taken in the transaction that opens the attempt, and
//! given back in the one that closes it, for whatever reason. So nothing of it can outlive its attempt.

mod check;
mod need;
pub mod rules;
mod template;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::RATE_BURST_MAX;
use crate::{Invalid, KindName, QueueName, span};

pub use check::check_locks;
pub use need::{Fence, Gate, GateForm, Need, Wish};
pub use rules::{Call, GateState, Line, Place, Refusal, Waiting};
pub use template::LockTemplate;

/// How a lock is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockMode {
    /// Together with others who want it shared.
    Shared,
    /// Alone.
    #[default]
    Exclusive,
}

impl LockMode {
    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Exclusive => "exclusive",
        }
    }
}

/// A named resource that a job needs while it runs: one holder that wants it alone, or any number that share it, over all
/// kinds, workers and machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// What is locked: any text without control characters, at most 256 bytes.
    pub resource: String,
    /// How.
    #[serde(default)]
    pub mode: LockMode,
}

impl Lock {
    /// The resource for this job alone.
    pub fn exclusive(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), mode: LockMode::Exclusive }
    }

    /// The resource together with others that share it.
    pub fn shared(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), mode: LockMode::Shared }
    }
}

/// How many jobs with the same key may run at a time, over all queues, workers and machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyedLimit {
    /// What is counted: any text without control characters, at most 256 bytes.
    pub key: String,
    /// This job starts only while fewer than so many run with the key; 1 or more. Jobs of one key may say different numbers:
    /// each is held to its own.
    pub max: u32,
}

/// How often something may start: `starts` in each `per`, spread evenly, and up to `burst` at once.
///
/// In any span of time there are at most `starts / per × span + burst` starts, by the clock of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// How many; 1 or more.
    pub starts: u32,
    /// In which time; more than zero.
    #[serde(with = "span::text")]
    pub per: Duration,
    /// How many at once after a rest; 1 unless said.
    #[serde(default = "one")]
    pub burst: u32,
}

const fn one() -> u32 {
    1
}

impl Pace {
    /// So many starts in so much time, one at a time.
    #[must_use]
    pub const fn new(starts: u32, per: Duration) -> Self {
        Self { starts, per, burst: 1 }
    }

    /// The same, with so many at once after a rest.
    #[must_use]
    pub const fn with_burst(self, burst: u32) -> Self {
        Self { burst, ..self }
    }

    /// The time from one start to the next, in microseconds, rounded up: so the bound holds exactly.
    #[must_use]
    pub fn interval(self) -> u64 {
        let per = u64::try_from(self.per.as_micros()).unwrap_or(u64::MAX);
        per.div_ceil(self.starts.max(1).into()).max(1)
    }

    /// Refuses a pace that nothing could keep.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field inside `parent`.
    pub fn validate(self, parent: &str) -> Result<(), Invalid> {
        let refuse = |field: &str, problem: String| Err(Invalid::new(format!("{parent}.{field}"), problem));
        if self.starts == 0 {
            return refuse("starts", "must be 1 or more".to_owned());
        }
        if self.per.is_zero() {
            return refuse("per", "must be more than zero".to_owned());
        }
        crate::retry::check_delay("per", self.per).map_err(|invalid| invalid.inside(parent))?;
        if u128::from(self.starts) > self.per.as_micros() {
            return refuse("starts", "are more than one in a microsecond".to_owned());
        }
        if self.burst == 0 || self.burst > RATE_BURST_MAX {
            return refuse("burst", format!("is {}; it runs from 1 to {RATE_BURST_MAX}", self.burst));
        }
        Ok(())
    }
}

/// How often jobs with the same key may start, over all queues, workers and machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// What is counted: any text without control characters, at most 256 bytes.
    pub key: String,
    /// How often.
    #[serde(flatten)]
    pub pace: Pace,
}

/// What can be bounded as a whole, whatever its jobs say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whole {
    /// All jobs of a queue.
    Queue(QueueName),
    /// All jobs of a kind.
    Kind(KindName),
}

/// The bounds of a queue or a kind. They hold for jobs that were enqueued before, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// How many of its jobs may run at a time, over all workers; none for no bound.
    pub limit: Option<u32>,
    /// How often one of them may start, over all workers; none for no bound.
    pub rate: Option<Pace>,
}

impl Bounds {
    /// Refuses bounds that let nothing through: that is what a pause is for.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `limit`, or one inside `rate`.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.limit == Some(0) {
            return Err(Invalid::new("limit", "must be 1 or more: to let nothing run, pause the queue"));
        }
        self.rate.map_or(Ok(()), |rate| rate.validate("rate"))
    }

    /// What they ask of each job of `whole`.
    pub fn needs(self, whole: &Whole) -> impl Iterator<Item = Need> {
        let (name, limit, rate) = match whole {
            Whole::Queue(queue) => (queue.as_str(), GateForm::QueueLimit, GateForm::QueueRate),
            Whole::Kind(kind) => (kind.as_str(), GateForm::KindLimit, GateForm::KindRate),
        };
        let slot = self.limit.map(|max| Need::new(limit, name, Wish::Slot { max }));
        slot.into_iter().chain(self.rate.map(|pace| Need::new(rate, name, Wish::start(pace))))
    }
}

#[cfg(test)]
mod tests;
