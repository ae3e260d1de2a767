//! Whether a gate lets a job in, and who may be called once it has room.

use super::Wish;
use crate::limits::LINE_GRACE;
use crate::{Priority, Timestamp};

/// A job's place in the claim order: priority, then due time, then enqueue order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number of its priority, most urgent first.
    pub priority: u8,
    /// When it was due.
    pub run_at: Timestamp,
    /// A number that grows with the order in which jobs were enqueued.
    pub order: u64,
}

impl Place {
    /// The place of a job of this priority.
    #[must_use]
    pub const fn new(priority: Priority, run_at: Timestamp, order: u64) -> Self {
        Self { priority: priority.as_number(), run_at, order }
    }
}

/// Who stands in line for a resource: jobs that it turned away, and that nobody may pass who came later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Line {
    /// The first of them.
    pub any: Option<Place>,
    /// The first of them that wants it alone.
    pub exclusive: Option<Place>,
}

impl Line {
    /// Puts a job in line.
    pub fn join(&mut self, place: Place, wish: Wish) {
        let earlier = |first: Option<Place>| Some(first.map_or(place, |first| first.min(place)));
        self.any = earlier(self.any);
        if wish.is_exclusive() {
            self.exclusive = earlier(self.exclusive);
        }
    }
}

/// What a store knows of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GateState {
    /// How many open attempts have what it gives.
    pub holders: u32,
    /// Whether one of them has it alone.
    pub exclusive: bool,
    /// Who stands in line.
    pub line: Line,
    /// When it was last given back while others stood in line.
    pub freed_at: Option<Timestamp>,
    /// Of a rate: when the next start would be due if all were evenly spread.
    pub arrival: Option<Timestamp>,
    /// Of an order key: the enqueue order of the first job that is not final.
    pub first: Option<u64>,
}

/// Why a gate turned a job away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Others have the resource, and it cannot be shared with them.
    Held,
    /// Somebody who came earlier stands in line for it. `until` when the resource is free, and kept for those in line.
    Behind {
        /// When whoever comes may take it.
        until: Option<Timestamp>,
    },
    /// As many run as may.
    Full,
    /// It is too early for another start.
    Early {
        /// When it is not.
        until: Timestamp,
    },
    /// An earlier job of the same order key is not final, or an attempt of one is open.
    Turn,
}

impl Refusal {
    /// When to look again, if it is time alone that opens the gate.
    #[must_use]
    pub const fn until(self) -> Option<Timestamp> {
        match self {
            Self::Behind { until } => until,
            Self::Early { until } => Some(until),
            Self::Held | Self::Full | Self::Turn => None,
        }
    }
}

impl GateState {
    /// Why the gate does not let in a job at `place` that wants `wish` when it is `now`; none if it does.
    #[must_use]
    pub fn refusal(&self, wish: Wish, place: Place, now: Timestamp) -> Option<Refusal> {
        match wish {
            Wish::Shared if self.exclusive => Some(Refusal::Held),
            // While others share it, the one in line who wants it alone cannot start, and nobody may go before it.
            Wish::Shared if self.holders > 0 => {
                is_before(self.line.exclusive, place).then_some(Refusal::Behind { until: None })
            }
            Wish::Shared => self.kept_for(self.line.exclusive, place, now),
            Wish::Exclusive if self.holders > 0 => Some(Refusal::Held),
            Wish::Exclusive => self.kept_for(self.line.any, place, now),
            Wish::Slot { max } => (self.holders >= max).then_some(Refusal::Full),
            Wish::Start { interval, burst } => self.early(interval, burst, now),
            Wish::Turn => {
                let is_next = self.first.is_none_or(|first| first >= place.order);
                (self.holders > 0 || !is_next).then_some(Refusal::Turn)
            }
        }
    }

    /// A resource that is free is kept for those in line for a while, if it was given back while some stood there. If nobody of
    /// them comes, because their queue is paused or no worker is there for them, it is whoever comes next.
    fn kept_for(&self, first: Option<Place>, place: Place, now: Timestamp) -> Option<Refusal> {
        let until = self.freed_at?.after(LINE_GRACE);
        (is_before(first, place) && now < until).then_some(Refusal::Behind { until: Some(until) })
    }

    /// The generic cell rate algorithm.
    fn early(&self, interval: u64, burst: u32, now: Timestamp) -> Option<Refusal> {
        let arrival = self.arrival.unwrap_or(now).max(now);
        let slack = micros(interval).saturating_mul(i64::from(burst.max(1)) - 1);
        let until = Timestamp::from_micros(arrival.as_micros().saturating_sub(slack));
        (until > now).then_some(Refusal::Early { until })
    }

    /// Lets a job in.
    pub fn grant(&mut self, wish: Wish, now: Timestamp) {
        self.holders += 1;
        self.exclusive |= wish.is_exclusive();
        if let Wish::Start { interval, .. } = wish {
            let arrival = self.arrival.unwrap_or(now).max(now);
            self.arrival = Some(Timestamp::from_micros(arrival.as_micros().saturating_add(micros(interval))));
        }
    }

    /// Whom of one lane to call: those that would be let in if nobody came but them, in their order. The others of
    /// `waiting` stay parked.
    ///
    /// Jobs of one lane can be claimed by the same workers, so whoever could take one that stays parked can take those that
    /// are called before it.
    #[must_use]
    pub fn call(&self, waiting: &[Waiting], now: Timestamp) -> Call {
        let (mut state, mut call) = (*self, Call::default());
        for (index, one) in waiting.iter().enumerate() {
            match state.refusal(one.wish, one.place, now) {
                None => {
                    state.grant(one.wish, now);
                    if !one.called {
                        call.jobs.push(index);
                    }
                }
                Some(refusal) if !one.called => {
                    call.opens_at = call.opens_at.into_iter().chain(refusal.until()).min();
                }
                Some(_) => {}
            }
        }
        call
    }
}

/// A job that a gate turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its place.
    pub place: Place,
    /// What it wants.
    pub wish: Wish,
    /// Whether it was called back, and is to be claimed.
    pub called: bool,
}

/// What [`GateState::call`] says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Call {
    /// Which of them to call, by their index.
    pub jobs: Vec<usize>,
    /// When time alone lets in one that stays parked.
    pub opens_at: Option<Timestamp>,
}

fn is_before(first: Option<Place>, place: Place) -> bool {
    first.is_some_and(|first| first < place)
}

fn micros(interval: u64) -> i64 {
    i64::try_from(interval).unwrap_or(i64::MAX)
}
