//! The gates that jobs of random sequences need: few, so that jobs meet at them.

use super::generate::Generator;
use std::time::Duration;

use windlass_core::{Bounds, JobOptions, KeyedLimit, Lock, Pace, Rate, Whole};

use super::op::{KINDS, QUEUES};
use crate::bench::{kind, queue};

/// How many kinds of need there are.
pub(crate) const GATES: u64 = 15;

fn limit(key: &str, max: u32) -> KeyedLimit {
    KeyedLimit { key: key.to_owned(), max }
}

fn rate(key: &str, starts: u32, seconds: u64, burst: u32) -> Rate {
    Rate { key: key.to_owned(), pace: Pace { starts, per: Duration::from_secs(seconds), burst } }
}

/// Adds need number `index` to what a job asks for.
pub(crate) fn ask_for(options: &mut JobOptions, index: u8) {
    match index {
        0 | 1 => options.locks = vec![Lock::exclusive("r")],
        2 | 3 => options.locks = vec![Lock::shared("r")],
        4 => options.locks = vec![Lock::exclusive("s")],
        5 => options.locks = vec![Lock::exclusive("r"), Lock::shared("s")],
        6 => options.locks = vec![Lock::shared("r"), Lock::exclusive("s")],
        7 => options.limits = vec![limit("k", 1)],
        8 => options.limits = vec![limit("k", 2)],
        9 => {
            options.limits = vec![limit("l", 2)];
            options.locks = vec![Lock::exclusive("r")];
        }
        10 => options.rates = vec![rate("api", 1, 5, 1)],
        11 => {
            options.rates = vec![rate("api", 2, 10, 2)];
            options.limits = vec![limit("k", 2)];
        }
        12 => options.order_key = Some("o".to_owned()),
        13 => options.order_key = Some("p".to_owned()),
        _ => {
            options.order_key = Some("o".to_owned());
            options.locks = vec![Lock::exclusive("r")];
        }
    }
}

/// The queues, and then the kinds.
pub(crate) fn whole(index: u8) -> Whole {
    let index = usize::from(index);
    match QUEUES.get(index) {
        Some(name) => Whole::Queue(queue(name)),
        None => Whole::Kind(kind(KINDS[(index - QUEUES.len()) % KINDS.len()])),
    }
}

pub(crate) fn bounds(index: u8) -> Bounds {
    match index {
        0 => Bounds { limit: Some(1), rate: None },
        1 => Bounds { limit: Some(2), rate: Some(Pace::new(1, Duration::from_secs(5))) },
        _ => Bounds::default(),
    }
}

impl Generator {
    /// Which of [`ask_for`].
    pub(super) fn gates(&mut self) -> u8 {
        u8::try_from(self.below(GATES)).unwrap_or_default()
    }
}
