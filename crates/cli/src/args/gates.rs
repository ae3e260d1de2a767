//! What jobs have to share: locks, limits, rates and order keys.

use clap::Args;
use windlass_core::{KeyedLimit, Lock, Pace, QueueName, Rate};

use super::By;
use super::values::duration;

/// Beside whom a job may start, and how often.
#[derive(Debug, Args, Default)]
pub(crate) struct GateOptions {
    /// A resource that it needs alone while it runs. Repeatable.
    #[arg(long = "lock", value_name = "RESOURCE")]
    pub(crate) locks: Vec<String>,
    /// A resource that it needs while it runs, and may share with others. Repeatable.
    #[arg(long = "lock-shared", value_name = "RESOURCE")]
    pub(crate) locks_shared: Vec<String>,
    /// Not while as many jobs with this key run, such as stripe=3. Repeatable.
    #[arg(long = "limit", value_name = "KEY=N", value_parser = keyed_limit)]
    pub(crate) limits: Vec<KeyedLimit>,
    /// No more often with this key, such as api=100/1m, or api=100/1m,5 for up to 5 at once. Repeatable.
    #[arg(long = "rate", value_name = "KEY=N/TIME[,BURST]", value_parser = keyed_rate)]
    pub(crate) rates: Vec<Rate>,
    /// One at a time, and in order, with all jobs of the same key.
    #[arg(long, value_name = "KEY")]
    pub(crate) order_key: Option<String>,
}

impl GateOptions {
    /// The resources it needs.
    pub(crate) fn all_locks(&self) -> Vec<Lock> {
        let shared = self.locks_shared.iter().map(Lock::shared);
        self.locks.iter().map(Lock::exclusive).chain(shared).collect()
    }
}

/// What bounds a queue, or a kind.
#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// The queue.
    pub(crate) queue: QueueName,
    /// How many of its jobs may run at a time, over all workers; `none` for any number.
    #[arg(value_name = "N|none", value_parser = limit)]
    pub(crate) limit: Bound<u32>,
    /// The name is that of a kind, and the limit holds over all its queues.
    #[arg(long)]
    pub(crate) kind: bool,
    #[command(flatten)]
    pub(crate) by: By,
}

/// How often jobs of a queue, or of a kind, may start.
#[derive(Debug, Args)]
pub(crate) struct RateArgs {
    /// The queue.
    pub(crate) queue: QueueName,
    /// How often one of its jobs may start, over all workers: such as 100/1m, or 100/1m,5 for up to 5 at once; `none` for as often
    /// as can be.
    #[arg(value_name = "N/TIME[,BURST]|none", value_parser = rate)]
    pub(crate) rate: Bound<Pace>,
    /// The name is that of a kind, and the rate holds over all its queues.
    #[arg(long)]
    pub(crate) kind: bool,
    #[command(flatten)]
    pub(crate) by: By,
}

/// A bound, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound<T>(pub(crate) Option<T>);

fn keyed_limit(text: &str) -> Result<KeyedLimit, String> {
    let (key, max) = text.rsplit_once('=').ok_or("expected a key and a number, such as stripe=3")?;
    let max = max.parse().map_err(|_| format!("{max:?} is no number: expected such as stripe=3"))?;
    Ok(KeyedLimit { key: key.to_owned(), max })
}

fn keyed_rate(text: &str) -> Result<Rate, String> {
    let (key, text) = text.rsplit_once('=').ok_or("expected a key and a rate, such as api=100/1m")?;
    Ok(Rate { key: key.to_owned(), pace: pace(text)? })
}

fn pace(text: &str) -> Result<Pace, String> {
    let (text, burst) = text.split_once(',').unwrap_or((text, "1"));
    let expected = || format!("{text:?} is no rate: expected such as 100/1m");
    let (starts, per) = text.split_once('/').ok_or_else(expected)?;
    let pace = Pace::new(starts.parse().map_err(|_| expected())?, duration(per)?);
    Ok(pace.with_burst(burst.parse().map_err(|_| format!("{burst:?} is no number of starts at once"))?))
}

fn limit(text: &str) -> Result<Bound<u32>, String> {
    if text == "none" {
        return Ok(Bound(None));
    }
    text.parse().map(|limit| Bound(Some(limit))).map_err(|_| "expected a number, or none".to_owned())
}

fn rate(text: &str) -> Result<Bound<Pace>, String> {
    if text == "none" {
        return Ok(Bound(None));
    }
    pace(text).map(|pace| Bound(Some(pace)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_key_may_have_an_equals_sign_and_a_number_must_follow_the_last() {
        let limit = keyed_limit("a=b=3").unwrap();

        assert_eq!((limit.key.as_str(), limit.max), ("a=b", 3));
        assert!(keyed_limit("a").is_err());
        assert!(keyed_limit("a=many").is_err());
    }

    #[test]
    fn a_rate_says_how_many_in_which_time_and_how_many_at_once() {
        let rate = keyed_rate("api=100/1m,5").unwrap();

        assert_eq!(rate.key, "api");
        assert_eq!(rate.pace, Pace { starts: 100, per: Duration::from_secs(60), burst: 5 });
        assert_eq!(pace("3/10s").unwrap().burst, 1);
        for wrong in ["3", "3/", "x/1s", "3/1s,x"] {
            assert!(pace(wrong).is_err(), "{wrong}");
        }
    }
}
