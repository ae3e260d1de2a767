//! What jobs have to share: locks, limits, rates, and one after the other.
//!
//! Each thing that is shared is a [`Gate`]. A job says what it wants of each of its gates ([`Wish`]), and starts only when
//! all of them let it in: all or none. Whether one does follows from what its store knows of it ([`GateState`]) by the
//! functions of [`rules`], which every claim asks and every explanation too.
//!
//! What a gate has given is derived from attempts that are open: it is taken in the transaction that opens the attempt, and
//! given back in the one that closes it, for whatever reason. So nothing of it can outlive its attempt.

pub mod rules;
mod template;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::{GATE_NAME_BYTES_MAX, GATES_MAX, RATE_BURST_MAX};
use crate::{Invalid, JobOptions, KindName, QueueName, span};

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

/// What kind of gate it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GateForm {
    /// The limit of a queue. Those of queues and kinds come first: whom they turn away is not told by name.
    QueueLimit = 1,
    /// The rate of a queue.
    QueueRate = 2,
    /// The limit of a kind.
    KindLimit = 3,
    /// The rate of a kind.
    KindRate = 4,
    /// One at a time, and in order.
    Order = 5,
    /// A resource.
    Lock = 6,
    /// A keyed limit.
    Limit = 7,
    /// A keyed rate. Last, so that nothing is counted as a start that another gate turns away.
    Rate = 8,
}

impl GateForm {
    /// Every form.
    pub const ALL: [Self; 8] = [
        Self::QueueLimit,
        Self::QueueRate,
        Self::KindLimit,
        Self::KindRate,
        Self::Order,
        Self::Lock,
        Self::Limit,
        Self::Rate,
    ];

    /// The number stores keep.
    #[must_use]
    pub const fn as_number(self) -> u8 {
        self as u8
    }

    /// The form that stores keep as `number`, if there is one.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|form| i64::from(form.as_number()) == number)
    }

    /// Whether what it gives is held until the attempt closes. What a rate gives is gone at once.
    #[must_use]
    pub const fn is_held(self) -> bool {
        !matches!(self, Self::Rate | Self::QueueRate | Self::KindRate)
    }

    /// Whether it is set for a queue or a kind rather than asked for by a job. Whom such a gate turns away is not parked:
    /// a claim takes no more from its lanes than there is room.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::QueueLimit | Self::QueueRate | Self::KindLimit | Self::KindRate)
    }
}

/// Something that is shared: its form and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gate {
    /// What kind of gate it is.
    pub form: GateForm,
    /// Its name among those of its form.
    pub name: Arc<str>,
}

impl Gate {
    /// The gate of this form and name.
    #[must_use]
    pub fn new(form: GateForm, name: impl AsRef<str>) -> Self {
        Self { form, name: name.as_ref().into() }
    }
}

/// What a job wants of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    /// A resource together with others.
    Shared,
    /// A resource alone.
    Exclusive,
    /// To be one of at most so many.
    Slot {
        /// How many.
        max: u32,
    },
    /// To start in its time.
    Start {
        /// From one start to the next, in microseconds.
        interval: u64,
        /// How many at once.
        burst: u32,
    },
    /// To be the next.
    Turn,
}

impl Wish {
    fn start(pace: Pace) -> Self {
        Self::Start { interval: pace.interval(), burst: pace.burst }
    }

    /// Whether nobody else may have the resource meanwhile.
    #[must_use]
    pub const fn is_exclusive(self) -> bool {
        matches!(self, Self::Exclusive)
    }

    /// The two numbers that stores keep of it, beside the form of its gate.
    #[must_use]
    pub fn as_numbers(self) -> (i64, i64) {
        match self {
            Self::Shared | Self::Turn => (0, 0),
            Self::Exclusive => (1, 0),
            Self::Slot { max } => (max.into(), 0),
            Self::Start { interval, burst } => (i64::try_from(interval).unwrap_or(i64::MAX), burst.into()),
        }
    }

    /// The wish that stores keep as these numbers, of a gate of this form.
    #[must_use]
    pub fn from_numbers(form: GateForm, (amount, burst): (i64, i64)) -> Self {
        let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        match form {
            GateForm::Order => Self::Turn,
            GateForm::Lock if amount == 0 => Self::Shared,
            GateForm::Lock => Self::Exclusive,
            GateForm::Limit | GateForm::QueueLimit | GateForm::KindLimit => Self::Slot { max: small(amount) },
            GateForm::Rate | GateForm::QueueRate | GateForm::KindRate => {
                Self::Start { interval: amount.max(1).cast_unsigned(), burst: small(burst).max(1) }
            }
        }
    }
}

/// What a job needs before it may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Of which gate.
    pub gate: Gate,
    /// What.
    pub wish: Wish,
}

impl Need {
    fn new(form: GateForm, name: impl AsRef<str>, wish: Wish) -> Self {
        Self { gate: Gate::new(form, name), wish }
    }
}

/// The right to a resource, numbered: whoever has a larger number got it later. A handler passes it on to whatever it
/// writes to, which then refuses writes with a smaller one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// The resource that is held exclusively.
    pub resource: String,
    /// Larger than that of every exclusive grant of it before.
    pub number: u64,
}

impl JobOptions {
    /// Whether it has gates of its own.
    #[must_use]
    pub fn is_gated(&self) -> bool {
        !(self.locks.is_empty() && self.limits.is_empty() && self.rates.is_empty())
            || self.order_key.is_some()
    }

    /// What it needs before it may start, in the order in which gates are asked; each gate once.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let locks = self.locks.iter().map(|lock| {
            let wish = if lock.mode == LockMode::Shared { Wish::Shared } else { Wish::Exclusive };
            Need::new(GateForm::Lock, &lock.resource, wish)
        });
        let limits = self
            .limits
            .iter()
            .map(|limit| Need::new(GateForm::Limit, &limit.key, Wish::Slot { max: limit.max }));
        let rates =
            self.rates.iter().map(|rate| Need::new(GateForm::Rate, &rate.key, Wish::start(rate.pace)));
        let order = self.order_key.iter().map(|key| Need::new(GateForm::Order, key, Wish::Turn));
        let mut needs: Vec<Need> = order.chain(locks).chain(limits).chain(rates).collect();
        needs.sort_by(|one, other| one.gate.cmp(&other.gate));
        needs.dedup_by(|one, other| one.gate == other.gate);
        needs
    }

    /// Refuses gates that cannot be.
    pub(crate) fn validate_gates(&self) -> Result<(), Invalid> {
        check_locks(&self.locks)?;
        check_each(
            "limits",
            &self.limits,
            |limit| &limit.key,
            |limit, field| match limit.max {
                0 => Err(Invalid::new(format!("{field}.max"), "must be 1 or more")),
                _ => Ok(()),
            },
        )?;
        check_each("rates", &self.rates, |rate| &rate.key, |rate, field| rate.pace.validate(field))?;
        self.order_key.as_ref().map_or(Ok(()), |key| check_gate_name("order_key", key))
    }
}

/// Refuses locks that cannot be had together.
///
/// # Errors
///
/// [`Invalid`] with the field `locks`, or one inside it.
pub fn check_locks(locks: &[Lock]) -> Result<(), Invalid> {
    let resource = |lock: &'_ Lock| lock.resource.clone();
    for (index, lock) in locks.iter().enumerate() {
        if locks[..index].iter().any(|before| resource(before) == lock.resource && before.mode != lock.mode) {
            let problem = format!("{:?} is wanted both shared and exclusive", lock.resource);
            return Err(Invalid::new(format!("locks[{index}].mode"), problem));
        }
    }
    check_count("locks", locks.len())?;
    locks.iter().enumerate().try_for_each(|(index, lock)| {
        check_gate_name(&format!("locks[{index}].resource"), &lock.resource)?;
        check_twice("locks", locks.iter().map(|lock| lock.resource.as_str()), index)
    })
}

fn check_each<T>(
    list: &str,
    items: &[T],
    key: impl Fn(&T) -> &String,
    check: impl Fn(&T, &str) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    check_count(list, items.len())?;
    items.iter().enumerate().try_for_each(|(index, item)| {
        check_gate_name(&format!("{list}[{index}].key"), key(item))?;
        check_twice(list, items.iter().map(|item| key(item).as_str()), index)?;
        check(item, &format!("{list}[{index}]"))
    })
}

fn check_count(list: &str, count: usize) -> Result<(), Invalid> {
    if count > GATES_MAX {
        return Err(Invalid::new(list, format!("are {count}; at most {GATES_MAX} are allowed")));
    }
    Ok(())
}

fn check_twice<'a>(
    list: &str,
    mut names: impl Iterator<Item = &'a str> + Clone,
    index: usize,
) -> Result<(), Invalid> {
    let name = names.clone().nth(index);
    if names.by_ref().take(index).any(|before| Some(before) == name) {
        return Err(Invalid::new(format!("{list}[{index}]"), "stands there twice"));
    }
    Ok(())
}

/// Refuses a name of a gate that could not be shown or kept.
fn check_gate_name(field: &str, name: &str) -> Result<(), Invalid> {
    if name.is_empty() {
        return Err(Invalid::new(field, "must not be empty"));
    }
    if name.len() > GATE_NAME_BYTES_MAX {
        let problem = format!("is {} bytes long; at most {GATE_NAME_BYTES_MAX} are allowed", name.len());
        return Err(Invalid::new(field, problem));
    }
    if name.chars().any(char::is_control) {
        return Err(Invalid::new(field, "contains a control character"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
