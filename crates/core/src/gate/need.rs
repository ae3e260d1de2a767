//! Gates as stores keep them: what kind each is, and what a job wants of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{LockMode, Pace};
use crate::JobOptions;

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
    pub(super) fn start(pace: Pace) -> Self {
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
    pub(super) fn new(form: GateForm, name: impl AsRef<str>, wish: Wish) -> Self {
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
}
